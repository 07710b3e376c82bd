package scheme

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// The notations of numbers that are read: R7RS 7.1.1, without complex numbers
// and without # for a digit.
var (
	integer  = regexp.MustCompile(`^[+-]?[0-9]+$`)
	fraction = regexp.MustCompile(`^[+-]?[0-9]+/[0-9]+$`)
	decimal  = regexp.MustCompile(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eEsSfFdDlL]([+-]?[0-9]+))?$`)
	// exotic are numbers for Guile, but for no file of Guix.
	exotic = regexp.MustCompile(`^(` + real + `)?([+-]([0-9.]` + rest + `|inf\.0|nan\.0)?[iI]|@` + real + `)$|^[+-]?[0-9.]` + rest + `#`)
)

const (
	rest = `[0-9./eEsSfFdDlL#]*`
	real = `[+-]?([0-9.]` + rest + `|inf\.0|nan\.0)`
)

// maxDigits bounds the numbers that are converted between notations.
const maxDigits = 4096

// maxExponent is the largest that Guile reads.
const maxExponent = 324

// number returns the canonical notation of the number that token is, if it is
// one. Tokens that Guile takes for numbers and that are not read here are an
// error, so that none passes as a symbol.
func number(token string) (text string, ok bool, err error) {
	if c := token[0]; c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
		return "", false, nil
	}
	switch lower := strings.ToLower(token); {
	case lower == "+inf.0" || lower == "-inf.0" || lower == "+nan.0":
		return lower, true, nil
	case lower == "-nan.0":
		return "+nan.0", true, nil
	case integer.MatchString(token):
		return canonicalInteger(token), true, nil
	case len(token) > maxDigits:
		if fraction.MatchString(token) || decimal.MatchString(token) || exotic.MatchString(token) {
			return "", false, errors.New("a number of that length is not supported")
		}
		return "", false, nil
	case fraction.MatchString(token):
		return canonicalFraction(token, 10)
	case decimal.MatchString(token):
		return canonicalDecimal(token)
	case exotic.MatchString(token):
		return "", false, errors.New("complex numbers and # for digits are not supported")
	}
	return "", false, nil
}

func canonicalInteger(token string) string {
	digits := strings.TrimLeft(strings.TrimLeft(token, "+-"), "0")
	switch {
	case digits == "":
		return "0"
	case token[0] == '-':
		return "-" + digits
	}
	return digits
}

// canonicalFraction reduces a fraction; with a denominator of zero it is a
// symbol.
func canonicalFraction(token string, base int) (string, bool, error) {
	above, below, _ := strings.Cut(token, "/")
	num, ok1 := new(big.Int).SetString(strings.TrimPrefix(above, "+"), base)
	den, ok2 := new(big.Int).SetString(below, base)
	if !ok1 || !ok2 || den.Sign() == 0 {
		return "", false, nil
	}
	return new(big.Rat).SetFrac(num, den).RatString(), true, nil
}

// canonicalDecimal reads an inexact number as Guile does: as an IEEE double.
func canonicalDecimal(token string) (string, bool, error) {
	m := decimal.FindStringSubmatch(token)
	mantissa, exponent := m[1], m[2]
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxExponent || e < -maxExponent {
			return "", false, errors.New("the exponent is out of range")
		}
		mantissa += "e" + exponent
	}
	f, err := strconv.ParseFloat(mantissa, 64)
	if err != nil {
		return "", false, errors.New("the number is out of range")
	}
	return formatFloat(f), true, nil
}

// formatFloat writes f so that it reads back as the same inexact number.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "+inf.0"
	case math.IsInf(f, -1):
		return "-inf.0"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// radixNumber reads exact numbers with a radix: #xFF, #b-101, #o7/3, #d10.
func radixNumber(token string) (string, bool) {
	bases := map[byte]int{'x': 16, 'o': 8, 'b': 2, 'd': 10}
	if len(token) < 3 || len(token) > maxDigits {
		return "", false
	}
	base := bases[token[1]|0x20]
	digits := token[2:]
	if base == 0 || strings.Contains(digits, "_") {
		return "", false
	}
	if strings.Contains(digits, "/") {
		text, ok, _ := canonicalFraction(digits, base)
		return text, ok
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return "", false
	}
	return n.String(), true
}

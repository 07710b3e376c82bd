package report

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A report holds texts that the image, the user or a tool chose: any bytes at
// all. JSON holds Unicode only, so in JSON a text is written in one of two forms:
//
//   - As it is, when it is valid UTF-8: nearly always.
//   - Otherwise, or when it begins with "bytes:", as "bytes:" followed by the
//     same text in which a byte that is no part of valid UTF-8 is \xNN (two
//     lower-case hexadecimal digits) and a backslash is \\.
//
// So no two texts are written alike, and each is read back byte for byte. In
// memory a text is always the original bytes.
const bytesMark = "bytes:"

// encodeText writes a text in one of its two forms.
func encodeText(s string) (string, error) {
	if utf8.ValidString(s) && !strings.HasPrefix(s, bytesMark) {
		return s, nil
	}
	out := []byte(bytesMark)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\x%02x`, s[0])
		case r == '\\':
			out = append(out, `\\`...)
		default:
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return string(out), nil
}

// decodeText reads what encodeText wrote.
func decodeText(text string) (string, error) {
	rest, marked := strings.CutPrefix(text, bytesMark)
	if !marked {
		return text, nil
	}
	var out []byte
	for {
		plain, escaped, found := strings.Cut(rest, `\`)
		out = append(out, plain...)
		if !found {
			return string(out), nil
		}
		b, n, err := unescape(escaped)
		if err != nil {
			return "", fmt.Errorf("reading %.60q: %w", text, err)
		}
		out = append(out, b)
		rest = escaped[n:]
	}
}

// unescape returns the byte that follows a backslash and how many characters
// it is written with.
func unescape(s string) (byte, int, error) {
	if strings.HasPrefix(s, `\`) {
		return '\\', 1, nil
	}
	if len(s) >= 3 && s[0] == 'x' {
		if b, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(b), 3, nil
		}
	}
	return 0, 0, fmt.Errorf(`a backslash without \ or xNN after it`)
}

// withTexts copies a value of the contract, all the way down, and passes every
// text in it through a function, keys of maps excepted.
func withTexts(v reflect.Value, through func(string) (string, error)) (reflect.Value, error) {
	out := reflect.New(v.Type()).Elem()
	var err error
	each := func(to, from reflect.Value) {
		if err == nil {
			from, err = withTexts(from, through)
		}
		if err == nil {
			to.Set(from)
		}
	}
	switch v.Kind() {
	case reflect.String:
		var s string
		s, err = through(v.String())
		out.SetString(s)
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			each(out.Elem(), v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			each(out, v.Elem())
		}
	case reflect.Struct:
		out.Set(v)
		for i := range v.NumField() {
			if out.Field(i).CanSet() && v.Type() != reflect.TypeFor[time.Time]() {
				each(out.Field(i), v.Field(i))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			each(out.Index(i), v.Index(i))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		}
		for it := v.MapRange(); it.Next() && err == nil; {
			var to reflect.Value
			if to, err = withTexts(it.Value(), through); err == nil {
				out.SetMapIndex(it.Key(), to)
			}
		}
	default:
		out.Set(v)
	}
	return out, err
}

package compare

import (
	"strconv"
	"strings"
)

// parseNumber reads a numeric field and names the form in which it is written;
// value and form together are its bytes. The kind of the form is 0 when it has none.
func parseNumber(field []byte) (int64, headerValue) {
	if isZero(field) {
		return 0, headerValue{kind: emptyNumber}
	}
	if field[0]&0x80 != 0 {
		return parseBinary(field)
	}
	start := 0
	for start < len(field) && field[start] == ' ' {
		start++
	}
	end := start
	for end < len(field) && '0' <= field[end] && field[end] <= '7' {
		end++
	}
	v, err := strconv.ParseInt(string(field[start:end]), 8, 64)
	tail := field[end:]
	switch {
	case err != nil:
		return 0, headerValue{}
	case start > 0 && field[start] == '0' && end > start+1:
		return v, headerValue{} // padded with both
	case strings.Trim(string(tail), "\x00 ") != "":
		return v, headerValue{}
	case start > 0:
		return v, headerValue{kind: spacePadded, text: string(tail)}
	case len(tail) <= 2:
		return v, headerValue{kind: zeroPadded, text: string(tail)}
	case isZero(tail) && (field[0] != '0' || end == 1):
		return v, headerValue{kind: unpadded}
	}
	return v, headerValue{}
}

// parseBinary reads a number in GNU tar's base 256: big-endian, in two's
// complement behind a set first bit.
func parseBinary(field []byte) (int64, headerValue) {
	v := int64(0)
	fill := byte(0x00)
	if field[0]&0x40 != 0 {
		v, fill = -1, 0xff
	}
	for i, c := range field {
		if i == 0 {
			c = c&0x3f | fill&0xc0
		}
		if i < len(field)-8 && c != fill {
			return 0, headerValue{}
		}
		v = v<<8 | int64(c)
	}
	if v < 0 != (fill != 0) {
		return 0, headerValue{}
	}
	return v, headerValue{kind: base256}
}

func isZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// cString returns a field up to its first NUL.
func cString(field []byte) string {
	text, _, _ := strings.Cut(string(field), "\x00")
	return text
}

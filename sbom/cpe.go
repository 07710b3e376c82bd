package sbom

import "strings"

// cpe returns a name by which a vulnerability database may know a product
// (NISTIR 7695, formatted string), "" when there is none. The image does not
// name the vendor: most free software is listed under its own name, so the
// result is a candidate that nobody has looked up.
func cpe(name, version string) string {
	product, ok := cpeValue(name)
	if !ok {
		return ""
	}
	number, ok := cpeValue(version)
	if !ok {
		return ""
	}
	return "cpe:2.3:a:" + product + ":" + product + ":" + number + ":*:*:*:*:*:*:*"
}

// cpeValue quotes a value as the formatted string wants it: in lower case,
// with a backslash before punctuation. What is not printable ASCII has no form.
func cpeValue(text string) (string, bool) {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(text)) {
		switch {
		case c <= ' ' || c >= 0x7f:
			return "", false
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	value := b.String()
	return value, value != "" && value != "-"
}

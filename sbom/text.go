package sbom

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// clean returns text as it may be shown: control characters, invisible ones
// and bytes that are not UTF-8 come out escaped, as in a Go string.
func clean(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	if quoted[1:len(quoted)-1] == text {
		return text
	}
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// cleanAll returns the texts as they may be shown.
func cleanAll(texts []string) []string {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = clean(t)
	}
	return list
}

// location returns a path with the escapes of a URL: no spaces, ASCII only.
func location(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// address returns a URL in its escaped form, "" when it is none.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return ""
	}
	return u.String()
}

// cut returns at most so many bytes of a text, whole characters of them.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "")
}

// maxPlaceBytes bounds the path of a piece of evidence: a database is that of each
// of its packages.
const maxPlaceBytes = 1 << 10

// placeText returns a path as evidence names it.
func placeText(path string) string {
	if len(path) > maxPlaceBytes {
		path = cut(path, maxPlaceBytes) + "…"
	}
	return clean(path)
}

// names gives out names that are used only once; the value is how often a name
// was asked for.
type names map[string]int

// maxIDBytes bounds an identifier: it is written again by everything that refers
// to it.
const maxIDBytes = 200

// pick returns want, or when it was given out before, want with a number after
// it that makes it new. A long one is cut.
func (n names) pick(want string) string {
	want = cut(want, maxIDBytes)
	name := want
	for n[name] > 0 {
		n[want]++
		name = fmt.Sprintf("%s-%d", want, n[want])
	}
	n[name]++
	return name
}

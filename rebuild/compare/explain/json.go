package explain

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare/jsondiff"
)

// A jsonDecoder explains JSON documents (RFC 8259) value by value, and shows a
// diff where they have several lines.
type jsonDecoder struct{}

func (jsonDecoder) decode(d *diff, was, now []byte) bool {
	if !isJSON(was) || !isJSON(now) {
		return false
	}
	fields, more := jsondiff.Diff(was, now)
	for _, f := range fields {
		if f.Order {
			d.add(check.Say("difference/json-value", "field", shown(f.Path)), Content, f.Was, f.Now)
		} else {
			in := d
			if d.dateKeys.has(lastKey(f.Path)) {
				in = d.withNumbers()
			}
			in.value(check.Say("difference/json-value", "field", shown(f.Path)), jsonText(f.Was), jsonText(f.Now))
		}
	}
	if more > 0 {
		d.only(check.Say("difference/json-more-values", "values", more))
	}
	if len(fields) == 0 {
		d.add(check.Say("difference/json-spelling"), spelling(was, now), sizeText(was), sizeText(now))
		d.show(Bytes(was, now))
	}
	if len(fields) > 0 && bytes.Count(was, []byte("\n")) > 1 {
		d.showLines(was, now)
	}
	return true
}

// lastKey is the last name in the path of a value.
func lastKey(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// spelling says why two documents with the same values differ: the order of
// their keys, where they hold the same bytes but for white space; else white
// space, or the escapes of strings.
func spelling(was, now []byte) Reason {
	x, okX := jsondiff.Compact(was)
	y, okY := jsondiff.Compact(now)
	if !okX || !okY || bytes.Equal(x, y) {
		return Packing
	}
	slices.Sort(x)
	slices.Sort(y)
	if bytes.Equal(x, y) {
		return Order
	}
	return Packing
}

// isJSON says whether a document is an object or an array.
func isJSON(doc []byte) bool {
	trimmed := bytes.TrimSpace(doc)
	return len(trimmed) > 0 && slices.Contains([]byte("{["), trimmed[0]) && json.Valid(doc)
}

// jsonText takes a string out of its quotes.
func jsonText(value string) string {
	if text, err := strconv.Unquote(value); err == nil {
		return text
	}
	return value
}

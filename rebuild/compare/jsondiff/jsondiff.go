// Package jsondiff finds the values that differ between two JSON documents
// (RFC 8259). Keys are compared as they are written, upper and lower case
// apart; a key that comes twice is two values; white space, the order of keys
// and the escapes of strings do not count.
package jsondiff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on what hostile documents may cost. Honest ones are far below.
const (
	maxFields   = 1000 // differences that are listed
	maxDeep     = 32   // nesting; what is deeper is compared as one value
	maxKeyShown = 200  // bytes of a key in a path
)

// A Field is a value that differs.
type Field struct {
	Path string // such as "config.Env[0]", "" for the document as a whole
	Was  string // JSON text, "" when absent
	Now  string // likewise
	// Order says that both are arrays of the same elements in another order.
	Order bool
}

// Diff compares two documents and returns what differs, sorted by path, the
// first 1000 of it, and how much more there is. Where one is no JSON, both as
// a whole are one field.
func Diff(was, now []byte) (found []Field, more int) {
	d := new(differ)
	x, okX := Compact(was)
	y, okY := Compact(now)
	if okX && okY {
		d.values("", x, y, 0)
	} else if !bytes.Equal(was, now) {
		d.add(Field{Was: string(was), Now: string(now)})
	}
	slices.SortStableFunc(d.found, func(x, y Field) int { return cmp.Compare(x.Path, y.Path) })
	return d.found, d.more
}

// Compact returns a document without white space between its values; false
// when it is no JSON, or not in UTF-8.
func Compact(doc []byte) (json.RawMessage, bool) {
	var b bytes.Buffer
	if !utf8.Valid(doc) || json.Compact(&b, doc) != nil {
		return nil, false
	}
	return b.Bytes(), true
}

type differ struct {
	found []Field
	more  int // that are not listed
}

func (d *differ) add(f Field) {
	if len(d.found) == maxFields {
		d.more++
		return
	}
	d.found = append(d.found, f)
}

// values compares two compact values; nil stands for none.
func (d *differ) values(path string, was, now json.RawMessage, depth int) {
	if bytes.Equal(was, now) || sameString(was, now) {
		return
	}
	if was != nil && now != nil && was[0] == now[0] && depth < maxDeep {
		switch was[0] {
		case '{':
			if d.objects(path, was, now, depth) {
				return
			}
		case '[':
			d.arrays(path, was, now, depth)
			return
		}
	}
	d.add(Field{Path: path, Was: string(was), Now: string(now)})
}

// sameString says whether two JSON texts are one string, written with other
// escapes. Escapes that stand for no character are taken as different.
func sameString(was, now json.RawMessage) bool {
	var x, y string
	if json.Unmarshal(was, &x) != nil || json.Unmarshal(now, &y) != nil || was[0] != '"' || now[0] != '"' {
		return false
	}
	return x == y && !strings.ContainsRune(x, utf8.RuneError)
}

// A member is a key of an object with its value.
type member struct {
	key   string
	nth   int // 0 for the first of this key
	value json.RawMessage
}

// objects compares two objects key by key. It returns false when a key cannot
// be distinguished from others.
func (d *differ) objects(path string, was, now json.RawMessage, depth int) bool {
	x, okX := members(was)
	y, okY := members(now)
	if !okX || !okY {
		return false
	}
	for len(x) > 0 || len(y) > 0 {
		order := cmp.Compare(len(y), 0) - cmp.Compare(len(x), 0)
		if len(x) > 0 && len(y) > 0 {
			order = compareMembers(x[0], y[0])
		}
		switch {
		case order < 0:
			d.values(join(path, x[0]), x[0].value, nil, depth+1)
			x = x[1:]
		case order > 0:
			d.values(join(path, y[0]), nil, y[0].value, depth+1)
			y = y[1:]
		default:
			d.values(join(path, x[0]), x[0].value, y[0].value, depth+1)
			x, y = x[1:], y[1:]
		}
	}
	return true
}

func compareMembers(x, y member) int {
	return cmp.Or(strings.Compare(x.key, y.key), cmp.Compare(x.nth, y.nth))
}

// members returns the members of an object, sorted by key.
func members(object json.RawMessage) ([]member, bool) {
	var found []member
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.Token()
	seen := make(map[string]int)
	for dec.More() {
		key, err := dec.Token()
		m := member{}
		if err != nil || dec.Decode(&m.value) != nil {
			return nil, false
		}
		m.key = key.(string)
		if strings.ContainsRune(m.key, utf8.RuneError) {
			return nil, false
		}
		m.nth = seen[m.key]
		seen[m.key]++
		found = append(found, m)
	}
	slices.SortFunc(found, compareMembers)
	return found, true
}

func elements(array json.RawMessage) []json.RawMessage {
	var found []json.RawMessage
	_ = json.Unmarshal(array, &found) // it is valid: Compact saw it
	return found
}

// arrays compares two arrays element by element, after what they have in common
// at both ends: a value put in front of all others is one difference, and so is
// another order of the same values.
func (d *differ) arrays(path string, was, now json.RawMessage, depth int) {
	xs, ys := elements(was), elements(now)
	start := 0
	for start < min(len(xs), len(ys)) && bytes.Equal(xs[start], ys[start]) {
		start++
	}
	for len(xs) > start && len(ys) > start && bytes.Equal(xs[len(xs)-1], ys[len(ys)-1]) {
		xs, ys = xs[:len(xs)-1], ys[:len(ys)-1]
	}
	if len(xs) == len(ys) && len(xs) > start && sameValues(xs[start:], ys[start:]) {
		d.add(Field{Path: path, Was: string(was), Now: string(now), Order: true})
		return
	}
	for i := start; i < max(len(xs), len(ys)); i++ {
		var x, y json.RawMessage
		if i < len(xs) {
			x = xs[i]
		}
		if i < len(ys) {
			y = ys[i]
		}
		d.values(path+"["+strconv.Itoa(i)+"]", x, y, depth+1)
	}
}

// sameValues says whether two arrays hold the same values in any order.
func sameValues(xs, ys []json.RawMessage) bool {
	byBytes := func(x, y json.RawMessage) int { return bytes.Compare(x, y) }
	return slices.CompareFunc(slices.SortedFunc(slices.Values(xs), byBytes), slices.SortedFunc(slices.Values(ys), byBytes), byBytes) == 0
}

// join appends a key to a path; a key that is no plain word is quoted, and the
// second of a repeated key is marked "#2".
func join(path string, m member) string {
	key := m.key
	if len(key) > maxKeyShown {
		key = key[:maxKeyShown] + "…"
	}
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	}) < 0
	switch {
	case !plain:
		path += "[" + strconv.Quote(key) + "]"
	case path != "":
		path += "." + key
	default:
		path = key
	}
	if m.nth > 0 {
		path += "#" + strconv.Itoa(m.nth+1)
	}
	return path
}

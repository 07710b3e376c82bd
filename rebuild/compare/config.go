package compare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Bounds on what a hostile config may cost. Honest ones are far below.
const (
	maxFields    = 1000 // differences that are listed
	maxFieldDeep = 32   // nesting; what is deeper is compared as one value
	maxKeyShown  = 200  // bytes of a key in a path
)

// fields compares two JSON documents value by value and returns what differs,
// sorted by field; keys are compared as they are written, upper and lower case
// apart, and a key that comes twice is two fields. Documents that are no JSON
// are one field with an empty name.
func fields(was, now []byte) []FieldDifference {
	d := new(fieldDiff)
	x, okX := compact(was)
	y, okY := compact(now)
	if okX && okY {
		d.values("", x, y, 0)
	} else if !bytes.Equal(was, now) {
		d.add("", was, now)
	}
	slices.SortStableFunc(d.found, func(x, y FieldDifference) int { return cmp.Compare(x.Field, y.Field) })
	if d.more > 0 {
		d.found = append(d.found, FieldDifference{Field: "…", Was: "null", Now: strconv.Quote(fmt.Sprintf("%d more fields differ", d.more))})
	}
	return d.found
}

// compact returns a JSON document without white space between its values.
func compact(doc []byte) (json.RawMessage, bool) {
	var b bytes.Buffer
	if !utf8.Valid(doc) || json.Compact(&b, doc) != nil {
		return nil, false
	}
	return b.Bytes(), true
}

type fieldDiff struct {
	found []FieldDifference
	more  int // that are not listed
}

func (d *fieldDiff) add(field string, was, now json.RawMessage) {
	if len(d.found) == maxFields {
		d.more++
		return
	}
	d.found = append(d.found, FieldDifference{Field: field, Was: string(was), Now: string(now)})
}

// values compares two compact values; nil stands for none.
func (d *fieldDiff) values(field string, was, now json.RawMessage, depth int) {
	if bytes.Equal(was, now) || sameString(was, now) {
		return
	}
	if was != nil && now != nil && was[0] == now[0] && depth < maxFieldDeep {
		switch was[0] {
		case '{':
			if d.objects(field, was, now, depth) {
				return
			}
		case '[':
			d.arrays(field, elements(was), elements(now), depth)
			return
		}
	}
	d.add(field, was, now)
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
// be told from others.
func (d *fieldDiff) objects(field string, was, now json.RawMessage, depth int) bool {
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
			d.values(join(field, x[0]), x[0].value, nil, depth+1)
			x = x[1:]
		case order > 0:
			d.values(join(field, y[0]), nil, y[0].value, depth+1)
			y = y[1:]
		default:
			d.values(join(field, x[0]), x[0].value, y[0].value, depth+1)
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
	_ = json.Unmarshal(array, &found) // it is valid: compact saw it
	return found
}

// arrays compares two arrays element by element, after what they have in common
// at both ends: a variable put in front of all others is one difference.
func (d *fieldDiff) arrays(field string, was, now []json.RawMessage, depth int) {
	start := 0
	for start < min(len(was), len(now)) && bytes.Equal(was[start], now[start]) {
		start++
	}
	for len(was) > start && len(now) > start && bytes.Equal(was[len(was)-1], now[len(now)-1]) {
		was, now = was[:len(was)-1], now[:len(now)-1]
	}
	for i := start; i < max(len(was), len(now)); i++ {
		var x, y json.RawMessage
		if i < len(was) {
			x = was[i]
		}
		if i < len(now) {
			y = now[i]
		}
		d.values(field+"["+strconv.Itoa(i)+"]", x, y, depth+1)
	}
}

// join appends a key to a JSON path; a key that is no plain word is quoted, and
// the second of a repeated key is marked "#2".
func join(field string, m member) string {
	key := m.key
	if len(key) > maxKeyShown {
		key = key[:maxKeyShown] + "…"
	}
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	}) < 0
	switch {
	case !plain:
		field += "[" + strconv.Quote(key) + "]"
	case field != "":
		field += "." + key
	default:
		field = key
	}
	if m.nth > 0 {
		field += "#" + strconv.Itoa(m.nth+1)
	}
	return field
}

// configCause says why a field of the config differs. A diffID follows from
// its layer when it is that layer's true one; a false one does not.
func (w *walk) configCause(f *FieldDifference) Cause {
	var i int
	if _, err := fmt.Sscanf(f.Field, "rootfs.diff_ids[%d]", &i); err == nil && f.Field == fmt.Sprintf("rootfs.diff_ids[%d]", i) {
		if w.a.hasDiffID(i, f.Was) && w.b.hasDiffID(i, f.Now) {
			return Derived
		}
	}
	switch {
	case isTime(f.Was) && isTime(f.Now) && isCreation(f.Field):
		return Timestamp
	case f.Now == "":
		return Missing
	case f.Was == "":
		return Extra
	}
	return Content
}

// hasDiffID says whether layer i has the diffID that the JSON text names. No
// text is right where the config lists as many diffIDs as there are layers.
func (s *side) hasDiffID(i int, text string) bool {
	if text == "" {
		return len(s.img.Config.File.RootFS.DiffIDs) == len(s.img.Layers)
	}
	if i >= len(s.img.Layers) {
		return false
	}
	id := s.img.Layers[i].DiffID
	return id != v1.Hash{} && text == strconv.Quote(id.String())
}

// isCreation says whether a field holds a time of creation (OCI image-spec
// v1.1, config.md: "created" of the image and of each entry of its history).
func isCreation(field string) bool {
	if field == "created" {
		return true
	}
	rest, ok := strings.CutPrefix(field, "history[")
	index, last, found := strings.Cut(rest, "]")
	_, err := strconv.Atoi(index)
	return ok && found && err == nil && last == ".created"
}

// isTime says whether a JSON text is a string in the form of RFC 3339, or
// nothing at all.
func isTime(text string) bool {
	if text == "" || text == "null" {
		return true
	}
	var t v1.Time
	return json.Unmarshal([]byte(text), &t) == nil
}

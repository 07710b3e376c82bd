package pass

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// RepeatedKeys returns the keys of a JSON document that stand more than once where
// a reader would have to choose, as dotted paths without the places in lists:
// those of a field of v, whatever their case, since Go's readers take either; and
// those of a map of v, such as labels, when they are exactly the same. What v has
// no place for is not looked at. The document is one that can be decoded into v.
func RepeatedKeys(raw []byte, v any) []string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	w := keyWalk{in: d, found: make(map[string]bool)}
	w.value("", reflect.TypeOf(v))
	return slices.Sorted(maps.Keys(w.found))
}

type keyWalk struct {
	in    *json.Decoder
	found map[string]bool
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// value reads a value that is decoded into a type, nil for none.
func (w *keyWalk) value(path string, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && reflect.PointerTo(t).Implements(unmarshaler) {
		t = nil
	}
	token, err := w.in.Token()
	if err != nil {
		return
	}
	switch token {
	case json.Delim('{'):
		w.object(path, t)
	case json.Delim('['):
		if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
			t = t.Elem()
		} else {
			t = nil
		}
		for w.in.More() {
			w.value(path, t)
		}
		_, _ = w.in.Token()
	}
}

func (w *keyWalk) object(path string, t reflect.Type) {
	var fields map[string]reflect.Type
	isMap := t != nil && t.Kind() == reflect.Map
	if t != nil && t.Kind() == reflect.Struct {
		fields = make(map[string]reflect.Type)
		fieldsOf(t, fields)
	}
	seen := make(map[string]bool)
	for w.in.More() {
		token, err := w.in.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return
		}
		below, known := fields[folded(key)]
		id := folded(key)
		if isMap {
			below, known, id = t.Elem(), true, key
		}
		if known && seen[id] {
			w.found[strings.TrimPrefix(path+"."+key, ".")] = true
		}
		if known {
			seen[id] = true
		}
		w.value(strings.TrimPrefix(path+"."+key, "."), below)
	}
	_, _ = w.in.Token()
}

// fieldsOf lists the fields that encoding/json decodes, by their folded names.
func fieldsOf(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fieldsOf(f.Type, into)
		case name == "-" || !f.IsExported():
		case name == "":
			into[folded(f.Name)] = f.Type
		default:
			into[folded(name)] = f.Type
		}
	}
}

// folded returns what is the same for all keys that encoding/json takes for one.
func folded(key string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
			least = min(least, c)
		}
		return least
	}, key)
}

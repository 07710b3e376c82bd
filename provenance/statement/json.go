package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds on a document.
const (
	MaxBytes  = 8 << 20 // of one document
	maxDepth  = 64      // of values in each other
	maxValues = 1 << 20 // of one document, keys too; of a large build some ten thousand
)

// checkJSON sees to it that a document is one JSON value that all readers
// understand alike: UTF-8, no key twice in an object, nothing after its end.
func checkJSON(raw []byte) error {
	switch {
	case len(raw) > MaxBytes:
		return fmt.Errorf("it has more than %d bytes", MaxBytes)
	case !utf8.Valid(raw):
		return errors.New("it is no UTF-8")
	}
	if n := bytes.Count(raw, []byte(",")) + bytes.Count(raw, []byte("{")) + bytes.Count(raw, []byte("[")); n > maxValues {
		return fmt.Errorf("it has more than %d values", maxValues)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := checkValue(d, 0); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes follow the end of the document")
	}
	return nil
}

func checkValue(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested deeper than %d", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := make(map[string]bool)
	for d.More() {
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key, _ := token.(string)
			if seen[key] {
				return fmt.Errorf("the key %q stands twice in an object", key)
			}
			seen[key] = true
		}
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// An object is a JSON object whose keys are taken as they are written.
type object map[string]json.RawMessage

// parseObject reads an object that was checked. The known keys in another case are
// refused: some readers take them.
func parseObject(raw []byte, known ...string) (object, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil || o == nil {
		return nil, errors.New("it is no JSON object")
	}
	for key := range o {
		for _, name := range known {
			if key != name && strings.EqualFold(key, name) {
				return nil, fmt.Errorf("it has a key like %q in another case", name)
			}
		}
	}
	return o, nil
}

// only refuses keys that are not among the known.
func (o object) only(known ...string) error {
	count := 0
	for _, name := range known {
		if _, ok := o[name]; ok {
			count++
		}
	}
	if count != len(o) {
		return fmt.Errorf("it has keys other than %s", strings.Join(known, ", "))
	}
	return nil
}

// text returns a string, "" when there is none.
func (o object) text(key string) (string, error) {
	var s string
	if raw, ok := o[key]; ok && json.Unmarshal(raw, &s) != nil {
		return "", fmt.Errorf("%s is no text", key)
	}
	return s, nil
}

// list returns the elements of a list, none when there is none.
func (o object) list(key string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	if raw, ok := o[key]; ok && json.Unmarshal(raw, &all) != nil {
		return nil, fmt.Errorf("%s is no list", key)
	}
	return all, nil
}

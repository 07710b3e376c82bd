package image

import "encoding/json"

// Written is a config as its author wrote it: what [Config.File] does not keep. Names of
// fields are matched in any case, but for those of the maps.
type Written struct {
	// Fields are all fields by their names to the letter; nil where the config is no
	// JSON object.
	Fields  map[string]json.RawMessage
	Comment string        // "" where there is none
	Created *string       // the date as text; nil where there is none
	History []WrittenStep // in the order of the config
	// Err is why the config, or a part of it, could not be decoded.
	Err error

	of []byte // the bytes that it was made of
}

// A WrittenStep is an entry of the history of a config.
type WrittenStep struct {
	Fields     map[string]json.RawMessage `json:"-"` // all, by their names to the letter
	Created    *string                    // the date as text; nil where there is none
	CreatedBy  string                     `json:"created_by"`
	Comment    string
	EmptyLayer bool `json:"empty_layer"`
}

// UnmarshalJSON decodes an entry of a history.
func (s *WrittenStep) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &s.Fields); err != nil {
		return err
	}
	type step WrittenStep // without this method
	return json.Unmarshal(raw, (*step)(s))
}

// Written returns what the config has beside File. It is decoded when it is first asked
// for, and may not be so twice at once.
func (c *Config) Written() *Written {
	if c.written == nil || !c.written.isOf(c.Raw) {
		c.written = write(c.Raw)
	}
	return c.written
}

// isOf says whether the bytes are those, at that place, that were decoded.
func (w *Written) isOf(raw []byte) bool {
	return len(raw) == len(w.of) && (len(raw) == 0 || &raw[0] == &w.of[0])
}

func write(raw []byte) *Written {
	w := &Written{of: raw}
	if w.Err = json.Unmarshal(raw, &w.Fields); w.Err != nil {
		w.Fields = nil
		return w
	}
	var typed struct {
		Comment string
		Created *string
		History []WrittenStep
	}
	w.Err = json.Unmarshal(raw, &typed)
	w.Comment, w.Created, w.History = typed.Comment, typed.Created, typed.History
	return w
}

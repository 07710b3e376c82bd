package pass

import (
	"encoding/json"
	"fmt"
	"io"

	"audit/inspect/limit"
)

// maxJSONValues bounds the values in a JSON document that is decoded: in
// memory the shortest of them takes a hundred times its bytes.
const maxJSONValues = 1 << 18

// Decode decodes a JSON document of the image into v.
func Decode(where string, raw []byte, v any) error {
	if countsAsValues(raw) > maxJSONValues {
		return &limit.Error{Name: "JSON values", Limit: maxJSONValues, Where: where}
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return &limit.FormatError{Where: where, Err: fmt.Errorf("not the JSON document that it should be: %w", err)}
	}
	return nil
}

// countsAsValues returns at least the number of values in a document: each but
// the first follows one of these characters.
func countsAsValues(raw []byte) int {
	n := 0
	for _, c := range raw {
		if c == ',' || c == '[' || c == '{' {
			n++
		}
	}
	return n
}

// ReadDocument reads a JSON document to its end, within the limit.
func (p *Pass) ReadDocument(where string, r io.Reader) ([]byte, error) {
	most := p.Limits.JSONBytes
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > most {
		return nil, &limit.Error{Name: limit.JSONBytes, Limit: most, Where: where}
	}
	return raw, p.Keep(where, int64(len(raw)))
}

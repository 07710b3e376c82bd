package inspect

import (
	"encoding/json"
	"fmt"
	"io"
)

// maxJSONValues bounds the values in a JSON document that is decoded: in
// memory the shortest of them takes a hundred times its bytes.
const maxJSONValues = 1 << 18

// decode decodes a JSON document of the image into v.
func decode(where string, raw []byte, v any) error {
	if countsAsValues(raw) > maxJSONValues {
		return &LimitError{"JSON values", maxJSONValues, where}
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return &FormatError{where, fmt.Errorf("not the JSON document that it should be: %w", err)}
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

// readDocument reads a JSON document to its end, within the limit.
func (p *pass) readDocument(where string, r io.Reader) ([]byte, error) {
	limit := p.limits.JSONBytes
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, &LimitError{"JSON bytes", limit, where}
	}
	return raw, p.keep(where, int64(len(raw)))
}

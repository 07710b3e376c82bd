package rebuild

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// DetailsOf returns the details of a plan as the type of its build system,
// decoding those of a plan that was read from a file: with no other keys than the
// type has.
func DetailsOf[T any](plan Plan) (T, error) {
	var details T
	switch d := plan.Details.(type) {
	case T:
		return d, nil
	case json.RawMessage:
		decode := json.NewDecoder(bytes.NewReader(d))
		decode.DisallowUnknownFields()
		if err := decode.Decode(&details); err != nil {
			return details, fmt.Errorf("reading the details of a plan for %s: %w", plan.System, err)
		}
		return details, nil
	}
	return details, fmt.Errorf("the plan for %s has no details", plan.System)
}

// FilesOf returns the files that a plan stands for, which its details write. They are
// for people: nothing is read back from them.
func FilesOf(plan Plan) []PlanFile {
	if d, ok := plan.Details.(interface{ Files() []PlanFile }); ok {
		return d.Files()
	}
	return nil
}

// UnmarshalJSON reads a plan that was stored: its details stay as they are
// written. Other keys than those of a plan are an error.
func (p *Plan) UnmarshalJSON(text []byte) error {
	type plain Plan
	var details json.RawMessage
	read := plain{Details: &details}
	decode := json.NewDecoder(bytes.NewReader(text))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&read); err != nil {
		return err
	}
	*p = Plan(read)
	p.Details = nil
	if details != nil {
		p.Details = details
	}
	return nil
}

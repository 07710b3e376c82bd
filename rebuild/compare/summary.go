package compare

import (
	"maps"

	"audit/inspect/check"
)

// Summary says in one message what a difference is: of what lies inside of a
// file, where, if that is known, and of texts the first line that nothing explains; of programs
// that their code and data are the same, if they are; of a rename the new name; else what was
// and is. The arguments "was" and "now" have at most 200 characters.
func Summary(cause Cause, was, now Value, evidence []check.Message) check.Message {
	if whole := ofWhole(cause, evidence); !whole.IsZero() {
		return whole
	}
	if first, ok := firstInside(cause, evidence); ok {
		return short(first)
	}
	return short(check.Say("difference/change", "was", Argument(was), "now", Argument(now)))
}

// Summary says in one message what the difference is; values have at most 200 characters.
func (f *FieldDifference) Summary() check.Message {
	return check.Say("rebuild/config-difference", "field", f.Field, "cause", string(f.Cause), "was", check.Clip(f.Was), "now", check.Clip(f.Now))
}

// ofWhole returns the evidence that says most of a file or folder as a whole: of a program
// that code and data are the same, of what has another name which.
func ofWhole(cause Cause, evidence []check.Message) check.Message {
	for _, m := range evidence {
		switch {
		case cause == Content && m.Code == "difference/elf-only" && m.Args.String("inside") == "":
			return m
		case m.Code == renamedFile || m.Code == renamedFolder:
			m.Args = maps.Clone(m.Args)
			delete(m.Args, "names")
			return m
		}
	}
	return check.Message{}
}

// firstInside returns the first evidence, where it says what differs inside of a
// file: such a part has a value of both, which may be empty.
func firstInside(cause Cause, evidence []check.Message) (m check.Message, ok bool) {
	if len(evidence) == 0 {
		return m, false
	}
	switch cause {
	case EmbeddedDate, EmbeddedPath, EmbeddedStorePath, EmbeddedOrder, Compression:
		return evidence[0], true
	case Content:
		_, ok = evidence[0].Args["was"]
		return evidence[0], ok
	}
	return m, false
}

// short cuts the values of a message for a line.
func short(m check.Message) check.Message {
	m.Args = maps.Clone(m.Args)
	for _, name := range []string{"was", "now"} {
		if value, ok := m.Args[name].(string); ok {
			m.Args[name] = check.Clip(value)
		}
	}
	return m
}

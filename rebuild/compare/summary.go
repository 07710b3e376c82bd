package compare

import (
	"cmp"
	"maps"
	"strconv"
	"strings"

	"audit/inspect/check"
)

// Summary says in one message what a difference is: of what lies inside of a
// file, where, if that is known, and of texts the first lines that differ; of programs
// that their code and data are the same, if they are; of a rename the new name; else what was and is. The arguments "was" and "now" have at most 200 characters.
func Summary(cause Cause, was, now Value, evidence []check.Message) check.Message {
	if whole := ofWhole(cause, evidence); !whole.IsZero() {
		return whole
	}
	if first, ok := firstInside(cause, evidence); ok {
		return short(first)
	}
	if cause == Content {
		for _, m := range evidence {
			if line, ok := firstChange(m.Args.String("diff")); ok {
				return line
			}
		}
	}
	return short(check.Say("difference/change", "was", Argument(was), "now", Argument(now)))
}

// ofWhole returns the evidence that says most of a file or folder as a whole: of a program
// that code and data are the same, of what has another name which.
func ofWhole(cause Cause, evidence []check.Message) check.Message {
	for _, m := range evidence {
		switch {
		case cause == Content && m.Code == "difference/elf-only" && m.Args.String("inside") == "":
			return m
		case cause == Missing && (m.Code == renamedFile || m.Code == renamedFolder):
			m.Args = maps.Clone(m.Args)
			delete(m.Args, "names")
			return m
		}
	}
	return check.Message{}
}

// firstInside returns the first evidence, where it says what differs inside of a
// file.
func firstInside(cause Cause, evidence []check.Message) (check.Message, bool) {
	if len(evidence) == 0 {
		return check.Message{}, false
	}
	switch cause {
	case EmbeddedDate, EmbeddedPath, EmbeddedStorePath, EmbeddedOrder, Compression:
		return evidence[0], true
	case Content:
		return evidence[0], evidence[0].Args.String("was")+evidence[0].Args.String("now") != ""
	}
	return check.Message{}, false
}

// firstChange has the first lines that a diff replaces, takes away or adds, one
// of each; ok is false when they show no difference, or this is no diff.
func firstChange(diff string) (m check.Message, ok bool) {
	header, diff, _ := strings.Cut(diff, "\n")
	if !strings.HasPrefix(header, "@@") {
		return m, false
	}
	var was, now string
	for line := range strings.Lines(diff) {
		text := strings.TrimSpace(line[1:])
		switch line[0] {
		case '-':
			was = cmp.Or(was, text)
		case '+':
			now = cmp.Or(now, text)
		case ' ', '@':
			if was != now {
				return changedLine(was, now), true
			}
			was, now = "", ""
		}
	}
	return changedLine(was, now), was != now
}

func changedLine(was, now string) check.Message {
	return check.Say("difference/changed-line", "was", quoted(was), "now", quoted(now))
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return strconv.Quote(check.Clip(text))
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

package compare

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Summary says in a line what a difference is, from its fields: of what lies
// inside a file, where, if that is known, and of texts the first lines that
// differ; else what was and is. Values have at most 200 characters.
func Summary(cause Cause, was, now, detail string) string {
	line, _, _ := strings.Cut(detail, "\n")
	switch cause {
	case EmbeddedDate, EmbeddedPath, EmbeddedStorePath, EmbeddedOrder, Compression:
		if line != "" {
			return shorten(line)
		}
	case Content:
		if strings.Contains(line, " → ") {
			return shorten(line)
		}
		if text := firstChange(detail); text != "" {
			return text
		}
	}
	return change(was, now)
}

// firstChange shows the first lines that a diff replaces, takes away or adds,
// one of each; "" when they show no difference, or this is no diff.
func firstChange(diff string) string {
	header, diff, _ := strings.Cut(diff, "\n")
	if !strings.HasPrefix(header, "@@") {
		return ""
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
				return change(quoted(was), quoted(now))
			}
			was, now = "", ""
		}
	}
	if was == now {
		return ""
	}
	return change(quoted(was), quoted(now))
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return strconv.Quote(shorten(text))
}

func change(was, now string) string {
	return orNothing(shorten(was)) + " → " + orNothing(shorten(now))
}

// shorten cuts a value for a line.
func shorten(s string) string {
	const limit = 200
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

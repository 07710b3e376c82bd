package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Message is something to be said to a person: a code, and the arguments from
// which its sentence is made. The zero Message says nothing.
type Message struct {
	Code string `json:"code"`
	Args Args   `json:"arguments,omitempty"`
}

// IsZero says that there is nothing to be said.
func (m Message) IsZero() bool { return m.Code == "" }

// String returns the code and its arguments, sorted by name, for tests and for
// those who debug: a person reads the sentence instead.
func (m Message) String() string {
	text := m.Code
	for _, name := range slices.Sorted(maps.Keys(m.Args)) {
		text += fmt.Sprintf(" %s=%q", name, m.Args.String(name))
	}
	return text
}

// Args are the arguments of a code, by their names in kebab case. A value is a
// string, an int64, a []string, or a [Message], whose sentence stands in its place;
// nothing else.
type Args map[string]any

// Say makes a message of a code and its arguments, each a name and a value:
//
//	check.Say("integrity/diffid-mismatch", "claimed", l.ClaimedDiffID, "computed", l.DiffID)
//
// A value may be a string, an int, an int64, a []string, a [Message], a
// [fmt.Stringer] or an error; another one, or a name without a value, is a
// mistake of the caller and panics.
func Say(code string, args ...any) Message {
	m := Message{Code: code}
	if len(args) > 0 {
		m.Args = make(Args, len(args)/2)
	}
	for i := 0; i < len(args); i += 2 {
		m.Args[args[i].(string)] = value(args[i+1])
	}
	return m
}

func value(v any) any {
	switch v := v.(type) {
	case string, int64, []string, Message:
		return v
	case int:
		return int64(v)
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	panic(fmt.Sprintf("check: an argument of type %T", v))
}

// String returns the text of an argument, "" when there is none.
func (a Args) String(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case []string:
		return strings.Join(v, ", ")
	case Message:
		return v.String()
	}
	return ""
}

// Int returns a number, 0 when there is none.
func (a Args) Int(name string) int64 {
	n, _ := a[name].(int64)
	return n
}

// Strings returns a list, nil when there is none.
func (a Args) Strings(name string) []string {
	list, _ := a[name].([]string)
	return list
}

// MarshalJSON writes the arguments by name, sorted. Bytes that are no UTF-8 are
// written as \xHH, so that nothing is lost.
func (a Args) MarshalJSON() ([]byte, error) {
	out := make(map[string]any, len(a))
	for name, v := range a {
		switch v := v.(type) {
		case string:
			out[name] = valid(v)
		case []string:
			list := make([]string, len(v))
			for i := range v {
				list[i] = valid(v[i])
			}
			out[name] = list
		default:
			out[name] = v
		}
	}
	return json.Marshal(out)
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Args) UnmarshalJSON(text []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*a = make(Args, len(raw))
	for name, v := range raw {
		var s string
		var n int64
		var list []string
		switch {
		case json.Unmarshal(v, &s) == nil:
			(*a)[name] = s
		case json.Unmarshal(v, &n) == nil:
			(*a)[name] = n
		case json.Unmarshal(v, &list) == nil:
			(*a)[name] = list
		default:
			return fmt.Errorf("argument %q is no text, number or list of texts", name)
		}
	}
	return nil
}

// Clip shortens a text of an image for an argument, to 200 characters.
func Clip(text string) string { return ClipTo(text, 200) }

// ClipTo shortens a text to a number of characters.
func ClipTo(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

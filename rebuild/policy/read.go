package policy

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// A Policy is what is demanded of an image.
type Policy struct {
	Name    string                      `json:"-"` // of the file, without folders, or "builtin:strict"; "" where there is none
	Require rebuild.Policy              `json:"require"`
	Checks  map[check.ID][]check.Status `json:"checks,omitempty"`
	Refuse  []string                    `json:"refuse,omitempty"` // codes, or beginnings of codes
	Allow   []Allowance                 `json:"allow,omitempty"`
}

// An Allowance lets a documented difference pass until a day.
type Allowance struct {
	Path    string        `json:"path"`
	Cause   compare.Cause `json:"cause"`
	Reason  string        `json:"reason"`
	Expires Day           `json:"expires"` // the last day on which it holds, UTC
}

// A Day is a date without a time, UTC.
type Day time.Time

// String is the day as "2006-01-02".
func (d Day) String() string { return time.Time(d).Format(time.DateOnly) }

// MarshalText writes the day as policies have it.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is no day of the form 2006-01-02", text)
	}
	*d = Day(t)
	return nil
}

// Bounds on a policy.
const (
	maxSize       = 1 << 20 // bytes of the file
	maxList       = 1000    // elements of a list
	maxText       = 4096    // bytes of a path or reason
	longestExpiry = 366 * 24 * time.Hour
)

// An UnknownError is a word of a policy that means nothing: nobody would notice that it
// demands nothing.
type UnknownError struct {
	Word  string   // as the file has it
	Known []string // what could stand there
	text  string
}

func (e *UnknownError) Error() string { return e.text }

// Read reads a policy (policy.schema.json) on a day. Codes are those of the findings that
// there are: another one is refused. The error is one line that says where in the file it
// is wrong; it is an [*UnknownError] where a word is none that a policy has there.
func Read(r io.Reader, today time.Time, codes []string) (Policy, error) {
	var p Policy
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	switch {
	case err != nil:
		return p, fmt.Errorf("reading the policy: %w", err)
	case len(text) > maxSize:
		return p, fmt.Errorf("the policy has more than %d bytes", maxSize)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // which editors of Windows write
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) > 0 && !bytes.ContainsRune([]byte(`{["`), rune(first[0])) && !json.Valid(text) {
		return p, errors.New("line 1: a policy is JSON, and begins with {")
	}
	if err := onlyKeys(text); err != nil {
		return p, err
	}
	if err := onlyWords(text); err != nil {
		return p, err
	}
	decode := json.NewDecoder(bytes.NewReader(text))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&p); err != nil {
		return p, placed(text, err)
	}
	return p, p.check(today, codes)
}

// placed adds to an error of the decoder the line that it is about.
func placed(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
		if endsInComma(text, at) {
			err = errors.New("a comma stands before the end of an object or an array")
		}
	case errors.As(err, &kind):
		at = kind.Offset
		err = fmt.Errorf("%s is of the kind %s, where a policy has %s", cmp.Or(kind.Field, "the whole"), kind.Value, kindOf(kind.Type))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the policy ends too early")
	}
	if at < 0 {
		return fmt.Errorf("the policy: %w", err)
	}
	line := 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
	return fmt.Errorf("line %d: %w", line, err)
}

// endsInComma says whether an error at an offset, or at the byte before it, is about a comma
// after which nothing comes.
func endsInComma(text []byte, at int64) bool {
	if at < 1 || at >= int64(len(text)) {
		return false
	}
	before := bytes.TrimRight(text[:at], " \t\r\n}]")
	after := bytes.TrimLeft(text[len(before):], " \t\r\n")
	return bytes.HasSuffix(before, []byte(",")) && len(after) > 0 && bytes.ContainsAny(after[:1], "}]")
}

// kindOf is what a value of a type is in JSON.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice:
		return "an array"
	}
	return "a string"
}

// onlyWords sees to it that what is demanded is one of the words that there are. Values of
// another kind are looked at later.
func onlyWords(text []byte) error {
	var words struct {
		Require any
		Checks  map[string][]any
	}
	if json.Unmarshal(text, &words) != nil {
		return nil
	}
	var demands []string
	for _, p := range rebuild.Policies() {
		demands = append(demands, p.String())
	}
	if word, ok := words.Require.(string); ok && !slices.Contains(demands, word) {
		return unknown("require", "policy", word, demands)
	}
	for _, id := range slices.Sorted(maps.Keys(words.Checks)) {
		for _, status := range words.Checks[id] {
			word, ok := status.(string)
			if ok && slices.Contains(check.IDs(), check.ID(id)) && !slices.Contains(statuses, word) {
				return unknown("checks."+id, "status", word, statuses)
			}
		}
	}
	return nil
}

// statuses are those that a check can have.
var statuses = []string{check.Pass.String(), check.Fail.String(), check.Unknown.String(), check.Skipped.String()}

// onlyKeys sees to it that a key stands in an object once, whatever its case, and
// that nothing follows the policy: readers of JSON differ in what they make of
// either.
func onlyKeys(text []byte) error {
	decode := json.NewDecoder(bytes.NewReader(text))
	if err := object(decode, 0, ""); err != nil {
		return placed(text, err)
	}
	if _, err := decode.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the policy")
	}
	return nil
}

// maxDepth is how deep the values of a policy are in each other.
const maxDepth = 4

// object reads one value, to its end, and looks at the keys of its objects. In is the key
// that it stands under, "" for the policy itself.
func object(decode *json.Decoder, depth int, in string) error {
	if depth > maxDepth {
		return errors.New("values are nested deeper than a policy has them")
	}
	token, err := decode.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	switch {
	case token == nil:
		return fmt.Errorf("%s is null: leave out what is not demanded", cmp.Or(in, "the whole"))
	case !ok:
		return nil
	}
	seen := make(map[string]bool)
	for decode.More() {
		key := in
		if open == '{' {
			token, err := decode.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string)
			folded := strings.ToLower(key)
			if seen[folded] {
				return fmt.Errorf("the key %q stands there twice", key)
			}
			seen[folded] = true
			if fields := fieldsOf(in); fields != nil && !slices.Contains(fields, key) {
				return &UnknownError{key, fields, fmt.Sprintf("unknown field %q", key)}
			}
		}
		if err := object(decode, depth+1, key); err != nil {
			return err
		}
	}
	_, err = decode.Token()
	return err
}

// fieldsOf are the fields of the object that stands under a key, nil where they are
// looked at later.
func fieldsOf(in string) []string {
	switch in {
	case "":
		return []string{"require", "checks", "refuse", "allow"}
	case "allow":
		return []string{"path", "cause", "reason", "expires"}
	}
	return nil
}

// check says what is wrong with a policy that was read.
func (p *Policy) check(today time.Time, codes []string) error {
	for _, id := range slices.Sorted(maps.Keys(p.Checks)) {
		switch {
		case !slices.Contains(check.IDs(), id):
			return unknown("checks."+string(id), "check", string(id), check.IDs())
		case len(p.Checks[id]) == 0:
			return fmt.Errorf("checks.%s: no status is named, so that none would do", id)
		}
	}
	if len(p.Refuse) > maxList || len(p.Allow) > maxList {
		return fmt.Errorf("more than %d elements in a list", maxList)
	}
	for i, code := range p.Refuse {
		switch {
		case !isCode(code):
			return fmt.Errorf("refuse[%d]: %q is no code, such as closure/unexplained-file, and no beginning of codes that ends in / or -", i, code)
		case !slices.ContainsFunc(codes, func(have string) bool { return covers(code, have) }):
			place := fmt.Sprintf("refuse[%d]", i)
			return &UnknownError{code, codes, fmt.Sprintf("%s: there is no finding %q, so that nothing is refused", place, code)}
		}
	}
	for i := range p.Allow {
		if err := p.Allow[i].check(today); err != nil {
			return fmt.Errorf("allow[%d]: %w", i, err)
		}
	}
	return nil
}

// unknown is about a word that is none of a few.
func unknown[T ~string](place, kind, word string, among []T) error {
	return &UnknownError{word, texts(among), fmt.Sprintf("%s: there is no %s %q (there are %s)", place, kind, word, strings.Join(texts(among), ", "))}
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

// isCode says whether a text is a code of a finding, or a beginning of codes.
func isCode(text string) bool {
	return regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*/([a-z0-9]+-)*([a-z0-9]+)?$`).MatchString(text)
}

func (a *Allowance) check(today time.Time) error {
	a.Path = strings.TrimPrefix(a.Path, "/")
	switch {
	case a.Path == "" || a.Path == configPrefix:
		return errors.New("path: it is empty")
	case len(a.Path) > maxText || len(a.Reason) > maxText:
		return fmt.Errorf("path and reason have at most %d bytes", maxText)
	case strings.HasSuffix(strings.ReplaceAll(a.Path, `\\`, ""), `\`):
		return errors.New("path: it ends in a backslash")
	case !isNarrow(a.Path):
		return fmt.Errorf("path: %q allows too much: begin with the folder that it is about", a.Path)
	case a.Cause == compare.Derived || !slices.Contains(compare.AllCauses(), a.Cause):
		return unknown("cause", "cause", string(a.Cause), causes())
	case isPattern(a.Path) && slices.Contains([]compare.Cause{compare.Owner, compare.Xattr, compare.Device}, a.Cause):
		return fmt.Errorf("path: no pattern can allow a difference of cause %s; name the file", a.Cause)
	case strings.TrimSpace(a.Reason) == "":
		return errors.New("reason: there is none")
	case time.Time(a.Expires).IsZero():
		return errors.New("expires: there is no day")
	case time.Time(a.Expires).Sub(today) > longestExpiry:
		return fmt.Errorf("expires: %s is more than a year away", a.Expires)
	}
	return nil
}

// Expired says whether an allowance allows nothing any more.
func (a Allowance) Expired(today time.Time) bool {
	return Day(today.UTC()).String() > a.Expires.String()
}

func causes() []compare.Cause {
	return slices.DeleteFunc(compare.AllCauses(), func(c compare.Cause) bool { return c == compare.Derived })
}

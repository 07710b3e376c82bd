package compare

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Rule allows a documented difference until a day. An allowed difference
// stays in the comparison, marked with the reason; images with one are at most
// equivalent.
type Rule struct {
	Line    int    // in the file of rules
	Pattern string // of paths, or "config:" and one of fields of the config
	Cause   Cause
	Expires time.Time // the last day on which it holds, UTC
	Reason  string
}

// An Allowance is what became of a rule.
type Allowance struct {
	Rule
	Count   int  // differences that it allows, or, when expired, that it would
	Expired bool // then it allows none
}

// A RuleError says what is wrong with a line of a file of rules.
type RuleError struct {
	Line int
	Err  error
}

func (e *RuleError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *RuleError) Unwrap() error { return e.Err }

// Bounds on a file of rules.
const (
	maxRules    = 1000
	maxRuleLine = 4096 // bytes
)

// ParseAllow reads rules, one a line, the fields separated by white space:
//
//	# PATTERN                  CAUSE          EXPIRES     REASON
//	usr/lib/python3/**/*.pyc   embedded-date  2027-01-31  the time of the source, Debian bug 1012345
//	"opt/my app/version"       content        2026-12-31  the build number
//	config:config.Labels.built content        2026-12-31  a label with the date
//
// In a pattern, * stands for any characters but a slash, ** as a whole name for
// any folders or none, ? for one character; a backslash takes the meaning from
// the next. One with spaces is quoted as a string of Go. Lines that are empty
// or start with # are passed over. All four fields must be there. The error is
// a [*RuleError], or that of r.
func ParseAllow(r io.Reader) ([]Rule, error) {
	var rules []Rule
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxRuleLine), maxRuleLine)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		rule, err := parseRule(line)
		switch {
		case err != nil:
			return nil, &RuleError{n, err}
		case len(rules) == maxRules:
			return nil, &RuleError{n, fmt.Errorf("more than %d rules", maxRules)}
		}
		rule.Line = n
		rules = append(rules, rule)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &RuleError{n + 1, fmt.Errorf("more than %d bytes", maxRuleLine)}
	case err != nil:
		return nil, fmt.Errorf("reading the rules: %w", err)
	}
	return rules, nil
}

func parseRule(line string) (r Rule, err error) {
	if !utf8.ValidString(line) {
		return r, errors.New("not in UTF-8")
	}
	var rest, cause, expires string
	if r.Pattern, rest, err = cutPattern(line); err != nil {
		return r, err
	}
	cause, rest = cutWord(rest)
	expires, r.Reason = cutWord(rest)
	switch {
	case r.Reason == "":
		return r, errors.New("a rule is PATTERN CAUSE EXPIRES REASON, and all four must be there")
	case cause == string(Derived) || !slices.Contains(AllCauses(), Cause(cause)):
		return r, fmt.Errorf("no cause %q: there are %s", cause, causeNames())
	}
	if r.Expires, err = time.Parse(time.DateOnly, expires); err != nil {
		return r, fmt.Errorf("the day %q on which it expires is not of the form 2006-01-02", expires)
	}
	r.Cause = Cause(cause)
	return r, nil
}

func causeNames() string {
	var names []string
	for _, c := range AllCauses() {
		if c != Derived {
			names = append(names, string(c))
		}
	}
	return strings.Join(names, ", ")
}

// cutPattern splits off the pattern, quoted or not.
func cutPattern(line string) (pattern, rest string, err error) {
	if line[0] == '"' {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", "", errors.New("the quoted pattern does not end")
		}
		if pattern, err = strconv.Unquote(quoted); err != nil {
			return "", "", fmt.Errorf("the quoted pattern: %w", err)
		}
		rest = line[len(quoted):]
	} else {
		pattern, rest = cutWord(line)
	}
	switch pattern = strings.TrimPrefix(pattern, "/"); {
	case pattern == "" || pattern == configPrefix:
		return "", "", errors.New("the pattern is empty")
	case strings.HasSuffix(strings.ReplaceAll(pattern, `\\`, ""), `\`):
		return "", "", errors.New("the pattern ends in a backslash")
	}
	return pattern, rest, nil
}

func cutWord(text string) (word, rest string) {
	text = strings.TrimLeft(text, " \t")
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return text[:i], strings.TrimLeft(text[i:], " \t")
	}
	return text, ""
}

// Apply marks the differences that rules allow on a day, and notes what became
// of each rule in Allowances. It comes after Explain, which finds the causes.
// What is about a layer as a whole, such as data hidden after its end, no
// rule allows.
func (c *Comparison) Apply(rules []Rule, today time.Time) {
	c.Allowances = make([]Allowance, len(rules))
	for i, r := range rules {
		c.Allowances[i] = Allowance{Rule: r, Expired: today.UTC().Format(time.DateOnly) > r.Expires.Format(time.DateOnly)}
	}
	for i := range c.Config {
		f := &c.Config[i]
		f.Allowed = c.allow(f.Cause, configPrefix+f.Field)
	}
	for i := range c.Differences {
		if d := &c.Differences[i]; d.Path != "" && d.Layer >= 0 {
			d.Allowed = c.allow(d.Cause, d.Path)
		}
	}
}

// allow returns the reason of the first rule that allows a difference, and
// counts it.
func (c *Comparison) allow(cause Cause, path string) string {
	for i := range c.Allowances {
		a := &c.Allowances[i]
		if a.Cause != cause || !matchPath(a.Pattern, path) {
			continue
		}
		a.Count++
		if !a.Expired {
			return a.Reason
		}
	}
	return ""
}

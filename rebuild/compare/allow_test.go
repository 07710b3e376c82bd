package compare

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMatchPath(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		yes, no []string
	}{
		{"a/b", []string{"a/b"}, []string{"a", "a/b/c", "b", "a/bb"}},
		{"a/*", []string{"a/b", "a/"}, []string{"a/b/c", "a"}},
		{"*.pyc", []string{"x.pyc", ".pyc"}, []string{"a/x.pyc", "x.pyc2"}},
		{"**/*.pyc", []string{"x.pyc", "a/x.pyc", "a/b/c/x.pyc"}, []string{"a/x.py"}},
		{"a/**", []string{"a", "a/b", "a/b/c"}, []string{"b", "ab"}},
		{"a/**/b/*.c", []string{"a/b/x.c", "a/x/y/b/x.c", "a/b/b/x.c"}, []string{"a/x.c", "a/b/c/x.c"}},
		{"**", []string{"a", "a/b"}, nil},
		{"**/**/x", []string{"x", "a/x", "a/b/x"}, []string{"xx"}},
		{"a?c", []string{"abc"}, []string{"ac", "a/c2"}},
		{`a\*c`, []string{"a*c"}, []string{"abc"}},
		{`a\\c`, []string{`a\c`}, []string{"abc"}},
		{"a[b]", []string{"a[b]"}, []string{"ab"}},
		{"*a*a*a*b", []string{"aaab", "xaxaxaxb"}, []string{"aab", strings.Repeat("a", 2000)}},
		{"config:config.Labels.*", []string{"config:config.Labels.x/y"}, []string{"config:config.Env[0]", "config.Labels.x"}},
		{"**", nil, []string{"config:created"}},
	} {
		for _, path := range tc.yes {
			if !matchPath(tc.pattern, path) {
				t.Errorf("%q does not match %q", tc.pattern, path)
			}
		}
		for _, path := range tc.no {
			if matchPath(tc.pattern, path) {
				t.Errorf("%q matches %q", tc.pattern, path)
			}
		}
	}
}

func TestParseAllow(t *testing.T) {
	rules, err := ParseAllow(strings.NewReader("# known\r\n\n  /usr/**/*.pyc\tembedded-date  2027-01-31 the time of  the source\n" +
		`"opt/my app/v\"" content 2026-12-31 x` + "\nconfig:created timestamp 2026-12-31 x"))
	if err != nil {
		t.Fatal(err)
	}
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	want := []Rule{
		{3, "usr/**/*.pyc", EmbeddedDate, day(2027, 1, 31), "the time of  the source"},
		{4, `opt/my app/v"`, Content, day(2026, 12, 31), "x"},
		{5, "config:created", Timestamp, day(2026, 12, 31), "x"},
	}
	if !slices.Equal(rules, want) {
		t.Errorf("got %+v", rules)
	}
	for _, tc := range []struct{ text, want string }{
		{"a", "line 1: a rule is PATTERN CAUSE EXPIRES REASON, and all four must be there"},
		{"\na content 2026-12-31", "line 2: a rule is PATTERN CAUSE"},
		{"a content 2026-12-31   ", "line 1: a rule is PATTERN CAUSE"},
		{"a cosmic 2026-12-31 x", `line 1: no cause "cosmic": there are content, type, extra,`},
		{"a derived 2026-12-31 x", `line 1: no cause "derived"`},
		{"a content tomorrow x", `line 1: the day "tomorrow" on which it expires`},
		{"a content 2026-02-30 x", `line 1: the day "2026-02-30"`},
		{`"a content 2026-12-31 x`, "line 1: the quoted pattern does not end"},
		{`"" content 2026-12-31 x`, "line 1: the pattern is empty"},
		{`/ content 2026-12-31 x`, "line 1: the pattern is empty"},
		{`config: content 2026-12-31 x`, "line 1: the pattern is empty"},
		{`a\ content 2026-12-31 x`, "line 1: the pattern ends in a backslash"},
		{"a\xff content 2026-12-31 x", "line 1: not in UTF-8"},
		{"# ok\n" + strings.Repeat("x", maxRuleLine+1), "line 2: more than 4096 bytes"},
		{strings.Repeat("a content 2026-12-31 x\n", maxRules+1), "line 1001: more than 1000 rules"},
	} {
		_, err := ParseAllow(strings.NewReader(tc.text))
		var re *RuleError
		if !errors.As(err, &re) || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%.40q: %v, want %s", tc.text, err, tc.want)
		}
	}
	if _, err := ParseAllow(badReader{}); err == nil || !strings.Contains(err.Error(), "reading the rules: broken") {
		t.Error(err)
	}
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// FuzzParseAllow holds that rules which were read are whole.
func FuzzParseAllow(f *testing.F) {
	f.Add("a/** content 2026-12-31 x\n\"b c\" mode 2026-12-31 y")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseAllow(strings.NewReader(text))
		if err != nil && rules != nil {
			t.Error("rules and an error")
		}
		for _, r := range rules {
			if r.Pattern == "" || r.Reason == "" || r.Line == 0 || r.Expires.IsZero() && !strings.Contains(text, "0001-01-01") || !slices.Contains(AllCauses(), r.Cause) {
				t.Errorf("%+v", r)
			}
			matchPath(r.Pattern, text)
		}
	})
}

// allowed compares two layers and applies rules on a day of 2026.
func allowed(t *testing.T, was, now []item, rules string) *Comparison {
	t.Helper()
	x, y := layer(t, was...), layer(t, now...)
	c := files(t, archive(t, config(`"Labels":{"at":"1"}`, x), x), archive(t, config(`"Labels":{"at":"2"}`, y), y))
	parsed, err := ParseAllow(strings.NewReader(rules))
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(parsed, time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC))
	return c
}

// TestApply holds that an allowed difference stays, marked, and that the images
// are equivalent only when every difference that is not harmless is allowed.
func TestApply(t *testing.T) {
	const label = "config:config.Labels.at content 2026-12-31 the number of the build\n"
	const date = "**/built embedded-date 2026-06-30 the time of the build\n"
	was := []item{d("a"), f("a/built", "on 2024-01-02\n"), f("a/mode", "")}
	now := []item{d("a"), f("a/built", "on 2024-01-03\n"), f("a/mode", "")}
	mode := []item{now[0], now[1], now[2].change(setuid)}
	for _, tc := range []struct {
		name, rules string
		now         []item
		equivalent  bool
		counts      []int
		expired     []bool
	}{
		{"no rules", "", now, false, nil, nil},
		{"all allowed, on the last day", label + date, now, true, []int{1, 1}, []bool{false, false}},
		{"one not allowed", label, now, false, []int{1}, []bool{false}},
		{"of another cause", label + "a/built content 2026-12-31 x", now, false, []int{1, 0}, []bool{false, false}},
		{"expired", label + strings.Replace(date, "06-30", "06-29", 1), now, false, []int{1, 1}, []bool{false, true}},
		{"expired and renewed", label + strings.Replace(date, "06-30", "06-29", 1) + date, now, true, []int{1, 1, 1}, []bool{false, true, false}},
		{"another thing at the same place", label + date, mode, false, []int{1, 1}, []bool{false, false}},
		{"unused", label + date + "b content 2026-12-31 x", now, true, []int{1, 1, 0}, []bool{false, false, false}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := allowed(t, was, tc.now, tc.rules)
			if c.Equivalent() != tc.equivalent || c.Identical() {
				t.Errorf("equivalent %v, identical %v\n%s", c.Equivalent(), c.Identical(), show(c))
			}
			var counts []int
			var expired []bool
			for _, a := range c.Allowances {
				counts, expired = append(counts, a.Count), append(expired, a.Expired)
			}
			if !slices.Equal(counts, tc.counts) || !slices.Equal(expired, tc.expired) {
				t.Errorf("counts %v, expired %v", counts, expired)
			}
			if tc.equivalent && (c.Differences[0].Allowed != "the time of the build" || c.Config[0].Allowed != "the number of the build") {
				t.Errorf("reasons: %+v %+v", c.Differences[0], c.Config[0])
			}
		})
	}
}

// TestHiddenDataIsNeverAllowed holds that no rule speaks of what is in no file.
func TestHiddenDataIsNeverAllowed(t *testing.T) {
	base := layer(t, f("a", "1"))
	c := Images(image(t, base), image(t, append(slices.Clone(base), "hidden"...)))
	c.Apply([]Rule{{Line: 1, Pattern: "**", Cause: Content, Expires: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Reason: "x"}}, time.Unix(0, 0))
	if c.Equivalent() || c.Allowances[0].Count != 0 {
		t.Errorf("equivalent %v, %+v\n%s", c.Equivalent(), c.Allowances, show(c))
	}
}

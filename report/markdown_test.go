package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

var (
	mdFences   = regexp.MustCompile("(?ms)^(```+)[a-z]*\n.*?^(```+)\n")
	mdCodeSpan = regexp.MustCompile("`[^`\n]+`|<code>[^<\n]*</code>")
	mdTags     = regexp.MustCompile(`</?details>|</?summary>`)
)

// withoutCode is Markdown without its code and the tags that we write: what is
// left must be words.
func withoutCode(text string) string {
	text = mdFences.ReplaceAllString(text, "\n")
	return mdTags.ReplaceAllString(mdCodeSpan.ReplaceAllString(text, ""), "")
}

// TestMarkdownHasNoMarkupOfTheImage: outside of code there is no tag, link,
// picture, mention, entity or escape.
func TestMarkdownHasNoMarkupOfTheImage(t *testing.T) {
	for name, in := range inputs(t) {
		text := string(render(t, WriteMarkdown, New(in)))
		for i, line := range strings.Split(withoutCode(text), "\n") {
			if strings.ContainsAny(line, "<>[]@`\\&$~^") || strings.Contains(line, "://") {
				t.Errorf("%s: line %d: %s", name, i+1, line)
			}
		}
		for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			if Printable(strings.ReplaceAll(line, "\t", "")) != strings.ReplaceAll(line, "\t", "") {
				t.Errorf("%s: a line is %q", name, line)
			}
		}
	}
}

// TestMarkdownTables: every row has as many cells as its head.
func TestMarkdownTables(t *testing.T) {
	in := hostileInput(t)
	for i := range in.Checks {
		in.Checks[i].Reasons[0].Args["text"] = "a|b `c|d` \\| || e"
	}
	in.Comparison.Config[0].Field = "a|b`|`"
	text := string(render(t, WriteMarkdown, New(in)))
	cells := 0
	for _, line := range strings.Split(text, "\n") {
		n := strings.Count(line, "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			t.Errorf("%d bars instead of %d: %s", n, cells, line)
		}
	}
}

func TestMarkdownWords(t *testing.T) {
	for in, want := range map[string]string{
		"plain words, and more: 3 of 7 (really).":  "plain words, and more: 3 of 7 (really).",
		"it says so; see etc/passwd.":              "it says so; see `etc/passwd`.",
		"ping @someone and #12, GH-3":              "ping `@someone` and `#12`, `GH-3`",
		"https://evil.example/x www.evil.example":  "`https://evil.example/x` `www.evil.example`",
		"*bold* _it_ [a](b) ![i](j) <b>":           "`*bold*` `_it_` `[a](b)` `![i](j)` `<b>`",
		"a`b | c":                                  "<code>a&#96;b</code> <code>&#124;</code> c",
		"230aa373f315f247852ee07dff34146e9b480aec": "`230aa373f315f247852ee07dff34146e9b480aec`",
		"decade":                       "decade",
		"from 1.4.0 up, 12 of 100":     "from 1.4.0 up, 12 of 100",
		"--option -x a-b":              "`--option` `-x` a-b",
		":smile: $x$ a\\b &amp; ~~s~~": "`:smile`: `$x$` `a\\b` `&amp`; `~~s~~`",
		"two\nlines\x1b[31m":           "`two\\nlines\\x1b[31m`",
		"\"sha256:00\" (x/y)":          "\"`sha256:00`\" (`x/y`)",
		"...":                          "...",
		"":                             "",
	} {
		if got := mdText(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzMarkdownText(f *testing.F) {
	for _, s := range []string{hostile, "a`b``c", "|", "` `", "\\`", "(`)", "@a", "x](y)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range []string{mdText(s), mdCode(s)} {
			if strings.ContainsAny(text, "|\n") {
				t.Errorf("%q would end a cell: %q", s, text)
			}
			for _, r := range mdCodeSpan.ReplaceAllString(text, "") {
				if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" .,;:()\"'…→%-", r) {
					t.Errorf("%q becomes %q, with %q outside of code", s, text, r)
				}
			}
		}
	})
}

func TestMarkdownFences(t *testing.T) {
	got := mdFence("diff", "-a\n+```\n+````evil\x1b\tx\n")
	if want := "`````diff\n-a\n+```\n+````evil\\x1b\tx\n`````\n"; got != want {
		t.Errorf("the fence is %q, want %q", got, want)
	}
}

// TestMarkdownIsBounded: it fits into a comment whatever the image holds, and
// the verdict and the checks are always there.
func TestMarkdownIsBounded(t *testing.T) {
	worst := hostileInput(t)
	for i := range worst.Checks {
		worst.Checks[i].Reasons[0].Args["text"] = strings.Repeat("`|", 5000)
		for range 100 {
			worst.Checks[i].Findings = append(worst.Checks[i].Findings, check.Find(check.Problem, 0, strings.Repeat("`|", 500), "closure/text", "text", strings.Repeat("`| ", 500)))
		}
	}
	for _, cause := range allCauses() {
		for range 50 {
			worst.Comparison.Differences = append(worst.Comparison.Differences, compare.Difference{Path: strings.Repeat("/`long", 5000), Cause: cause, Was: compare.Text(strings.Repeat("|", 900)), Evidence: []check.Message{check.Say("difference/lines", "diff", strings.Repeat("+`\n", 9000))}})
		}
	}
	for name, in := range map[string]Input{"worst": worst, "many": unreproducibleInput(t, 12_000)} {
		text := string(render(t, WriteMarkdown, New(in)))
		if len(text) > maxMarkdown+100 {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		for _, id := range check.IDs() {
			if !strings.Contains(text, fmt.Sprintf(" | %s | ", id)) {
				t.Errorf("%s: no line for %s", name, id)
			}
		}
		if !strings.Contains(text, "more in report.json") {
			t.Errorf("%s: nothing says that there is more", name)
		}
	}
}

package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// checkTerminal fails when a terminal would obey something of the text.
func checkTerminal(t testing.TB, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Error("the summary is not UTF-8")
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if Printable(line) != line {
			t.Errorf("a terminal would obey %q", line)
		}
	}
	if n := strings.Count(string(text), "\n"); n > textLines {
		t.Errorf("the summary has %d lines, more than %d", n, textLines)
	}
}

func text(t testing.TB, r *Report, opt TextOptions) string {
	t.Helper()
	var b strings.Builder
	if err := WriteText(&b, r, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextIsSafeAndShort(t *testing.T) {
	worst := hostileInput(t)
	for i := range worst.Checks {
		for range 50 {
			worst.Checks[i].Findings = append(worst.Checks[i].Findings, worst.Checks[i].Findings[0])
		}
	}
	for _, cause := range allCauses() {
		for range 50 {
			worst.Comparison.Differences = append(worst.Comparison.Differences, compare.Difference{Path: strings.Repeat("/long", 5000), Cause: cause})
		}
	}
	all := inputs(t)
	all["worst"] = worst
	all["many"] = unreproducibleInput(t, 12_000)
	for _, in := range all {
		for verdict := range rebuild.Verdict(6) {
			in.Verdict = verdict
			checkTerminal(t, []byte(text(t, New(in), TextOptions{Folder: hostile})))
		}
	}
}

func allCauses() []compare.Cause { return append(compare.AllCauses(), "something-new") }

func TestTextSaysEachCheckOnALine(t *testing.T) {
	out := text(t, New(unverifiedInput(t)), TextOptions{})
	at := -1
	for _, id := range check.IDs() {
		line := regexp.MustCompile(`(?m)^(pass|fail|unknown|skipped) +` + string(id) + ` +(-|<?[0-9.]+%)  \S`).FindStringIndex(out)
		if line == nil || line[0] < at {
			t.Errorf("no line for %s, or in another order:\n%s", id, out)
			continue
		}
		at = line[0]
	}
}

func TestTextLeavesNothingOutInSilence(t *testing.T) {
	in := contradictedInput(t)
	for i := range 25 {
		in.Checks[2].Findings = append(in.Checks[2].Findings, check.Find(check.Problem, 0, fmt.Sprintf("etc/%02d", i), "closure/unexplained-file"))
	}
	out := text(t, New(in), TextOptions{})
	if !strings.Contains(out, "etc/cron.d/job (layer 0): ") || !strings.Contains(out, "etc/08 (layer 0): ") || strings.Contains(out, "etc/09 ") {
		t.Errorf("not the first ten findings:\n%s", out)
	}
	if !strings.Contains(out, "  … and 16 more findings in report.json; 1 note with -v\n") {
		t.Errorf("the findings left out are not counted:\n%s", out)
	}
}

// TestTextNamesEveryCause: where they fit, beside a few findings.
func TestTextNamesEveryCause(t *testing.T) {
	in := unreproducibleInput(t, 1)
	in.Comparison.Differences = nil
	for i, cause := range compare.AllCauses()[:8] {
		in.Comparison.Differences = append(in.Comparison.Differences, compare.Difference{Path: fmt.Sprintf("etc/%d", i), Cause: cause})
	}
	for range 9 {
		in.Checks = append(in.Checks, check.Check{ID: check.Closure, Status: check.Fail, Findings: []check.Finding{check.Find(check.Problem, -1, "", "closure/text", "text", "m")}})
	}
	out := text(t, New(in), TextOptions{Folder: "tiny.audit"})
	for i, cause := range compare.AllCauses()[:8] {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^  %s +1  etc/%d$`, cause, i)).MatchString(out) {
			t.Errorf("the cause %s is not named", cause)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
	checkTerminal(t, []byte(out))
}

func TestTextPutsProblemsFirst(t *testing.T) {
	in := unverifiedInput(t)
	in.Checks[0].Findings = []check.Finding{check.Find(check.Note, -1, "", "integrity/summary", "text", "only a note")}
	in.Checks[7].Findings = []check.Finding{check.Find(check.Problem, -1, "", "rebuild/summary", "text", "the reason")}
	out := text(t, New(in), TextOptions{Verbose: true})
	if !strings.Contains(out, "the reason") || strings.Index(out, "the reason") > strings.Index(out, "only a note") {
		t.Errorf("a note comes before a problem:\n%s", out)
	}
}

func TestColourOnlyWhenAskedFor(t *testing.T) {
	r := New(unreproducibleInput(t, 1))
	plain, painted := text(t, r, TextOptions{}), text(t, r, TextOptions{Color: true})
	if strings.Contains(plain, "\x1b") {
		t.Error("colour that nobody asked for")
	}
	if n := strings.Count(painted, "\x1b["); n != 2*(len(r.Checks)+1) {
		t.Errorf("%d colour sequences", n)
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(painted, ""); got != plain {
		t.Error("colour changes the text")
	}
}

func TestGroupsByCause(t *testing.T) {
	var ds []Difference
	for i, cause := range allCauses() {
		ds = append(ds, Difference{Path: fmt.Sprint(2 * i), Cause: cause}, Difference{Path: fmt.Sprint(2*i + 1), Cause: cause})
	}
	var got []string
	for _, g := range byCause(ds) {
		got = append(got, string(g.Cause))
		if len(g.Differences) != 2 || g.Differences[0].Path >= g.Differences[1].Path && len(g.Differences[0].Path) == len(g.Differences[1].Path) {
			t.Errorf("%s holds %v", g.Cause, g.Differences)
		}
	}
	want := []string{"content", "type", "extra", "missing", "renamed", "link", "hard-link", "xattr", "device", "mode", "owner", "embedded-path", "embedded-store-path",
		"embedded-order", "embedded-date", "compression", "something-new", "timestamp", "order", "packaging", "derived"}
	if !slices.Equal(got, want) {
		t.Errorf("the causes come as %v, want %v", got, want)
	}
}

// TestGravestFirst: a file that lends rights is named first in the answer, in the list of
// its cause and in the Markdown, wherever its path stands; what was renamed has both names.
func TestGravestFirst(t *testing.T) {
	in := unreproducibleInput(t, 1)
	in.Comparison.Differences = []compare.Difference{
		{Path: "etc/shadow", Cause: compare.Content},
		{Path: "opt/a", Cause: compare.Extra},
		{Path: "opt/b", Cause: compare.Extra},
		{Path: "opt/m2", Cause: compare.Extra, Now: compare.TextValue("file, mode 4755 (setuid)"), Privileged: true},
		{Path: "opt/old", Cause: compare.Renamed, Was: compare.TextValue("opt/old"), Now: compare.TextValue("opt/new"),
			Evidence: []check.Message{check.Say("difference/renamed", "to", "opt/new", "file", "file of 5 bytes")}},
	}
	r := New(in)
	for name, got := range map[string]string{
		"terminal": strings.Join(strings.Fields(text(t, r, TextOptions{})), " "),
		"Markdown": string(render(t, WriteMarkdown, r)),
		"SARIF":    string(render(t, WriteSARIF, r)),
		"page":     string(render(t, WriteHTML, r)),
	} {
		for _, want := range map[string][]string{
			"terminal": {"(1 content, 3 extra, 1 renamed)", "Look first at opt/m2 (extra), which lends rights", "extra 3 opt/m2 (lends rights), opt/a and 1 more", "renamed 1 opt/old → opt/new"},
			"Markdown": {"; it lends rights\n- `opt/a`", "`opt/old` (layer 0): → `opt/new`, the same file"},
			"SARIF":    {`"renamed: → opt/new, the same file: file of 5 bytes"`},
			"page":     {`<span class="tag">lends rights</span>`, "→ opt/new, the same file"},
		}[name] {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
	in.Comparison.Differences[3].Privileged = false
	in.Comparison.Config = nil
	if got := New(in).meaning(); !strings.Contains(got, " Look first at etc/shadow (content), which decides who may do what.") {
		t.Error(got)
	}
}

// TestGravestOfConfig: what decides what runs and as whom is named in the answer, before the
// other fields, after files that lend rights and before all others.
func TestGravestOfConfig(t *testing.T) {
	in := unreproducibleInput(t, 1)
	in.Comparison.Differences = nil
	in.Comparison.Config = []compare.FieldDifference{
		{Field: "config.Labels.a", Was: `"1"`, Now: `"2"`, Cause: compare.Content},
		{Field: "config.Entrypoint[0]", Was: `"/bin/x"`, Now: `"/tmp/evil"`, Cause: compare.Content},
		{Field: "config.User", Was: `"1000"`, Now: `"0"`, Cause: compare.Content},
	}
	const field = `config.User ("1000" → "0"), which decides what runs and as whom, as 1 more`
	r := New(in)
	for name, got := range map[string]string{
		"terminal": text(t, r, TextOptions{}),
		"Markdown": string(render(t, WriteMarkdown, r)),
		"page":     string(render(t, WriteHTML, r)),
	} {
		got = strings.NewReplacer("&#34;", `"`, "`", "", "<wbr>", "").Replace(strings.Join(strings.Fields(got), " "))
		if want := "3 differences in the config, none in files. Look first at " + field + "."; !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", name, want, got)
		}
		user, label := strings.LastIndex(got, "config.User"), strings.LastIndex(got, "config.Labels.a")
		if name != "terminal" && user > label {
			t.Errorf("%s: the user stands after the label in\n%s", name, got)
		}
	}
	for _, tc := range []struct {
		d    compare.Difference
		want string
	}{
		{compare.Difference{Path: "opt/su", Cause: compare.Extra, Privileged: true}, "Look first at opt/su (extra), which lends rights (setuid, setgid, a capability or a device), and at " + field},
		{compare.Difference{Path: "etc", Cause: compare.Mode, Was: compare.Permissions(0o755), Now: compare.Permissions(0o777)},
			"Look first at " + field + ", and at etc (mode), which decides who may do what."},
		{compare.Difference{Path: "etc", Cause: compare.Mode, Was: compare.Permissions(0o755), Now: compare.Permissions(0o750)}, "Look first at " + field + "."},
	} {
		in.Comparison.Differences = []compare.Difference{tc.d}
		if got := New(in).meaning(); !strings.Contains(got, tc.want) {
			t.Errorf("no %q in %q", tc.want, got)
		}
	}
}

func TestWrap(t *testing.T) {
	lines := wrap(strings.Repeat("word ", 60), "> ", "  ", textWidth)
	for i, l := range lines {
		if utf8.RuneCountInString(l) > textWidth {
			t.Errorf("line %d has %d characters", i, utf8.RuneCountInString(l))
		}
	}
	if got := strings.Count(strings.Join(lines, " "), "word"); got != 60 {
		t.Errorf("%d words of 60 are left", got)
	}
}

// TestDangerousFindingsComeFirst: what lends rights stands before all else, and so
// does what a rebuild may not run.
func TestDangerousFindingsComeFirst(t *testing.T) {
	in := contradictedInput(t)
	in.Checks[2].Findings = append(in.Checks[2].Findings,
		check.Find(check.Undecided, 0, "usr/bin/.x", "closure/setuid-file", "kind", "file", "mode", "4755"))
	in.Plan.Trust = append(in.Plan.Trust, rebuild.Trust{Kind: "source", Channel: "mine", URL: "file:///home", Flag: "--trust-source URL"})
	text := text(t, New(in), TextOptions{Verbose: true})
	setuid, other := strings.Index(text, "usr/bin/.x"), strings.Index(text, "etc/cron.d/job (layer 0)")
	if setuid < 0 || other < setuid {
		t.Errorf("the setuid file does not come first: %s", text)
	}
	if !strings.Contains(text, "source mine at file:///home: ; --trust-source URL would allow it") {
		t.Errorf("what is not trusted is not named: %s", text)
	}
}

// Of an index the text names the platforms that were not read, each once, and
// nothing that cannot be run.
func TestTextNamesOtherPlatforms(t *testing.T) {
	in := unverifiedInput(t)
	in.Image.Platforms = []image.IndexEntry{
		{Platform: "linux/amd64", Kind: image.ImageEntry},
		{Platform: "linux/arm64", Kind: image.ImageEntry},
		{Platform: "linux/amd64", Kind: image.ImageEntry, Chosen: true},
		{Platform: "unknown/unknown", Kind: image.AttestationEntry},
		{Platform: "linux/arm64", Kind: image.ImageEntry},
		{Platform: "linux/arm/v7", Kind: image.ImageEntry},
		{Platform: "linux/s390x", Kind: image.ArtifactEntry},
	}
	if got := text(t, New(in), TextOptions{}); !strings.Contains(got, "\nits index also names linux/arm64, linux/arm/v7\n") {
		t.Errorf("%s", got)
	}
	in.Image.Platforms = in.Image.Platforms[2:4]
	if got := text(t, New(in), TextOptions{}); strings.Contains(got, "also in its index") {
		t.Errorf("%s", got)
	}
}

// A value that is cut ends with a whole word and an ellipsis; of a path the end stays,
// which says which file it is.
func TestCutsBetweenWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{briefly("one two, three", 14), "one two, three"},
		{briefly("one two, three", 13), "one two …"},
		{briefly("oneandonlyword", 10), "oneandon …"},
		{shortPath("usr/bin/tool", 12), "usr/bin/tool"},
		{shortPath("gnu/store/0123456789-package-1.0/share/doc/built-at", 30), "gnu/store/…/share/doc/built-at"},
		{shortPath(strings.Repeat("x", 40), 30), strings.Repeat("x", 10) + "…" + strings.Repeat("x", 19)},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for n := 2; n < 60; n++ {
		if got := utf8.RuneCountInString(briefly("ein Wört, und noch eines; das Ende", n)); got > n {
			t.Errorf("%d runes of %d", got, n)
		}
		if got := utf8.RuneCountInString(shortPath("ä/öö/üüü/ein-langer-name/der-bleibt/oder-nicht", n)); got > n {
			t.Errorf("%d runes of %d", got, n)
		}
	}
}

// What to do next is what the refused plan asks for, and not that of another system.
func TestNextIsOfThisImage(t *testing.T) {
	r := New(unverifiedInput(t))
	r.Plan.Trust, r.Plan.Refused = nil, []Message{{Code: "plan/refused"}, {Code: "plan/no-recipe"}}
	steps := r.next()
	if len(steps) == 0 || !strings.Contains(steps[0], "the image contains no recipe that a builder could follow") {
		t.Errorf("%q", steps)
	}
}

// TestFindingsLeftOutAreCounted: a finding may stand for many alike that no form of the
// report lists, and no form counts fewer than there are.
func TestFindingsLeftOutAreCounted(t *testing.T) {
	in := contradictedInput(t)
	var list check.List
	for i := range 150 {
		list.Problem(0, fmt.Sprintf("etc/%03d", i), "closure/unexplained-file")
	}
	in.Checks[2].Findings = list.All()
	r := New(in)
	if out := text(t, r, TextOptions{}); !strings.Contains(out, "… and 140 more findings, 90 of them in report.json") {
		t.Errorf("the terminal counts otherwise:\n%s", out)
	}
	var page, md strings.Builder
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "<summary>150 findings: all problems; 100 of them listed</summary>") {
		t.Error("the page counts otherwise")
	}
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), "… and 131 more findings, 81 of them in report.json") {
		t.Errorf("Markdown counts otherwise:\n%s", md.String())
	}
}

// TestTextOnATerminal: no line is wider than the terminal, but for a word that is.
func TestTextOnATerminal(t *testing.T) {
	r := New(contradictedInput(t))
	colours := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	words := func(s string) []string { return strings.Fields(colours.ReplaceAllString(s, "")) }
	want := words(text(t, r, TextOptions{}))
	for _, width := range []int{20, 40, 80, 100, 200} {
		out := text(t, r, TextOptions{Width: width, Color: true})
		if got := words(out); !slices.Equal(got, want) {
			t.Errorf("%d columns have other words:\n%s", width, out)
		}
		for _, line := range strings.Split(colours.ReplaceAllString(out, ""), "\n") {
			if n := utf8.RuneCountInString(line); n > max(width, 40) && len(strings.Fields(line)) > 2 {
				t.Errorf("%d columns in %d: %q", n, width, line)
			}
		}
	}
	fold := foldLines([]string{"  content            1  usr/lib/one usr/lib/two", "\x1b[32mpass   \x1b[0m  closure    100%  one two three"}, 30)
	wrapped := []string{"  content            1", "    usr/lib/one usr/lib/two", "\x1b[32mpass   \x1b[0m  closure    100%  one", "         two three"}
	if !slices.Equal(fold, wrapped) {
		t.Errorf("folded to %q", fold)
	}
}

// TestSharesOfLittle: what has bytes is never written as none of them.
func TestSharesOfLittle(t *testing.T) {
	for share, want := range map[float64]string{0: "<0.1%", 0.0001: "<0.1%", 0.9999: "99.9%", 1: "100%"} {
		if got := percentOf(share, 1); got != want {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
	if got := percentOf(0, 0); got != "0%" {
		t.Errorf("nothing is %s", got)
	}
}

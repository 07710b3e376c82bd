package report

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild/archive"
	"audit/rebuild/compare"
	"audit/rebuild/sources"
)

// A tag of the page, with its attributes unescaped. What lies in the style and
// script elements is left out.
type tag struct {
	name  string
	close bool
	attrs map[string]string
}

var (
	styleElement  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	scriptElement = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	tagPattern    = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z0-9-]+(?:="[^"]*")?)*)\s*(/?)>`)
	attrPattern   = regexp.MustCompile(`([a-zA-Z0-9-]+)(?:="([^"]*)")?`)
)

func tags(page string) []tag {
	var out []tag
	for _, m := range tagPattern.FindAllStringSubmatch(markup(page), -1) {
		t := tag{name: m[2], close: m[1] != "", attrs: map[string]string{}}
		for _, a := range attrPattern.FindAllStringSubmatch(m[3], -1) {
			t.attrs[a[1]] = html.UnescapeString(a[2])
		}
		out = append(out, t)
		if m[4] != "" {
			out = append(out, tag{name: m[2], close: true})
		}
	}
	return out
}

// markup is the page without its style and its script.
func markup(page string) string {
	return scriptElement.ReplaceAllString(styleElement.ReplaceAllString(page, "<style></style>"), "<script></script>")
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func pages(t testing.TB) map[string]string {
	out := map[string]string{}
	for name, in := range inputs(t) {
		out[name] = string(render(t, WriteHTML, New(in)))
	}
	return out
}

// TestPageIsInert: nothing runs but the one script, nothing is fetched, and the
// policy says so.
func TestPageIsInert(t *testing.T) {
	for name, page := range pages(t) {
		scripts := scriptElement.FindAllStringSubmatch(page, -1)
		if len(scripts) != 1 || scripts[0][1] != script {
			t.Fatalf("%s: the page has %d scripts, or another one", name, len(scripts))
		}
		want := "default-src 'none'; style-src " + hashOf(styleElement.FindStringSubmatch(page)[1]) + "; script-src " + hashOf(script) + "; base-uri 'none'; form-action 'none'"
		var policies []string
		for _, tag := range tags(page) {
			if tag.attrs["http-equiv"] == "Content-Security-Policy" {
				policies = append(policies, tag.attrs["content"])
			}
			if slices.Contains([]string{"iframe", "object", "embed", "link", "img", "form", "base", "audio", "video", "input", "button"}, tag.name) {
				t.Errorf("%s: the page has a %s element", name, tag.name)
			}
			for attr, value := range tag.attrs {
				if strings.HasPrefix(attr, "on") || slices.Contains([]string{"style", "src", "srcset", "action", "ping", "background"}, attr) {
					t.Errorf("%s: the page has the attribute %s=%q", name, attr, value)
				}
				if attr == "href" && !strings.HasPrefix(value, "#") && !isCausePage(value) {
					t.Errorf("%s: the page leads to %q", name, value)
				}
			}
		}
		if !slices.Equal(policies, []string{want}) {
			t.Errorf("%s: the content security policy is %q, want %q", name, policies, want)
		}
		for _, m := range regexp.MustCompile(`url\(([^)]*)\)|@import`).FindAllStringSubmatch(styleElement.FindStringSubmatch(page)[1], -1) {
			if !strings.HasPrefix(m[1], "#") {
				t.Errorf("%s: the style sheet fetches %s", name, m[0])
			}
		}
	}
}

// TestPageShowsHostileTextAsText: what the image chose is there to be read,
// and is no markup, no control character and no turn of direction.
func TestPageShowsHostileTextAsText(t *testing.T) {
	page := pages(t)["hostile"]
	for _, want := range []string{"&lt;script&gt;alert(1)", `<span class="odd">\x1b</span>[31m`, `<span class="odd">\u202e</span>`, `<span class="odd">\xff</span>`, `<span class="odd">\u009b</span>`, `<span class="odd">\U000e0041</span>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for i, line := range strings.Split(markup(page), "\n") {
		if Printable(line) != line {
			t.Errorf("line %d of the page: a browser would obey %q", i+1, line)
		}
	}
}

// TestPageIsWellFormed: each element is closed where it must be, each id is
// there once, and each link within the page leads somewhere.
func TestPageIsWellFormed(t *testing.T) {
	void := []string{"meta", "br"}
	for name, page := range pages(t) {
		var open []string
		ids := map[string]int{}
		var targets []string
		for _, tag := range tags(page) {
			switch {
			case slices.Contains(void, tag.name):
			case !tag.close:
				open = append(open, tag.name)
			case len(open) == 0 || open[len(open)-1] != tag.name:
				t.Fatalf("%s: </%s> closes %v", name, tag.name, open)
			default:
				open = open[:len(open)-1]
			}
			if id, ok := tag.attrs["id"]; ok {
				ids[id]++
			}
			for _, attr := range []string{"href", "aria-labelledby"} {
				for _, v := range strings.Fields(tag.attrs[attr]) {
					targets = append(targets, strings.TrimPrefix(v, "#"))
				}
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %v are never closed", name, open)
		}
		rest := tagPattern.ReplaceAllString(markup(page), "")
		if i := strings.IndexByte(strings.TrimPrefix(rest, "<!DOCTYPE html>"), '<'); i >= 0 {
			t.Errorf("%s: a < that opens no tag: %.60q", name, rest[i:])
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s: the id %s is there %d times", name, id, n)
			}
		}
		for _, target := range targets {
			if ids[target] == 0 && !isCausePage(target) {
				t.Errorf("%s: nothing has the id %s", name, target)
			}
		}
	}
}

// TestPageForScreenReaders: landmarks, headings without gaps, tables with
// captions and scopes, pictures that are hidden because text says the same.
func TestPageForScreenReaders(t *testing.T) {
	for name, page := range pages(t) {
		seen := map[string]int{}
		level := 0
		for _, tag := range tags(page) {
			if tag.close {
				continue
			}
			seen[tag.name]++
			if len(tag.name) == 2 && tag.name[0] == 'h' && tag.name != "hr" {
				next := int(tag.name[1] - '0')
				if next > level+1 {
					t.Errorf("%s: a heading of level %d after one of level %d", name, next, level)
				}
				level = next
			}
			if tag.name == "th" && tag.attrs["scope"] == "" {
				t.Errorf("%s: a th without scope", name)
			}
			if tag.name == "svg" && tag.attrs["aria-hidden"] != "true" && (tag.attrs["role"] != "img" || len(strings.Fields(tag.attrs["aria-labelledby"])) != 2) {
				t.Errorf("%s: a picture without title and description", name)
			}
		}
		if seen["main"] != 1 || seen["nav"] != 1 || seen["h1"] != 1 || seen["footer"] != 1 || !strings.Contains(page, "</title>\n<style>") {
			t.Errorf("%s: the landmarks are %v", name, seen)
		}
		if seen["table"] == 0 || seen["table"] != seen["caption"] {
			t.Errorf("%s: %d tables with %d captions", name, seen["table"], seen["caption"])
		}
		if !strings.Contains(page, `<html lang="en">`) {
			t.Errorf("%s: the page has no language", name)
		}
	}
}

// isCausePage says whether an address is one of those that explain a cause: the only
// ones that a page leads to, and none of them comes from an image.
func isCausePage(address string) bool {
	return slices.ContainsFunc(compare.AllCauses(), func(c compare.Cause) bool { return causePage(c) == address && address != "" })
}

func TestPageOrder(t *testing.T) {
	page := pages(t)["unreproducible"]
	at := 0
	for _, part := range []string{
		"<h1>Not reproducible</h1>", `class="meaning"`, "What to do next", `class="ladder"`, `class="vouched"`, `href="#cause-`, "What this does not say", `id="checks"`, `id="check-integrity"`, `id="check-rebuild"`,
		`id="vouchers"`, `id="coverage"`, `id="image"`, `id="recipe"`, "channels.scm", "rebuilt=$(guix time-machine <span class=\"option\">-C</span> channels.scm -- pack", `id="layers"`,
		`id="differences"`, `id="contents"`, `class="treemap wide"`, `id="closure"`, `class="graph"`, `class="tree"`, `id="items"`, `id="hand"`, `id="run"`,
	} {
		i := strings.Index(page[at:], part)
		if i < 0 {
			t.Fatalf("%s is missing, or too early", part)
		}
		at += i
	}
}

func TestPageShowsDiffs(t *testing.T) {
	page := pages(t)["unreproducible"]
	for _, want := range []string{
		`<span class="line del">-2026-11-19T08:12:44Z`, `<span class="line add">&#43;2026-11-20T20:31:05Z`,
		"<code>0755</code>", "<code>4755</code>", `<h3>mode</h3> <span class="tally">1</span>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestTenThousandDifferences(t *testing.T) {
	const extra = 12_000
	page := string(render(t, WriteHTML, New(unreproducibleInput(t, extra))))
	if got := strings.Count(page, "page-0") + strings.Count(page, "page-1"); got < foldRows-3 {
		t.Errorf("the page names %d of %d differences", got, foldRows)
	}
	if !strings.Contains(page, fmt.Sprintf("%d differences of %d are shown here by folder and pattern alone", extra-foldRows, extra+3)) {
		t.Error("the page does not say how many differences it groups")
	}
	if !strings.Contains(page, `<span class="tally">12000</span>`) {
		t.Error("the group does not count all of its differences")
	}
	if got := strings.Count(page, `<details class="fold">`); got != 1 {
		t.Errorf("%d folds", got)
	}
	if len(page) > 2<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	exact := string(render(t, WriteHTML, New(unreproducibleInput(t, foldRows))))
	if strings.Contains(exact, "by folder and pattern") {
		t.Error("500 differences of one cause are not all there")
	}
}

func TestLongValuesAreClipped(t *testing.T) {
	in := unreproducibleInput(t, 0)
	in.Comparison.Differences[0].Evidence = []check.Message{check.Say("difference/lines", "diff", strings.Repeat("+long line\n", 1<<17))}
	in.Comparison.Differences[0].Path = strings.Repeat("x", 1<<20)
	page := string(render(t, WriteHTML, New(in)))
	if len(page) > 1<<20+1<<19 || !strings.Contains(page, "more in report.json") {
		t.Errorf("a page of %d bytes", len(page))
	}
}

// The road has a few steps whatever its length, and the table the sources that may be
// lost first.
func TestRoadIsBounded(t *testing.T) {
	in := reproducibleInput(t)
	for range 1000 {
		in.Sources.Levels = append(in.Sources.Levels, sources.Level{Built: 2, Sources: 1})
		in.Sources.Sources = append(in.Sources.Sources, in.Sources.Sources[0])
		in.Sources.Answers = append(in.Sources.Answers, archive.Answer{State: archive.Archived})
	}
	v := newRoadView(New(in))
	built := 0
	for _, s := range v.Steps {
		built += s.Built
		if s.AtSeeds+s.WSeed > 100.001 {
			t.Errorf("%+v is longer than the bar", s)
		}
	}
	if len(v.Steps) > roadSteps || built != 2004 || len(v.Table.Shown) != roadSources || v.Table.More != 605 || v.Seeds.More == 0 {
		t.Errorf("%d steps, %d built, %d of %d sources", len(v.Steps), built, len(v.Table.Shown), v.Table.More)
	}
	if first := v.Table.Shown[0]; first.State != "gone" {
		t.Errorf("the first is %+v", first)
	}
	if newRoadView(New(unverifiedInput(t))) != nil {
		t.Error("a road that was not followed is drawn")
	}
}

// TestPaperRows: the longest list is cut on paper, where the style sheet and the page agree.
func TestPaperRows(t *testing.T) {
	if want := fmt.Sprintf("tr:nth-child(n+%d) { display: none; }", paperRows+1); !strings.Contains(pageStyle(t), want) {
		t.Errorf("the style sheet has no %q", want)
	}
	if got := (page{Unvouched: rows[UnvouchedFile]{Shown: make([]UnvouchedFile, paperRows+5)}}).Unprinted(); got != 5 {
		t.Errorf("%d rows are not printed", got)
	}
}

func pageStyle(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("report.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

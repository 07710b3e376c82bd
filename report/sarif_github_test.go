package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare"
)

// TestSARIFIsWhatGitHubTakes holds logs against what GitHub documents of uploads
// (docs.github.com, "SARIF support for code scanning" and "SARIF results exceed one or
// more limits"), beside the schema.
func TestSARIFIsWhatGitHubTakes(t *testing.T) {
	all := inputs(t)
	all["least"], all["most"] = Input{Image: &inspect.Image{}}, unreproducibleInput(t, 12_000)
	for name, in := range all {
		doc := render(t, WriteSARIF, New(in))
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(doc)
		w.Close()
		if packed.Len() > 10<<20 {
			t.Errorf("%s: %d bytes in gzip, and 10 MB are taken", name, packed.Len())
		}
		var log sarifLog
		if err := json.Unmarshal(doc, &log); err != nil {
			t.Fatal(err)
		}
		run := log.Runs[0]
		if len(log.Runs) > 20 || len(run.Results) > 5_000 || len(run.Tool.Driver.Rules) > 25_000 {
			t.Errorf("%s: %d runs, %d results, %d rules", name, len(log.Runs), len(run.Results), len(run.Tool.Driver.Rules))
		}
		for _, r := range run.Tool.Driver.Rules {
			checkGitHubRule(t, name, r)
		}
		prints := map[string]bool{}
		for _, r := range run.Results {
			line := r.Fingerprints["primaryLocationLineHash"]
			switch {
			case len(r.Locations) == 0 || len(r.Locations) > 1_000 || r.Locations[0].Physical.Region.StartLine < 1:
				t.Errorf("%s: %s has the locations %+v", name, r.RuleID, r.Locations)
			case r.Message.Text == "" || !slices.Contains([]string{"error", "warning", "note"}, r.Level):
				t.Errorf("%s: %s, %s: %q", name, r.RuleID, r.Level, r.Message.Text)
			case line == "" || prints[line]:
				t.Errorf("%s: %s has the fingerprint %q, or shares it", name, r.RuleID, line)
			}
			prints[line] = true
		}
	}
}

func checkGitHubRule(t *testing.T, name string, r sarifRule) {
	t.Helper()
	for _, text := range []string{r.Short.Text, r.Full.Text} {
		if n := utf8.RuneCountInString(text); n == 0 || n > 1024 {
			t.Errorf("%s: %s has a description of %d characters", name, r.ID, n)
		}
	}
	p := r.Properties
	if r.ID == "" || len(r.ID) > 255 || r.Help.Text == "" || !strings.Contains(r.Help.Markdown, "**What to do.**") {
		t.Errorf("%s: %q is without help", name, r.ID)
	}
	if len(p.Tags) == 0 || len(p.Tags) > 20 || !slices.Contains([]string{"very-high", "high", "medium", "low"}, p.Precision) ||
		!slices.Contains([]string{"error", "warning", "recommendation"}, p.Problem) {
		t.Errorf("%s: %s has the properties %+v", name, r.ID, p)
	}
	if p.Security == "" {
		if slices.Contains(p.Tags, "security") {
			t.Errorf("%s: %s is of security and has no severity", name, r.ID)
		}
		return
	}
	if score, err := strconv.ParseFloat(p.Security, 64); err != nil || score <= 0 || score > 10 || !slices.Contains(p.Tags, "security") {
		t.Errorf("%s: %s has the severity %q and the tags %q", name, r.ID, p.Security, p.Tags)
	}
}

// TestSARIFKeepsTheGravest: what is left out of too many results is counted, and is never
// an error while there is a note.
func TestSARIFKeepsTheGravest(t *testing.T) {
	s := &sarifWriter{report: &Report{}, index: map[string]int{}, seen: map[string]int{}}
	for range sarifResults {
		s.add(differenceRule("difference/", compare.Order), "note", 0, "a", "b")
	}
	s.add(newWords(nil).checkRule(check.Closure, "closure/setuid-file", check.Problem), "error", 0, "bin/su", "c")
	s.clip()
	if s.left != 1 || len(s.found) != sarifResults || s.found[0].RuleID != "closure/setuid-file" {
		t.Errorf("%d are left out, and the first is %+v", s.left, s.found[0])
	}
}

// TestSARIFFingerprintsStay: a file that comes to lie in another layer is the same alert.
func TestSARIFFingerprintsStay(t *testing.T) {
	of := func(layer int) string {
		s := &sarifWriter{report: &Report{}, index: map[string]int{}, seen: map[string]int{}}
		s.add(newWords(nil).checkRule(check.Closure, "closure/setuid-file", check.Problem), "error", layer, "bin/su", "c")
		return s.found[0].Fingerprints["primaryLocationLineHash"]
	}
	if of(0) != of(3) {
		t.Error("the fingerprint follows the layer")
	}
}

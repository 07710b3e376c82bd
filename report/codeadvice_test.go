package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"audit/inspect/check"
)

// TestCodeAdviceIsOfCodes: what stands in the tables is said of codes that there are, and
// of each once.
func TestCodeAdviceIsOfCodes(t *testing.T) {
	table := AllSentences()
	seen, titles := map[string]bool{}, map[string]string{}
	for _, a := range codeAdvices() {
		for _, c := range strings.Fields(a.codes) {
			if seen[c] {
				t.Errorf("%s stands there twice", c)
			}
			seen[c] = true
			if a.title != "" && titles[a.title] != "" {
				t.Errorf("%s and %s have the title %q", c, titles[a.title], a.title)
			}
			titles[a.title] = c
		}
		if a.todo != "" && !strings.HasSuffix(a.todo, ".") || a.why != "" && !strings.HasSuffix(a.why, ".") {
			t.Errorf("%s: %q, %q", a.codes, a.why, a.todo)
		}
	}
	w := newWords(nil)
	for code := range table {
		id, _ := groupOf(strings.SplitN(code, "/", 2)[0])
		if a := w.adviseOn(id, code, check.Undecided); id != "" && (!strings.ContainsFunc(anArgument.ReplaceAllString(a.title, ""), unicode.IsLetter) || a.title == question(id) || a.title != strings.TrimSpace(a.title)) {
			t.Errorf("%s has the title %q", code, a.title)
		}
	}
}

// TestAdviceFitsTheLevel: what is undecided is a warning without a score of security but
// for what lends rights, and nothing that is explained is called hidden.
func TestAdviceFitsTheLevel(t *testing.T) {
	w := newWords(testSystems())
	for _, c := range []struct {
		code            string
		level           check.Level
		want, severity  string
		short, todo, no string
	}{
		{"recipe/no-attestation", check.Undecided, "warning", "", "No provenance is attached to the image", "nothing speaks against this one", "contradicts"},
		{"recipe/lock-left-out", check.Undecided, "warning", "", "A lock file of the packages lacks some of them", "Nothing is wrong", "contradicts"},
		{"closure/explained-by-instruction", check.Undecided, "warning", "", "Files that an instruction of the history alone explains", "Nothing speaks against", "did not want"},
		{"closure/setuid-file", check.Undecided, "warning", "5.5", "A setuid file that no package answers for", "Find the step", "recipe is"},
		{"closure/setuid-file", check.Problem, "error", "8.8", "A setuid file that no package answers for", "Find the step", "recipe is"},
		{"integrity/diffid-mismatch", check.Problem, "error", "9.1", "The config says diffID <claimed>, the bytes have <computed>", "do not run it", "ignore"},
	} {
		id, _, _ := strings.Cut(c.code, "/")
		r := w.checkRule(check.ID(id), c.code, c.level).sarif()
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if r.Default.Level != c.want || r.Properties.Problem != c.want || r.Properties.Security != c.severity || r.Short.Text != c.short ||
			!strings.Contains(r.Help.Text, c.todo) || strings.Contains(string(text), c.no) {
			t.Errorf("%s at %s: %s", c.code, c.level, text)
		}
	}
}

// TestSARIFRuleHasTheGravestLevel: a code that is found at two levels is the rule of the
// graver one, whichever comes first.
func TestSARIFRuleHasTheGravestLevel(t *testing.T) {
	w := newWords(nil)
	for _, levels := range [][]check.Level{{check.Problem, check.Undecided}, {check.Undecided, check.Problem}} {
		s := &sarifWriter{report: &Report{}, index: map[string]int{}, seen: map[string]int{}}
		for _, level := range levels {
			rule := w.checkRule(check.Closure, "closure/device", level)
			s.add(rule, rule.level, 0, "dev/sda", "x")
		}
		if len(s.rules) != 1 || s.rules[0].Default.Level != "error" || s.found[0].Level == s.found[1].Level {
			t.Errorf("%v: %+v, %+v", levels, s.rules, s.found)
		}
	}
}

package report

import (
	"regexp"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// TestNoCommandsForServices: whatever an image chose, no line on standard output
// is a command for a service of CI.
func TestNoCommandsForServices(t *testing.T) {
	command := regexp.MustCompile(`(?m)^[ \t]*::|##[A-Za-z]*\[`)
	for _, text := range []string{"::error::x", "\n::warning file=a::x", "##[error]x", "a##vso[task.setvariable]x", "###[group]", "##teamcity[x]", "%0A::set-env::x"} {
		in := hostileInput(t)
		in.Image.Reference, in.Image.Layers[0].MediaType = text, ""
		in.Evidence.Recipe.Packer = text
		in.Evidence.Recipe.Files[0].Text = []byte("a\n" + text + "\n")
		for i := range in.Checks {
			in.Checks[i].Reasons[0].Args["text"] = text
			in.Checks[i].Findings[0].Path, in.Checks[i].Findings[0].Args["text"] = text, text
		}
		in.Comparison.Differences[0].Evidence = []check.Message{check.Say("difference/lines", "diff", "@@ -1 +1 @@\n"+text+"\n-a\n"+text)}
		in.Comparison.Differences = append(in.Comparison.Differences, compare.Difference{Path: text, Cause: compare.Mode, Was: compare.Text(text), Now: compare.Text(text)})
		for kind, write := range renderers() {
			if kind == "HTML" {
				continue // which is for browsers
			}
			if found := command.FindString(string(render(t, write, New(in)))); found != "" {
				t.Errorf("%q: the %s has %q", text, kind, found)
			}
		}
		if printed := Printable(text); Printable(printed) != printed || strings.Contains(printed, "##[") {
			t.Errorf("%q is printed as %q", text, printed)
		}
	}
}

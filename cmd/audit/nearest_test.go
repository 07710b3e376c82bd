package main

import (
	"bytes"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestVariables: what a variable says that no flag has is refused where it is like one, by
// its name or by its value, and else said to be obeyed by nothing; those of the tests of
// audit and of its scripts are left alone.
func TestVariables(t *testing.T) {
	app := newApp(strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer))
	for variable, want := range map[string]string{
		"AUDIT_MIN=reproducible": "nearest is AUDIT_REQUIRE", "AUDIT_GATE=builtin:strict": "nearest is AUDIT_POLICY", "AUDIT_POLICY_FILE=x": "nearest is AUDIT_POLICY",
		"AUDIT_REQUIREMENT=x": "nearest is AUDIT_REQUIRE", "AUDIT_MINE=x": "", "AUDIT_SHARDS=2": "-", "AUDIT_ARG_KEY=x": "-", "AUDIT_ALLOW=yes": "-", "AUDIT_UNSET=": "-", "OTHER=x": "-",
	} {
		_, ignored, err := envSettings(allFlags(app), []string{variable})
		switch {
		case want == "-" && (err != nil || len(ignored) > 0), want == "" && (err != nil || len(ignored) != 1),
			len(want) > 1 && (err == nil || !strings.HasSuffix(err.Error(), want)):
			t.Errorf("%s: %v, %v", variable, ignored, err)
		}
	}
	text, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`AUDIT_[A-Z_]+`).FindAllString(string(text), -1) {
		if _, ignored, err := envSettings(map[string]cli.Flag{}, []string{name + "=x"}); err != nil || len(ignored) > 0 {
			t.Errorf("%s, which the tests have: %v, %v", name, ignored, err)
		}
	}
	many := presets{ignored: []string{"AUDIT_A", "AUDIT_B", "AUDIT_C", "AUDIT_D"}}
	if got := many.ignoredText(); !strings.Contains(got, "AUDIT_A, AUDIT_B, AUDIT_C and 1 more") {
		t.Error(got)
	}
}

func TestNearest(t *testing.T) {
	verbs := []string{"inspect", "verify", "run", "report", "rebuild", "compare"}
	for word, want := range map[string]string{
		"inspct": "inspect", "verfiy": "verify", "reprot": "report", "rebuidl": "rebuild", "compaer": "compare", "Verify": "verify", "REPORT": "report", "force": "",
		"inspection": "inspect", "reportage": "report", "verification": "verify", "comparison": "compare",
		"rnu": "run", "alpine": "", "image.tar": "", "": "", "x": "", "inspect-all-of-them": "",
	} {
		if got := nearest(word, verbs); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"ca", "ac", 1}, {"a", "b", 1}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// TestVersionOfTheStamp: what is known of a program names it, whatever stamped it.
func TestVersionOfTheStamp(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	stamp := func(version, modified string) *debug.BuildInfo {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-11-01T00:00:00Z"}, {Key: "vcs.modified", Value: modified}}}
		info.Main.Version = version
		return info
	}
	for want, info := range map[string]*debug.BuildInfo{
		"devel":                    {},
		"devel-0123456789ab":       stamp("(devel)", "false"),
		"devel-0123456789ab+dirty": stamp("", "true"),
		"v1.2.3":                   stamp("v1.2.3", "false"),
	} {
		if got := newProgram(info); got.Version != want || info.Settings != nil && got.Commit != commit {
			t.Errorf("the version is %q, want %q", got.Version, want)
		}
	}
	if got := newProgram(nil).Version; got != "devel" {
		t.Errorf("of nothing it is %q", got)
	}
}

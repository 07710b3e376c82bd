package main

import (
	"runtime/debug"
	"testing"
)

func TestNearest(t *testing.T) {
	verbs := []string{"inspect", "verify", "run", "report", "rebuild", "compare"}
	for word, want := range map[string]string{
		"inspct": "inspect", "verfiy": "verify", "reprot": "report", "rebuidl": "rebuild", "compaer": "compare", "Verify": "verify", "REPORT": "report", "force": "",
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

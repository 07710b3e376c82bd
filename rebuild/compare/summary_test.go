package compare

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	long := strings.Repeat("é", 300)
	for _, tc := range []struct {
		cause            Cause
		was, now, detail string
		want             string
	}{
		{Mode, "0644", "4644 setuid", "", "0644 → 4644 setuid"},
		{Missing, "file", "", "another layer", "file → nothing"},
		{EmbeddedDate, "1", "2", "line 3: 1 → 2\n@@", "line 3: 1 → 2"},
		{EmbeddedDate, "1", "2", "", "1 → 2"},
		{Content, "file of 1 bytes", "file of 2 bytes", "member x: mode: 0644 → 0755\nmore", "member x: mode: 0644 → 0755"},
		{Content, "file of 1 bytes", "file of 2 bytes", "@@ -1 +1 @@\n-one\n+two\n", `"one" → "two"`},
		{Content, "file of 1 bytes", "file of 2 bytes", "not looked into", "file of 1 bytes → file of 2 bytes"},
		{Link, long, "x", "", strings.Repeat("é", 200) + "… → x"},
	} {
		if got := Summary(tc.cause, tc.was, tc.now, tc.detail); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.cause, got, tc.want)
		}
	}
}

func TestFirstChange(t *testing.T) {
	for diff, want := range map[string]string{
		"@@ -1,3 +1,3 @@\n same\n-one\n-two\n+eins\n other\n-three\n":            `"one" → "eins"`,
		"@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+two\n\\ No newline\n": `"one" → "two"`,
		"@@ -1,2 +1 @@\n-gone\n":                     `"gone" → nothing`,
		"@@ -0,0 +1 @@\n+\tnew\x1b":                  `nothing → "new\x1b"`,
		"@@ -1,4 +1,4 @@\n-  a\n+a\n same\n-b\n+c\n": `"b" → "c"`,
		"@@ -1 +1 @@\n- a\n+a\n":                     "",
		"@@ -1 +1 @@":                                "",
		"file of 3 bytes\n-a\n+b\n":                  "",
		"":                                           "",
	} {
		if got := firstChange(diff); got != want {
			t.Errorf("%q: %q, want %q", diff, got, want)
		}
	}
}

package compare

import (
	"strings"
	"testing"

	"audit/inspect/check"
)

func TestSummary(t *testing.T) {
	long := strings.Repeat("é", 300)
	for _, tc := range []struct {
		cause    Cause
		was, now string
		evidence []check.Message
		want     string
	}{
		{Mode, "0644", "4644 setuid", nil, "difference/change: 0644 → 4644 setuid"},
		{Missing, "file", "", evidence("difference/moved-entries", "entries", 1), "difference/change: file → "},
		{Renamed, "a", "b", evidence("difference/renamed", "to", "b"), "difference/renamed:  → "},
		{Renamed, "a", "b", evidence("difference/renamed-folder", "to", "b", "names", []string{"x"}), "difference/renamed-folder:  → "},
		{EmbeddedDate, "1", "2", append(evidence("difference/line", "line", 3, "was", "1", "now", "2"), check.Say("difference/lines", "diff", "@@")), "difference/line: 1 → 2"},
		{EmbeddedDate, "1", "2", nil, "difference/change: 1 → 2"},
		{Content, "file of 1 bytes", "file of 2 bytes", append(evidence("difference/member-field", "field", "mode", "was", "0644", "now", "0755"), check.Say("difference/bytes")), "difference/member-field: 0644 → 0755"},
		{Content, "file of 1 bytes", "file of 2 bytes", evidence("difference/changed-line", "line", 1, "was", `"one"`, "now", `"two"`), `difference/changed-line: "one" → "two"`},
		{Content, "file of 1 bytes", "file of 2 bytes", evidence("difference/member-missing", "member", "x", "was", "", "now", ""), "difference/member-missing:  → "},
		{Content, "file of 1 bytes", "file of 2 bytes", evidence("difference/lines", "diff", "@@ -1 +1 @@\n-one\n+two\n"), "difference/change: file of 1 bytes → file of 2 bytes"},
		{Content, "file of 1 bytes", "file of 2 bytes", append(evidence("difference/debug-section", "was", "1 bytes", "now", "2 bytes"), check.Say("difference/elf-only")), "difference/elf-only:  → "},
		{Content, "file of 1 bytes", "file of 2 bytes", append(evidence("difference/section", "was", "1 bytes", "now", "2 bytes"), check.Say("difference/elf-only", "inside", "x.o")), "difference/section: 1 bytes → 2 bytes"},
		{Content, "file of 1 bytes", "file of 2 bytes", evidence("difference/not-at-hand"), "difference/change: file of 1 bytes → file of 2 bytes"},
		{Link, long, "x", nil, "difference/change: " + strings.Repeat("é", 200) + "… → x"},
	} {
		if got := summaryText(Summary(tc.cause, TextValue(tc.was), TextValue(tc.now), tc.evidence)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.cause, got, tc.want)
		}
	}
}

func summaryText(m check.Message) string {
	return m.Code + ": " + m.Args.String("was") + " → " + m.Args.String("now")
}

package report

import (
	"testing"

	"audit/inspect/check"
)

// What differs inside of a file has the way to it first.
func TestDifferenceSentences(t *testing.T) {
	all := AllSentences()
	for _, tc := range []struct {
		m    check.Message
		want string
	}{
		{check.Say("difference/line", "line", 3, "inside", "x.jar ⟫ META-INF/MANIFEST.MF", "was", "a", "now", "b"), "⟫ x.jar ⟫ META-INF/MANIFEST.MF: line 3: a → b"},
		{check.Say("difference/member-field", "member", "x", "field", "time", "inside", "data.tar", "was", "1", "now", "2", "places", 4), "⟫ data.tar ⟫ x: time: 1 → 2 (in 4 places)"},
		{check.Say("difference/member-extra", "member", "x"), "⟫ x: in the rebuild only"},
		{check.Say("difference/lines", "inside", "x", "diff", "@@"), "⟫ x:\n@@"},
		{check.Say("difference/functions", "section", ".text", "functions", 3, "beyond", 1, "outside", 0x1050, "was", "8 bytes", "now", "9 bytes", "symbols", []check.Message{
			check.Say("value/symbol", "symbol", "main", "offset", 0, "at", 0x1040), check.Say("value/symbol-extra", "symbol", "f")}),
			"section .text, code of 3 functions: main+0x0 (0x1040 in the file), f (in the rebuild only) and 1 more, and bytes of none from 0x1050 in the file on: 8 bytes → 9 bytes"},
		{check.Say("difference/objects", "section", ".data", "objects", 1, "beyond", 0, "outside", 0, "symbols", []check.Message{check.Say("value/symbol-missing", "symbol", "x")}),
			"section .data, data of 1 object: x (in the original only)"},
		{check.Say("difference/section-from", "section", ".text", "offset", 0, "at", 0x40), "section .text, from its byte 0x0 on (0x40 in the file)"},
		{check.Say("difference/elf-only", "parts", []check.Message{check.Say("value/elf-build-id"), check.Say("value/elf-debug")}),
			"what differs is only the build-id and parts for debuggers: code and data are the same"},
	} {
		if got := all.Text(tc.m); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.m.Code, got, tc.want)
		}
	}
}

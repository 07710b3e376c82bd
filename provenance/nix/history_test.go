package nix

import (
	"slices"
	"testing"
)

// What Python 3.11 prints for these lists, as print(["…"]) does.
func TestParseList(t *testing.T) {
	for _, tc := range []struct {
		text string
		want []string
	}{
		{`[]`, nil},
		{`['/nix/store/a']`, []string{"/nix/store/a"}},
		{`['a', 'b', "it's"]`, []string{"a", "b", "it's"}},
		{`['both \' and "']`, []string{`both ' and "`}},
		{`['a\\b', 'tab\tnewline\n', '\x00\x7f', '\u2028', '\U000e0001', 'é']`, []string{`a\b`, "tab\tnewline\n", "\x00\x7f", "\u2028", "\U000e0001", "é"}},
	} {
		got, err := parseList(tc.text)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v", tc.text, got, err)
		}
	}
}

func TestParseBrokenList(t *testing.T) {
	for _, text := range []string{``, `[`, `]`, `['a'`, `['a',]`, `['a','b']`, `['a' 'b']`, `[a]`, `['a']x`, `['\q']`, `['\x1']`, `['\u12']`, `['\Uffffffff']`, `['a\`, `('a',)`, `['a", 'b']`} {
		if list, err := parseList(text); err == nil {
			t.Errorf("%s: %q", text, list)
		}
	}
}

// A list that can be read has as many strings as it has pairs of quotes at the
// least, and none is longer than the text.
func FuzzParseList(f *testing.F) {
	f.Add(`['/nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0', "it's"]`)
	f.Add(`['\x41\u0042\U00000043', 'a\\b']`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseList(text)
		if err != nil {
			return
		}
		total := 2
		for _, s := range list {
			total += 2 + len([]rune(s))
		}
		if total > len(text) {
			t.Errorf("%q gives %q", text, list)
		}
	})
}

package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextInJSON(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `""`},
		{"gnu/store/a-b", `"gnu/store/a-b"`},
		{`dev-disk-by\x2dlabel`, `"dev-disk-by\\x2dlabel"`},
		{"naïve ☃", `"naïve ☃"`},
		{"a\nb\x00", `"a\nb\u0000"`},
		{"caf\xe9", `"bytes:caf\\xe9"`},
		{"a\\b\xff", `"bytes:a\\\\b\\xff"`},
		{"bytes:plain", `"bytes:bytes:plain"`},
		{"\xed\xa0\x80", `"bytes:\\xed\\xa0\\x80"`}, // a surrogate is not UTF-8
	} {
		got, err := asText(c.text)
		if err != nil || string(got) != c.want {
			t.Errorf("%q is written %s, %v; want %s", c.text, got, err, c.want)
		}
	}
}

// asText writes a text as a report has it.
func asText(s string) ([]byte, error) {
	text, err := encodeText(s)
	if err != nil {
		return nil, err
	}
	return json.Marshal(text)
}

// readText reads what asText wrote.
func readText(doc []byte) (string, error) {
	var text string
	if err := json.Unmarshal(doc, &text); err != nil {
		return "", err
	}
	return decodeText(text)
}

func TestTextRefusesBrokenEscapes(t *testing.T) {
	for _, doc := range []string{`"bytes:\\"`, `"bytes:\\x"`, `"bytes:\\x1"`, `"bytes:\\xzz"`, `"bytes:\\n"`, `"bytes:\\x+1"`} {
		if text, err := readText([]byte(doc)); err == nil {
			t.Errorf("%s is read as %q", doc, text)
		}
	}
}

func FuzzTextSurvivesJSON(f *testing.F) {
	for _, s := range []string{hostile, `\`, "bytes:", "bytes:\\\xff", "\u2028\x7f", "\xf4\x90\x80\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		doc, err := asText(s)
		if err != nil {
			t.Fatal(err)
		}
		safe := escapeUnprintable(doc)
		if Printable(string(safe)) != string(safe) || !utf8.Valid(safe) {
			t.Errorf("%q is written %s, which a terminal may obey", s, safe)
		}
		if back, err := readText(safe); err != nil || back != s {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add(hostile)
	f.Add("\u00a0\u3000\ufeff\ufffd")
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(s)
		if Printable(got) != got {
			t.Errorf("%q becomes %q, which is not printable", s, got)
		}
		if bytes.ContainsFunc([]byte(got), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q keeps a control character", got)
		}
	})
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain, ünïcode ☃ 漢字 \ufffd", "plain, ünïcode ☃ 漢字 \ufffd"},
		{"\x1b[2J\a\r\n\t\x7f", `\x1b[2J\x07\r\n\t\x7f`},
		{"\u009b31m", `\u009b31m`},
		{"a\u202eb\u2066c\u200fd", `a\u202eb\u2066c\u200fd`},
		{"a\u200bb\ufeff\u00ad", `a\u200bb\ufeff\u00ad`},
		{"\xc3\x28\xff", `\xc3(\xff`},
		{"\U000e0041", `\U000e0041`},
		{"a\u2028b", `a\u2028b`},
	} {
		if got := Printable(c.in); got != c.want {
			t.Errorf("Printable(%q) is %q, want %q", c.in, got, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc… (1 byte more in report.json)"},
		{"a☃☃", 5, "a☃… (3 bytes more in report.json)"},
		{"\xff\xff\xff\xff\xff\xff", 5, "\xff\xff\xff\xff\xff… (1 byte more in report.json)"},
		{"\x80\x80\x80\x80\x80\x80\x80", 6, "\x80\x80… (5 bytes more in report.json)"},
	} {
		if got := clip(c.in, c.n); got != c.want {
			t.Errorf("clip(%q, %d) is %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestShellWords(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"--max-layers=4", "--max-layers=4"},
		{"", "''"},
		{"it's me", `'it'\''s me'`},
		{"$(reboot) `x` \"", "'$(reboot) `x` \"'"},
		{"a\nb", `$'a\012b'`},
		{"\x1b'\\\xff", `$'\033\'\\\377'`},
		{"\u202e", `$'\342\200\256'`},
		{"☃", "'☃'"},
	} {
		if got := shellWord(c.in); got != c.want {
			t.Errorf("shellWord(%q) is %s, want %s", c.in, got, c.want)
		}
	}
	if got := shellWords([]string{"a", "b c"}); !strings.HasPrefix(got, "a 'b c'") {
		t.Errorf("two words are written %s", got)
	}
}

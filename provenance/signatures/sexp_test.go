package signatures

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// canonical writes an S-expression in the canonical form.
func canonical(s sexp) []byte {
	if s.atom != nil {
		return append(strconv.AppendInt(nil, int64(len(s.atom)), 10), ":"+string(s.atom)...)
	}
	out := []byte("(")
	for _, e := range s.list {
		out = append(out, canonical(e)...)
	}
	return append(out, ')')
}

func TestSexp(t *testing.T) {
	cases := []struct{ text, canonical, why string }{
		{text: "abc", canonical: "3:abc"},
		{text: " ( a\n(b -./_:*+=9) () )\t", canonical: "(1:a(1:b9:-./_:*+=9)())"},
		{text: "3:(\"#", canonical: "3:(\"#"},
		{text: "(0:)", canonical: "(0:)"},
		{text: `"a b"`, canonical: "3:a b"},
		{text: `""`, canonical: "0:"},
		{text: `"\b\t\v\n\f\r\"\'\\\101\x4a"`, canonical: "11:\b\t\v\n\f\r\"'\\AJ"},
		{text: "\"a\\\nb\\\r\nc\\\n\rd\"", canonical: "4:abcd"},
		{text: "#4142 43\n44#", canonical: "4:ABCD"},
		{text: "##", canonical: "0:"},
		{text: "|QUJD\nRA==|", canonical: "4:ABCD"},
		{text: strings.Repeat("(", 17) + strings.Repeat(")", 17), canonical: strings.Repeat("(", 17) + strings.Repeat(")", 17)},

		{text: strings.Repeat("(", 18) + strings.Repeat(")", 18), why: "more than 16 deep"},
		{text: strings.Repeat("(", 1<<20), why: "more than 16 deep"},
		{text: "", why: "0 S-expressions"},
		{text: "a b", why: "2 S-expressions"},
		{text: "(a", why: "ends in the middle"},
		{text: `"a`, why: "ends in the middle"},
		{text: `"\`, why: "ends in the middle"},
		{text: `"\x4`, why: "ends in the middle"},
		{text: "#41", why: "ends in the middle"},
		{text: "4:abc", why: "ends in the middle"},
		{text: ")", why: "belongs nowhere"},
		{text: "[hint]a", why: "belongs nowhere"},
		{text: "{YQ==}", why: "belongs nowhere"},
		{text: "12", why: "length without colon"},
		{text: "1a:b", why: "no number"},
		{text: "99999999999999999999:b", why: "no number"},
		{text: "#4#", why: "odd length"},
		{text: "#4g#", why: "invalid byte"},
		{text: "|Q|", why: "base64"},
		{text: `"\777"`, why: "no byte"},
		{text: `"\q"`, why: "not known"},
	}
	for _, tt := range cases {
		s, err := parseSexp([]byte(tt.text))
		switch {
		case tt.why == "" && (err != nil || string(canonical(s)) != tt.canonical):
			t.Errorf("%.40q: %q, %v", tt.text, canonical(s), err)
		case tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)):
			t.Errorf("%.40q: %v, want %q", tt.text, err, tt.why)
		}
	}
}

func TestSexpValue(t *testing.T) {
	s, err := parseSexp([]byte("(a (b (c d) (e) (f g h) (i (j)) (k 1:l) (k 1:m)))"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.value("b", "c"); err != nil || string(v) != "d" {
		t.Errorf("%q, %v", v, err)
	}
	for _, name := range []string{"e", "f", "i", "k", "x"} {
		if v, err := s.value("b", name); err == nil {
			t.Errorf("(%s …) has the value %q", name, v)
		}
	}
}

// What is read, written in the canonical form and read again is the same.
func FuzzSexp(f *testing.F) {
	for _, file := range []string{"rsa.pub", "ecc-prefixed.pub", "ecc-uncompressed.pub"} {
		f.Add(read(f, "testdata/"+file))
	}
	f.Add(read(f, guixFarm+"/signing-key.pub"))
	f.Add([]byte(`(a "b\x41\101\n" |QUJD| #41 42# 3:abc ())`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseSexps(text)
		if err != nil {
			return
		}
		var written []byte
		for _, s := range all {
			written = append(written, canonical(s)...)
		}
		again, err := parseSexps(written)
		if err != nil || !reflect.DeepEqual(all, again) {
			t.Errorf("%q was read as %q, which reads differently: %v", text, written, err)
		}
		if len(bytes.TrimSpace(text)) > 0 && len(all) == 0 {
			t.Errorf("%q was read as nothing", text)
		}
		ParseKeys("fuzz", text)
	})
}

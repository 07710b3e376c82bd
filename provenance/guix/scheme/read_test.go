package scheme

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{``, ``},
		{`()`, `()`},
		{`(a . b)`, `(a . b)`},
		{`(a . (b . (c)))`, `(a b c)`},
		{`(a . (b . c))`, `(a b . c)`},
		{`[a (b) c]`, `(a (b) c)`},
		{`(a .b)`, `(a #{.b}#)`},
		{`(a.b ...)`, `(a.b #{...}#)`},
		{"a;comment\nb", `a b`},
		{`a #| b #| c |# d |# e`, `a e`},
		{`#;a b (c #;(d e) f #;g)`, `b (c f)`},
		{`#;#;a b c`, `c`},
		{`#! a script !# b`, `b`},
		{`'a`, `'a`},
		{`'(a . b)`, `'(a . b)`},
		{"`(a ,b ,@c)", `(quasiquote (a (unquote b) (unquote-splicing c)))`},
		{"#'a #`a #,a #,@a", `(syntax a) (quasisyntax a) (unsyntax a) (unsyntax-splicing a)`},

		{`"a\"b\\c\|\("`, `"a\"b\\c|("`},
		{`"\a\b\t\n\v\f\r\0"`, `"\a\b\t\n\v\f\r\x00"`},
		{`"\x41;"`, `"A;"`},
		{`"\x7f;bell"`, `"\x7f;bell"`},
		{`#!r6rs "\x41;\x1F600;"`, `"A😀"`},
		{`"\u00e9\U01F600é日本"`, `"é😀é日本"`},
		{"\"a\\\n  b\"", `"a  b"`},
		{"#!r6rs \"a\\\n  b\"", `"ab"`},
		{"\"a\nb\"", `"a\nb"`},
		{"\"\u202e\u200b\x01\"", `"\u202e\u200b\x01"`},

		{`#{a b}# #{}# #{1}# #{a}b}# #{a\}#b}#`, `#{a b}# #{}# #{1}# #{a\x7d;b}# #{a\x7d;#b}#`},
		{`#{a\x41;b}# #{a\nb}#`, `aAb anb`},
		{`|x| a|b`, `#{|x|}# #{a|b}#`},
		{`A a'b {c} a#b`, `A #{a'b}# #{{c\x7d;}# #{a#b}#`},
		{`+ - ->x 1+ 1abc 1/0 -1-`, `+ - #{->x}# #{1+}# #{1abc}# #{1/0}# #{-1-}#`},
		{`:a a:`, `#{:a}# #{a:}#`},
		{`#:foo #:#{a b}# #:1+`, `#:foo #:#{a b}# #:#{1+}#`},

		{`0 -0 +5 007 -123456789012345678901234567890`, `0 0 5 7 -123456789012345678901234567890`},
		{`1/2 6/4 -6/3`, `1/2 3/2 -2`},
		{`1.50 1. .5 -.5e1 1e3 1d3 1e100 -0.0`, `1.5 1.0 0.5 -5.0 1000.0 1000.0 1e+100 -0.0`},
		{`+inf.0 -inf.0 +nan.0`, `+inf.0 -inf.0 +nan.0`},
		{`#xFF #b-101 #o17 #d10 #x1/F`, `255 -5 15 10 1/15`},

		{`#t #f #true #false #T #F #nil`, `#t #f #t #f #t #f #nil`},
		{`#\x #\x41 #\101 #\é #\( #\space #\NewLine #\nul #\x0`, `#\x #\A #\A #\é #\x28 #\x20 #\xa #\x0 #\x0`},
		{`(#\a)`, `(#\a)`},
		{`#(1 "a" (b)) #() #(quote a)`, `#(1 "a" (b)) #() #(quote a)`},
		{`#vu8(0 255) #vu8()`, `#vu8(0 255) #vu8()`},
	} {
		values, err := Parse([]byte(tc.in), DefaultLimits())
		if err != nil {
			t.Errorf("%q: %v", tc.in, err)
			continue
		}
		if got := join(values); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.in, got, tc.want)
		}
	}
}

func join(values []Value) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, " ")
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`(a`, `1:1: a parenthesis that nothing closes`},
		{"(a\n  b))", `2:5: a closing parenthesis that nothing opens`},
		{`(a]`, `1:3: ']' closes a list that another kind of parenthesis opened`},
		{`(. b)`, `1:2: a dot with nothing before it`},
		{`(a .)`, `1:4: a dot with nothing after it`},
		{`(a . b c)`, `1:8: more than one datum after a dot`},
		{`.`, `1:1: a dot outside of a list`},
		{`#.(system "x")`, `1:1: #. asks for a program to be run while reading: refused`},
		{`(a #.b)`, `1:4: #. asks for a program to be run while reading: refused`},
		{`"a`, `1:1: a string that nothing closes`},
		{`"é\q"`, `1:4: the escape \q is unknown`},
		{`"\xa;"`, `1:4: an escape takes 2 hexadecimal digits here`},
		{`"\ud800"`, `1:4: no character has the code d800`},
		{`"\U110000"`, `1:4: no character has the code 110000`},
		{`#!r6rs "\x110000;"`, `1:11: no character has that code`},
		{`#{a`, `1:1: a symbol that nothing closes`},
		{`#|`, `1:1: a comment that nothing closes`},
		{`#! a`, `1:1: a comment that nothing closes`},
		{`#!fold-case A`, `1:1: the directive #!fold-case is not supported`},
		{`#;`, `1:1: #; with nothing after it`},
		{`'`, `1:1: ' with nothing after it`},
		{`')`, `1:2: a closing parenthesis that nothing opens`},
		{`#~(a)`, `1:1: the syntax "#~" is not supported`},
		{`#2((1))`, `1:1: the syntax "#2" is not supported`},
		{`#tru`, `1:1: the syntax "#tru" is not supported`},
		{`#u8(1)`, `1:1: the syntax "#u8" is not supported`},
		{`#vu8(256)`, `1:1: element 0 of a bytevector is no number from 0 to 255`},
		{`#(a . b)`, `1:1: a dot in a vector`},
		{`#\bogus`, `1:1: the character name "bogus" is unknown`},
		{`#\xd800`, `1:1: the character name "xd800" is unknown`},
		{`#: a`, `1:1: #: needs a symbol right after it`},
		{`#:1`, `1:1: #: needs a symbol after it, not a number`},
		{`1+2i`, `1:1: complex numbers and # for digits are not supported`},
		{`1@2`, `1:1: complex numbers and # for digits are not supported`},
		{`1#`, `1:1: complex numbers and # for digits are not supported`},
		{`1e400`, `1:1: the exponent is out of range`},
		{"\"\xff\"", `1:2: the text is not UTF-8`},
		{"a\xff", `1:2: the text is not UTF-8`},
		{";\xff", `1:2: the text is not UTF-8`},
	} {
		_, err := Parse([]byte(tc.in), DefaultLimits())
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || err.Error() != tc.want {
			t.Errorf("%q: got %v, want %s", tc.in, err, tc.want)
		}
	}
}

func TestLimits(t *testing.T) {
	lim := Limits{Bytes: 100, Depth: 5, Nodes: 20, Token: 10}
	for _, tc := range []struct{ in, want string }{
		{strings.Repeat(" ", 101), `1:1: more than 100 bytes`},
		{`((((((`, `1:6: more than 5 levels of nesting`},
		{`''''''a`, `1:6: more than 5 levels of nesting`},
		{`#;#;#;#;#;#;`, `1:11: more than 5 levels of nesting`},
		{strings.Repeat("a ", 21), `1:41: more than 20 data`},
		{`(abcdefghijk)`, `1:2: more than 10 bytes in one token`},
		{`#{abcdefghijklm}#`, `1:1: more than 10 bytes in one token`},
	} {
		_, err := Parse([]byte(tc.in), lim)
		var limit *LimitError
		if !errors.As(err, &limit) || err.Error() != tc.want {
			t.Errorf("%q: got %v, want %s", tc.in, err, tc.want)
		}
	}
}

// Ten megabytes of parentheses end at the limit of depth, not in a full stack.
func TestManyParentheses(t *testing.T) {
	for _, unit := range []string{"(", "[", "'", "#(", "#;", "#:", "(a . "} {
		text := []byte(strings.Repeat(unit, (10<<20)/len(unit)))
		if _, err := Parse(text, DefaultLimits()); err == nil {
			t.Errorf("%q: no error", unit)
		}
	}
	text := []byte(strings.Repeat("()", 5<<20))
	_, err := Parse(text, DefaultLimits())
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Name != "data" {
		t.Errorf("many lists: %v", err)
	}
}

func TestPositions(t *testing.T) {
	values, err := Parse([]byte("; é\n(é\t\"x\ny\" b)"), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	list := values[0]
	for i, want := range []Pos{{2, 2}, {2, 4}, {3, 4}} {
		if got := list.Items[i].Pos; got != want {
			t.Errorf("item %d: at %v, want %v", i, got, want)
		}
	}
	if list.Pos != (Pos{2, 1}) {
		t.Errorf("list at %v", list.Pos)
	}
}

// What a caller puts into a value by hand cannot leave it either.
func TestWriteIsData(t *testing.T) {
	for _, tc := range []struct {
		v    Value
		want string
	}{
		{Value{Kind: Number, Text: `1) (system "x"`}, `#{1) (system "x"}#`},
		{Value{Kind: Number, Text: ``}, `#{}#`},
		{Value{Kind: Number, Text: `#.(x)`}, `#{#.(x)}#`},
		{Sym("}# (evil) #{"), `#{\x7d;# (evil) #{}#`},
		{Sym("a\n;b"), `#{a\xa;;b}#`},
		{Str("\") (evil) \\"), `"\") (evil) \\"`},
		{Value{Kind: Keyword, Text: "a b"}, `#:#{a b}#`},
		{Value{Kind: Char, Text: ""}, `#\xfffd`},
		{Str("\xff"), "\"\ufffd\""},
	} {
		got := tc.v.String()
		if got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
		if back, err := Parse([]byte(got), DefaultLimits()); err != nil || len(back) != 1 {
			t.Errorf("%s: reads back as %v, %v", got, back, err)
		}
	}
}

func TestPretty(t *testing.T) {
	v, err := Parse([]byte(`(define transform2 (options->transformation '((with-input . "libgc=libgc@7") (tune . "skylake"))))`), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	const want = `  (define
    transform2
    (options->transformation
      '((with-input . "libgc=libgc@7") (tune . "skylake"))))`
	if got := "  " + Pretty(v[0], 2); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"profiles/*.manifest", "profiles/*.channels.scm", "profiles/*.code", "eras/*.profile-manifest", "export/*"} {
		files, err := filepath.Glob(filepath.Join("../../../fixtures/guix", pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(`#!r6rs "\x41;" #{a\x7d;#b}# #\x41 #vu8(1 2) #:k (a . b) 1e-3 -1/2 #| |# #;a 'b #nil`))
	f.Fuzz(func(t *testing.T, text []byte) {
		lim := Limits{Bytes: 1 << 20, Depth: 200, Nodes: 100_000, Token: 4096}
		values, err := Parse(text, lim)
		if err != nil {
			return
		}
		for _, v := range values {
			for _, printed := range []string{v.String(), Pretty(v, 3)} {
				again, err := Parse([]byte(printed), DefaultLimits())
				if err != nil || len(again) != 1 || !cmp.Equal(v, again[0], cmpopts.IgnoreFields(Value{}, "Pos")) {
					t.Fatalf("%q reads back as %v, %v", printed, again, err)
				}
			}
		}
	})
}

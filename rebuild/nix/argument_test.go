package nix

import (
	"os"
	"path/filepath"
	"testing"
)

// Texts that are one expression pass, and texts that end it or leave it open do not.
func TestCheckExpression(t *testing.T) {
	for _, text := range []string{
		`1`, `{ a = 1; b = [ "]" ]; }`, `(let a = 1; in a)`, `let a = 1; in a`, `with import ./x.nix; hello`, `assert true; 1`,
		`"a;b\"${ toString { x = "}"; }.x }"`, `''it's ''${ ''' ; ''\n ${"x"}''`, `"$${"`, `x'' 1`, "1 # ;(", `/* ; ( */ 1`, `a: b: a // b`,
	} {
		if err := checkExpression(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`1; b = 2`, `1;`, `(1`, `1)`, `[1}`, `"a`, `''a`, `"${a"`, `{ a = 1; } ; 2`, `/* 1`, `''a''\`, `"\`, `letter; 1`} {
		if err := checkExpression(text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// What does not end an argument, or is no file, is refused before Nix is asked.
func TestExpressionMistakes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.nix")
	if err := os.WriteFile(file, []byte("{ a }: a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   Input
		good bool
	}{
		{Input{Expr: file, Args: []string{"a={ b = 1; }"}}, true},
		{Input{Expr: dir}, true},
		{Input{Expr: file, Args: []string{"a=1; b=2"}}, false},
		{Input{Expr: file, Args: []string{"1a=1"}}, false},
		{Input{Expr: file, Strings: []string{"a=1; b=2"}}, true},
	} {
		if err := tt.in.Check(); (err == nil) != tt.good {
			t.Errorf("%+v: %v", tt.in, err)
		}
	}
	if err := checkFile(filepath.Join(dir, "none.nix")); err == nil {
		t.Error("a file that is not there")
	}
	if err := checkFile(os.DevNull); err == nil {
		t.Error("a device")
	}
}

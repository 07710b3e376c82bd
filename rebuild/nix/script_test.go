package nix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/rebuild"
)

func scriptFor(t *testing.T, in Input) string {
	t.Helper()
	plan, err := NewPlan(&inspect.Image{Reference: "it's; an image.tar"}, provenance.Recipe{System: nix.Name}, in)
	if err != nil {
		t.Fatal(err)
	}
	return string(Script(plan))
}

// The scripts of each kind of recipe run nothing but Nix, with every option of
// a build here.
func TestScript(t *testing.T) {
	for _, tc := range []struct {
		in   Input
		want []string
	}{
		{Input{Expr: "it's.nix", Attr: "a b", Path: []string{"x=/y z"}}, []string{`expression='it'\''s.nix'`, `-I 'x=/y z' "$expression" -A 'a b')`}},
		{Input{Flake: "github:a/b?dir=c d#e"}, []string{`--raw 'github:a/b?dir=c d#e.drvPath')`}},
		{Input{Drv: drvSample}, []string{"drv='" + imageDrv + "'"}},
	} {
		text := scriptFor(t, tc.in)
		for _, want := range append(tc.want, "--option sandbox true --option sandbox-fallback false", "--option allow-import-from-derivation false") {
			if !strings.Contains(text, want) {
				t.Errorf("the script lacks %q:\n%s", want, text)
			}
		}
		file := filepath.Join(t.TempDir(), "rebuild.sh")
		put(file, text)
		if _, err := rebuild.Run(t.Context(), rebuild.Command{Argv: []string{"/bin/sh", "-n", file}}); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
	}
}

// The script of a refused plan says why, and does nothing.
func TestScriptRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rebuild.sh")
	put(file, scriptFor(t, Input{}))
	out, err := rebuild.Run(t.Context(), rebuild.Command{Argv: []string{"/bin/sh", file}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(string(out.Log), "This rebuild is refused: the image does not show its expression") {
		t.Errorf("%v, %s", err, out.Log)
	}
	bad := rebuild.Plan{System: nix.Name, Details: Details{Expression: &Expression{File: "-x"}}}
	if text := string(Script(bad)); !strings.Contains(text, "This rebuild is refused") || strings.Contains(text, "nix-instantiate") {
		t.Errorf("%s", text)
	}
}

// Without Nix the script says what it needs.
func TestScriptWithoutNix(t *testing.T) {
	dir := t.TempDir()
	put(filepath.Join(dir, "rebuild.sh"), scriptFor(t, Input{Expr: "x.nix"}))
	t.Setenv("PATH", filepath.Join(dir, "empty"))
	out, err := rebuild.Run(t.Context(), rebuild.Command{Argv: []string{"/bin/sh", filepath.Join(dir, "rebuild.sh")}, Dir: dir})
	if err == nil || !strings.Contains(string(out.Log), "This needs Nix") {
		t.Errorf("%v, %s", err, out.Log)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

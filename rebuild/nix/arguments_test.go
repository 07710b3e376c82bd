package nix

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures/fake"
	"audit/rebuild"
)

// Arguments and what may be built in order to evaluate reach Nix, and the script.
func TestArguments(t *testing.T) {
	w := newWorld(t, Input{Expr: samples + "/expr/mini.nix", Args: []string{"n=1 + 1"}, Strings: []string{"tag=--option"}, Imports: true})
	w.mustBuild()
	calls := strings.Join(w.calls(), "\n")
	if !strings.Contains(calls, "--arg n 1 + 1 --argstr tag --option") || !strings.Contains(w.read("argv"), "--option allow-import-from-derivation true") {
		t.Errorf("%s\n%s", calls, w.read("argv"))
	}
	if script := string(Script(w.plan)); !strings.Contains(script, "--arg n '1 + 1' --argstr tag --option") || !strings.Contains(script, "allow-import-from-derivation true") {
		t.Errorf("script:\n%s", script)
	}
	w = newWorld(t, Input{Expr: samples + "/expr/mini.nix"})
	w.mustBuild()
	if strings.Contains(w.read("argv"), "allow-import-from-derivation true") {
		t.Error("an evaluation may build without being allowed to")
	}
}

// An argument that is missing is a mistake of the user's, in one line.
func TestArgumentMissing(t *testing.T) {
	w := newWorld(t, Input{Expr: samples + "/expr/mini.nix"})
	w.Fails = map[string]string{"evaluate": "error: cannot evaluate a function that has an argument without a value ('pkgs')"}
	_, err := w.build()
	mistake, ok := errors.AsType[*rebuild.UsageError](err)
	if !ok || !strings.Contains(mistake.Error(), "--nix-arg pkgs=EXPRESSION") || strings.Contains(mistake.Error(), "\n") {
		t.Errorf("%v", err)
	}
	w = newWorld(t, Input{Flake: "github:a/b#c"})
	w.Fails = map[string]string{"evaluate": "error: cannot evaluate a function that has an argument without a value ('pkgs')"}
	if _, err := w.build(); errors.As(err, &mistake) {
		t.Errorf("a flake takes no arguments: %v", err)
	}
}

// A store knows the derivation of what it holds, or says that it does not.
func TestDeriver(t *testing.T) {
	dir := t.TempDir()
	if err := fake.Link(dir, programs...); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ answer, want, problem string }{
		{imageDrv, imageDrv, ""},
		{"unknown-deriver", "", "does not know which derivation made"},
		{"/nix/store/../etc/x.drv", "", "does not know which derivation made"},
	} {
		put(filepath.Join(dir, "scenario.json"), `{"Deriver": "`+tt.answer+`"}`)
		got, err := deriver(filepath.Join(dir, "nix-store"), image)
		if got != tt.want || (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %q, %v", tt.answer, got, err)
		}
	}
	if _, err := deriver(filepath.Join(dir, "nowhere"), image); err == nil {
		t.Error("no Nix, and no error")
	}
}

// What lies elsewhere, or is a derivation, is no item of the store.
func TestStoreItem(t *testing.T) {
	for _, p := range []string{"", t.TempDir(), drvSample, "nowhere", "."} {
		if item := storeItem(p); item != "" {
			t.Errorf("%q: %q", p, item)
		}
	}
}

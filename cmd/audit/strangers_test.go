package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStrangersPlansStartNothing: what somebody else has trusted, and put into a
// plan, is trusted again by nobody but the user who runs the plan.
func TestStrangersPlansStartNothing(t *testing.T) {
	s := newStage(t)
	source := t.TempDir()
	for name, text := range map[string]string{"Dockerfile": "FROM scratch\nCOPY x /\n", "x": "", "default.nix": "{ }"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		image string
		flags []string
	}{
		"a folder of this machine":     {"docker/classic.tar", []string{"--source", source}},
		"an address":                   {"docker/classic.tar", []string{"--source", "https://127.0.0.1:1/x.git"}},
		"an expression":                {"nix/images-mini/single.tar.gz", []string{"--nix-expr", filepath.Join(source, "default.nix")}},
		"a flake":                      {"nix/images-mini/single.tar.gz", []string{"--nix-flake", source + "#image"}},
		"a channel":                    {"guix/images/tiny.tar.gz", []string{"--trust-channel", "https://example.org/fixtures.git"}},
		"a channel of nobody's choice": {"guix/images/tiny.tar.gz", nil},
	} {
		image, err := filepath.Abs("../../fixtures/" + c.image)
		if err != nil {
			t.Fatal(err)
		}
		plan := filepath.Join(t.TempDir(), "kit")
		if called := s.run(t, append([]string{"plan", "-o", plan, image}, c.flags...)...); len(called) > 0 {
			t.Errorf("%s: planning calls %q", name, called)
		}
		if _, err := os.Stat(filepath.Join(plan, "plan.json")); err != nil {
			t.Errorf("%s: no plan: %v", name, err)
		}
		if called := s.run(t, "rebuild", filepath.Join(plan, "plan.json")); len(called) > 0 {
			t.Errorf("%s: %q", name, called)
		}
	}
}

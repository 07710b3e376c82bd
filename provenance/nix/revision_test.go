package nix

import (
	"slices"
	"testing"

	"audit/inspect/check"
)

// What the names and files of store items assert of nixpkgs is in the recipe, which
// stays partial: a hint shows nothing.
func TestRevisions(t *testing.T) {
	const (
		short = "a1b2c3d"
		whole = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
		other = "ffffffffffffffffffffffffffffffffffffffff"
		at    = "/nix/store/33333333333333333333333333333333-"
	)
	registry := func(id, rev string) string {
		return `{"flakes":[{"from":{"id":"` + id + `","type":"indirect"},"to":{"type":"github","owner":"NixOS","repo":"nixpkgs","rev":"` + rev + `"}}],"version":2}`
	}
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
		hints int
	}{
		{"nothing", nil, "", 0},
		{"the name of a system", map[string]string{at + "nixos-system-my-box-24.11.20250115." + short + "/init": "x"}, short, 1},
		{"that of a channel", map[string]string{at + "nixos-system-box-25.05pre751234." + short + "f/init": "x"}, short + "f", 1},
		{"a name that tells no revision", map[string]string{at + "nixos-system-box-24.11pre-git/init": "x"}, "", 0},
		{"a version", map[string]string{at + "nixos-system-box/nixos-version": "24.11.20250115." + short + "\n"}, short, 1},
		{"a registry", map[string]string{at + "registry/registry.json": registry("nixpkgs", whole)}, whole, 1},
		{"a registry of another flake", map[string]string{at + "registry/registry.json": registry("home", whole)}, "", 0},
		{"a registry without a hash", map[string]string{at + "registry/registry.json": registry("nixpkgs", "main")}, "", 0},
		{"no registry", map[string]string{at + "registry/registry.json": "{"}, "", 0},
		{"one confirms the other", map[string]string{at + "a/registry.json": registry("nixpkgs", whole), at + "a/nixos-version": "24.11.20250115." + short}, whole, 2},
		{"one contradicts the other", map[string]string{at + "a/registry.json": registry("nixpkgs", other), at + "a/nixos-version": "24.11.20250115." + short}, "", 2},
		{"outside the store", map[string]string{"/etc/nixos-version": "24.11.20250115." + short}, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entries := toTool()
			for path, body := range tc.files {
				entries = append(entries, entry{name: path, mode: 0o444, body: body})
			}
			ev := recoverFrom(t, ofNix2container(entries).write(t))
			pack, _ := PackOf(ev.Recipe)
			hints := 0
			for _, f := range ev.Recover.Findings {
				if f.Code == "recipe/asserted-revision" {
					hints++
				}
			}
			missing := slices.ContainsFunc(ev.Recipe.Missing, func(m check.Message) bool { return m.Code == "recipe/revision-missing" })
			if pack.Nixpkgs != tc.want || hints != tc.hints || missing != (hints == 0) || ev.Recover.Status != check.Unknown {
				t.Errorf("%q, %d hints, missing %t, %v", pack.Nixpkgs, hints, missing, ev.Recover.Status)
			}
		})
	}
}

// A date that is not the packer's own may be that of the build.
func TestChosenDate(t *testing.T) {
	for created, want := range map[string]bool{
		"1970-01-01T00:00:01Z": false, "1970-01-01T00:00:01+00:00": false, "2026-11-28T23:16:58+00:00": true,
	} {
		v := &view{config: imageConfig{Created: &created}}
		if v.chosenDate(streamLayered) != want || v.chosenDate(buildImage) != want || v.chosenDate(nix2container) {
			t.Errorf("%s: not %t", created, want)
		}
	}
}

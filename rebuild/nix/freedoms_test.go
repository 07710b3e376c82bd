package nix

import (
	"testing"

	"audit/inspect"
	"audit/rebuild/compare"
)

// Each freedom explains what packers leave to chance, and nothing beside it.
func TestFreedoms(t *testing.T) {
	for _, tc := range []struct {
		difference compare.Difference
		want       string
	}{
		{compare.Difference{Cause: compare.Mode, Path: "nix/store"}, "known/nix-store-mode"},
		{compare.Difference{Cause: compare.Owner, Path: "nix/store"}, ""},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store/x"}, ""},
		{compare.Difference{Cause: compare.Missing, Path: "nix/var/nix/gcroots/per-user/me"}, "known/nix-user-name"},
		{compare.Difference{Cause: compare.Missing, Path: "home/per-user/me"}, ""},
		{compare.Difference{Cause: compare.Content, Path: "nix/var/nix/db/db.sqlite"}, "known/nix-database"},
		{compare.Difference{Cause: compare.Mode, Path: "nix/var/nix/db/db.sqlite"}, ""},
		{compare.Difference{Cause: compare.Link, Path: "x", Was: "/tmp/nix-build-x.drv-0/y"}, "known/nix-build-folder"},
		{compare.Difference{Cause: compare.Link, Path: "x", Was: "/bin/sh"}, ""},
	} {
		got := ""
		for _, f := range freedoms(imageOf(greeter), imageOf(greeter)) {
			if f.Explains(&tc.difference) {
				got += f.Code
			}
		}
		if got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.difference, got, tc.want)
		}
	}
	if len(freedoms(imageOf(greeter), &inspect.Image{})) > 0 {
		t.Error("freedoms of an image that is of another packer")
	}
}

package store

import "testing"

func TestPaths(t *testing.T) {
	const hash = "00000000000000000000000000000000"
	dirs := Dirs{"/brick/store", "/nix/store"}
	for _, tc := range []struct {
		path, name string
		has        bool
	}{
		{"/brick/store/" + hash + "-hello-2.12", "hello-2.12", true},
		{"/nix/store/" + hash + "-x", "x", true},
		{"/nix/store/" + hash + "-x/bin", "", false},
		{"nix/store/" + hash + "-x", "x", false},
		{"/nix/store/" + hash + "-\xff", "\xff", false},
		{"/store/" + hash + "-hello-2.12", "hello-2.12", false},
		{"/brick/store/x", "", false},
		{"/brick/store", "", false},
		{"/", "", false},
		{"", "", false},
	} {
		if name, has := NameOf(tc.path), dirs.Has(tc.path); name != tc.name || has != tc.has {
			t.Errorf("%q: name %q, want %q; an item: %t, want %t", tc.path, name, tc.name, has, tc.has)
		}
	}
}

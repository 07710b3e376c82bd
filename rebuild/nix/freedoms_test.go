package nix

import (
	model "audit/inspect/image"
	"bytes"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance/nix"
	"audit/rebuild/compare"
)

// explanations are the codes of the freedoms between two images that explain a
// difference.
func explanations(a, b *inspect.Image, d compare.Difference) string {
	codes := ""
	for _, f := range freedoms(a, b) {
		if f.Explains(&d) {
			codes += f.Code
		}
	}
	return codes
}

// withEntries is an image with an item of the store, and entries.
func withEntries(entries ...*inspect.Entry) *inspect.Image {
	img := imageOf(greeter)
	img.Layers[0].Entries = entries
	return img
}

// Each freedom explains what packers leave to chance, and nothing beside it.
func TestFreedoms(t *testing.T) {
	const me = "nix/var/nix/gcroots/per-user/me"
	was := withEntries(&inspect.Entry{Path: me, Type: '5', Mode: 0o755})
	now := withEntries(&inspect.Entry{Path: "nix/var/nix/profiles/per-user/you", Type: '5', Mode: 0o755})
	for _, tc := range []struct {
		difference compare.Difference
		want       string
	}{
		{compare.Difference{Cause: compare.Mode, Path: "nix/store", Was: compare.Permissions(00755), Now: compare.Permissions(01775)}, "known/nix-store-mode"},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store", Was: compare.Permissions(00755), Now: compare.Permissions(04755)}, ""},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store", Was: compare.Permissions(02775), Now: compare.Permissions(00555)}, ""},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store", Was: compare.Permissions(00755), Now: compare.Permissions(00777)}, ""},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store"}, ""},
		{compare.Difference{Cause: compare.Owner, Path: "nix/store"}, ""},
		{compare.Difference{Cause: compare.Mode, Path: "nix/store/x", Was: compare.Permissions(00755), Now: compare.Permissions(00555)}, ""},
		{compare.Difference{Cause: compare.Missing, Path: me}, "known/nix-user-name"},
		{compare.Difference{Cause: compare.Extra, Path: "nix/var/nix/profiles/per-user/you"}, "known/nix-user-name"},
		{compare.Difference{Cause: compare.Extra, Path: me}, ""},
		{compare.Difference{Cause: compare.Mode, Path: me, Was: compare.Permissions(00755), Now: compare.Permissions(04755)}, ""},
		{compare.Difference{Cause: compare.Missing, Path: "home/per-user/me"}, ""},
		{compare.Difference{Cause: compare.Content, Path: nix.DatabasePath}, ""},
		{compare.Difference{Cause: compare.Mode, Path: nix.DatabasePath}, ""},
		{compare.Difference{Cause: compare.Link, Path: "x", Was: compare.TextValue("/tmp/nix-build-x.drv-0/y")}, "known/nix-build-folder"},
		{compare.Difference{Cause: compare.Link, Path: "x", Was: compare.TextValue("/bin/sh")}, ""},
	} {
		if got := explanations(was, now, tc.difference); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.difference, got, tc.want)
		}
	}
	if len(freedoms(imageOf(greeter), &inspect.Image{})) > 0 {
		t.Error("freedoms of an image that is of another packer")
	}
}

// A folder of a user is explained by its name alone where nothing else is in it.
func TestFreedomsUserFolder(t *testing.T) {
	const me = "nix/var/nix/gcroots/per-user/me"
	folder := &inspect.Entry{Path: me, Type: '5', Mode: 0o755}
	for name, entries := range map[string][]*inspect.Entry{
		"a file in it":        {folder, {Path: me + "/x", Type: '0', Mode: 0o644}},
		"a file, no folder":   {{Path: me, Type: '0', Mode: 0o755}},
		"a setuid folder":     {{Path: me, Type: '5', Mode: 0o4755}},
		"writable by all":     {{Path: me, Type: '5', Mode: 0o777}},
		"an attribute":        {{Path: me, Type: '5', Mode: 0o755, Attributes: &model.Attributes{Xattrs: map[string]string{"user.x": "y"}}}},
		"a file, then folder": {{Path: me, Type: '0', Mode: 0o755}, folder},
		"of another name":     {{Path: "nix/var/nix/gcroots/auto/me", Type: '5', Mode: 0o755}},
	} {
		for _, path := range []string{me, me + "/x", "nix/var/nix/gcroots/auto/me"} {
			d := compare.Difference{Cause: compare.Missing, Path: path}
			if got := explanations(withEntries(entries...), imageOf(greeter), d); got != "" {
				t.Errorf("%s: %s is explained by %q", name, path, got)
			}
		}
	}
}

// A database is explained where its rows are the same.
func TestFreedomsDatabase(t *testing.T) {
	was := withDatabase(t, func([]byte) {})
	d := compare.Difference{Cause: compare.Content, Path: nix.DatabasePath}
	const counter = 27 // last byte of the file change counter (sqlite.org/fileformat2.html, 1.3)
	if got := explanations(was, withDatabase(t, func(data []byte) { data[counter]++ }), d); got != "known/nix-database" {
		t.Errorf("the same rows in other bytes: %q", got)
	}
	hash := func(data []byte) { copy(data[bytes.LastIndex(data, []byte("sha256:")):], "sha256:0000") }
	if got := explanations(was, withDatabase(t, hash), d); got != "" {
		t.Errorf("another NAR hash in a row: %q", got)
	}
	without, err := inspect.Open(t.Context(), databaseSample, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if got := explanations(was, without, d); got != "" {
		t.Errorf("a database that was not read: %q", got)
	}
}

const databaseSample = "../../fixtures/nix/images-mini/withdb.tar.gz"

// withDatabase is the sample with its database changed.
func withDatabase(t *testing.T, change func(data []byte)) *inspect.Image {
	t.Helper()
	img := openKept(t, databaseSample)
	data, _, ok := img.Root().Content(nix.DatabasePath)
	if !ok {
		t.Fatal("the sample has no database")
	}
	data = bytes.Clone(data)
	change(data)
	name := filepath.Join(t.TempDir(), "image.tar.gz")
	if err := fixtures.TamperFile(databaseSample, name, fixtures.ReplaceFile(nix.DatabasePath, string(data))); err != nil {
		t.Fatal(err)
	}
	return openKept(t, name)
}

func openKept(t *testing.T, name string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), name, inspect.Options{Stores: fixtures.Stores(), Keep: nix.Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/provenance/ospackages"
)

// The package databases of an image are parsed once: by the one system that looks
// into them, else beside the evidence; and for a bill without evidence.
func TestOneParseOfPackageDatabases(t *testing.T) {
	var found []string
	for _, dir := range goFolders(t) {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "ospackages.Read"); n > 0 && !strings.HasSuffix(name, "_test.go") {
				found = append(found, dir)
				if n > 1 {
					t.Errorf("%s reads them %d times", name, n)
				}
			}
		}
	}
	if want := []string{"provenance", "provenance/docker", "provenance/guix", "sbom"}; !slices.Equal(found, want) {
		t.Errorf("they are read in %q, want %q", found, want)
	}
}

// A package database that has another name, and is found by a link, is read too.
func TestDatabaseOfAnotherName(t *testing.T) {
	const status = "Package: tiny\nStatus: install ok installed\nVersion: 1\n"
	name := filepath.Join(t.TempDir(), "image.tar")
	archive := fixtures.Docker{Layers: [][]fixtures.File{{{Name: "srv/x", Body: status}, {Name: "var/lib/dpkg/status", Link: "/srv/x"}}}}.Archive()
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	l := &line{tell: newProgress(io.Discard)}
	img, err := l.open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if in := ospackages.Read(img); len(in.Packages) != 1 || in.Packages[0].Name != "tiny" || len(in.Problems) > 0 {
		t.Errorf("packages %v, problems %v", in.Packages, in.Problems)
	}
}

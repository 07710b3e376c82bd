package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

package main

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The order of the line is the order of imports: nothing flows back.
var mayImport = map[string][]string{
	"inspect":    {},
	"provenance": {"inspect"},
	"rebuild":    {"inspect", "provenance"},
	"sbom":       {"inspect", "provenance"},
	"report":     {"inspect", "provenance", "rebuild", "sbom"},
	"fixtures":   {},
	"cmd":        {"inspect", "provenance", "rebuild", "sbom", "report"},
}

// Some libraries belong to one folder.
var ownedBy = map[string]string{
	"github.com/urfave/cli":          "cmd",
	"github.com/spdx/tools-golang":   "sbom",
	"github.com/CycloneDX":           "sbom",
	"github.com/sergi/go-diff":       "rebuild/compare",
	"os/exec":                        "rebuild",
	"github.com/google/go-container": "inspect provenance rebuild sbom report",
}

func TestImportOrder(t *testing.T) {
	seen := 0
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("../..", dir), 0)
		if err != nil {
			continue // tests only
		}
		seen++
		top, _, _ := strings.Cut(dir, "/")
		for _, path := range pkg.Imports {
			if own, ok := strings.CutPrefix(path, "audit/"); ok {
				first, _, _ := strings.Cut(own, "/")
				if first != top && !slices.Contains(mayImport[top], first) {
					t.Errorf("%s imports %s: the order of the line forbids it", dir, path)
				}
			}
			for library, owners := range ownedBy {
				if strings.HasPrefix(path, library) && !within(dir, strings.Fields(owners)) {
					t.Errorf("%s imports %s, which belongs to %s", dir, path, owners)
				}
			}
		}
	}
	if seen < len(mayImport) {
		t.Errorf("only %d packages were found", seen)
	}
}

func within(dir string, owners []string) bool {
	return slices.ContainsFunc(owners, func(o string) bool { return dir == o || strings.HasPrefix(dir, o+"/") })
}

func goFolders(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, _ := filepath.Rel("../..", path)
		if name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if _, known := mayImport[strings.SplitN(name, "/", 2)[0]]; name != "." && !known {
			t.Errorf("folder %s is not one of the project's", name)
			return filepath.SkipDir
		}
		dirs = append(dirs, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

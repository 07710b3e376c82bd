package main

import (
	"go/build"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
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
	"os/exec":                        "rebuild fixtures/fake",
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

// goFolders lists the folders of the project that may have packages. Every one at
// the top level is one of those above or hidden.
func goFolders(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, dir := range folders(t) {
		parts := strings.Split(dir, "/")
		if slices.ContainsFunc(parts, hidden) {
			continue
		}
		if _, known := mayImport[parts[0]]; !known {
			t.Errorf("folder %s is not one of the project's", dir)
		} else if !slices.Contains(parts, "testdata") {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// folders lists the folders of the project: those that git tracks or, in a copy
// without git, those that are there and not named in .gitignore. A folder that
// audit itself has written is not one.
func folders(t *testing.T) []string {
	t.Helper()
	git := exec.Command("git", "ls-files", "-z")
	git.Dir = "../.."
	out, err := git.Output()
	if err != nil || len(out) == 0 {
		return foldersThere(t, "../..")
	}
	seen := make(map[string]bool)
	for name := range strings.SplitSeq(string(out), "\x00") {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			seen[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func foldersThere(t *testing.T, root string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	ignored := func(dir string) bool {
		return slices.ContainsFunc(strings.Fields(string(text)), func(pattern string) bool {
			name, anchored := strings.CutPrefix(strings.TrimSuffix(pattern, "/"), "/")
			full, _ := path.Match(name, dir)
			base, _ := path.Match(name, path.Base(dir))
			return full || base && !anchored
		})
	}
	var dirs []string
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || name == root {
			return err
		}
		dir, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if dir = filepath.ToSlash(dir); ignored(dir) || hidden(d.Name()) {
			return filepath.SkipDir
		}
		dirs = append(dirs, dir)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// Without git, what .gitignore names is not taken for a part of the project.
func TestFoldersWithoutGit(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"cmd/audit", "inspect/tiny.audit", "tiny.audit/x", "audit", ".cache"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("/audit\n*.audit/\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if dirs := foldersThere(t, root); !slices.Equal(dirs, []string{"cmd", "cmd/audit", "inspect"}) {
		t.Errorf("found %q", dirs)
	}
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/rebuild/compare"
	"audit/sbom"
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
			if n := len(readsDatabases.FindAllString(string(text), -1)); n > 0 && !strings.HasSuffix(name, "_test.go") {
				found = append(found, dir)
				if n > 1 {
					t.Errorf("%s reads them %d times", name, n)
				}
			}
		}
	}
	if want := []string{"provenance", "provenance/apptainer", "provenance/docker", "provenance/guix", "sbom"}; !slices.Equal(found, want) {
		t.Errorf("they are read in %q, want %q", found, want)
	}
}

// readsDatabases is a call that reads the package databases of an image.
var readsDatabases = regexp.MustCompile(`ospackages\.Read(Excluding)?\(`)

// A package database that has another name, and is found by a link, is read too.
func TestDatabaseOfAnotherName(t *testing.T) {
	const status = "Package: tiny\nStatus: install ok installed\nVersion: 1\n"
	name := filepath.Join(t.TempDir(), "image.tar")
	archive := fixtures.Docker{Layers: [][]fixtures.File{{{Name: "srv/x", Body: status}, {Name: "var/lib/dpkg/status", Link: "/srv/x"}}}}.Archive()
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	l := &line{progress: newProgress(io.Discard)}
	img, err := l.open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if in := ospackages.Read(img); len(in.Packages) != 1 || in.Packages[0].Name != "tiny" || len(in.Problems) > 0 {
		t.Errorf("packages %v, problems %v", in.Packages, in.Problems)
	}
}

// The config of an image is decoded once when the image is opened, and what build
// systems ask for beside that once in all: when its bytes are spoilt after that they find
// what they did before, and the decoded form is the same one.
func TestOneDecodeOfTheConfig(t *testing.T) {
	for _, name := range []string{"guix/images/hello.tar.gz", "nix/images-mini/layered.tar.gz", "docker/classic.tar", "docker/buildah.oci.tar"} {
		path := filepath.Join("../../fixtures", name)
		l := &line{progress: newProgress(io.Discard), checks: make(map[check.ID]check.Check)}
		want, _ := recovered(t, l, path, false)
		got, decoded := recovered(t, l, path, true)
		if got != want {
			t.Errorf("%s: with its config spoilt once it is decoded\n%s\nwant\n%s", name, got, want)
		}
		if decoded != 1 {
			t.Errorf("%s: decoded %d times", name, decoded)
		}
	}
}

// recovered returns what is recovered of an image, without the digest of its config, and
// how often the config was decoded for it. It may be spoilt once it was.
func recovered(t *testing.T, l *line, path string, spoil bool) (text string, decoded int) {
	t.Helper()
	img, err := l.open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	first := img.Config.Written()
	sums := []string{img.Config.Digest.Hex, "DIGEST"}
	if spoil {
		for i := range img.Config.Raw {
			img.Config.Raw[i] = '!'
		}
		sum := sha256.Sum256(img.Config.Raw)
		sums = append(sums, hex.EncodeToString(sum[:]), "DIGEST")
	}
	ev, err := l.recover(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	ev.Derived, ev.Recipe.Locations = nil, nil
	doc, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	if decoded = 1; img.Config.Written() != first {
		decoded++
	}
	return strings.NewReplacer(sums...).Replace(string(doc)), decoded
}

// Every image is folded once, its config decoded once and its package databases parsed
// once, whatever its form and the system that made it: after the recipe is recovered,
// the databases are spoilt, and all that comes after that finds what it did before, with
// the same fold and the same decoded config.
func TestOneModel(t *testing.T) {
	files, err := filepath.Abs("../../fixtures")
	if err != nil {
		t.Fatal(err)
	}
	squash, err := os.ReadFile(filepath.Join(files, "squashfs/plain-4k.squashfs"))
	if err != nil {
		t.Fatal(err)
	}
	packages := fixtures.Docker{History: []fixtures.Step{{By: "COPY x / # buildkit"}}, Layers: [][]fixtures.File{{
		{Name: "var/lib/dpkg/status", Body: "Package: tiny\nStatus: install ok installed\nVersion: 1\n"}, {Name: "bin/tiny", Body: "x"},
	}}}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"packages.tar": packages.Archive(), "packages.oci.tar": packages.OCIArchive(),
		"definition.sif": fixtures.SIF("Bootstrap: docker\nFrom: tiny\n", squash),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		files + "/guix/images/hello.tar.gz", files + "/guix/images/tiny-layers4.tar.gz", files + "/nix/images-mini/withdb.tar.gz",
		files + "/docker/classic.tar", files + "/docker/buildah.oci.tar", files + "/squashfs/plain-4k.squashfs", files + "/squashfs/tree.tar",
		dir + "/packages.tar", dir + "/packages.oci.tar", dir + "/definition.sif",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) { oneModel(t, path) })
	}
}

func oneModel(t *testing.T, path string) {
	l := &line{builder: "none", progress: newProgress(io.Discard)}
	a := new(audit)
	var err error
	if a.image, err = l.inspect(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	root, written := a.image.Root(), a.image.Config.Written()
	if a.evidence, err = l.recover(t.Context(), a.image); err != nil {
		t.Fatal(err)
	}
	rest := func() string {
		l.add(l.repacked(a))
		if err := l.rebuild(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.comparison = compare.Images(a.image, a.image, systems().Freedoms(a.image, a.image))
		doc, err := json.Marshal([]any{l.ordered(), a.plan, a.comparison, sbom.Collect(a.image, a.evidence, billOptions(time.Time{}))})
		if err != nil {
			t.Fatal(err)
		}
		return string(doc)
	}
	want := rest()
	for _, l := range a.image.Layers {
		for i := range l.Entries {
			if body, ok := a.image.Body(l.Index, l.Entries[i].Path); ok && ospackages.Keep(l.Entries[i].Path) {
				clear(body)
			}
		}
	}
	if got := rest(); got != want {
		t.Errorf("with its package databases spoilt once they are parsed\n%s\nwant\n%s", got, want)
	}
	if a.image.Root() != root {
		t.Error("folded again")
	}
	if a.image.Config.Written() != written {
		t.Error("the config was decoded again")
	}
}

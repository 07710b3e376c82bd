package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/fixtures/deb"
)

// A kind is a kind of image that people meet, and the command line that they audit it with.
type kind struct {
	name string
	args []string
}

// kinds are eight: packages of Guix, of Nix, of Debian, of rpm and of conda, a SIF, an
// image to which a file was added, and two images that differ. What is not in the
// repository is made in a folder.
func kinds(t *testing.T, dir string) []kind {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name) }
	files := packagedFiles(func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	files["debian.tar"] = debianImage()
	files["conda.tar"] = condaImage()
	squashed, err := os.ReadFile("../../fixtures/squashfs/gzip.squashfs")
	if err != nil {
		t.Fatal(err)
	}
	files["tool.sif"] = fixtures.SIF("Bootstrap: docker\nFrom: debian:12\n\n%post\n    apt-get update\n    apt-get install -y samtools\n", squashed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(in(name), files[name]); err != nil {
			t.Fatal(err)
		}
	}
	guix, nix := "../../fixtures/guix/images/", "../../fixtures/nix/images-mini/"
	plant(t, guix+"tiny.tar.gz", in("changed.tar.gz"), fixtures.AddFileOutsideStore("etc/cron.d/job", "* * * * * root /tmp/x\n"))
	return []kind{
		{"guix", []string{"--builder", "none", guix + "hello.tar.gz"}},
		{"nix", []string{"--builder", "none", nix + "withdb.tar.gz"}},
		{"debian", []string{in("debian.tar")}},
		{"rpm", []string{"--trusted-key", in("vendor.asc"), in("rpm.tar")}},
		{"conda", []string{in("conda.tar")}},
		{"sif", []string{in("tool.sif")}},
		{"contradicted", []string{in("changed.tar.gz")}},
		{"different", []string{"compare", guix + "stamp-A.tar.gz", guix + "stamp-B.tar.gz"}},
	}
}

// debianImage is one of two packages, with a program that none of them has.
func debianImage() []byte {
	packages := []deb.Package{
		{Name: "base-files", Version: "12.4+deb12u5", Files: []deb.File{
			{Path: "etc/"}, {Path: "etc/debian_version", Body: "12.5\n"},
			{Path: "etc/os-release", Body: "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n"},
		}},
		{Name: "curl", Version: "7.88.1-10+deb12u5", Files: []deb.File{
			{Path: "usr/"}, {Path: "usr/bin/"}, {Path: "usr/bin/curl", Body: "a program\n", Mode: 0o755},
		}},
	}
	for i, p := range packages {
		sums := ""
		for _, f := range p.Files {
			if f.Body != "" {
				sums += fmt.Sprintf("%x  %s\n", md5.Sum([]byte(f.Body)), f.Path)
			}
		}
		packages[i].Control = map[string]string{"md5sums": sums}
	}
	var layer []fixtures.File
	for _, f := range deb.Root(packages...) {
		layer = append(layer, fixtures.File{Name: f.Path, Body: f.Body, Mode: f.Mode})
	}
	own := []fixtures.File{{Name: "usr/local/bin/serve", Body: "#!/bin/sh\nexec curl --version\n", Mode: 0o755}}
	return fixtures.Docker{
		Layers: [][]fixtures.File{layer, own}, Tag: "lab/serve:1.0",
		History: []fixtures.Step{{By: "/bin/sh -c #(nop) ADD file:0f in / "}, {By: "COPY serve /usr/local/bin/serve # buildkit", Comment: "buildkit.dockerfile.v0"}},
	}.Archive()
}

// condaImage is one of an environment of one package, one file of which has changed.
func condaImage() []byte {
	tool, library := "#!/bin/sh\necho tool 3\n", "VERSION = 3\n"
	record := fmt.Sprintf(`{"name": "tool", "version": "3", "build": "h1_0", "channel": "https://conda.anaconda.org/conda-forge/linux-64",
 "subdir": "linux-64", "fn": "tool-3-h1_0.conda", "url": "https://conda.anaconda.org/conda-forge/linux-64/tool-3-h1_0.conda",
 "md5": "cccccccccccccccccccccccccccccccc", "license": "BSD-3-Clause", "files": ["bin/tool", "lib/tool.py"],
 "paths_data": {"paths_version": 1, "paths": [
  {"_path": "bin/tool", "path_type": "hardlink", "sha256": "%x"}, {"_path": "lib/tool.py", "path_type": "hardlink", "sha256": "%x"}]}}`,
		sha256.Sum256([]byte(tool)), sha256.Sum256([]byte(library)))
	return fixtures.Docker{
		Tag: "lab/conda:3",
		Layers: [][]fixtures.File{{
			{Name: "opt/conda/bin/tool", Body: tool, Mode: 0o755},
			{Name: "opt/conda/conda-meta/tool-3-h1_0.json", Body: record},
			{Name: "opt/conda/lib/tool.py", Body: library + "import urllib.request\n"},
		}},
		History: []fixtures.Step{{By: "RUN /bin/sh -c conda install -y tool=3 # buildkit", Comment: "buildkit.dockerfile.v0"}},
	}.Archive()
}

// TestFirstScreen: of each kind the report begins with the verdict, what to do next, the
// checks, and who vouches for the bytes or what differs, in this order.
func TestFirstScreen(t *testing.T) {
	dir := t.TempDir()
	for _, k := range kinds(t, dir) {
		out := filepath.Join(dir, "report-"+k.name)
		var errs bytes.Buffer
		if status := Main(append([]string{"audit", "-o", out}, k.args...), nil, io.Discard, &errs); status > exitPolicy {
			t.Errorf("%s: status %d: %s", k.name, status, &errs)
			continue
		}
		page, err := os.ReadFile(filepath.Join(out, "report.html"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(page), "<h1>")
		first, _, _ := strings.Cut(rest, "</header>")
		last := "Who vouches for these bytes"
		if k.name == "different" {
			last = "What differs, by cause"
		}
		for _, part := range []string{`class="meaning"`, "What to do next", `class="ladder"`, last, "What this does not say"} {
			_, after, found := strings.Cut(first, part)
			if !found {
				t.Errorf("%s: %s is missing, or too early", k.name, part)
			}
			first = after
		}
	}
}

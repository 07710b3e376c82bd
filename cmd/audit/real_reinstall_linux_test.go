package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRealReinstall installs the packages of real images of Debian again: of one by
// mmdebstrap, which comes out the same, and of one in which a file was changed, of which
// that file alone is other. It is never more than matching: no package was built here.
//
// It needs root, mmdebstrap and a network for packages.
func TestRealReinstall(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "reinstall" {
		t.Skip("needs root, mmdebstrap and Debian's packages: AUDIT_TEST_REAL=reinstall says that they can be had")
	}
	a := newArchive(t)
	image := filepath.Join(a.dir, "made.tar")
	ranClean(t, "mmdebstrap", "--mode=root", "--variant=essential", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=apt,python3-minimal,ca-certificates", "bookworm", image, a.mirror)
	program := filepath.Join(a.dir, "audit")
	ran(t, "go", "build", "-o", program, ".")

	r := a.reinstalled(t, program, image, "same")
	if r.Verdict != "matching" || r.Comparison.Result == "different" {
		t.Errorf("%s, %s: %v", r.Verdict, r.Comparison.Result, r.Comparison.Differences.harmful())
	}
	fmt.Printf("| by mmdebstrap: %s, %s, %d differences in times alone\n", r.Verdict, r.Comparison.Result, len(r.Comparison.Differences))

	changed := filepath.Join(a.dir, "changed.tar")
	changeMember(t, image, changed, "usr/bin/cat")
	r = a.reinstalled(t, program, changed, "changed")
	if r.Verdict != "contradicted" && r.Verdict != "unreproducible" {
		t.Errorf("a changed file: %s", r.Verdict)
	}
	if len(r.Comparison.Differences) == 0 || slices.ContainsFunc(r.Comparison.Differences, func(d realDifference) bool { return d.Cause == "content" && d.Path != "usr/bin/cat" }) {
		t.Errorf("a changed file: %v", r.Comparison.Differences.harmful())
	}
	fmt.Printf("| a file changed: %s, %v\n", r.Verdict, r.Comparison.Differences.harmful())

	// As debootstrap makes one there are logs, lists and other files that mmdebstrap
	// leaves out: each is a difference.
	r = a.reinstalled(t, program, a.image, "debootstrap")
	causes := make(map[string]int)
	for _, d := range r.Comparison.Differences {
		if d.Cause == "content" || d.Cause == "missing" || d.Cause == "extra" {
			fmt.Printf("| by debootstrap: %s %s\n", d.Cause, d.Path)
		}
		causes[d.Cause]++
	}
	fmt.Printf("| by debootstrap: %s, %v\n", r.Verdict, causes)
	if causes["content"] == 0 || causes["content"] > mostUnexplained {
		t.Errorf("by debootstrap: %v", causes)
	}
	if !t.Failed() {
		fmt.Println("real suite: reinstall 3 tests")
	}
}

// ranClean runs a program without variables that change what scripts of packages do.
func ranClean(t *testing.T, args ...string) {
	t.Helper()
	ran(t, "env", append([]string{"-i", "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}, args...)...)
}

type realDifference struct{ Path, Cause string }

type realDifferences []realDifference

// harmful are those that a container sees.
func (all realDifferences) harmful() realDifferences {
	return slices.DeleteFunc(slices.Clone(all), func(d realDifference) bool { return d.Cause == "timestamp" })
}

type realReport struct {
	Verdict    string
	Comparison struct {
		Result      string
		Differences realDifferences
	}
}

func (a *realArchive) reinstalled(t *testing.T, program, image, name string) (r realReport) {
	t.Helper()
	out := filepath.Join(a.dir, name+".audit")
	c := exec.Command(program, "rebuild", "--debian-packages", a.debs, "--debian-keyring", archiveKeys, "--output", out, image)
	c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1") // which the builder hands on to nobody
	said, err := c.CombinedOutput()
	if err != nil && c.ProcessState.ExitCode() != exitPolicy {
		t.Fatalf("%v\n%s", err, said[max(0, len(said)-2000):])
	}
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// changeMember changes a byte of one member of a tar.
func changeMember(t *testing.T, from, to, name string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	counter := &counting{r: bytes.NewReader(content)}
	in := tar.NewReader(counter)
	for {
		h, err := in.Next()
		if err == io.EOF {
			t.Fatalf("%s has no %s", from, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimPrefix(h.Name, "./") == name && h.Typeflag == tar.TypeReg {
			content[counter.n+h.Size/2] ^= 1
			break
		}
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// counting counts what a tar reader has read: to the content of the member it is at.
type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"audit/provenance/guix/profile"
)

// TestRealScheme has the real Guix load every channels.scm and manifest.scm that
// audit writes for the sample profiles, and those that Guix itself exported for
// them: both give the same channels, and ask for the same packages.
func TestRealScheme(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "guix" {
		t.Skip("needs GNU Guix 1.5.0: .ci/lab sets it up, AUDIT_TEST_REAL=guix says that it is there")
	}
	profiles, err := filepath.Glob("../../fixtures/guix/profiles/*.manifest")
	if err != nil || len(profiles) < 40 {
		t.Fatalf("%d profiles: %v", len(profiles), err)
	}
	var channels, manifests pairs
	for _, file := range profiles {
		p := readProfile(t, file)
		base := strings.TrimSuffix(file, ".manifest")
		list := p.Channels()
		if exported := exportedChannels(t, base); (len(list.List) > 0) != exported {
			t.Errorf("%s: %d channels, and Guix exports some: %t", file, len(list.List), exported)
		} else if exported {
			channels.add(t, file, list.File(), base+".channels.scm")
		}
		manifests.add(t, file, p.ManifestFile(), base+".manifest-fullversion.code")
	}
	channels.same(t, "channels")
	manifests.same(t, "manifest")
	if !t.Failed() {
		fmt.Printf("real suite: guix loads %d channels.scm and %d manifest.scm\n", len(channels.names), len(manifests.names))
	}
}

func readProfile(t *testing.T, file string) *profile.Profile {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// exportedChannels says whether Guix exported channels for a profile: without
// provenance it does not, and says so by its exit status.
func exportedChannels(t *testing.T, base string) bool {
	t.Helper()
	status, err := os.ReadFile(base + ".channels.rc")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(status)) == "0"
}

// pairs are files by audit, each with the one by Guix that it is held against.
type pairs struct{ names, ours, theirs []string }

func (p *pairs) add(t *testing.T, name string, text []byte, theirs string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.scm")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	p.names, p.ours, p.theirs = append(p.names, name), append(p.ours, file), append(p.theirs, theirs)
}

// same has Guix load all files and compares what they give.
func (p *pairs) same(t *testing.T, kind string) {
	t.Helper()
	ours, theirs := loaded(t, kind, p.ours), loaded(t, kind, p.theirs)
	for i, name := range p.names {
		if ours[i] != theirs[i] {
			t.Errorf("%s: %s of audit give\n%s\nand those of Guix\n%s", name, kind, ours[i], theirs[i])
		}
	}
}

// loaded returns what each file gives, as Guile writes it.
func loaded(t *testing.T, kind string, files []string) []string {
	t.Helper()
	out, err := exec.Command("guile", append([]string{"--no-auto-compile", "testdata/real_scheme/load.scm", kind}, files...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("loading %s: %v\n%s", kind, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d files give %d lines", len(files), len(lines))
	}
	return lines
}

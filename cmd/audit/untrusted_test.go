package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"audit/fixtures/hostile"
)

// tools are the programs that a build could start.
func tools() []string {
	return []string{"guix", "nix", "nix-store", "nix-build", "nix-instantiate", "buildctl", "docker", "buildah", "podman", "git", "ssh", "curl", "tar"}
}

// A stage is where audit meets a hostile image: every tool that it could start
// is there and writes down how it is called, and so does a proxy with whatever
// is asked of the network.
type stage struct {
	dir, audit string
	env        []string

	mu    sync.Mutex
	asked []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	audit, err := exec.LookPath("audit")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{dir: t.TempDir(), audit: audit}
	bin := filepath.Join(s.dir, "bin")
	if err := os.Mkdir(bin, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range tools() {
		script := fmt.Sprintf("#!/bin/sh\necho \"%s $*\" >>'%s'\necho '%s 99.0'\n", name, s.calls(), name)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.Method+" "+r.Host+r.URL.Path)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	s.env = append(os.Environ(), "PATH="+bin, "HTTP_PROXY="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "HOME="+s.dir, "XDG_CACHE_HOME="+s.dir)
	return s
}

func (s *stage) calls() string { return filepath.Join(s.dir, "calls") }

// run audits something and returns what was called and asked for besides the
// versions of tools.
func (s *stage) run(t *testing.T, args ...string) (called []string) {
	t.Helper()
	if err := os.RemoveAll(s.calls()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.audit, args...)
	cmd.Dir, cmd.Env = t.TempDir(), s.env
	out, _ := cmd.CombinedOutput() // the status is the business of other tests
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() < 0 || bytes.Contains(out, []byte("goroutine ")) {
		t.Errorf("audit %q did not end: %s", args, out)
	}
	text, _ := os.ReadFile(s.calls())
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.ContainsFunc([]string{"--version", "version", "buildx version"}, func(ask string) bool { return strings.HasPrefix(rest, ask) }) {
			called = append(called, name+" "+rest)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	called = append(called, s.asked...)
	s.asked = nil
	return called
}

// TestStageSees: an image that the user trusts is built, which the stage must see.
func TestStageSees(t *testing.T) {
	s := newStage(t)
	image, err := filepath.Abs("../../fixtures/docker/classic.tar")
	if err != nil {
		t.Fatal(err)
	}
	if called := s.run(t, "--source", filepath.Dir(image), "--format", "json", image); len(called) == 0 {
		t.Error("no build was seen")
	}
	if called := s.run(t, "inspect", "docker://registry.example/x:1"); len(called) == 0 {
		t.Error("no connection was seen")
	}
}

// TestHostileImagesStartNothing: of an image that is meant to do harm nothing is
// run and nothing fetched, whatever tools are there.
func TestHostileImagesStartNothing(t *testing.T) {
	s := newStage(t)
	for _, c := range hostile.Cases("../../fixtures") {
		if c.Slow {
			continue // how long an image takes to read changes nothing here
		}
		path := filepath.Join(t.TempDir(), "image")
		if err := writeBuffered(path, c.Write); err != nil {
			t.Fatal(err)
		}
		if called := s.run(t, "--format", "json", path); len(called) > 0 {
			t.Errorf("%s: %q", c.Name, called)
		}
	}
}

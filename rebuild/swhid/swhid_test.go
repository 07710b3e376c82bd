package swhid

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect"
)

// Identifiers that are known: the empty content and the empty folder, which the
// specification and git both name, the text of git's own manual, and what git says of
// a tree that it made.
func TestKnown(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("empty", "", 0o644)
	write("text", "test content\n", 0o644)
	if err := os.Mkdir(filepath.Join(dir, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"empty": "swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
		"text":  "swh:1:cnt:d670460b4b4aece5915caf5c68d12f560a9fe3e4",
		"none":  "swh:1:dir:4b825dc642cb6eb9a060e54bf8d69288fbee4904",
	} {
		if got, err := Of(filepath.Join(dir, file), 1<<20); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", file, got, err, want)
		}
	}
	if got := Revision("cc6d75fde1ed1d4a3e0a2a3d60d1b5f1c2b3a4d5"); got != "swh:1:rev:cc6d75fde1ed1d4a3e0a2a3d60d1b5f1c2b3a4d5" || Revision("v1.0") != "" {
		t.Error(got)
	}
}

// TestAgainstGit: a tree with what git can have in it, in an order that is not that of
// its names alone, has the hash that git gives it.
func TestAgainstGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not here")
	}
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"a-b": 0o644, "a/x": 0o755, "a/y z": 0o600, "a.c": 0o644, "b/c/d": 0o644, "é": 0o644} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name+"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../a-b", filepath.Join(dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(t.TempDir(), "git")
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(git, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_DIR="+meta, "GIT_WORK_TREE="+dir, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q")
	run("add", "-A")
	if got, err := Of(dir, 1<<20); got != "swh:1:dir:"+run("write-tree") || err != nil {
		t.Errorf("%s, %v; git says %s", got, err, run("write-tree"))
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Of(dir, 4); !errors.As(err, new(*inspect.LimitError)) {
		t.Errorf("%v, want a LimitError", err)
	}
	if err := os.Symlink("x", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := Of(filepath.Join(dir, "link"), 4); err == nil {
		t.Error("a link by itself has an identifier")
	}
}

package main

import (
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTimeout: --timeout ends whatever is being read, in every verb: a registry, an
// engine and a server that accept and never answer, and a named pipe without a writer.
func TestTimeout(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for {
			if _, err := mute.Accept(); err != nil {
				return
			}
		}
	}()
	address, pipe := mute.Addr().String(), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", "tcp://"+address)
	t.Setenv("PATH", t.TempDir())
	sample := "../../fixtures/guix/images/tiny.tar.gz"
	out := filepath.Join(t.TempDir(), "out")
	for _, line := range [][]string{
		{"docker://" + address + "/x:1"}, {"docker-daemon:x:1"}, {pipe}, {"--rebuilt", pipe, sample}, {"--base", "docker://" + address + "/x:1", sample},
		{"inspect", pipe}, {"provenance", "-o", "-", pipe}, {"plan", pipe}, {"sbom", "docker://" + address + "/x:1"},
		{"compare", sample, "docker://" + address + "/x:1"}, {"rebuild", "docker://" + address + "/x:1"},
	} {
		var text bytes.Buffer
		args := append([]string{"audit"}, line...)
		if line[0] != "inspect" && line[0] != "provenance" {
			args = append(args, "-o", out)
		}
		status := Main(append(args, "--timeout", "300ms"), strings.NewReader(""), &text, &text)
		if status != exitUnreadable || !strings.Contains(text.String(), "not done within the 300ms of --timeout") {
			t.Errorf("%q: status %d: %s", line, status, text.String())
		}
	}
	var text bytes.Buffer
	args := []string{"audit", "-o", out, "--timeout", "2s", "--substitutes", "http://" + address, sample}
	if status := Main(args, strings.NewReader(""), &text, &text); status != exitHolds || !strings.Contains(text.String(), "unknown  signatures") {
		t.Errorf("a build farm: status %d: %s", status, text.String())
	}
}

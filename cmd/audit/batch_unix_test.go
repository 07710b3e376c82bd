//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A list may come through a named pipe; a worker that waits for one, or for standard
// input, ends when it is told to.
func TestBatchPipe(t *testing.T) {
	sample, err := filepath.Abs("../../fixtures/guix/images/tiny.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() { written <- os.WriteFile("pipe", []byte(sample+"\n"), 0o600) }()
	if status, out, errs := runMain(t, "audit batch pipe -o found"); status != 0 || !strings.HasPrefix(out, "1 images: 1 audited") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	go func() { written <- os.WriteFile("pipe", []byte(sample+"\n"), 0o600) }()
	if status, _, errs := runMain(t, "audit batch --engine slurm pipe -o found"); status != exitUsage || !strings.Contains(errs, "the list, so it has to be in a file") {
		t.Fatalf("status %d\n%s", status, errs)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	for _, name := range []string{"pipe", "-"} {
		cmd := exec.Command("audit", "batch", name, "-o", "found")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- cmd.Wait() }()
		for waiting := true; waiting; { // the first may come before it is listened for
			time.Sleep(100 * time.Millisecond)
			cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
				waiting = false
			default:
			}
		}
		in.Close()
		if code := cmd.ProcessState.ExitCode(); code != exitAgain && code != -1 {
			t.Errorf("%s: status %d", name, code)
		}
	}
}

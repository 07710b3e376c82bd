package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterrupted stops audit while it reads an image: it ends with the status
// that shells know an interrupt by, and leaves no report and no temporary file.
func TestInterrupted(t *testing.T) {
	for name, read := range map[string]func(t *testing.T, cmd *exec.Cmd){
		"file": readFile, "standard input": readInput, "registry": readRegistry,
	} {
		for _, verb := range []string{"inspect", "run"} {
			t.Run(verb+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				var stdout, stderr bytes.Buffer
				cmd := exec.Command("audit", verb)
				cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
				cmd.Env = append(os.Environ(), "TMPDIR="+emptyFolder(t, dir), "DOCKER_CONFIG="+dir)
				read(t, cmd)
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
				cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != exitInterrupt || stdout.Len() > 0 || stderr.String() != "audit: interrupted: nothing half-written is left behind\n" {
					t.Errorf("exit status %d, want %d; said %q and %q", got, exitInterrupt, stdout.String(), stderr.String())
				}
				if left := leftIn(t, dir); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			})
		}
	}
}

// endless is the start of an archive whose layer, and the file in it, are said
// to have so many bytes that their end is never reached.
func endless(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	for i, name := range []string{strings.Repeat("1", 64) + "/layer.tar", "gnu/store/" + strings.Repeat("a", 32) + "-file"} {
		hdr := tar.Header{Name: name, Mode: 0o644, Size: 1 << (40 - i), Format: tar.FormatGNU}
		if err := tar.NewWriter(&b).WriteHeader(&hdr); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// readFile returns when audit reads a file: 1 TiB of holes.
func readFile(t *testing.T, cmd *exec.Cmd) {
	path := filepath.Join(t.TempDir(), "endless")
	if err := os.WriteFile(path, endless(t), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	cmd.Args = append(cmd.Args, path)
	start(t, cmd)
	proc := fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid)
	if _, err := os.Stat(proc); err != nil {
		t.Skip("there is no /proc that tells what a process reads")
	}
	for !opened(proc, path) {
		time.Sleep(time.Millisecond)
	}
}

// opened says whether a process has a file open.
func opened(proc, path string) bool {
	files, _ := filepath.Glob(proc + "/*")
	for _, f := range files {
		if to, _ := os.Readlink(f); to == path {
			return true
		}
	}
	return false
}

// readInput returns when audit has taken a megabyte from standard input and
// waits for more.
func readInput(t *testing.T, cmd *exec.Cmd) {
	cmd.Args = append(cmd.Args, "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	start(t, cmd)
	if _, err := in.Write(append(endless(t), make([]byte, 1<<20)...)); err != nil {
		t.Fatal(err)
	}
}

// readRegistry returns when a registry that never ends its answer has been
// asked for a layer.
func readRegistry(t *testing.T, cmd *exec.Cmd) {
	const layer = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	config := `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["` + layer + `"]}}`
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
		"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":%d},
		"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}`,
		sha256.Sum256([]byte(config)), len(config), layer, int64(1)<<40)
	asked := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch base := filepath.Base(r.URL.Path); {
		case base == "1":
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			io.WriteString(w, manifest)
		case base == layer:
			w.Write(endless(t)[512:])
			w.(http.Flusher).Flush()
			close(asked)
			<-r.Context().Done()
		case strings.HasPrefix(base, "sha256:"):
			io.WriteString(w, config)
		}
	}))
	t.Cleanup(server.Close)
	cmd.Args = append(cmd.Args, "docker://"+strings.TrimPrefix(server.URL, "http://")+"/image:1")
	start(t, cmd)
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the registry is not asked for the layer")
	}
}

// start starts a command that must not outlive the test.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
}

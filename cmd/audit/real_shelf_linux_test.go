package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A shelf has the tools at work: the engines, a registry, and a folder.
type shelf struct {
	dir string
	env []string
}

// newShelf starts the engines and the registry. They end with the test.
func newShelf(t *testing.T) *shelf {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "shelf") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	l := &shelf{dir: dir}
	t.Cleanup(func() { os.RemoveAll(dir) })
	audit, err := exec.LookPath("audit")
	if err != nil {
		t.Fatal(err)
	}
	registry, fixtures := freeAddress(t), absolute(t, "../../fixtures")
	l.env = append(os.Environ(),
		"PATH=/usr/bin:/usr/sbin:/bin:/sbin:"+filepath.Dir(audit), // where engines are played, too
		"HOME="+dir, "D="+dir, "FIXTURES="+fixtures,
		"REGISTRY="+registry, "DOCKER_CONFIG="+dir, "DOCKER_HOST=unix://"+dir+"/docker.sock", "PODMAN=unix://"+dir+"/podman.sock",
		"DOCKER_BUILDKIT=0", "BUILDAH_ISOLATION=chroot", "CONTAINERS_STORAGE_CONF="+dir+"/storage.conf")
	l.write(t, "config.json", "{}")
	l.write(t, "storage.conf", fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = \"%s/containers\"\nrunroot = \"%s/containers-run\"\n", dir, dir))
	l.write(t, "registry.yml", fmt.Sprintf("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s/registry\nhttp:\n  addr: %s\n", dir, registry))
	l.daemon(t, "dockerd --data-root=$D/docker --exec-root=$D/exec --pidfile=$D/docker.pid --host=$DOCKER_HOST --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs")
	l.daemon(t, "docker-registry serve $D/registry.yml")
	l.daemon(t, "podman system service --time 0 $PODMAN")
	l.run(t, "for n in $(seq 120); do docker version >/dev/null 2>&1 && (: >/dev/tcp/${REGISTRY/://}) 2>/dev/null && [ -S $D/podman.sock ] && exit 0; sleep 0.5; done; exit 1")
	return l
}

func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return free.Addr().String()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (l *shelf) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// daemon runs a program until the test ends.
func (l *shelf) daemon(t *testing.T, command string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command("bash", "-c", "exec "+command)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = l.dir, l.env, &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%s: %s", command, log.Bytes()[max(0, log.Len()-1000):])
		}
	})
}

// run runs a script and returns what it prints on standard output.
func (l *shelf) run(t *testing.T, script string) string {
	t.Helper()
	out, said, err := l.try(script)
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, said)
	}
	return strings.TrimSpace(out)
}

func (l *shelf) try(script string) (out, said string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = l.dir, l.env, &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

func (l *shelf) versions(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(l.run(t, `
		docker version --format 'Docker {{.Server.Version}}'
		podman --version | sed 's/ version//'
		buildah --version | sed 's/ version//; s/ (.*//'
		skopeo --version | sed 's/ version//'
		umoci --version | sed 's/ version//'
		docker-registry --version | sed 's/.* /registry /'
		mksquashfs -version | sed -n 's/ version//; s/ (.*//; 1p'`), "\n", ", ") + ", and a SIF of our own making: Debian has no tool that writes one"
}

package inspect

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/image"
	"audit/inspect/pass"
)

// engine starts what looks like a Docker engine that has one image, a:1, on a
// socket, and has DOCKER_HOST point to it.
func fakeEngine(t *testing.T, archive []byte) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name := r.URL.Query().Get("names"); {
		case r.URL.Path != "/images/get":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"no such request"}`)
		case name != "a:1" && name != "lab/b:latest":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write(archive)
		}
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_HOST", "unix://"+socket)
}

func TestEngine(t *testing.T) {
	fakeEngine(t, tarOf(t, imageOf(t, tarOf(t, regular("a", "1")))...))
	for _, ref := range []string{"docker-daemon:a:1", "docker-daemon:lab/b"} {
		if img := mustOpen(t, ref); img.Transport != image.DockerDaemon || len(img.Layers) != 1 || rules(img) != "" {
			t.Errorf("%s: transport %s, %d layers, findings %q", ref, img.Transport, len(img.Layers), rules(img))
		}
	}
	if _, err := Open(context.Background(), "docker-daemon:a:2", pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), `the engine has no image "a:2"`) {
		t.Error(err)
	}
}

func TestEngineThatIsNotThere(t *testing.T) {
	for host, want := range map[string]string{
		"unix:///nonexistent/socket":  "no engine answers at unix:///nonexistent/socket, which DOCKER_HOST names: dial",
		"tcp://me:s3cr3t@127.0.0.1:1": "no engine answers at tcp://me:xxxxx@127.0.0.1:1, which",
		"ssh://somewhere":             "docker save gives a file",
		"unix:// not a url\x7f":       "understanding DOCKER_HOST",
	} {
		t.Setenv("DOCKER_HOST", host)
		if _, err := Open(context.Background(), "docker-daemon:a:1", pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", host, err, want)
		}
	}
}

// What an engine sends is trusted no more than a file.
func TestLyingEngine(t *testing.T) {
	layer := tarOf(t, regular("a", "1"))
	members := imageOf(t, layer)
	members[0].data = tarOf(t, regular("a", "2"))
	fakeEngine(t, tarOf(t, members...))
	if img := mustOpen(t, "docker-daemon:a:1"); rules(img) != "diffid-mismatch" {
		t.Errorf("findings %q", rules(img))
	}
}

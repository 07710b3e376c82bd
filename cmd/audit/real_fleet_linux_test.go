package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"audit/fixtures"
	"audit/report"
	"audit/report/fleet"
)

// A fleetLab has what an engine needs to audit a fleet: a registry with its images, a
// folder that stands for the storage that machines share, and the program.
type fleetLab struct {
	*shelf
	registry *waitingRegistry
	share    string
	images   []string // references of the list
}

// fleetImages is how many images a fleet has.
const fleetImages = 40

func newFleetLab(t *testing.T) *fleetLab {
	t.Helper()
	dir := t.TempDir()
	l := &fleetLab{shelf: &shelf{dir: dir}, registry: newWaitingRegistry(t), share: filepath.Join(dir, "share")}
	for _, folder := range []string{l.share, filepath.Join(dir, "bin")} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "audit"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l.env = append(os.Environ(), "PATH="+dir+"/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME="+dir, "D="+dir, "DOCKER_CONFIG="+dir)
	for i := range fleetImages {
		l.images = append(l.images, l.registry.push(t, fmt.Sprintf("lab/tool-%02d", i)))
	}
	l.write(t, "share/images.txt", "docker://"+strings.Join(l.images, "\ndocker://")+"\n")
	return l
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1200 {
		if is() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("in vain: %s", what)
}

// whole demands that the folder of a batch has each of these images once, whole, and
// nothing that is half-written. It returns how often each was tried, sorted.
func (l *fleetLab) whole(t *testing.T, dir string, images []string) (tries []int) {
	t.Helper()
	keys := make(map[string]string)
	for path, s := range l.statuses(t, dir) {
		if s.State != fleet.Done || keys[s.Key] != "" || s.Digest == "" {
			t.Errorf("%s: %s: %s of %s, as %q is", path, s.Reference, s.State, s.Key, keys[s.Key])
		}
		if !slices.ContainsFunc(images, func(i string) bool { return "docker://"+i == s.Reference || i == s.Reference }) {
			t.Errorf("%s is no image of the list", s.Reference)
		}
		keys[s.Key] = s.Reference
		tries = append(tries, s.Tries)
	}
	results, err := os.ReadDir(filepath.Join(dir, fleet.ResultsFolder))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != len(images) || len(results) != len(images) {
		t.Errorf("%d images, %d of them done, and %d results", len(images), len(keys), len(results))
	}
	for _, r := range results {
		if keys[r.Name()] == "" {
			t.Errorf("%s is no result of an image", r.Name())
		}
		checkResult(t, filepath.Join(dir, fleet.ResultsFolder, r.Name()))
	}
	slices.Sort(tries)
	return tries
}

// statuses are those of the folder of a batch, by the names of their files.
func (l *fleetLab) statuses(t *testing.T, dir string) map[string]fleet.Status {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, fleet.StatusFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]fleet.Status)
	for _, path := range files {
		if all[filepath.Base(path)], err = fleet.ReadStatus(path); err != nil {
			t.Error(err)
		}
	}
	return all
}

// checkResult demands that a result has all its files, and a report that can be read.
func checkResult(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"report.json", "report.html", "sbom.spdx.json", "sbom.cdx.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s/%s: %v, or empty", dir, name, err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if r, err := report.ReadJSON(f, systems().Abouts()...); err != nil || !strings.HasPrefix(filepath.Base(dir), strings.TrimPrefix(r.Image.ManifestDigest.Digest, "sha256:")) {
		t.Errorf("%s: %v", dir, err)
	}
}

// triedTwice are the tries of a fleet of which so many images were tried twice.
func triedTwice(n int) []int {
	return slices.Concat(slices.Repeat([]int{1}, fleetImages-n), slices.Repeat([]int{2}, n))
}

// A waitingRegistry is a registry that lets who asks for some layers wait.
type waitingRegistry struct {
	host  string
	serve http.Handler
	mu    sync.Mutex
	held  map[string]*hold // by the path of the address of a layer
	own   map[string]string
}

// A hold is on one layer.
type hold struct {
	once              sync.Once
	reached, released chan struct{}
}

func newWaitingRegistry(t *testing.T) *waitingRegistry {
	t.Helper()
	r := &waitingRegistry{serve: registry.New(registry.Logger(log.New(io.Discard, "", 0))), held: make(map[string]*hold), own: make(map[string]string)}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Cleanup(r.release)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

func (r *waitingRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	h := r.held[req.URL.Path]
	r.mu.Unlock()
	if h != nil && req.Method == http.MethodGet {
		h.once.Do(func() { close(h.reached) })
		select {
		case <-h.released:
		case <-req.Context().Done():
		}
	}
	r.serve.ServeHTTP(w, req)
}

// push puts an image into a repository: a layer that all have, and one of its own.
func (r *waitingRegistry) push(t *testing.T, repository string) (reference string) {
	t.Helper()
	archive := fixtures.Docker{Tag: repository + ":1.0", Layers: [][]fixtures.File{
		{{Name: "etc/"}, {Name: "etc/os-release", Body: "ID=lab\n"}}, {{Name: "etc/tool", Body: repository}},
	}}.Archive()
	image, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	reference = r.host + "/" + repository + ":1.0"
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	r.own[repository] = "/v2/" + repository + "/blobs/" + ownLayer(t, image)
	return reference
}

// ownLayer is the digest of an image's last layer.
func ownLayer(t *testing.T, image v1.Image) string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := layers[len(layers)-1].Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// hold lets who asks for an image's own layer wait until release.
func (r *waitingRegistry) hold(image int) *hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &hold{reached: make(chan struct{}), released: make(chan struct{})}
	r.held[r.own[fmt.Sprintf("lab/tool-%02d", image)]] = h
	return h
}

// release lets nobody wait any more.
func (r *waitingRegistry) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		close(h.released)
	}
	clear(r.held)
}

// isReached says whether somebody waits, or has waited, for a layer.
func (h *hold) isReached() bool {
	select {
	case <-h.reached:
		return true
	default:
		return false
	}
}

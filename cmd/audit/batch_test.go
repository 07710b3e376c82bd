package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/urfave/cli/v2"

	"audit/report/fleet"
)

// A counted registry counts what is asked of it.
type counted struct {
	mu      sync.Mutex
	gets    map[string]int                                           // of blobs
	instead func(w http.ResponseWriter, r *http.Request) (done bool) // answers what it wants to; nil for nothing
}

// fleetOf starts a registry with n images that share the layers of four bases, and
// counts from then on.
func fleetOf(t *testing.T, n int) (host string, c *counted) {
	t.Helper()
	c = &counted{}
	honest := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") && c.gets != nil {
			_, blob, _ := strings.Cut(r.URL.Path, "/blobs/")
			c.gets[blob]++
		}
		instead := c.instead
		c.mu.Unlock()
		if instead == nil || !instead(w, r) {
			honest.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	for i := range n {
		base := fmt.Sprint(i % 4)
		ref, err := name.ParseReference(fmt.Sprintf("%s/lab/tool%d:1.%d", host, i%4, i/4))
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, imageOf(t, "base"+base, "middle"+base, fmt.Sprint("own", i))); err != nil {
			t.Fatal(err)
		}
	}
	c.gets = make(map[string]int)
	return host, c
}

// imageOf makes an image with a layer for each name.
func imageOf(t *testing.T, layers ...string) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	var err error
	for _, name := range layers {
		if img, err = mutate.AppendLayers(img, static.NewLayer(layerTar(t, name), types.OCIUncompressedLayer)); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func layerTar(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	text := strings.Repeat(name+"\n", 1000)
	for i := range 20 {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("opt/%s/%d", name, i), Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// runMain runs audit in this process.
func runMain(t *testing.T, line string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Main(strings.Fields(line), strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// Of forty images of a registry each blob is fetched once, however many are audited at a
// time; with a cache, no layer is fetched for another batch. What a report says does not
// depend on which layers were known.
func TestBatchFetchesOnce(t *testing.T) {
	host, c := fleetOf(t, 40)
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	batch := "audit batch docker://" + host + "/lab/ --jobs 4 --layer-cache cache -o "
	if status, out, errs := runMain(t, batch+"found"); status != 0 || out != "40 images: 40 audited, 0 known, 0 unreadable, 0 not done\n" {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if want := 8 + 40 + 40; len(c.gets) != want {
		t.Errorf("%d blobs were fetched, want %d", len(c.gets), want)
	}
	for blob, n := range c.gets {
		if n != 1 {
			t.Errorf("%s was fetched %d times", blob, n)
		}
	}
	c.gets = make(map[string]int)
	if status, out, errs := runMain(t, batch+"again"); status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if len(c.gets) != 40 { // configs
		t.Errorf("%d blobs were fetched again, want 40", len(c.gets))
	}
	c.gets = make(map[string]int)
	if status, out, errs := runMain(t, batch+"again"); status != 0 || out != "40 images: 0 audited, 40 known, 0 unreadable, 0 not done\n" || len(c.gets) > 0 {
		t.Errorf("status %d, %d blobs\n%s%s", status, len(c.gets), out, errs)
	}
	for _, tag := range []string{"tool0:1.0", "tool0:1.9"} {
		s := statusOf(t, "found", "docker://"+host+"/lab/"+tag)
		if status, _, errs := runMain(t, "audit --builder none -o alone docker://"+host+"/lab/"+tag+"@"+s.Digest); status != 0 {
			t.Fatalf("status %d\n%s", status, errs)
		}
		sameReports(t, filepath.Join("found", "results", s.Key, "report.json"), "alone/report.json")
	}
}

func (c *counted) answer(instead func(http.ResponseWriter, *http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead = instead
}

// A registry that sends another manifest than the one that was asked for, for a while, has
// no result in the place of that of the image.
func TestBatchOtherManifest(t *testing.T) {
	host, c := fleetOf(t, 4)
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	raw, err := imageOf(t, "base0", "middle0", "own0").RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	c.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/sha256:") {
			return false
		}
		w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
		w.Write(append(raw, ' '))
		return true
	})
	if err := os.WriteFile("list", fmt.Appendf(nil, "docker://%s/lab/tool0:1.0\n", host), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := runMain(t, "audit batch list -o found"); status != exitAgain || !strings.Contains(stdout, "1 not done") {
		t.Errorf("exit %d\n%s%s", status, stdout, stderr)
	}
	c.answer(nil)
	if status, stdout, stderr := runMain(t, "audit batch list -o found"); status != 0 || !strings.Contains(stdout, "1 audited") {
		t.Errorf("then exit %d\n%s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := runMain(t, "audit summary found"); status != 0 {
		t.Errorf("the summary: exit %d\n%s%s", status, stdout, stderr)
	}
}

// A blob that comes with other bytes once is fetched again; one that a registry has so is
// what it is.
func TestBatchOtherBytes(t *testing.T) {
	host, c := fleetOf(t, 4)
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	if err := os.WriteFile("list", fmt.Appendf(nil, "docker://%s/lab/tool0:1.0\n", host), 0o666); err != nil {
		t.Fatal(err)
	}
	for times, want := range map[int]int{1: 0, 100: 1} {
		var sent atomic.Int32
		c.answer(func(w http.ResponseWriter, r *http.Request) bool {
			layer := layerTar(t, "own0")
			if !strings.HasSuffix(r.URL.Path, fmt.Sprintf("/blobs/sha256:%x", sha256.Sum256(layer))) || int(sent.Add(1)) > times {
				return false
			}
			w.Write(bytes.Replace(layer, []byte("own0\n"), []byte("evil\n"), 1))
			return true
		})
		found := fmt.Sprint("found", times)
		if status, stdout, stderr := runMain(t, "audit batch list -o "+found); status != 0 {
			t.Errorf("%d: exit %d\n%s%s", times, status, stdout, stderr)
		}
		if status, stdout, stderr := runMain(t, "audit summary "+found); status != want || sent.Load() < 2 {
			t.Errorf("%d: the summary: exit %d, want %d; sent %d times\n%s%s", times, status, want, sent.Load(), stdout, stderr)
		}
	}
}

// What a proxy answers in the place of a registry accuses no image: another try may do it.
func TestBatchNoAnswer(t *testing.T) {
	host, c := fleetOf(t, 1)
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	if err := os.WriteFile("list", fmt.Appendf(nil, "docker://%s/lab/tool0:1.0\n", host), 0o666); err != nil {
		t.Fatal(err)
	}
	config, err := imageOf(t, "base0", "middle0", "own0").ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	layer := fmt.Sprintf("/blobs/sha256:%x", sha256.Sum256(layerTar(t, "own0")))
	for _, of := range []string{"/manifests/1.0", "/manifests/sha256:", "/blobs/" + config.String(), layer} {
		var sent atomic.Int32
		most := int32(1)
		c.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, of) || r.Method != http.MethodGet || sent.Add(1) > most {
				return false
			}
			w.Write([]byte("<html>log in</html>"))
			return true
		})
		if status, stdout, stderr := runMain(t, "audit batch list -o "+t.TempDir()+"/found"); status != 0 {
			t.Errorf("%s, once: exit %d\n%s%s", of, status, stdout, stderr)
		}
		if most = 100; of != layer {
			continue // it would wait as long
		}
		if status, stdout, stderr := runMain(t, "audit batch list -o "+t.TempDir()+"/found"); status != exitAgain || !strings.Contains(stderr, "a proxy") {
			t.Errorf("%s: exit %d\n%s%s", of, status, stdout, stderr)
		}
	}
}

// A cache that keeps nothing is said to be none; a file is refused.
func TestBatchNoCache(t *testing.T) {
	host, _ := fleetOf(t, 1)
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	if err := errors.Join(os.WriteFile("list", fmt.Appendf(nil, "docker://%s/lab/tool0:1.0\n", host), 0o666), os.MkdirAll("cache/sha256/x", 0o777)); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := runMain(t, "audit batch list -o found --layer-cache list"); status != exitUsage || !strings.Contains(stderr, "--layer-cache") {
		t.Errorf("a file: exit %d, %s", status, stderr)
	}
	if status, _, stderr := runMain(t, "audit batch list -o found --layer-cache /proc/self/none"); exists("/proc/self") && status != 0 || !strings.Contains(stderr, "nothing can be kept") {
		t.Errorf("no place: exit %d, %s", status, stderr)
	}
	if status, _, stderr := runMain(t, "audit batch list -o found --layer-cache cache"); status != 0 || stderr != "" {
		t.Errorf("a folder: exit %d, %s", status, stderr)
	}
}

// A worker that is told to stop before it has begun ends with the same status.
func TestBatchStoppedEarly(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("list", []byte("docker://h.example/a:1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	app := newApp(strings.NewReader(""), io.Discard, io.Discard)
	app.Metadata = map[string]any{settingsKey: &settings{}}
	err := app.RunContext(ctx, []string{"audit", "batch", "-o", "found", "list"})
	if status, message := exitStatus(err); status != exitAgain {
		t.Errorf("exit %d, %s", status, message)
	}
}

func statusOf(t *testing.T, dir, reference string) fleet.Status {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "status", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if s, err := fleet.ReadStatus(path); err == nil && s.Reference == reference {
			return s
		}
	}
	t.Fatalf("%s has no status", reference)
	return fleet.Status{}
}

// sameReports demands that two reports differ in their run alone, and in what was
// demanded of the image.
func sameReports(t *testing.T, paths ...string) {
	t.Helper()
	var texts []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r map[string]json.RawMessage
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		delete(r, "run")
		delete(r, "policy")
		bare, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(bare))
	}
	if texts[0] != texts[1] {
		t.Errorf("%s and %s differ:\n%s\n%s", paths[0], paths[1], texts[0], texts[1])
	}
}

// whole demands that each result of a folder is whole, and returns how many there are.
func whole(t *testing.T, dir string) int {
	t.Helper()
	results, err := filepath.Glob(filepath.Join(dir, "results", "[^.]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		if _, err := readReport(filepath.Join(result, "report.json")); err != nil {
			t.Errorf("%s: %v", result, err)
		}
		for _, file := range []string{"report.html", "sbom.spdx.json", "sbom.cdx.json"} {
			if info, err := os.Stat(filepath.Join(result, file)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	return len(results)
}

// A worker that is killed at any time leaves a folder that is whole, and one more run
// completes it.
func TestBatchKilled(t *testing.T) {
	images := t.TempDir()
	for i := range 12 {
		var b bytes.Buffer
		if err := writeImage(&b, imageOf(t, fmt.Sprint("layer", i))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, fmt.Sprintf("%02d.tar", i)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "found")
	start := func() *exec.Cmd {
		cmd := exec.Command("audit", "batch", images, "-o", dir, "--jobs", "2")
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	for i := range 20 {
		if i%5 == 0 {
			os.RemoveAll(dir)
		}
		cmd := start()
		time.Sleep(time.Duration(20+37*i%280) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		whole(t, dir)
	}
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	if n := whole(t, dir); n != 12 {
		t.Errorf("%d results", n)
	}
	if s := statusOf(t, dir, filepath.Join(images, "11.tar")); s.State != fleet.Done {
		t.Errorf("%+v", s)
	}
}

// Two workers at once on the same images tear nothing.
func TestBatchTwoWorkers(t *testing.T) {
	images := t.TempDir()
	for i := range 8 {
		var b bytes.Buffer
		if err := writeImage(&b, imageOf(t, fmt.Sprint("layer", i))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, fmt.Sprintf("%d.tar", i)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "found")
	var cmds []*exec.Cmd
	for range 3 {
		cmd := exec.Command("audit", "batch", images, "-o", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n := whole(t, dir); n != 8 {
		t.Errorf("%d results", n)
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, "*", ".part-*")); len(parts) > 0 {
		t.Errorf("left behind: %q", parts)
	}
}

// A worker that is told to stop ends with the status that engines try again for, and
// leaves nothing half-written.
func TestBatchStopped(t *testing.T) {
	for _, sent := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sent.String(), func(t *testing.T) { batchStopped(t, sent) })
	}
}

func batchStopped(t *testing.T, sent os.Signal) {
	images, dir := t.TempDir(), filepath.Join(t.TempDir(), "found")
	path := filepath.Join(images, "endless.tar")
	if err := os.WriteFile(path, endless(t), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(images, "list"), []byte(path+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("audit", "batch", filepath.Join(images, "list"), "-o", dir)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid)
	if _, err := os.Stat(proc); err != nil {
		t.Skip("there is no /proc that shows what a process reads")
	}
	for !opened(proc, path) {
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Signal(sent)
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitAgain || !strings.Contains(stderr.String(), "told to stop after 0 of 1 images") {
		t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), &stderr)
	}
	if n := whole(t, dir); n != 0 {
		t.Errorf("%d results", n)
	}
}

// writeImage writes an image as docker save does.
func writeImage(w io.Writer, img v1.Image) error {
	ref, err := name.NewTag("lab/tool:1")
	if err != nil {
		return err
	}
	return tarball.Write(ref, img, w)
}

// What lies at an address of a list is fetched once, and again when the server says that
// it is another; what is gone, or is no image, is named.
func TestBatchAddresses(t *testing.T) {
	image, err := os.ReadFile("../../fixtures/guix/images/tiny.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	changed, asked := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), make(map[string]int)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Method+" "+r.URL.Path]++
		switch r.URL.Path {
		case "/tool.sif":
			http.ServeContent(w, r, "tool.sif", changed, bytes.NewReader(image))
		case "/page":
			fmt.Fprint(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), certificate, 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(list string) (int, string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "list"), []byte(strings.ReplaceAll(list, "HOST", server.URL)), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("audit", "batch", "list", "-o", "found")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"), "TMPDIR="+t.TempDir())
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for i, want := range []string{"1 audited", "0 audited, 1 known"} {
		if status, out := run("HOST/tool.sif\n"); status != 0 || !strings.Contains(out, want) || asked["GET /tool.sif"] != 1 || asked["HEAD /tool.sif"] != i+1 {
			t.Errorf("status %d, %v\n%s", status, asked, out)
		}
	}
	if s := statusOf(t, filepath.Join(dir, "found"), server.URL+"/tool.sif"); s.Digest != fmt.Sprintf("sha256:%x", sha256.Sum256(image)) || s.File.Size != int64(len(image)) {
		t.Errorf("%+v", s)
	}
	changed = changed.Add(time.Hour)
	if status, out := run("HOST/tool.sif\n"); status != 0 || !strings.Contains(out, "0 audited, 1 known") || asked["GET /tool.sif"] != 2 {
		t.Errorf("status %d, %v\n%s", status, asked, out)
	}
	other := fmt.Sprintf("HOST/tool.sif # sha256:%064d\n", 1)
	for _, when := range []string{"what is known of it", "fetched"} { // the server's word, and the file itself
		if status, out := run(other); status != exitUnreadable || !strings.Contains(out, "and the list wants sha256:00") {
			t.Errorf("%s: status %d\n%s", when, status, out)
		}
		changed = changed.Add(time.Hour)
	}
	if status, out := run("HOST/gone.sif\nHOST/page\n"); status != exitUnreadable || !strings.Contains(out, "404 Not Found") || !strings.Contains(out, "2 unreadable") {
		t.Errorf("status %d\n%s", status, out)
	}
}

// Which image of a file is meant, and as what the file is read, is part of what is audited.
// A file that ends too soon does so every time, and images of engines are refused.
func TestBatchChoices(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	images := make(map[name.Tag]v1.Image)
	for _, text := range []string{"lab/good:1", "lab/other:1"} {
		tag, err := name.NewTag(text)
		if err != nil {
			t.Fatal(err)
		}
		images[tag] = imageOf(t, text)
	}
	if err := tarball.MultiWriteToFile("two.tar", images); err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile("two.tar")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(two)
	z.Close()
	for file, text := range map[string]string{
		"torn.tar.gz": packed.String()[:packed.Len()-100], "lab/tool:1": string(two), "torn": "./torn.tar.gz\n", "engine": "docker-daemon:lab/tool:1\n",
		"choices": "docker-archive:two.tar:lab/good:1\ndocker-archive:two.tar:lab/other:1\nrootfs:two.tar\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"3 images: 3 audited, 0 known", "3 images: 0 audited, 3 known"} {
		if status, out, errs := runMain(t, "audit batch choices -o found"); status != 0 || !strings.HasPrefix(out, want) {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
	}
	for reference, transport := range map[string]string{
		"docker-archive:two.tar:lab/good:1": "docker-archive", "docker-archive:two.tar:lab/other:1": "docker-archive", "rootfs:two.tar": "rootfs",
	} {
		r, err := readReport(filepath.Join("found/results", statusOf(t, "found", reference).Key, "report.json"))
		if err != nil || string(r.Image.Transport) != transport || r.Run.Reference != reference {
			t.Errorf("%s: %s, %s, %v", reference, r.Image.Transport, r.Run.Reference, err)
		}
	}
	if status, _, errs := runMain(t, "audit batch torn -o torn.batch"); status != exitUnreadable || !strings.Contains(errs, "EOF") {
		t.Errorf("status %d\n%s", status, errs)
	}
	if status, _, errs := runMain(t, "audit batch engine -o engine.batch"); status != exitUnreadable || !strings.Contains(errs, "no images of an engine") {
		t.Errorf("status %d\n%s", status, errs)
	}
}

// A program whose version leads to no one source is known by its file.
func TestBatchProgram(t *testing.T) {
	defer func(v string) { release = v }(release)
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for version, devel := range map[string]bool{"devel": true, "devel-0123456789ab+dirty": true, "devel-0123456789ab": false, "v1.2.3": false} {
		release = version
		o := options{c: cli.NewContext(nil, nil, &cli.Context{Context: t.Context()}), named: make(map[string]string)}
		name, err := o.program()
		if err != nil || !strings.HasPrefix(name, version) || strings.Contains(name, fmt.Sprintf("%x", sha256.Sum256(text))) != devel {
			t.Errorf("%s: %q, %v", version, name, err)
		}
	}
}

package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/docker"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// buildKitVersion is the newest whose modules can all be had.
const buildKitVersion = "v0.20.2"

// TestReal builds images with the real engines and builds them again: Docker
// with its own builder and the BuildKit inside it, BuildKit's daemon, buildah.
// It needs root and Debian's docker.io, buildah, runc, git and busybox-static.
// BuildKit is built from its Go module, unless AUDIT_TEST_BUILDKIT names a folder
// that has buildkitd and buildctl.
func TestReal(t *testing.T) {
	if !strings.Contains(os.Getenv("AUDIT_TEST_REAL"), "docker") {
		t.Skip("needs root, Docker, buildah and BuildKit: AUDIT_TEST_REAL=docker says that they are there")
	}
	engines := newLab(t)
	tests := []struct {
		name string
		run  func(*testing.T, *lab)
	}{
		{"classic, times alone differ", classicTimes},
		{"classic, a file embeds the date", classicDate},
		{"classic, from a repository", classicRepository},
		{"BuildKit inside Docker", kitInDocker},
		{"replay of a repository", replayRepository},
		{"replay of a folder of a repository", replayFolder},
		{"replay pins the base image", replayBase},
		{"no frontend is fetched", frontendKept},
		{"mode=min and local contexts are refused", refusals},
		{"the source is gone", sourceGone},
		{"the network is kept away", networkKept},
		{"the sample, from its own layers", theSample},
		{"buildah", buildahTimes},
		{"buildah with a time", buildahTimestamp},
		{"another engine than the original's", otherEngine},
		{"rebuild.sh", scripts},
		{"audit: the sample, from its attestation alone", auditSample},
		{"audit: replays and refusals", auditReplay},
		{"audit: an image in a registry", auditRegistry},
		{"audit: images by Docker's own builder", auditClassic},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, engines) })
	}
	if !t.Failed() {
		fmt.Printf("real suite: docker %d tests\n", len(tests))
	}
}

// A lab is the engines on this machine, each with a store of its own.
type lab struct {
	dir     string
	git     string // address of the repositories
	goTool  string
	home    string // of who runs the tests
	busybox []byte
}

// newLab starts the engines. They end with the test.
func newLab(t *testing.T) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "lab") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{dir: dir, home: os.Getenv("HOME")}
	if l.goTool, err = exec.LookPath("go"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if l.busybox, err = os.ReadFile("/bin/busybox"); err != nil {
		t.Fatal(err)
	}
	kit := os.Getenv("AUDIT_TEST_BUILDKIT")
	if kit == "" {
		kit = buildBuildKit(t, filepath.Join(dir, "kit"))
	}
	t.Setenv("PATH", kit+":/usr/bin:/usr/sbin:/bin:/sbin")
	t.Setenv("HOME", dir)

	docker := "unix://" + dir + "/docker.sock"
	start(t, "dockerd", "--data-root="+dir+"/docker", "--exec-root="+dir+"/exec", "--pidfile="+dir+"/docker.pid", "--host="+docker,
		"--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs")
	t.Setenv("DOCKER_HOST", docker)
	t.Setenv("DOCKER_CONFIG", dir+"/docker-config")
	l.write(t, dir+"/docker-config/config.json", "{}")
	kitSocket := "unix://" + dir + "/kit.sock"
	start(t, "buildkitd", "--root="+dir+"/kit-root", "--addr="+kitSocket, "--oci-worker-snapshotter=native", "--oci-worker-net=host", "--containerd-worker=false")
	t.Setenv("BUILDKIT_HOST", kitSocket)
	storage := dir + "/storage.conf"
	l.write(t, storage, fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = \"%s/buildah\"\nrunroot = \"%s/buildah-run\"\n", dir, dir))
	t.Setenv("CONTAINERS_STORAGE_CONF", storage)
	t.Setenv("BUILDAH_ISOLATION", "oci")
	t.Setenv("BUILDAH_RUNTIME", "runc")
	l.serveGit(t)
	wait(t, "docker", "version")
	wait(t, "buildctl", "debug", "workers")
	return l
}

// buildBuildKit builds BuildKit from its Go module, in a module of its own.
func buildBuildKit(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module tools\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"get", "github.com/moby/buildkit@" + buildKitVersion},
		{"build", "-mod=mod", "-o", dir + "/", "github.com/moby/buildkit/cmd/buildkitd", "github.com/moby/buildkit/cmd/buildctl"},
	} {
		c := exec.Command("go", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-modcacherw", "GOWORK=off")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
	return dir
}

// start runs a daemon until the test ends.
func start(t *testing.T, program string, args ...string) {
	t.Helper()
	log := new(bytes.Buffer)
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM)
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-done
		}
		if t.Failed() {
			t.Logf("%s: %s", program, log)
		}
	})
}

// wait asks a daemon until it answers.
func wait(t *testing.T, argv ...string) {
	t.Helper()
	var err error
	for range 120 {
		if err = exec.Command(argv[0], argv[1:]...).Run(); err == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Fatalf("%v: %v", argv, err)
}

// serveGit serves the repositories in the lab on the loopback address.
func (l *lab) serveGit(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	if err := os.Mkdir(l.dir+"/git", 0o755); err != nil {
		t.Fatal(err)
	}
	l.git = fmt.Sprintf("git://127.0.0.1:%d", port)
	start(t, "git", "daemon", "--export-all", "--base-path="+l.dir+"/git", "--listen=127.0.0.1", fmt.Sprintf("--port=%d", port), "--reuseaddr")
}

func (l *lab) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, env []string, argv ...string) string {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

// source makes a folder to build from, with a static busybox.
func (l *lab) source(t *testing.T, dockerfile string) string {
	t.Helper()
	dir := t.TempDir()
	l.write(t, filepath.Join(dir, "Dockerfile"), dockerfile)
	l.write(t, filepath.Join(dir, "hello.txt"), "hello\n")
	if err := os.WriteFile(filepath.Join(dir, "busybox"), l.busybox, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// repository makes a repository of a folder and returns its address and commit.
func (l *lab) repository(t *testing.T, name, folder string) (address, commit string) {
	t.Helper()
	git := func(args ...string) string {
		return command(t, []string{"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org"}, append([]string{"git", "-C", folder}, args...)...)
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "first")
	git("tag", "v1")
	command(t, nil, "git", "clone", "-q", "--bare", folder, filepath.Join(l.dir, "git", name+".git"))
	return l.git + "/" + name + ".git", git("rev-parse", "HEAD")
}

const shellDockerfile = `FROM scratch
ARG VERSION=1
LABEL made.by=lab
COPY busybox /bin/busybox
RUN ["/bin/busybox","sh","-c","/bin/busybox mkdir -p /etc /tmp && /bin/busybox --install -s /bin && echo root:x:0:0::/:/bin/sh > /etc/passwd"]
RUN echo $VERSION > /etc/version
COPY hello.txt /opt/app/
WORKDIR /srv
USER 1000:1000
ENTRYPOINT ["/bin/busybox"]
CMD ["sh"]
`

func classicBuild(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "original.tar")
	command(t, []string{"DOCKER_BUILDKIT=0"}, append([]string{"docker", "build", "--no-cache", "--network=none", "--tag=lab/original:1"}, args...)...)
	command(t, nil, "docker", "save", "--output="+file, "lab/original:1")
	return file
}

func kitBuild(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "original.oci.tar")
	command(t, nil, append([]string{"buildctl", "build", "--frontend=dockerfile.v0", "--no-cache", "--output=type=oci,dest=" + file + ",name=lab/original:1,rewrite-timestamp=true"}, args...)...)
	return file
}

func buildahBuild(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "original.oci.tar")
	command(t, nil, append([]string{"buildah", "build", "--no-cache", "--network=none", "--tag=lab/original:1"}, args...)...)
	command(t, nil, "buildah", "push", "--quiet", "lab/original:1", "oci-archive:"+file)
	return file
}

func read(t *testing.T, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: docker.Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func planned(t *testing.T, img *inspect.Image, in Input) rebuild.Plan {
	t.Helper()
	ev, err := docker.System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(img, ev.Recipe, in)
	for _, item := range plan.Trust { // what the first plan names the second may fetch
		in.Trusted = append(in.Trusted, strings.TrimPrefix(item.Flag, "--"+rebuild.TrustSource+" "))
	}
	if err == nil {
		plan, err = NewPlan(img, ev.Recipe, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// An outcome is what a rebuild has shown.
type outcome struct {
	result     *rebuild.Result
	rebuilt    *inspect.Image
	comparison *compare.Comparison
	check      check.Check
	verdict    rebuild.Verdict
}

// again builds an image again and compares.
func again(t *testing.T, img *inspect.Image, plan rebuild.Plan, b Builder) outcome {
	t.Helper()
	log := new(bytes.Buffer)
	result, err := b.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Log: log, Image: img, Settings: settings(plan)})
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	o := outcome{result: result, rebuilt: read(t, result.Image)}
	o.comparison = compare.Images(img, o.rebuilt, nil)
	o.check = rebuild.WithHistory(rebuild.Check(o.comparison, false, result.Items), System{}.History(img), System{}.History(o.rebuilt))
	o.verdict = rebuild.Judge(rebuild.Facts{
		Checks: rebuild.StatusesOf([]check.Check{o.check}), Result: o.comparison.Result(), Basis: rebuild.Origins{Made: result.Items}.Basis(),
	})
	return o
}

// want holds a rebuild against the verdict that it must have.
func (o outcome) want(t *testing.T, want rebuild.Verdict) {
	t.Helper()
	if o.verdict != want {
		t.Errorf("%s, want %s: %v", o.verdict, want, o.check.Reasons)
		for _, f := range o.check.Findings {
			t.Logf("%d %s: %s", f.Layer, f.Path, f.Message)
		}
	}
}

// built says how many instructions were built, and how many reused.
func (o outcome) built() (built, reused int) {
	for _, it := range o.result.Items {
		if it.How == rebuild.Built {
			built++
		} else {
			reused++
		}
	}
	return built, reused
}

func classicTimes(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	img := read(t, classicBuild(t, "--build-arg=VERSION=7", dir))
	plan := planned(t, img, Input{Source: dir})
	if d := detailsOf(t, plan); d.Engine != "classic" || d.Arguments["VERSION"] != "7" || d.Network {
		t.Errorf("the plan is %+v", plan)
	}
	time.Sleep(time.Second)
	o := again(t, img, plan, Builder{})
	o.want(t, rebuild.Equivalent)
	if built, reused := o.built(); built != 10 || reused != 0 {
		t.Errorf("%d built and %d reused: %v", built, reused, o.result.Items)
	}
	if out := command(t, nil, "docker", "images", "--quiet", "audit-rebuild"); out != "" {
		t.Errorf("the engine still has the rebuilt image: %s", out)
	}
	if p := planned(t, img, Input{}); !strings.Contains(reasons(p), "recipe/no-attestation") {
		t.Errorf("without a source: %q", reasons(p))
	}
}

func classicDate(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile+"USER 0:0\nRUN date > /etc/built-at\n")
	img := read(t, classicBuild(t, dir))
	time.Sleep(1100 * time.Millisecond)
	o := again(t, img, planned(t, img, Input{Source: dir}), Builder{})
	o.want(t, rebuild.Unreproducible)
	found := slices.IndexFunc(o.check.Findings, func(f check.Finding) bool { return f.Path == "etc/built-at" && f.Level == check.Problem })
	if found < 0 || o.check.Findings[found].Args["made-by"] != "RUN date > /etc/built-at" {
		t.Errorf("%+v", o.check.Findings)
	}
}

func classicRepository(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	address, commit := l.repository(t, "classic", dir)
	img := read(t, classicBuild(t, dir))
	o := again(t, img, planned(t, img, Input{Source: address + "#" + commit}), Builder{})
	o.want(t, rebuild.Equivalent)
}

func kitInDocker(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	file := filepath.Join(t.TempDir(), "original.tar")
	command(t, []string{"DOCKER_BUILDKIT=1"}, "docker", "build", "--no-cache", "--network=none", "--tag=lab/original:1", dir)
	command(t, nil, "docker", "save", "--output="+file, "lab/original:1")
	img := read(t, file)
	plan := planned(t, img, Input{Source: dir})
	if d := detailsOf(t, plan); d.Engine != "buildkit" {
		t.Errorf("the engine is %q", d.Engine)
	}
	o := again(t, img, plan, Builder{})
	o.want(t, rebuild.Equivalent)
	if o.result.Command[0] != "docker" {
		t.Errorf("built by %v", o.result.Command)
	}
}

func replayRepository(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	address, commit := l.repository(t, "replay", dir)
	file := kitBuild(t, "--opt=context="+address+"#v1", "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:VERSION=3",
		"--opt=label:given=there", "--opt=force-network-mode=none")
	img := read(t, file)
	plan := planned(t, img, Input{})
	if len(plan.Reasons) > 0 || detailsOf(t, plan).Context != address+"#"+commit {
		t.Fatalf("the plan is %+v", plan)
	}
	o := again(t, img, plan, Builder{})
	o.want(t, rebuild.Reproducible)
	if o.rebuilt.Manifest.Digest != img.Manifest.Digest {
		t.Errorf("the manifests are %s and %s", img.Manifest.Digest, o.rebuilt.Manifest.Digest)
	}
	if built, _ := o.built(); built != 5 { // those that BuildKit runs: the others are words in the config
		t.Errorf("items: %v", o.result.Items)
	}
	second := read(t, kitBuild(t, "--opt=context="+address+"#v1", "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:VERSION=3",
		"--opt=label:given=there", "--opt=force-network-mode=none"))
	if bytes.Equal(second.Attestations[0].Raw, img.Attestations[0].Raw) {
		t.Error("two builds have the same provenance, so nothing shows that it is left out of the comparison")
	}
}

func replayFolder(t *testing.T, l *lab) {
	dir := l.source(t, "FROM scratch\n")
	sub := filepath.Join(dir, "sub")
	if err := os.CopyFS(sub, os.DirFS(l.source(t, "FROM nothing\n"))); err != nil {
		t.Fatal(err)
	}
	l.write(t, filepath.Join(sub, "other.Dockerfile"), shellDockerfile)
	address, commit := l.repository(t, "folder", dir)
	img := read(t, kitBuild(t, "--opt=context="+address+"#main:sub", "--opt=filename=other.Dockerfile", "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000"))
	plan := planned(t, img, Input{})
	if d := detailsOf(t, plan); len(plan.Reasons) > 0 || d.Context != address+"#"+commit+":sub" || d.Dockerfile != "other.Dockerfile" {
		t.Fatalf("the plan is %+v", plan)
	}
	again(t, img, plan, Builder{}).want(t, rebuild.Reproducible)
}

// pushed puts an image with a busybox and a note into the registry.
func (l *lab) pushed(t *testing.T, name, note string) {
	t.Helper()
	img, err := crane.Image(map[string][]byte{"note": []byte(note)})
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	if err := crane.Push(img, name); err != nil {
		t.Fatal(err)
	}
}

func replayBase(t *testing.T, l *lab) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	base := strings.TrimPrefix(server.URL, "http://") + "/lab/base:1"
	l.pushed(t, base, "first")
	dir := l.source(t, "FROM "+base+"\nCOPY hello.txt /opt/\n")
	address, _ := l.repository(t, "base", dir)
	img := read(t, kitBuild(t, "--opt=context="+address+"#main", "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000"))
	l.pushed(t, base, "the tag was moved")
	plan := planned(t, img, Input{})
	if len(plan.Reasons) > 0 {
		t.Fatal(reasons(plan))
	}
	o := again(t, img, plan, Builder{})
	o.want(t, rebuild.Reproducible)
	if _, reused := o.built(); reused != 1 {
		t.Errorf("items: %v", o.result.Items)
	}

	server.Close()
	command(t, nil, "buildctl", "prune", "--all")
	_, err := Builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
	if !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), "an image that the build starts from cannot be had") {
		t.Errorf("with the registry gone: %v", err)
	}
}

// A Dockerfile that nobody has seen before the build can name a frontend, and so
// can a build argument: BuildKit asks for either, but not as audit calls it.
func frontendKept(t *testing.T, l *lab) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	defer server.Close()
	name := strings.TrimPrefix(server.URL, "http://") + "/strange/frontend:1"
	address, commit := l.repository(t, "frontend", l.source(t, "# syntax="+name+"\n"+shellDockerfile))
	clean, _ := l.repository(t, "clean", l.source(t, shellDockerfile))

	argument := "--opt=build-arg:BUILDKIT_SYNTAX=" + name
	img := read(t, kitBuild(t, "--opt=context="+address+"#v1", argument, "--opt=cmdline=", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000"))
	again(t, img, planned(t, img, Input{Source: address + "#" + commit}), Builder{}).want(t, rebuild.Reproducible)
	if n := asked.Load(); n != 0 {
		t.Errorf("the frontend's registry was asked %d times", n)
	}
	for _, options := range [][]string{{"--opt=context=" + address + "#v1"}, {"--opt=context=" + clean + "#v1", argument}} {
		before := asked.Load()
		argv := append([]string{"build", "--frontend=dockerfile.v0", "--no-cache"}, options...)
		if out, err := exec.Command("buildctl", argv...).CombinedOutput(); err == nil || asked.Load() == before {
			t.Errorf("without the option cmdline nobody asks for the frontend, so nothing is shown: %v\n%s", err, out)
		}
	}
}

func refusals(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	address, _ := l.repository(t, "refusals", dir)
	minMode := read(t, kitBuild(t, "--opt=context="+address+"#v1", "--opt=attest:provenance=mode=min", "--opt=build-arg:VERSION=2"))
	if p := planned(t, minMode, Input{}); !strings.Contains(reasons(p), "recipe/min-mode-attestation") {
		t.Errorf("mode=min: %q", reasons(p))
	}
	local := read(t, kitBuild(t, "--local=context="+dir, "--local=dockerfile="+dir, "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:VERSION=5"))
	if p := planned(t, local, Input{}); !strings.Contains(reasons(p), `recipe/local-context inputs="context, dockerfile"`) {
		t.Errorf("local: %q", reasons(p))
	}
	again(t, local, planned(t, local, Input{Source: dir}), Builder{}).want(t, rebuild.Reproducible)
}

func sourceGone(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	address, _ := l.repository(t, "gone", dir)
	img := read(t, kitBuild(t, "--opt=context="+address+"#v1", "--opt=attest:provenance=mode=max"))
	plan := planned(t, img, Input{})
	if err := os.RemoveAll(filepath.Join(l.dir, "git", "gone.git")); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "buildctl", "prune", "--all")
	_, err := Builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
	if !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), "the source cannot be had") {
		t.Errorf("%v", err)
	}
	for _, engine := range []string{"classic", "buildah"} {
		_, err := Builder{Engine: engine}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
		if !errors.Is(err, rebuild.ErrNoBuilder) || !strings.Contains(err.Error(), "to fetch nothing but what is pinned") {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// An instruction that nobody can tell wants the network fails without one: that
// is a refusal, and no failed build.
func networkKept(t *testing.T, l *lab) {
	const text = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY fetch /fetch\nRUN [\"/bin/busybox\",\"sh\",\"/fetch\"]\n"
	dir := l.source(t, text)
	l.write(t, filepath.Join(dir, "fetch"), "/bin/busybox wget -O /x http://example.org/\n")
	img := read(t, classicBuild(t, l.source(t, shellDockerfile)))
	plan := planned(t, img, Input{Source: dir})
	for _, engine := range Engines() {
		_, err := Builder{Engine: engine}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
		if !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), "an instruction wanted the network") {
			t.Errorf("%s: %v", engine, err)
		}
	}
	l.write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\",\"false\"]\n")
	for _, engine := range Engines() {
		plan := planned(t, img, Input{Source: dir})
		_, err := Builder{Engine: engine}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
		if !errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), "an instruction failed") {
			t.Errorf("%s: %v", engine, err)
		}
	}
	added := l.source(t, "FROM scratch\nADD https://127.0.0.1:1/x /x\n")
	if p := planned(t, img, Input{Source: added}); !strings.Contains(reasons(p), `plan/network-needed line="2" what="ADD https://127.0.0.1:1/x"`) {
		t.Errorf("%q", reasons(p))
	}
}

// theSample builds the sample again: its repository is gone, but all that was
// copied from it lies in its own layers.
func theSample(t *testing.T, l *lab) {
	const sample = "../../fixtures/docker/buildkit-git-provenance.oci.tar"
	img := read(t, sample)
	plan := planned(t, img, Input{})
	if len(plan.Reasons) > 0 || detailsOf(t, plan).Engine != "buildkit" {
		t.Fatalf("the plan is %+v", plan)
	}
	_, err := Builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
	if !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), "the source cannot be had") {
		t.Errorf("without its repository: %v", err)
	}
	dir := t.TempDir()
	unpack(t, sample, img.Layers[0].Member, "bin/busybox", filepath.Join(dir, "busybox"))
	unpack(t, sample, img.Layers[2].Member, "opt/app", filepath.Join(dir, "app"))
	plan = planned(t, img, Input{Source: dir})
	o := again(t, img, plan, Builder{})
	o.want(t, rebuild.Reproducible)
	if o.rebuilt.Manifest.Digest != img.Manifest.Digest {
		t.Errorf("the manifests are %s and %s", img.Manifest.Digest, o.rebuilt.Manifest.Digest)
	}
}

// unpack writes what a layer of an archive has below a path.
func unpack(t *testing.T, archive, member, below, to string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	outer := tar.NewReader(f)
	for {
		h, err := outer.Next()
		if err != nil {
			t.Fatalf("looking for %s: %v", member, err)
		}
		if h.Name == member {
			break
		}
	}
	z, err := gzip.NewReader(outer)
	if err != nil {
		t.Fatal(err)
	}
	inner := tar.NewReader(z)
	for {
		h, err := inner.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(h.Name, "/")
		rest, ok := strings.CutPrefix(name, below)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		path := to + rest
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, 0o755)
			if err == nil {
				err = os.Chmod(path, h.FileInfo().Mode().Perm())
			}
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, path)
		case tar.TypeLink:
			err = os.Link(to+strings.TrimPrefix(h.Linkname, below), path)
		case tar.TypeReg:
			var data []byte
			if data, err = io.ReadAll(inner); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
			if err == nil {
				err = os.Chmod(path, h.FileInfo().Mode().Perm())
			}
		default:
			err = fmt.Errorf("an entry of type %q", h.Typeflag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func buildahTimes(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	for _, layers := range []string{"--layers=false", "--layers=true"} {
		img := read(t, buildahBuild(t, layers, dir))
		plan := planned(t, img, Input{Source: dir})
		if d := detailsOf(t, plan); d.Engine != "buildah" || d.Layers != (layers == "--layers=true") {
			t.Errorf("%s: the plan is %+v", layers, plan)
		}
		o := again(t, img, plan, Builder{})
		o.want(t, rebuild.Equivalent)
		if built, reused := o.built(); built != 10 || reused != 0 {
			t.Errorf("items: %v", o.result.Items)
		}
	}
}

func buildahTimestamp(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	img := read(t, buildahBuild(t, "--timestamp=1700000000", "--layers=true", dir))
	again(t, img, planned(t, img, Input{Source: dir}), Builder{}).want(t, rebuild.Reproducible)
}

// Another engine makes the same files, and says so in its own words: the
// histories differ, and the log says why.
func otherEngine(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	img := read(t, classicBuild(t, dir))
	plan := planned(t, img, Input{Source: dir})
	log := new(bytes.Buffer)
	_, err := Builder{Engine: "buildah"}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Log: log, Settings: settings(plan)})
	if err != nil || !strings.Contains(log.String(), "The original was built by classic, this is buildah") {
		t.Errorf("%v\n%s", err, log)
	}
	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	_, err = Builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
	var hint *rebuild.HintError
	if !errors.Is(err, rebuild.ErrNoBuilder) || !errors.As(err, &hint) || !strings.Contains(hint.Hint, "The image was built by classic") {
		t.Errorf("without Docker: %v", err)
	}
}

// The script does what the builder does.
func scripts(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	for name, tc := range map[string]struct {
		image string
		want  compare.Result
	}{
		"classic":  {classicBuild(t, dir), compare.Equivalent},
		"buildkit": {kitBuild(t, "--local=context="+dir, "--local=dockerfile="+dir, "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000"), compare.Identical},
		"buildah":  {buildahBuild(t, "--layers=false", dir), compare.Equivalent},
	} {
		img := read(t, tc.image)
		plan := planned(t, img, Input{Source: dir})
		work := t.TempDir()
		script := filepath.Join(work, "rebuild.sh")
		if err := os.WriteFile(script, Script(plan), 0o755); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		c := exec.CommandContext(ctx, "sh", script)
		c.Dir = work
		out, err := c.CombinedOutput()
		cancel()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		c2 := compare.Images(img, read(t, filepath.Join(work, "rebuilt.tar")), nil)
		if got := c2.Result(); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

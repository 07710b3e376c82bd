package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"audit/inspect/check"
)

// A result is what these tests read of a report.json.
type result struct {
	Image   struct{ IndexDigest string }
	Recipe  struct{ System, Status string }
	Verdict string
	Checks  []struct {
		ID, Status string
		Summary    []struct{ Code string }
		Findings   []struct {
			Code, Path string
			Arguments  map[string]any
		}
	}
	Comparison struct{ Result string }
	Rebuild    struct {
		Command []string
		Items   struct {
			Built  []struct{ Path string }
			Reused []string
		}
	}
}

func (r result) status(id string) string {
	for _, c := range r.Checks {
		if c.ID == id {
			return c.Status
		}
	}
	return ""
}

// finding returns the code and arguments of the rebuild's finding about a path.
func (r result) finding(path string) string {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if c.ID == "rebuild" && f.Path == path {
				return fmt.Sprint(f.Code, f.Arguments)
			}
		}
	}
	return ""
}

// audit runs the whole program, which the first call builds. It returns its
// report where the arguments ask for that, and what it printed, shortened to what
// a failed test needs.
func (l *lab) audit(t *testing.T, args ...string) (r result, status int, output string) {
	t.Helper()
	program := filepath.Join(l.dir, "audit")
	if _, err := os.Stat(program); err != nil {
		command(t, []string{"CGO_ENABLED=0", "HOME=" + l.home}, l.goTool, "build", "-o", program, "../../cmd/audit")
	}
	stdout, stderr := new(bytes.Buffer), new(bytes.Buffer)
	c := exec.CommandContext(t.Context(), program, args...)
	c.Stdout, c.Stderr = stdout, stderr
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status = c.ProcessState.ExitCode()
	if !slices.Contains(args, "--json") {
		return r, status, stdout.String() + stderr.String()
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("audit %q: %v\n%s%s", args, err, stdout, stderr)
	}
	return r, status, fmt.Sprintf("%s %+v\n%s", r.Verdict, r.Checks, stderr)
}

// auditSample builds the sample again from nothing but its attestation, which
// names a repository on the loopback address. What lay in it lies in the
// sample's layers and in the attestation: its commit has the same name.
func auditSample(t *testing.T, l *lab) {
	const sample = "../../fixtures/docker/buildkit-git-provenance.oci.tar"
	img := read(t, sample)
	dir := t.TempDir()
	unpack(t, sample, img.Layers[0].Member, "bin/busybox", filepath.Join(dir, "busybox"))
	unpack(t, sample, img.Layers[2].Member, "opt/app", filepath.Join(dir, "app"))
	text, err := os.ReadFile("../../fixtures/docker/buildkit-git-provenance.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	l.write(t, filepath.Join(dir, "Dockerfile"), string(text))
	base := t.TempDir()
	command(t, []string{"GIT_AUTHOR_DATE=1795197985 +0000", "GIT_COMMITTER_DATE=1795197985 +0000"}, "sh", "-ec", `
		git -C "$1" init -q -b main
		git -C "$1" add -A
		git -C "$1" -c user.name=x -c user.email=x@example.org commit -q -m ctx
		git clone -q --bare "$1" "$2/ctx.git"`, "sh", dir, base)
	if commit := command(t, nil, "git", "-C", dir, "rev-parse", "HEAD"); commit != "90441ff6576eeb377fe7c842df280abb6ca60354" {
		t.Fatalf("the repository of the sample has the commit %s", commit)
	}
	start(t, "git", "daemon", "--export-all", "--base-path="+base, "--listen=127.0.0.1", "--reuseaddr")
	wait(t, "git", "ls-remote", "git://127.0.0.1/ctx.git")

	r, status, output := l.audit(t, "--json", "--require", "reproducible", "--trust-source", "git://127.0.0.1/ctx.git", sample)
	if status != 0 || r.Verdict != "reproducible" || r.Recipe.Status != "partial" || r.status("rebuild") != "pass" || r.Rebuild.Command[0] != "buildctl" {
		t.Errorf("status %d\n%s", status, output)
	}
	if len(r.Rebuild.Items.Built) != 5 || len(r.Rebuild.Items.Reused) != 0 {
		t.Errorf("%+v", r.Rebuild.Items)
	}
}

// auditReplay audits an image that was built here with mode=max, and one with
// mode=min, and one from a folder. Provenance is another one each time, and with
// it the index: the image for a platform is the same.
func auditReplay(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	address, commit := l.repository(t, "audited", dir)
	options := []string{"--opt=context=" + address + "#v1", "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:VERSION=3"}
	first, second := kitBuild(t, options...), kitBuild(t, options...)
	r, status, output := l.audit(t, "--json", "--trust-source", address, first)
	if status != 0 || r.Verdict != "reproducible" || !slices.Contains(r.Rebuild.Command, "--opt=context="+address+"#"+commit) {
		t.Errorf("status %d\n%s", status, output)
	}
	again, status, output := l.audit(t, "compare", "--json", second, first)
	if status != 0 || again.Verdict != "matching" || again.Comparison.Result != "identical" || again.Image.IndexDigest == r.Image.IndexDigest || again.Image.IndexDigest == "" {
		t.Errorf("status %d, indexes %s and %s\n%s", status, r.Image.IndexDigest, again.Image.IndexDigest, output)
	}

	plan := t.TempDir()
	if _, status, output := l.audit(t, "plan", "-o", plan, "--trust-source", address, first); status != 0 {
		t.Errorf("status %d\n%s", status, output)
	}
	rebuilt := filepath.Join(t.TempDir(), "rebuilt.tar")
	if _, status, output := l.audit(t, "rebuild", "-o", rebuilt, "--trust-source", address, filepath.Join(plan, "plan.json")); status != 0 {
		t.Errorf("status %d\n%s", status, output)
	}
	if r, _, output := l.audit(t, "--json", "--rebuilt", rebuilt, first); r.Verdict != "matching" || r.Comparison.Result != "identical" {
		t.Errorf("a plan that was run by itself: %s", output)
	}

	minMode := kitBuild(t, "--opt=context="+address+"#v1", "--opt=attest:provenance=mode=min")
	folder := kitBuild(t, "--local=context="+dir, "--local=dockerfile="+dir, "--opt=attest:provenance=mode=max", "--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:VERSION=3")
	for image, want := range map[string]string{minMode: "recorded with mode=min", folder: "built from local inputs that nobody else can fetch"} {
		if _, status, output := l.audit(t, "rebuild", "-o", t.TempDir(), image); status != 4 || !strings.Contains(output, want) {
			t.Errorf("status %d, want %q\n%s", status, want, output)
		}
	}
	if r, _, output := l.audit(t, "--json", "--source", dir, folder); r.Verdict != "reproducible" {
		t.Errorf("from the folder that the user names: %s", output)
	}
}

// auditRegistry audits an image where it was pushed to, with its provenance in
// the index beside it, and a base image that has moved on since.
func auditRegistry(t *testing.T, l *lab) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	l.pushed(t, host+"/lab/base:1", "first")
	address, _ := l.repository(t, "pushed", l.source(t, "FROM "+host+"/lab/base:1\nCOPY hello.txt /opt/\n"))
	name := host + "/lab/app:1"
	command(t, nil, "buildctl", "build", "--frontend=dockerfile.v0", "--no-cache", "--opt=context="+address+"#main", "--opt=attest:provenance=mode=max",
		"--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--output=type=image,name="+name+",push=true,registry.insecure=true,rewrite-timestamp=true")
	l.pushed(t, host+"/lab/base:1", "the tag was moved")
	r, status, output := l.audit(t, "--json", "--trust-source", address, "--trust-source", "docker-image://"+host+"/lab/base", "--base", "docker://"+host+"/lab/base:1", "docker://"+name)
	if status != 0 || r.Verdict != "reproducible" || r.Image.IndexDigest == "" || !strings.Contains(output, "recipe/base-differs") {
		t.Errorf("status %d\n%s", status, output)
	}
	if len(r.Rebuild.Items.Built) != 1 || len(r.Rebuild.Items.Reused) != 1 {
		t.Errorf("%+v", r.Rebuild.Items)
	}
}

// auditClassic audits images by Docker's own builder: times differ always, and
// a date that an instruction writes is no harmless time.
func auditClassic(t *testing.T, l *lab) {
	dir := l.source(t, shellDockerfile)
	times := classicBuild(t, dir)
	dated := l.source(t, shellDockerfile+"USER 0:0\nRUN date > /etc/built-at\n")
	date := classicBuild(t, dated)
	time.Sleep(1100 * time.Millisecond)
	r, status, output := l.audit(t, "--json", "--require", "equivalent", "--source", dir, times)
	if status != 0 || r.Verdict != "equivalent" || !strings.Contains(output, "timestamp") {
		t.Errorf("status %d\n%s", status, output)
	}
	r, status, output = l.audit(t, "--json", "--source", dated, date)
	if found := r.finding("etc/built-at"); status != 1 || r.Verdict != "unreproducible" ||
		!strings.Contains(found, "embedded-date") || !strings.Contains(found, "RUN date > /etc/built-at") {
		t.Errorf("status %d, %q\n%s", status, found, output)
	}
	if _, status, output := l.audit(t, "rebuild", "-o", t.TempDir(), times); status != 4 || !strings.Contains(output, "no SLSA provenance attestation lies beside the image") {
		t.Errorf("status %d\n%s", status, output)
	}
	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	r, status, output = l.audit(t, "--json", "--source", dir, times)
	if skipped := r.status("rebuild"); status != 0 || r.Verdict != "unverified" || skipped != check.Skipped.String() {
		t.Errorf("without an engine: status %d\n%s", status, output)
	}
}

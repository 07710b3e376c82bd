package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"audit/rebuild/policy"
)

// commandsOf are the commands of a page: the lines of its blocks of shell.
func commandsOf(text string) (commands []string) {
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		commands = append(commands, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return commands
}

// The commands of the pages are typed as they stand there, in their order, with a
// registry of this machine in the place of those that they name. Nothing is built here,
// so that what is demanded of rebuilders does not hold: that is the one other status.
func TestPages(t *testing.T) {
	sample, err := os.ReadFile("../../fixtures/guix/images/tiny.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range topics() {
		t.Run(p.name, func(t *testing.T) {
			host := strings.TrimPrefix(serve(t), "http://")
			t.Chdir(t.TempDir())
			t.Setenv("DOCKER_CONFIG", t.TempDir())
			if err := os.WriteFile("image.tar.gz", sample, 0o644); err != nil {
				t.Fatal(err)
			}
			push(t, "image.tar.gz", host+"/lab/tool:1.0")
			if err := os.WriteFile("images.txt", []byte("docker://"+host+"/lab/tool:1.0\nimage.tar.gz\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			prepare(t)
			if err := os.WriteFile("policy.json", policy.ReadyText("explained"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("auth.json", []byte(`{"auths":{}}`), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir("certs", 0o755); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(p.text, "audit keygen a\n") {
				if err := os.Remove("a.pub"); err != nil {
					t.Fatal(err)
				}
			}
			commands := commandsOf(p.text)
			if len(commands) < 5 {
				t.Errorf("%d commands", len(commands))
			}
			digest := fmt.Sprintf("%x", sha256.Sum256(sample))
			var byHand bytes.Buffer
			for _, command := range commands {
				if !strings.HasPrefix(command, "audit ") {
					byHand.Write(byShell(t, command))
					continue
				}
				command = strings.ReplaceAll(command, " HEX ", " "+digest+" ")
				line := regexp.MustCompile(`(registry|[ab])\.example/`).ReplaceAllString(command, host+"/")
				line, _, _ = strings.Cut(line, " >") // a file, for what it prints
				var stdout, stderr bytes.Buffer
				status := Main(strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
				if asks := strings.HasPrefix(command, "audit verify"); status != exitHolds && (!asks || status != exitPolicy) {
					t.Fatalf("%s: status %d\n%s%s", line, status, &stdout, &stderr)
				}
			}
			if strings.Contains(p.text, "\nsha256sum ") {
				sameDigests(t, "found/report.json", byHand.String())
			}
		})
	}
}

// byShell runs a command of other tools that pages name, in a shell.
func byShell(t *testing.T, command string) []byte {
	t.Helper()
	for _, program := range []string{"sh", "tar", "gzip", "sha256sum", "find"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s", program)
		}
	}
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

// sameDigests: of the file, the config and each layer other tools print the digests that
// the report has.
func sameDigests(t *testing.T, path, printed string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Image struct {
			ArchiveDigest, ConfigDigest string
			Layers                      []struct{ DiffID string }
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	digests := []string{doc.Image.ArchiveDigest, doc.Image.ConfigDigest}
	for _, l := range doc.Image.Layers {
		digests = append(digests, l.DiffID)
	}
	if len(digests) < 3 {
		t.Errorf("%s has no layers", path)
	}
	for _, d := range digests {
		if hex := strings.TrimPrefix(d, "sha256:"); hex == "" || !strings.Contains(printed, hex) {
			t.Errorf("%q is not among what other tools print:\n%s", d, printed)
		}
	}
}

// TestPagesAreNamed: the README and audit help name every page, and a page that another
// one names is there.
func TestPagesAreNamed(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var help bytes.Buffer
	if status := Main([]string{"audit", "help"}, nil, &help, &help); status != exitHolds {
		t.Fatalf("audit help: %d\n%s", status, &help)
	}
	app := newApp(nil, io.Discard, io.Discard)
	texts := []topic{{"README", string(readme)}}
	for _, p := range topics() {
		if !strings.Contains(string(readme), "`audit help "+p.name+"`") {
			t.Errorf("the README does not name audit help %s", p.name)
		}
		if !strings.Contains(help.String(), p.name+"  ") || !strings.Contains(help.String(), p.title()) {
			t.Errorf("audit help does not name %s", p.name)
		}
		texts = append(texts, p)
	}
	for _, p := range texts {
		for _, m := range regexp.MustCompile("`audit\\s+help\\s+([a-z]+)`").FindAllStringSubmatch(p.text, -1) {
			if app.Command(m[1]) == nil {
				t.Errorf("%s names audit help %s, which is not there", p.name, m[1])
			}
		}
	}
}

// TestFlagsOfPages: each command of audit that the README or a page has, whether a test
// can run it or not, has a verb or page that there is, and its flags.
func TestFlagsOfPages(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(nil, io.Discard, io.Discard)
	seen := 0
	for _, p := range append(topics(), topic{"README", string(readme)}) {
		for _, m := range regexp.MustCompile("(?m)`(audit\\s[^`]+)`|^ *(audit .*)$").FindAllStringSubmatch(p.text, -1) {
			line, _, _ := strings.Cut(m[1]+m[2], " ||") // what a shell does with it
			w := newCommandLine(app, strings.Fields(line)[1:])
			verb, _ := w.verb()
			if w.isHelp() {
				continue // TestPagesAreNamed
			}
			seen++
			for _, f := range w.flags {
				if err := w.wrongFlag(verb, f); err != nil {
					t.Errorf("%s: %s: %v", p.name, line, err)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d commands", seen)
	}
}

// TestExampleOfReadme: what the README shows for an answer is what its first command prints.
func TestExampleOfReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	image, err := filepath.Abs("../../fixtures/guix/images/tiny.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("PATH", t.TempDir())
	var out bytes.Buffer
	if status := Main([]string{"audit", image}, nil, &out, io.Discard); status != exitHolds {
		t.Fatalf("status %d", status)
	}
	if !strings.Contains(string(readme), "```text\n"+out.String()+"```") {
		t.Errorf("the README does not have what is printed:\n%s", &out)
	}
}

func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	return server.URL
}

func push(t *testing.T, path, reference string) {
	t.Helper()
	image, err := tarball.Image(func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return gzip.NewReader(f)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
}

// prepare makes what a page takes for given: keys of rebuilders, one of their
// statements, and a trust file.
func prepare(t *testing.T) {
	t.Helper()
	run := func(line string) {
		t.Helper()
		var out bytes.Buffer
		if status := Main(strings.Fields(line), strings.NewReader(""), &out, &out); status != 0 {
			t.Fatalf("%s: %d\n%s", line, status, &out)
		}
	}
	run("audit keygen x")
	for _, rebuilder := range []string{"a", "b"} {
		if err := os.Rename("x.pub", rebuilder+".pub"); err != nil {
			t.Fatal(err)
		}
		if rebuilder == "a" {
			run("audit --sign x.key -o x.audit image.tar.gz")
			move := filepath.Join("x.audit", bundleFile)
			if err := os.Rename(move, "a.sigstore.json"); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile("a.pub")
			if err != nil {
				t.Fatal(err)
			}
			trust := `{"schemaVersion":"1","rebuilders":[{"name":"a","key":"` + strings.ReplaceAll(string(text), "\n", `\n`) + `"}]}`
			if err := os.WriteFile("trust.json", []byte(trust), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove("x.key"); err != nil {
				t.Fatal(err)
			}
			run("audit keygen x")
		}
	}
	if err := os.RemoveAll("x.audit"); err != nil {
		t.Fatal(err)
	}
}

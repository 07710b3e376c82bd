package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"

	"audit/rebuild/compare"
)

// fixturesChannel is the address of the channel of the sample images that
// nobody trusts by default.
const fixturesChannel = "https://example.org/fixtures.git"

// TestRealGuix runs audit against the real Guix, in the lab that .ci/lab sets
// up. Its scripts change one store, so they run one after another; each
// makes what it needs and forgets what would be in its way.
func TestRealGuix(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "guix" {
		t.Skip("needs GNU Guix 1.5.0 with the channels of the samples: .ci/lab sets it up, AUDIT_TEST_REAL=guix says that it is there")
	}
	scripts, err := filepath.Glob("testdata/real/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) { runReal(t, script) })
	}
	if !t.Failed() {
		fmt.Printf("real suite: guix %d tests\n", len(scripts))
	}
}

func runReal(t *testing.T, script string) {
	testscript.Run(t, testscript.Params{
		Files:               []string{script},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			samples, err := filepath.Abs("../../fixtures/guix")
			if err != nil {
				return err
			}
			channels, err := filepath.Abs("../../.ci/guix/channels.scm")
			if err != nil {
				return err
			}
			env.Setenv("SAMPLES", samples)
			env.Setenv("CHANNELS", channels)
			env.Setenv("TRUST", "--trust-channel="+fixturesChannel)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("USER", "root")
			env.Setenv("GUILE_AUTO_COMPILE", "0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tamper":  tamper,
			"status":  status,
			"norun":   norun,
			"pack":    pack,
			"pushed":  pushed,
			"forget":  forget,
			"came":    came,
			"fresh":   fresh,
			"causes":  causes,
			"farm":    farm,
			"publish": publish,
			"said":    said,
			"lzipped": lzipped,
			"instore": inStore,
			"walked":  walked,
			"gitrepo": gitRepository,
		},
	})
}

// pack OUT PACKAGES [OPTION…] makes an image with guix pack, as its author
// would; PACKAGES are separated by commas.
func pack(ts *testscript.TestScript, _ bool, args []string) {
	var names []string
	for name := range strings.SplitSeq(args[1], ",") {
		names = append(names, fmt.Sprintf("%q", name))
	}
	manifest := ts.MkAbs("packed.scm")
	ts.Check(os.WriteFile(manifest, []byte("(specifications->manifest (list "+strings.Join(names, " ")+"))\n"), 0o666))
	command := []string{"time-machine", "-C", ts.Getenv("CHANNELS"), "--", "pack", "-f", "docker", "--save-provenance", "-m", manifest}
	ts.Check(ts.Exec("guix", append(command, args[2:]...)...))
	image, err := os.ReadFile(strings.TrimSpace(ts.ReadFile("stdout")))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), image, 0o666))
}

// pushed NAME.tar.gz starts a registry that has the image as $REGISTRY/lab/NAME:1.
func pushed(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	ts.Setenv("REGISTRY", address)
	image, err := tarball.Image(func() (io.ReadCloser, error) {
		f, err := os.Open(ts.MkAbs(args[0]))
		if err != nil {
			return nil, err
		}
		return gzip.NewReader(f)
	}, nil)
	ts.Check(err)
	tag, err := name.NewTag(address + "/lab/" + strings.TrimSuffix(args[0], ".tar.gz") + ":1")
	ts.Check(err)
	ts.Check(remote.Write(tag, image))
}

// forget NAME… removes all store items of these names.
func forget(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		items, err := filepath.Glob("/gnu/store/*-" + name)
		ts.Check(err)
		for _, item := range items {
			ts.Check(ts.Exec("guix", "gc", "--delete", item))
		}
	}
}

// inStore NAME none, or inStore NAME some, demands that the store has no item of
// this name, or one.
func inStore(ts *testscript.TestScript, _ bool, args []string) {
	items, err := filepath.Glob("/gnu/store/*-" + args[0])
	ts.Check(err)
	if (len(items) > 0) != (args[1] == "some") {
		ts.Fatalf("%s: the store has %q, want %s", args[0], items, args[1])
	}
}

// gitRepository FOLDER makes a bare git repository of one commit with one file;
// $COMMIT is its name. (The lab has no git: objects are written as gitformat-loose(5)
// has them.)
func gitRepository(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	object := func(kind, content string) (raw [20]byte, name string) {
		text := fmt.Sprintf("%s %d\x00%s", kind, len(content), content)
		raw = sha1.Sum([]byte(text))
		name = fmt.Sprintf("%x", raw)
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		_, err := w.Write([]byte(text))
		ts.Check(err)
		ts.Check(w.Close())
		ts.Check(os.MkdirAll(filepath.Join(dir, "objects", name[:2]), 0o777))
		ts.Check(os.WriteFile(filepath.Join(dir, "objects", name[:2], name[2:]), packed.Bytes(), 0o666))
		return raw, name
	}
	blob, _ := object("blob", "(define-module (extra))\n")
	_, tree := object("tree", "100644 extra.scm\x00"+string(blob[:]))
	_, commit := object("commit", "tree "+tree+"\nauthor A <a@example.org> 1 +0000\ncommitter A <a@example.org> 1 +0000\n\nfirst\n")
	ts.Check(os.MkdirAll(filepath.Join(dir, "refs", "heads"), 0o777))
	for file, text := range map[string]string{
		"HEAD": "ref: refs/heads/main\n", "config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", "refs/heads/main": commit + "\n",
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666))
	}
	ts.Setenv("COMMIT", commit)
}

// rebuildOf reads the part of a report that says what was rebuilt.
func rebuildOf(ts *testscript.TestScript, file string) (r struct {
	Rebuild struct {
		Items struct {
			Built       []struct{ Path string }
			Reused      []string
			Substituted []struct{ Path, Source string }
		}
		Fresh []struct {
			Items       []string
			Same        bool
			Differences []string
		}
	}
	Comparison struct {
		Differences []struct{ Cause compare.Cause }
	}
}) {
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &r))
	return r
}

// nameOf returns the name of a store item: what follows its hash.
func nameOf(item string) string {
	_, name, _ := strings.Cut(filepath.Base(item), "-")
	return name
}

// came REPORT.json HOW NAME… demands that just the items of these names were
// built, reused or substituted. A substituted one is given as NAME@SERVER.
func came(ts *testscript.TestScript, _ bool, args []string) {
	items := rebuildOf(ts, args[0]).Rebuild.Items
	var got []string
	switch args[1] {
	case "built":
		for _, b := range items.Built {
			got = append(got, nameOf(b.Path))
		}
	case "reused":
		for _, path := range items.Reused {
			got = append(got, nameOf(path))
		}
	case "substituted":
		for _, s := range items.Substituted {
			got = append(got, nameOf(s.Path)+"@"+s.Source)
		}
	}
	want := slices.Sorted(slices.Values(args[2:]))
	if slices.Sort(got); !slices.Equal(got, want) {
		ts.Fatalf("%s: %q, want %q", args[1], got, want)
	}
}

// fresh REPORT.json NAME same, or fresh REPORT.json NAME FILE…, demands that an
// item was built afresh, and gave the same bytes or differed in these files.
func fresh(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range rebuildOf(ts, args[0]).Rebuild.Fresh {
		if !slices.ContainsFunc(f.Items, func(item string) bool { return nameOf(item) == args[1] }) {
			continue
		}
		same := len(args) == 3 && args[2] == "same"
		var files []string
		for _, d := range f.Differences {
			files = append(files, strings.TrimPrefix(d, f.Items[0]+"/"))
		}
		if f.Same != same || !same && !slices.Equal(files, args[2:]) {
			ts.Fatalf("%s: same %t, differences %q", args[1], f.Same, f.Differences)
		}
		return
	}
	ts.Fatalf("%s was not built afresh", args[1])
}

// causes REPORT.json [CAUSE…] demands that the differences have just these
// causes. What is single-layer comes in the order of the store's file system,
// so order alone may also be missing: "causes REPORT.json order?".
func causes(ts *testscript.TestScript, _ bool, args []string) {
	var got []string
	for _, d := range rebuildOf(ts, args[0]).Comparison.Differences {
		got = append(got, string(d.Cause))
	}
	slices.Sort(got)
	got = slices.Compact(got)
	if len(args) == 2 && args[1] == "order?" && (len(got) == 0 || slices.Equal(got, []string{"order"})) {
		return
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("causes %q, want %q", got, args[1:])
	}
}

// farm starts a daemon that fetches substitutes from a server of the published
// sample items; $FARM is its address.
func farm(ts *testscript.TestScript, _ bool, _ []string) {
	published := ts.Getenv("SAMPLES") + "/publish"
	authorize(ts, published+"/signing-key.pub")
	server := httptest.NewServer(http.FileServer(http.Dir(published)))
	ts.Defer(server.Close)
	socket := ts.MkAbs("daemon")
	daemon := exec.Command("guix-daemon", "--build-users-group=guixbuild", "--listen="+socket, "--substitute-urls="+server.URL)
	said, err := daemon.StderrPipe()
	ts.Check(err)
	ts.Check(daemon.Start())
	ts.Defer(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	go func() { _, _ = io.Copy(io.Discard, said) }()
	ts.Setenv("GUIX_DAEMON_SOCKET", socket)
	ts.Setenv("FARM", server.URL)
	for {
		if _, err := os.Stat(socket); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func authorize(ts *testscript.TestScript, key string) {
	f, err := os.Open(key)
	ts.Check(err)
	defer f.Close()
	cmd := exec.Command("guix", "archive", "--authorize")
	cmd.Stdin = f
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("authorizing the farm's key: %v: %s", err, out)
	}
}

// publish [OPERATOR] serves the store with guix publish, as a build farm does;
// $PUBLISHED is its address and $KEY the file of its key. The farm of an operator
// that is named has a key of its own: $PUBLISHED_OPERATOR and $KEY_OPERATOR.
func publish(ts *testscript.TestScript, _ bool, args []string) {
	folder, suffix := "/etc/guix", ""
	if len(args) > 0 {
		folder, suffix = ts.MkAbs("farm-"+args[0]), "_"+args[0]
	}
	// Where Guix keeps the keys that it signs with, unless it is told another place.
	key := filepath.Join(folder, "signing-key.pub")
	secret := filepath.Join(folder, "signing-key.sec")
	if _, err := os.Stat(key); err != nil {
		generate := exec.Command("guix", "archive", "--generate-key")
		generate.Env = append(os.Environ(), "GUIX_CONFIGURATION_DIRECTORY="+folder)
		out, err := generate.CombinedOutput()
		if err != nil {
			ts.Fatalf("generating a key: %v: %s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	server := exec.Command("guix", "publish", "--listen=127.0.0.1", "--port="+port, "--public-key="+key, "--private-key="+secret)
	ts.Check(server.Start())
	ts.Defer(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	address := "http://127.0.0.1:" + port
	ts.Setenv("PUBLISHED"+suffix, address)
	ts.Setenv("KEY"+suffix, key)
	for {
		if answer, err := http.Get(address + "/nix-cache-info"); err == nil {
			ts.Check(answer.Body.Close())
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// said REPORT.json WORD NAME… demands that build farms said this of the store
// items of these names: signed, or the rule of a finding.
func said(ts *testscript.TestScript, _ bool, args []string) {
	var r struct {
		StoreItems []struct {
			Path   string
			Signed int
		}
		Checks []struct {
			ID       string
			Findings []struct{ Code, Path string }
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	of := make(map[string]bool)
	for _, item := range r.StoreItems {
		if item.Signed > 0 && args[1] == "signed" {
			of[nameOf(item.Path)] = true
		}
	}
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.Code == "signatures/"+args[1] {
				of[nameOf(f.Path)] = true
			}
		}
	}
	for _, name := range args[2:] {
		if !of[name] {
			ts.Fatalf("%s: %v, and not of %s", args[1], of, name)
		}
	}
}

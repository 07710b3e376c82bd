package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// The real suite runs the builder with the real Nix, without a daemon and
// without a network. It is part of the tests where AUDIT_TEST_REAL names nix, and
// needs user namespaces and Debian's nix-bin, busybox-static, jq, sqlite3 and
// git.

const samples = "../../fixtures/nix"

// realTests holds the names of the tests of the real suite that ran.
var realTests sync.Map

// real skips a test where the real suite is not asked for, and fails it where
// it is and cannot run.
func real(t *testing.T) {
	t.Helper()
	if !slices.Contains(strings.FieldsFunc(os.Getenv("AUDIT_TEST_REAL"), func(r rune) bool { return r == ',' || r == ' ' }), "nix") {
		t.Skip("SKIPPED: the real suite of Nix runs where AUDIT_TEST_REAL names nix")
	}
	for _, tool := range []string{"nix-store", "nix-instantiate", "nix", "jq", "sqlite3", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the real suite is asked for and cannot run: %v", err)
		}
	}
	realTests.Store(t.Name(), true)
}

// hostTools shows the sandbox what the derivations of the samples are made
// with.
const hostTools = "sandbox-paths=/bin /usr /lib /lib64 /etc/alternatives"

// A lab is a job for the real Nix.
type lab struct {
	t      *testing.T
	image  *inspect.Image
	input  Input
	job    rebuild.Job
	log    bytes.Buffer
	store  string
	result *rebuild.Result
}

func newLab(t *testing.T, image string, in Input) *lab {
	t.Helper()
	real(t)
	in.Settings = append(in.Settings, hostTools, "fsync-metadata=false")
	l := &lab{t: t, input: in}
	if image != "" {
		l.image = l.open(filepath.Join(samples, image))
	}
	l.job = rebuild.Job{Dir: filepath.Join(t.TempDir(), "job"), Log: &l.log, Image: l.image, Options: rebuild.Options{NoSubstitutes: true}}
	if err := os.Mkdir(l.job.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) open(file string) *inspect.Image {
	l.t.Helper()
	img, err := inspect.Open(l.t.Context(), file, inspect.Options{Stores: fixtures.Stores(), Keep: nix.Keep})
	if err != nil {
		l.t.Fatal(err)
	}
	return img
}

// plan recovers what the image tells, and adds the input.
func (l *lab) plan() rebuild.Plan {
	l.t.Helper()
	img, recipe := l.image, provenance.Recipe{System: "nix"}
	if img == nil {
		img = &inspect.Image{}
	} else {
		ev, err := nix.System{}.Recover(img, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		recipe = ev.Recipe
	}
	plan, err := NewPlan(img, recipe, l.input)
	if err != nil {
		l.t.Fatal(err)
	}
	return plan
}

func (l *lab) tryBuild(ctx context.Context) (err error) {
	l.t.Helper()
	l.result, err = Builder{Store: l.store}.Build(ctx, l.plan(), l.job)
	return err
}

func (l *lab) build() *lab {
	l.t.Helper()
	if err := l.tryBuild(l.t.Context()); err != nil {
		l.t.Fatalf("%v\n%s", err, l.log.String())
	}
	return l
}

// compare holds the original against the rebuild.
func (l *lab) compare() *compare.Comparison {
	l.t.Helper()
	return compare.Images(l.image, l.open(l.result.Image), nil)
}

func (l *lab) wantIdentical() {
	l.t.Helper()
	if c := l.compare(); c.Result() != compare.Identical {
		l.t.Errorf("not identical: %+v", c)
	}
}

// built returns the names of the derivations that were built, with the folder
// of the machine's store where it was another one.
func (l *lab) steps() []string {
	var names []string
	for _, s := range l.result.Steps {
		name := store.NameOf(s.Derivation)
		if s.Machine != "" {
			name += " on " + filepath.Base(s.Machine)
		}
		names = append(names, name)
	}
	return names
}

func TestRealExpressions(t *testing.T) {
	for _, name := range []string{"single", "layered", "withdb"} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "images-mini/"+name+".tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: name}).build()
			l.wantIdentical()
			d := l.result.Derivation
			if d.Status != check.Pass || reasons(d) != "derivation/all-derived items=3" || d.Bytes == 0 {
				t.Errorf("%v: %s", d.Status, reasons(d))
			}
			if len(l.result.Items) != 3 || slices.ContainsFunc(l.result.Items, func(it rebuild.Item) bool { return it.How != rebuild.Built }) {
				t.Errorf("items %+v", l.result.Items)
			}
			if len(l.result.Steps) != 5 {
				t.Errorf("steps %q", l.steps())
			}
			if err := os.RemoveAll(l.job.Dir); err != nil {
				t.Errorf("the job cannot be removed: %v", err)
			}
		})
	}
}

// The derivations alone are enough, and nothing is evaluated.
func TestRealDerivation(t *testing.T) {
	l := newLab(t, "images-mini/single.tar.gz", Input{Drv: samples + "/drv-mini/yxiidw4vx0mp72nl5cgzdqm9h8536dgi-docker-image-mini-single.tar.gz.drv"}).build()
	l.wantIdentical()
	if strings.Contains(l.log.String(), "nix-instantiate") {
		t.Error("something was evaluated")
	}
}

// The forms of dockerTools, whose layers name the customisation layer.
func TestRealCustomisationLayer(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		real(t)
		t.Fatalf("the real suite needs Python: %v", err)
	}
	l := newLab(t, "images-forms/stream-merged.tar.gz", Input{Expr: samples + "/expr/forms.nix", Attr: "stream-merged"}).build()
	if d := l.result.Derivation; d.Status != check.Pass || !strings.HasSuffix(reasons(d), "derivation/customisation-derived") {
		t.Errorf("%v: %s", d.Status, reasons(d))
	}
	l.wantIdentical()

	l = newLab(t, "images-forms/stream-merged.tar.gz", Input{Expr: samples + "/expr/forms.nix", Attr: "stream"}).build()
	d := l.result.Derivation
	if d.Status != check.Fail || reasons(d) != "derivation/customisation-differs" || d.Findings[0].Code != "derivation/customisation-not-derived" {
		t.Errorf("%v: %s %+v", d.Status, reasons(d), d.Findings)
	}
}

// An image of something random: the file is named, and with every derivation
// built twice the one that is to blame. A second build of the image alone
// would have passed.
func TestRealStamped(t *testing.T) {
	l := newLab(t, "images-mini/stamped-A.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "stampedImage"})
	l.job.CheckInputs = true
	l.build()
	if d := l.result.Derivation; d.Status != check.Pass {
		t.Errorf("%v: %s", d.Status, reasons(d))
	}
	c := l.compare()
	var paths []string
	for _, d := range c.Differences {
		paths = append(paths, d.Path)
	}
	const stamped = "nix/store/ch73ydbq9dp3143phjb0klyq6v57rpxj-stamped-1.0/share/"
	if c.Result() != compare.Different || !slices.Contains(paths, stamped+"build-time") || !slices.Contains(paths, stamped+"build-id") {
		t.Errorf("%q", paths)
	}
	for _, f := range l.result.Fresh {
		blamed := f.Derivation == "/nix/store/qai9d3ahhxd1gjhyiggjpmysi3cypil1-stamped-1.0.drv"
		if f.Same == blamed || f.Problem != "" {
			t.Errorf("%+v", f)
		}
		want := []string{"/" + stamped + "build-id", "/" + stamped + "build-time"}
		if blamed && (!slices.Equal(f.Differences, want) || !slices.Equal(f.Items, []string{"/" + strings.TrimSuffix(stamped, "/share/")})) {
			t.Errorf("%+v", f)
		}
	}
	if len(l.result.Fresh) != 4 {
		t.Errorf("%d derivations were built twice", len(l.result.Fresh))
	}
}

// What is fetched is no rebuild: the image is built again, and the report says
// what came from where.
func TestRealSubstituted(t *testing.T) {
	first := newLab(t, "images-mini/layered.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "layered"})
	first.store = filepath.Join(t.TempDir(), "store")
	first.build()
	dir := t.TempDir()
	image := "/nix/store/jyxjzzv2wrrla3v94d8f634d1nq7qybf-docker-image-mini-layered.tar.gz"
	const libgreet = "/nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0"
	command(t, dir, `set -e
		export NIX_CONF_DIR=/nonexistent USER=${USER:-x} NIX_CONFIG='experimental-features = nix-command'
		nix-store --store "$PWD/keys" --generate-binary-cache-key cache.example-1 secret public
		nix --store "$1" store sign -r -k secret "$2" "$3"
		nix --store "$1" copy --to "file://$PWD/cache" "$2" "$3"`, first.store, image, libgreet)
	key, err := os.ReadFile(filepath.Join(dir, "public"))
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, "images-mini/layered.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "layered"})
	l.job.Options = rebuild.Options{SubstituteURLs: []string{"file://" + dir + "/cache"}, SubstituteKeys: []string{strings.TrimSpace(string(key))}}
	l.build().wantIdentical()
	if !slices.Contains(l.result.Command, "--check") {
		t.Errorf("the image that was fetched was not built again: %q", l.result.Command)
	}
	for _, it := range l.result.Items {
		fetched := !strings.HasSuffix(it.Path, "-greeter-1.0")
		if fetched && (it.How != rebuild.Substituted || it.Source != l.job.Options.SubstituteURLs[0]) || !fetched && it.How != rebuild.Built {
			t.Errorf("%+v", it)
		}
	}

	l = newLab(t, "images-mini/layered.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "layered"})
	l.job.Options = rebuild.Options{SubstituteURLs: []string{"file://" + dir + "/cache"}} // and nobody trusts its key
	l.build().wantIdentical()
	if slices.ContainsFunc(l.result.Items, func(it rebuild.Item) bool { return it.How != rebuild.Built }) {
		t.Errorf("fetched without a trusted signature: %+v", l.result.Items)
	}

	l = newLab(t, "images-mini/layered.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "layered"})
	l.store = first.store
	l.build().wantIdentical()
	if !slices.Contains(l.result.Command, "--check") || slices.ContainsFunc(l.result.Items, func(it rebuild.Item) bool { return it.How != rebuild.Reused }) {
		t.Errorf("a store that had it all: %q %+v", l.result.Command, l.result.Items)
	}
	if got := l.steps(); !slices.Equal(got, []string{"docker-image-mini-layered.tar.gz.drv"}) {
		t.Errorf("steps %q", got)
	}
	l.job.Fresh, l.job.Dir = []string{"words"}, t.TempDir()
	l.build()
	if f := l.result.Fresh; len(f) != 1 || !f[0].Same || store.NameOf(f[0].Derivation) != "words-1.0.drv" {
		t.Errorf("%+v", f)
	}
}

// A build that is distributed over two stores gives the same image, and the
// result says where each derivation was built.
func TestRealBuilders(t *testing.T) {
	machines := t.TempDir()
	builders := fmt.Sprintf("ssh-ng://localhost?remote-store=%[1]s/one x86_64-linux - 2 1 ; ssh-ng://localhost?remote-store=%[1]s/two x86_64-linux - 2 1", machines)
	l := newLab(t, "images-mini/layered.tar.gz", Input{Expr: samples + "/expr/mini.nix", Attr: "layered", Settings: []string{"max-jobs=0", "build-poll-interval=1"}})
	l.job.Options.Builders = builders
	l.job.CheckInputs = true
	l.build().wantIdentical()
	for _, s := range l.steps() {
		if !strings.HasSuffix(s, " on one") && !strings.HasSuffix(s, " on two") {
			t.Errorf("built here: %s", s)
		}
	}
	for _, it := range l.result.Items {
		if it.How != rebuild.Built || !strings.HasPrefix(it.Source, "ssh-ng://localhost?remote-store="+machines) {
			t.Errorf("%+v", it)
		}
	}
	for _, f := range l.result.Fresh {
		if !f.Same {
			t.Errorf("%+v", f)
		}
	}

	l = newLab(t, "", Input{Expr: "testdata/six.nix", Settings: []string{"max-jobs=0", "build-poll-interval=1"}})
	l.job.Options.Builders = builders
	l.build()
	used := make(map[string]bool)
	for _, s := range l.result.Steps {
		used[s.Machine] = true
	}
	if len(used) != 2 || len(l.result.Steps) != 7 {
		t.Errorf("not distributed: %q", l.steps())
	}
}

func TestRealFlake(t *testing.T) {
	dir := t.TempDir()
	real(t)
	if err := os.CopyFS(dir, os.DirFS(samples+"/flake")); err != nil {
		t.Fatal(err)
	}
	command(t, dir, `git init -q . && git add . && git -c user.name=x -c user.email=x@example.org commit -q -m flake`)
	first := newLab(t, "", Input{Flake: dir + "#image"}).build()
	l := newLab(t, "", Input{Flake: "git+file://" + dir + "#packages.x86_64-linux.image"})
	l.image = l.open(first.result.Image)
	l.job.Image = l.image
	l.build().wantIdentical()
	if d := l.result.Derivation; d.Status != check.Pass {
		t.Errorf("%v: %s", d.Status, reasons(d))
	}
	if v := l.image.Config.File.Config.Labels["org.opencontainers.image.revision"]; len(v) != 40 {
		t.Errorf("the revision of the flake is %q", v)
	}
}

// A script that writes the image runs inside the sandbox.
func TestRealStream(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	l := newLab(t, "", Input{Expr: "testdata/stream.nix"})
	t.Setenv("OUTSIDE", outside)
	l.build()
	if img := l.open(l.result.Image); len(img.Layers) != 1 || img.Tags[0] != "streamed:v1" {
		t.Errorf("%d layers, tags %q", len(img.Layers), img.Tags)
	}
	if !slices.Contains(l.steps(), "image.tar.drv") {
		t.Errorf("steps %q", l.steps())
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("the script wrote outside the sandbox")
	}
}

// What an expression may not do.
func TestRealRestrictions(t *testing.T) {
	real(t)
	image := `derivation { name = "x.tar"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out; exit 0" ]; data = %s; }`
	for _, tc := range []struct {
		name, data string
		kind       error
		want       string
	}{
		{"read another folder", `builtins.readFile /etc/hostname`, rebuild.ErrRefused, "forbidden in restricted mode"},
		{"fetch from somewhere", `builtins.readFile (builtins.fetchurl "https://example.org/x")`, rebuild.ErrRefused, "forbidden in restricted mode"},
		{"build while evaluating", `import (derivation { name = "y"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out; exit 0" ]; })`, rebuild.ErrRefused, "during evaluation"},
		{"look for a package collection", `import <nixpkgs> { }`, rebuild.ErrNotDone, "search path"},
		{"fail", `throw "no"`, rebuild.ErrNotDone, "no"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "image.nix")
			if err := os.WriteFile(file, fmt.Appendf(nil, image, "("+tc.data+")"), 0o600); err != nil {
				t.Fatal(err)
			}
			l := newLab(t, "images-mini/single.tar.gz", Input{Expr: file})
			err := l.tryBuild(t.Context())
			if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if d := l.result.Derivation; d.Status != check.Unknown {
				t.Errorf("derivation %v: %s", d.Status, reasons(d))
			}
		})
	}
	file := filepath.Join(t.TempDir(), "image.nix")
	text := fmt.Sprintf(image, `builtins.getEnv "HOME"`)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, "", Input{Expr: file, Path: []string{"mine=" + t.TempDir()}}).build()
	if strings.Contains(l.log.String(), os.Getenv("HOME")) {
		t.Error("the expression saw the environment")
	}
}

// A package that does not build, and a sandbox that does not work.
func TestRealFailures(t *testing.T) {
	l := newLab(t, "images-mini/single.tar.gz", Input{Expr: "testdata/broken.nix"})
	err := l.tryBuild(t.Context())
	var hint *rebuild.HintError
	if !errors.Is(err, rebuild.ErrBuild) || !errors.As(err, &hint) || !strings.Contains(err.Error(), "broken-1.0.drv") {
		t.Errorf("%v", err)
	}
	if d := l.result.Derivation; d.Status != check.Fail {
		t.Errorf("derivation %v: %s", d.Status, reasons(d))
	}
	if !strings.Contains(l.log.String(), "it does not compile") {
		t.Errorf("the log does not hold what the build wrote:\n%s", l.log.String())
	}
}

// An interrupted build ends with all its processes, and its folder can be
// removed.
func TestRealInterrupted(t *testing.T) {
	second := fmt.Sprintf("36%d", os.Getpid())
	file := filepath.Join(t.TempDir(), "slow.nix")
	text := fmt.Sprintf(`derivation { name = "slow.tar"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin"; args = [ "-euc" "echo started >&2; sleep %s; exit 0" ]; }`, second)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, "", Input{Expr: file})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	l.job.Log = onLine(func(line string) {
		if strings.Contains(line, "started") {
			cancel(why)
		}
	})
	began := time.Now()
	err := l.tryBuild(ctx)
	if !errors.Is(err, why) || errors.Is(err, rebuild.ErrBuild) {
		t.Errorf("%v", err)
	}
	if out, _ := exec.Command("pgrep", "-f", "sleep "+second).Output(); len(out) > 0 {
		t.Errorf("processes left after %v: %s", time.Since(began), out)
	}
	if err := os.RemoveAll(l.job.Dir); err != nil {
		t.Errorf("the job cannot be removed: %v", err)
	}
}

// onLine calls f with every line.
type onLine func(line string)

func (f onLine) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// What inspect finds in a closure of 201 store items is what Nix has found.
func TestRealReferences(t *testing.T) {
	if testing.Short() {
		t.Skip("200 builds")
	}
	l := newLab(t, "", Input{Expr: samples + "/expr/closure200.nix", Attr: "layered"})
	l.job.Options.MaxJobs = 4
	l.store = filepath.Join(t.TempDir(), "store")
	l.build()
	img := l.open(l.result.Image)
	if len(img.Items) != 201 || len(img.Dangling) > 0 {
		t.Fatalf("%d items, %d dangling", len(img.Items), len(img.Dangling))
	}
	edges := 0
	for _, item := range img.Items {
		out := command(t, "/", `NIX_CONF_DIR=/nonexistent USER=${USER:-x} nix-store --store "$1" -q --references "$2"`, l.store, item.Path)
		want := strings.Fields(out)
		slices.Sort(want)
		if !slices.Equal(item.References, want) {
			t.Errorf("%s refers to %q, and Nix says %q", item.Path, item.References, want)
		}
		edges += len(want)
	}
	if edges != 819 {
		t.Errorf("%d references", edges)
	}
}

// rebuild.sh does the same, for archives and for scripts that write one.
func TestRealScript(t *testing.T) {
	l := newLab(t, "images-mini/layered.tar.gz", Input{Expr: absolute(t, samples+"/expr/mini.nix"), Attr: "layered"})
	l.result = &rebuild.Result{Image: filepath.Join(runScript(t, l.plan()), "rebuilt-docker-image-mini-layered.tar.gz")}
	l.wantIdentical()

	l = newLab(t, "", Input{Expr: absolute(t, "testdata/stream.nix")})
	file := filepath.Join(runScript(t, l.plan()), "rebuilt-image.tar")
	want, err := os.ReadFile(l.build().result.Image)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the script's image is another one: %v", err)
	}
}

// runScript runs the script of a plan in a folder of its own.
func runScript(t *testing.T, plan rebuild.Plan) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rebuild.sh"), Script(plan), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Log(command(t, dir, "./rebuild.sh"))
	return dir
}

func absolute(t *testing.T, file string) string {
	t.Helper()
	abs, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// command runs a shell script with arguments and returns what it prints.
func command(t *testing.T, dir, script string, args ...string) string {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	return string(out)
}

// Nothing is made outside of the job's folder: neither /nix on a machine that has
// none, nor anything in the user's home.
func TestRealMakesNothingElsewhere(t *testing.T) {
	for name, in := range map[string]Input{
		"expression": {Expr: filepath.Join(samples, "expr/mini.nix"), Attr: "single"},
		"flake":      {Flake: "path:" + absolute(t, filepath.Join(samples, "flake")) + "#image"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "", in)
			home := t.TempDir()
			for _, variable := range []string{"HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"} {
				t.Setenv(variable, home)
			}
			_, before := os.Lstat("/nix")
			l.build()
			if _, after := os.Lstat("/nix"); (before == nil) != (after == nil) {
				t.Errorf("/nix: %v before, %v after", before, after)
			}
			if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
				t.Errorf("in the home: %v, %v", left, err)
			}
		})
	}
}

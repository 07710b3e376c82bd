package guix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures/fake"
	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
	"audit/rebuild"
)

// TestMain lets the test binary double as guix: it plays the scenario in the
// folder where its link lies.
func TestMain(m *testing.M) {
	fake.Play(play, "guix")
	os.Exit(m.Run())
}

// A scenario is a store and how a fake guix behaves on it.
type scenario struct {
	Valid   []string          // store items that the daemon knows
	Drv     string            // what pack -d prints
	Plain   string            // what pack -d --no-grafts prints; "" for Drv
	Output  string            // what pack prints
	Closure []string          // what gc --requisites prints
	Says    string            // what pack writes on standard error while it builds
	Fails   map[string]string // by step: what it writes on standard error before it fails
	Hangs   string            // a step that never ends
	Differs map[string]string // by derivation: the output whose second build differs
	Silent  bool              // --check does not say that it has built
}

// play is the fake guix.
func play(dir, _ string, args []string) int {
	var s scenario
	text, err := os.ReadFile(filepath.Join(dir, "scenario.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		panic(err)
	}
	note(filepath.Join(dir, "calls"), strings.Join(args, " "))
	remember(dir, args)
	step := stepOf(args)
	if step == s.Hangs && step != "" {
		fmt.Fprintln(os.Stderr, "hanging")
		time.Sleep(time.Hour)
	}
	if why, ok := s.Fails[step]; ok {
		fmt.Fprint(os.Stderr, why)
		return 1
	}
	switch step {
	case "version":
		fmt.Println("guix (GNU Guix) 1.5.0\nCopyright")
	case "references":
		return s.references(args[2:])
	case "requisites":
		if drv := args[2]; strings.HasSuffix(drv, ".drv") {
			fmt.Println(strings.Join(closureOf(drv), "\n"))
			return 0
		}
		fmt.Println(strings.Join(s.Closure, "\n"))
	case "derive", "derive plain":
		if slices.Contains(args, noGrafts) && s.Plain != "" {
			s.Drv = s.Plain
		}
		fmt.Println("\n" + s.Drv)
	case "pack":
		fmt.Fprint(os.Stderr, s.Says)
		if slices.Contains(args, noGrafts) && s.Plain != "" {
			s.Output = strings.TrimSuffix(s.Plain, ".drv")
		}
		if err := os.WriteFile(s.Output, []byte("the image"), 0o444); err != nil {
			panic(err)
		}
		fmt.Println(s.Output)
	case "check":
		return s.check(args[3], dir)
	}
	return 0
}

// closureOf lists a derivation and all that it is built from.
func closureOf(drv string) []string {
	g, err := readGraph(drv)
	if err != nil {
		panic(err)
	}
	var all []string
	for _, d := range g.Near {
		all = append(all, d.Path)
	}
	return all
}

// remember writes down the exact arguments and, of a time-machine, the folder
// that it is called in.
func remember(dir string, args []string) {
	line, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	note(filepath.Join(dir, "argv"), string(line))
	if args[0] != "time-machine" {
		return
	}
	if err := os.CopyFS(filepath.Join(dir, "seen"), os.DirFS(".")); err != nil && !errors.Is(err, fs.ErrExist) {
		panic(err)
	}
}

func stepOf(args []string) string {
	line := strings.Join(args, " ")
	switch {
	case line == "--version":
		return "version"
	case strings.HasPrefix(line, "gc --references "):
		return "references"
	case strings.HasPrefix(line, "gc --requisites "):
		return "requisites"
	case derives(line) && strings.Contains(line, noGrafts):
		return "derive plain"
	case derives(line):
		return "derive"
	case strings.HasPrefix(line, "time-machine -C channels.scm -- pack "), strings.HasPrefix(line, "time-machine -C channels.scm -- system image "):
		return "pack"
	case strings.HasPrefix(line, "build --check -K "):
		return "check"
	case strings.HasPrefix(line, "build "):
		return "build"
	}
	panic("unexpected call: " + line)
}

func (s scenario) references(paths []string) int {
	for _, p := range paths {
		if !slices.Contains(s.Valid, p) {
			fmt.Fprintf(os.Stderr, "guix gc: error: path `%s' is not valid\n", p)
			return 1
		}
	}
	return 0
}

func (s scenario) check(drv, dir string) int {
	if why, ok := s.Fails["check "+drv]; ok {
		if once := filepath.Join(dir, "failed-once"); os.Mkdir(once, 0o700) == nil {
			fmt.Fprint(os.Stderr, why)
			return 1
		}
	}
	output, differs := s.Differs[drv]
	if !differs {
		if !s.Silent {
			fmt.Fprintf(os.Stderr, "building %s...\nsuccessfully built %s\n", drv, drv)
		}
		return 0
	}
	kept := filepath.Join(dir, "guix-build-"+inspect.StoreName(drv)+"-0")
	if err := os.Mkdir(kept, 0o700); err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "note: keeping build directory `%s'\n", kept)
	fmt.Fprintf(os.Stderr, "guix build: error: derivation `%s' may not be deterministic: output `%s' differs from `%s-check'\n", drv, output, output)
	return 1
}

func note(file, line string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

// A world is a folder with a fake guix, its store, and a plan for an image of
// one package, app, which needs another one, lib.
type world struct {
	t     *testing.T
	dir   string
	store string
	scenario
	plan rebuild.Plan
	job  rebuild.Job
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, store: filepath.Join(dir, "gnu", "store")}
	for _, folder := range []string{w.store, filepath.Join(dir, "job")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := fake.Link(dir, "guix"); err != nil {
		t.Fatal(err)
	}
	w.setUp()
	return w
}

func (w *world) setUp() {
	lib := w.derive("l", "lib-2.1", nil)
	app := w.derive("a", "app-1.0", []string{lib})
	packed := w.derive("p", "profile", []string{app, lib})
	w.Drv = w.derive("i", "app-docker-pack.tar.gz", []string{packed})
	w.Output = w.item("i", "app-docker-pack.tar.gz")
	w.Closure = []string{w.item("p", "profile"), w.item("a", "app-1.0"), w.item("l", "lib-2.1")}
	w.Differs = map[string]string{}
	w.Fails = map[string]string{}
	pack := guix.Pack{Format: "docker", Root: w.item("p", "profile"), Manifest: profile.Manifest{{Name: "app", Version: "1.0", Output: "out"}}}
	w.plan = rebuild.Plan{System: guix.Name, Details: Details{Pack: pack, Channels: []provenance.Channel{guixChannel()}}}
	w.job = rebuild.Job{Dir: filepath.Join(w.dir, "job"), Image: w.image(w.Closure...)}
}

// details returns what the world's plan holds.
func (w *world) details() Details { return details(w.t, w.plan) }

// item returns a store path whose hash is one letter, repeated.
func (w *world) item(letter, name string) string {
	return filepath.Join(w.store, strings.Repeat(letter, 32)+"-"+name)
}

// derive writes a derivation of one output and returns its path.
func (w *world) derive(letter, name string, inputs []string, env ...string) string {
	drv := w.item(letter, name+".drv")
	w.write(drv, derivationText([]string{w.item(letter, name)}, inputs, env...))
	return drv
}

// derivationText prints a derivation of some outputs, the first of which is
// named out.
func derivationText(outputs, inputs []string, env ...string) string {
	var out, in, vars []string
	for i, o := range outputs {
		out = append(out, fmt.Sprintf(`("out%s",%s,"","")`, strings.Repeat("2", i), aterm(o)))
	}
	for _, i := range inputs {
		in = append(in, fmt.Sprintf(`(%s,["out"])`, aterm(i)))
	}
	for i := 0; i+1 < len(env); i += 2 {
		vars = append(vars, fmt.Sprintf("(%s,%s)", aterm(env[i]), aterm(env[i+1])))
	}
	return fmt.Sprintf(`Derive([%s],[%s],[],"x86_64-linux","/builder",["-c"],[%s])`,
		strings.Join(out, ","), strings.Join(in, ","), strings.Join(vars, ","))
}

func aterm(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// has puts items into the store, as valid ones.
func (w *world) has(items ...string) {
	for _, item := range items {
		w.write(item, "content of "+filepath.Base(item))
		w.Valid = append(w.Valid, item)
	}
}

// image returns an image that holds store items of ten bytes each.
func (w *world) image(items ...string) *inspect.Image {
	img := &inspect.Image{Layers: []*inspect.Layer{{}}}
	for _, p := range items {
		img.Items = append(img.Items, inspect.StoreItem{Path: p, Bytes: 10})
	}
	slices.SortFunc(img.Items, func(a, b inspect.StoreItem) int { return strings.Compare(a.Path, b.Path) })
	return img
}

// build runs the builder on the world's plan.
func (w *world) build() (*rebuild.Result, error) { return w.buildIn(w.t.Context()) }

func (w *world) buildIn(ctx context.Context) (*rebuild.Result, error) {
	w.t.Helper()
	text, err := json.Marshal(w.scenario)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join(w.dir, "scenario.json"), string(text))
	return Builder{Program: filepath.Join(w.dir, "guix")}.Build(ctx, w.plan, w.job)
}

// calls returns the command lines that guix got, with the store's folder
// written as STORE.
func (w *world) calls() []string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "calls"))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), w.store, "STORE")), "\n")
}

// derives says whether a command asks for a derivation only.
func derives(line string) bool {
	for _, option := range []string{" --verbosity=3", " " + noGrafts} {
		line = strings.Replace(line, option, "", 1)
	}
	return strings.HasPrefix(line, "time-machine -C channels.scm -- pack -d ") || strings.HasPrefix(line, "time-machine -C channels.scm -- system image -d ")
}

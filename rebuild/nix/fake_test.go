package nix

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures/fake"
	"audit/inspect"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/rebuild"
)

// TestMain lets the test binary double as the programs of Nix: it plays the
// scenario in the folder where its link lies.
func TestMain(m *testing.M) {
	fake.Play(play, programs...)
	code := m.Run()
	n := 0
	realTests.Range(func(any, any) bool { n++; return true })
	if n > 0 {
		fmt.Printf("real suite: nix %d tests\n", n)
	}
	os.Exit(code)
}

// The programs that are played.
var programs = []string{"nix-store", "nix-instantiate", "nix"}

// The derivations of a sample image and what they make.
const (
	imageDrv  = "/nix/store/yxiidw4vx0mp72nl5cgzdqm9h8536dgi-docker-image-mini-single.tar.gz.drv"
	image     = "/nix/store/9lq92qysbnwirh5cywzs5aysjfq8ds48-docker-image-mini-single.tar.gz"
	closure   = "/nix/store/ra16hd0jg7hij17f8p7a5gr90nid8ckw-closure"
	greeter   = "/nix/store/kgkqbj81sj25lris3la9xjd4w34z4yh3-greeter-1.0"
	libgreet  = "/nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0"
	words_    = "/nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0"
	drvSample = samples + "/drv-mini/yxiidw4vx0mp72nl5cgzdqm9h8536dgi-docker-image-mini-single.tar.gz.drv"
)

// made says what each derivation makes.
var made = map[string]string{
	imageDrv: image,
	"/nix/store/jxbpdxkn3bfkpib9zvwkqxrih9lmwshx-closure.drv":      closure,
	"/nix/store/7mb90v2ik6jmii84pmqlqqcnqb7f2ava-greeter-1.0.drv":  greeter,
	"/nix/store/7na8xbnz65ygzivkphlzi8sr2dxxmrhy-libgreet-1.0.drv": libgreet,
	"/nix/store/bs0ga8fy6knp5car1s4rkwd8lj3sygm2-words-1.0.drv":    words_,
}

// A scenario is how a fake Nix behaves.
type scenario struct {
	Drvs    string            // folder of .drv files that an evaluation puts into the store
	Prints  string            // what an evaluation prints; "" for the image's derivation
	Fetched map[string]string // store path → server, instead of being built
	Machine string            // where everything is built
	Content string            // of the image
	Folder  []string          // the image is a folder with these files
	Link    string            // the image is a link to this
	Fails   map[string]string // by step: what is said before it fails, a message a line, or lines of the log
	Hangs   string            // a step that never ends
	Differs []string          // derivations whose second build gives other bytes
	Silent  bool              // a second build is not told
	Deriver string            // of everything
}

// play is the fake Nix.
func play(dir, program string, args []string) int {
	var s scenario
	text, err := os.ReadFile(filepath.Join(dir, "scenario.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		panic(err)
	}
	store, rest := options(args)
	note(filepath.Join(dir, "calls"), program+" "+strings.Join(rest, " "))
	note(filepath.Join(dir, "argv"), program+" "+strings.Join(args, " "))
	step := stepOf(program, rest)
	if s.Hangs == step {
		say(map[string]any{"action": "msg", "level": 0, "msg": "hanging"})
		time.Sleep(time.Hour)
	}
	if why, ok := s.Fails[step]; ok {
		for line := range strings.Lines(why) {
			if strings.HasPrefix(line, "@nix ") {
				fmt.Fprint(os.Stderr, line)
				continue
			}
			say(map[string]any{"action": "msg", "level": 0, "msg": strings.TrimSpace(line)})
		}
		return 1
	}
	return s.step(dir, step, store, rest)
}

func (s scenario) step(dir, step, store string, rest []string) int {
	switch step {
	case "deriver":
		fmt.Println(s.Deriver)
	case "version":
		fmt.Println("nix-store (Nix) 2.8.0")
	case "evaluate":
		copyAll(s.Drvs, filepath.Join(store, storeDir))
		if s.Prints == "" {
			s.Prints = imageDrv + "!out"
		}
		fmt.Println(s.Prints)
	case "wrap":
		text, _ := os.ReadFile(rest[0])
		note(filepath.Join(dir, "wrapper"), string(text))
		drv := storeDir + strings.Repeat("w", 32) + "-image.tar.drv"
		put(filepath.Join(store, drv), `Derive([("out","`+strings.TrimSuffix(drv, ".drv")+`","","")],[],[],"x86_64-linux","/bin/sh",[],[])`)
		fmt.Println(drv)
	case "import":
		in, err := io.ReadAll(os.Stdin)
		if err != nil {
			panic(err)
		}
		put(filepath.Join(dir, "imported"), string(in))
		copyAll(s.Drvs, filepath.Join(store, storeDir))
	case "validity":
		for _, p := range rest[2:] {
			if _, err := os.Lstat(filepath.Join(store, p)); err != nil {
				fmt.Println(p)
			}
		}
	case "realise":
		s.realise(store, rest[1])
	case "check":
		return s.check(store, rest[1])
	}
	return 0
}

// realise makes the outputs of all derivations, the image last.
func (s scenario) realise(store, drv string) {
	all := made
	if made[drv] == "" {
		all = map[string]string{drv: strings.TrimSuffix(drv, ".drv")}
		s.Folder, s.Link, s.Content = nil, "", "the streamed image"
	}
	for d, out := range all {
		if _, err := os.Lstat(filepath.Join(store, out)); err == nil {
			continue
		}
		if server, ok := s.Fetched[out]; ok {
			say(map[string]any{"action": "start", "type": 108, "fields": []string{out, server}})
			say(map[string]any{"action": "start", "type": 100, "level": 3, "text": "copying path '" + out + "' from '" + server + "'"})
		} else {
			say(map[string]any{"action": "start", "type": 105, "level": 3, "text": "building '" + d + "'", "fields": []any{d, s.Machine, 1, 1}})
			say(map[string]any{"action": "result", "type": 101, "fields": []string{"\x1b[1mcompiling\x1b[0m"}})
		}
		s.write(filepath.Join(store, out), d == drv)
	}
	fmt.Println(all[drv])
}

func (s scenario) write(file string, last bool) {
	switch {
	case last && s.Link != "":
		if err := os.Symlink(s.Link, file); err != nil {
			panic(err)
		}
	case last && s.Folder != nil:
		for _, name := range s.Folder {
			put(filepath.Join(file, name), "the image")
		}
	case last && s.Content != "":
		put(file, s.Content)
	default:
		put(file, "content of "+filepath.Base(file))
	}
}

func (s scenario) check(store, drv string) int {
	out := filepath.Join(store, made[drv])
	if !s.Silent {
		say(map[string]any{"action": "start", "type": 105, "level": 3, "text": "checking outputs of '" + drv + "'", "fields": []any{drv, "", 1, 1}})
	}
	if !slices.Contains(s.Differs, drv) {
		return 0
	}
	put(out+".check", "the other content")
	say(map[string]any{"action": "msg", "level": 0, "msg": fmt.Sprintf("error: derivation '\x1b[35m%s\x1b[0m' may not be deterministic: output '%s' differs from '%s.check'", drv, out, out)})
	return 104
}

// say writes a line as the log format internal-json has it.
func say(message map[string]any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "@nix %s\n", line)
}

// options drops the options that all commands get, and returns the store.
func options(args []string) (store string, rest []string) {
	for len(args) > 0 {
		switch {
		case args[0] == "--store":
			store, args = args[1], args[2:]
		case args[0] == "--log-format":
			args = args[2:]
		case args[0] == "--option" && args[1] != "restrict-eval" && args[1] != "pure-eval":
			args = args[3:]
		default:
			return store, args
		}
	}
	return store, nil
}

func stepOf(program string, rest []string) string {
	line := program + " " + strings.Join(rest, " ")
	switch {
	case line == "nix-store --version":
		return "version"
	case strings.HasPrefix(line, "nix-instantiate ") && strings.HasSuffix(line, "/stream.nix"):
		return "wrap"
	case program == "nix-instantiate" || strings.HasPrefix(line, "nix eval "):
		return "evaluate"
	case strings.HasPrefix(line, "nix-store --query --deriver /nix/store/"):
		return "deriver"
	case line == "nix-store --import":
		return "import"
	case strings.HasPrefix(line, "nix-store --check-validity --print-invalid "):
		return "validity"
	case strings.HasPrefix(line, "nix-store --realise ") && strings.Contains(line, " --check"):
		return "check"
	case strings.HasPrefix(line, "nix-store --realise "):
		return "realise"
	}
	panic("unexpected call: " + line)
}

func note(file, line string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

func put(file, text string) {
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		panic(err)
	}
}

func copyAll(from, to string) {
	files, err := os.ReadDir(from)
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			panic(err)
		}
		put(filepath.Join(to, f.Name()), string(text))
	}
}

// A world is a folder with a fake Nix, and a plan for a sample image.
type world struct {
	t   *testing.T
	dir string
	scenario
	plan    rebuild.Plan
	job     rebuild.Job
	builder Builder
}

func newWorld(t *testing.T, in Input) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	err := fake.Link(w.dir, programs...)
	if err == nil {
		err = os.Mkdir(filepath.Join(w.dir, "job"), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Drvs = absolute(t, samples+"/drv-mini")
	w.Content = "the image"
	w.Fails = map[string]string{}
	w.job = rebuild.Job{Dir: filepath.Join(w.dir, "job"), Image: imageOf(greeter, libgreet, words_)}
	w.builder.Bin = w.dir
	if w.plan, err = NewPlan(w.job.Image, provenance.Recipe{System: nix.Name}, in); err != nil {
		t.Fatal(err)
	}
	return w
}

// imageOf returns an image that holds store items of ten bytes each.
func imageOf(items ...string) *inspect.Image {
	img := &inspect.Image{Layers: []*inspect.Layer{{}}}
	for _, p := range items {
		img.Items = append(img.Items, inspect.StoreItem{Path: p, Bytes: 10})
	}
	return img
}

// expression is an input that the fake evaluates.
func expression(t *testing.T) Input {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.nix")
	put(file, "{ }")
	return Input{Expr: file, Attr: "image"}
}

// details are those of the world's plan.
func (w *world) details() Details {
	w.t.Helper()
	d, err := rebuild.DetailsOf[Details](w.plan)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// build runs the builder on the world's plan.
func (w *world) build() (*rebuild.Result, error) { return w.buildIn(w.t.Context()) }

func (w *world) buildIn(ctx context.Context) (*rebuild.Result, error) {
	w.t.Helper()
	text, err := json.Marshal(w.scenario)
	if err != nil {
		w.t.Fatal(err)
	}
	put(filepath.Join(w.dir, "scenario.json"), string(text))
	return w.builder.Build(ctx, w.plan, w.job)
}

// mustBuild returns the result of a build that has to work.
func (w *world) mustBuild() *rebuild.Result {
	w.t.Helper()
	got, err := w.build()
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// calls returns the command lines that Nix got, without the options that all
// have.
func (w *world) calls() []string { return strings.Split(strings.TrimSpace(w.read("calls")), "\n") }

func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

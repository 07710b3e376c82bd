package nix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
	"audit/inspect/store"
	"audit/rebuild"
	"audit/rebuild/drv"
)

func TestBuildFromNothing(t *testing.T) {
	w := newWorld(t, expression(t))
	w.Fetched = map[string]string{words_: "https://cache.example"}
	var log bytes.Buffer
	w.job.Log = &log
	got := w.mustBuild()
	want := &rebuild.Result{
		Image:   filepath.Join(w.job.Dir, "rebuilt-docker-image-mini-single.tar.gz"),
		Command: got.Command,
		Tools:   []rebuild.Tool{{Name: "nix", Version: "2.8.0"}},
		Derivation: check.Check{ID: check.Derivation, Status: check.Pass, Bytes: 30,
			Reasons: []check.Message{check.Say("derivation/all-derived", "items", 3)}},
		Derived: rebuild.Derivations{Root: imageDrv, Below: got.Derived.Below},
		Items: []rebuild.Item{
			{Path: words_, How: rebuild.Substituted, Source: "https://cache.example"},
			{Path: greeter, How: rebuild.Built},
			{Path: libgreet, How: rebuild.Built},
		},
		Steps: []rebuild.Step{
			{Derivation: "/nix/store/7mb90v2ik6jmii84pmqlqqcnqb7f2ava-greeter-1.0.drv"},
			{Derivation: "/nix/store/7na8xbnz65ygzivkphlzi8sr2dxxmrhy-libgreet-1.0.drv"},
			{Derivation: "/nix/store/jxbpdxkn3bfkpib9zvwkqxrih9lmwshx-closure.drv"},
			{Derivation: imageDrv},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if text, _ := os.ReadFile(got.Image); string(text) != "the image" {
		t.Errorf("image holds %q", text)
	}
	if _, err := os.Stat(filepath.Join(got.Derived.Below, imageDrv)); err != nil {
		t.Errorf("the derivations are not where the result says: %v", err)
	}
	file := w.details().Expression.File
	wantCalls := []string{
		"nix-store --version",
		"nix-instantiate --option restrict-eval true -I audit-expression=" + filepath.Dir(file) + " " + file + " -A image",
		"nix-store --realise " + imageDrv,
	}
	if diff := cmp.Diff(wantCalls, w.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for _, line := range []string{"$ nix-store --realise", "building '", "  compiling\n", "copying path '" + words_ + "' from 'https://cache.example'"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, log.String())
		}
	}
}

// The settings of every command, which the report shows, and those that say
// only where this run happened, which it does not.
func TestBuildSettings(t *testing.T) {
	in := expression(t)
	in.Settings = []string{"sandbox-paths=/bin /usr", "max-jobs=0"}
	in.URIs = []string{"https://github.com/NixOS/"}
	in.Path = []string{"nixpkgs=/some/where", filepath.Dir(in.Expr)}
	w := newWorld(t, in)
	w.job.Options = rebuild.Options{SubstituteURLs: []string{"https://a", "https://b"}, SubstituteKeys: []string{"k:1"}, Cores: 2, MaxJobs: 3, Builders: "ssh-ng://x"}
	got := w.mustBuild()
	want := "nix-store --option sandbox true --option sandbox-fallback false --option allow-import-from-derivation false --option accept-flake-config false" +
		" --option require-sigs true --option fallback true --option substitute true --option substituters https://a https://b --option trusted-public-keys k:1" +
		" --option builders ssh-ng://x --option cores 2 --option max-jobs 3 --option sandbox-paths /bin /usr --option max-jobs 0 --realise " + imageDrv
	if line := strings.Join(got.Command, " "); line != want {
		t.Errorf("command\n%s\nwant\n%s", line, want)
	}
	for line := range strings.Lines(w.read("argv")) {
		evaluates := strings.HasPrefix(line, "nix-instantiate ")
		if strings.Contains(line, "allowed-uris https://github.com/NixOS/") != evaluates || strings.Contains(line, "-I nixpkgs=/some/where -I "+filepath.Dir(in.Expr)) != evaluates {
			t.Errorf("%s", line)
		}
		if !strings.Contains(line, "--store "+w.job.Dir+"/store --log-format internal-json") && line != "nix-store --store "+w.job.Dir+"/store --version\n" {
			t.Errorf("%s", line)
		}
	}
	conf, err := os.ReadFile(filepath.Join(w.job.Dir, "conf", "nix.conf"))
	if err != nil || !strings.Contains(string(conf), "\nsandbox-paths = /bin /usr\n") || strings.Contains(string(conf), "builders =") || strings.Contains(string(conf), "max-jobs") {
		t.Errorf("nix.conf: %v\n%s", err, conf)
	}
	w = newWorld(t, expression(t))
	w.job.Options.NoSubstitutes = true
	if line := strings.Join(w.mustBuild().Command, " "); !strings.Contains(line, "--option substitute false --option substituters  --option") {
		t.Errorf("%s", line)
	}
}

// What the verdict rests on: each item of the image with where it came from. Of an
// item that no derivation makes nothing is known; a source is pinned where its path
// is that of the content that the image has.
func TestBuildBasis(t *testing.T) {
	const unknown = "/nix/store/00000000000000000000000000000000-unknown"
	hash := strings.Repeat("5", 64)
	source := drv.ContentPath("/nix/store", "source", hash)
	w := newWorld(t, expression(t))
	dir := t.TempDir()
	copyAll(w.Drvs, dir)
	file := filepath.Join(dir, filepath.Base(imageDrv))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), `])],[`) + len(`])],[`) // where its sources are listed
	put(file, string(text[:at])+`"`+source+`"`+string(text[at:]))
	w.Drvs = dir
	w.Fetched = map[string]string{words_: "https://cache.example"}
	for content, want := range map[string]rebuild.How{hash: rebuild.Pinned, strings.Repeat("6", 64): rebuild.Reused} {
		w.job.Dir, w.job.Image = t.TempDir(), imageOf(greeter, words_, unknown, source)
		w.job.Image.Items[3].NarHash = v1.Hash{Algorithm: "sha256", Hex: content}
		var got []string
		for _, it := range w.mustBuild().Items {
			got = append(got, store.NameOf(it.Path)+" "+string(it.How)+" "+it.Source)
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"greeter-1.0 built ", "source " + string(want) + " ", "unknown reused ", "words-1.0 substituted https://cache.example"}, got); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
	}
}

// An image that was fetched is no rebuild: it is built again.
func TestBuildWhatWasFetched(t *testing.T) {
	w := newWorld(t, expression(t))
	w.Fetched = map[string]string{image: "https://cache.example", closure: "https://cache.example"}
	got := w.mustBuild()
	if calls := w.calls(); calls[len(calls)-1] != "nix-store --realise "+imageDrv+" --check --keep-failed" {
		t.Errorf("calls %q", calls)
	}
	if n := len(got.Command); got.Command[n-2] != "--check" {
		t.Errorf("command %q", got.Command)
	}
	if !slices.Contains(got.Steps, rebuild.Step{Derivation: imageDrv}) {
		t.Errorf("steps %v", got.Steps)
	}
}

// What a second build gives is the result, where it is something else.
func TestBuildDiffersFromWhatWasFetched(t *testing.T) {
	w := newWorld(t, expression(t))
	w.Fetched = map[string]string{image: "https://cache.example"}
	w.Differs = []string{imageDrv}
	got := w.mustBuild()
	if text, _ := os.ReadFile(got.Image); string(text) != "the other content" {
		t.Errorf("image holds %q", text)
	}
	w = newWorld(t, expression(t))
	w.Fetched = map[string]string{image: "https://cache.example"}
	w.Silent = true
	if _, err := w.build(); !errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), "did not report") {
		t.Errorf("a second build that nobody has seen: %v", err)
	}
}

// A store that is kept is used again, and nothing in it counts as built.
func TestBuildInKeptStore(t *testing.T) {
	w := newWorld(t, expression(t))
	w.builder.Store = filepath.Join(w.dir, "kept")
	w.mustBuild()
	w.job.Dir = t.TempDir()
	got := w.mustBuild()
	for _, it := range got.Items {
		if it.How != rebuild.Reused {
			t.Errorf("%+v", it)
		}
	}
	if diff := cmp.Diff([]rebuild.Step{{Derivation: imageDrv}}, got.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	w.job.Dir, w.job.Fresh = t.TempDir(), []string{"words", "greeter-1.0"}
	got = w.mustBuild()
	if len(got.Fresh) != 2 || !got.Fresh[0].Same || !slices.Equal(got.Fresh[0].Items, []string{greeter}) {
		t.Errorf("%+v", got.Fresh)
	}
	for _, it := range got.Items {
		if want := it.Path == libgreet; (it.How == rebuild.Reused) != want {
			t.Errorf("%+v", it)
		}
	}
}

// Every derivation that took part is built twice, and the one that differs is
// named with the paths.
func TestBuildCheckInputs(t *testing.T) {
	w := newWorld(t, expression(t))
	w.job.CheckInputs = true
	w.Fetched = map[string]string{words_: "https://cache.example"}
	w.Differs = []string{"/nix/store/7na8xbnz65ygzivkphlzi8sr2dxxmrhy-libgreet-1.0.drv"}
	w.Fails["check "+closure] = "x"
	got := w.mustBuild()
	want := []rebuild.Fresh{
		{Derivation: "/nix/store/7mb90v2ik6jmii84pmqlqqcnqb7f2ava-greeter-1.0.drv", Items: []string{greeter}, Same: true},
		{Derivation: "/nix/store/7na8xbnz65ygzivkphlzi8sr2dxxmrhy-libgreet-1.0.drv", Items: []string{libgreet}, Differences: []string{libgreet}},
		{Derivation: "/nix/store/bs0ga8fy6knp5car1s4rkwd8lj3sygm2-words-1.0.drv", Items: []string{words_}, Same: true},
		{Derivation: "/nix/store/jxbpdxkn3bfkpib9zvwkqxrih9lmwshx-closure.drv", Same: true},
		{Derivation: imageDrv, Same: true},
	}
	if diff := cmp.Diff(want, got.Fresh); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Items[0].How != rebuild.Built {
		t.Errorf("what was fetched and then built to the same bytes: %+v", got.Items[0])
	}
}

func TestBuildOnOtherMachines(t *testing.T) {
	w := newWorld(t, expression(t))
	w.Machine = "ssh-ng://big.example"
	got := w.mustBuild()
	for _, s := range got.Steps {
		if s.Machine != w.Machine {
			t.Errorf("%+v", s)
		}
	}
	for _, it := range got.Items {
		if it.How != rebuild.Built || it.Source != w.Machine {
			t.Errorf("%+v", it)
		}
	}
}

func TestBuildFlake(t *testing.T) {
	w := newWorld(t, Input{Flake: "github:example/image?rev=0123#image"})
	w.Prints = imageDrv
	w.mustBuild()
	want := "nix eval --extra-experimental-features nix-command flakes --option pure-eval true --option use-registries false --option eval-cache false" +
		" --no-update-lock-file --raw github:example/image?rev=0123#image.drvPath"
	if got := w.calls()[1]; got != want {
		t.Errorf("%s", got)
	}
	for flake, reference := range map[string]string{
		"./here":         absolute(t, "here") + "#default.drvPath",
		"/there#a.b":     "/there#a.b.drvPath",
		".":              absolute(t, ".") + "#default.drvPath",
		"git+file:///x#": "git+file:///x#default.drvPath",
	} {
		details, _ := Input{Flake: flake}.details()
		if got, err := details.Flake.evaluated(); err != nil || got != reference {
			t.Errorf("%s: %s, %v", flake, got, err)
		}
	}
}

// What an evaluation prints must be one derivation.
func TestBuildOddEvaluation(t *testing.T) {
	for prints, want := range map[string]string{
		"\n":                          "gives 0 derivations",
		imageDrv + "\n" + imageDrv:    "gives 2 derivations",
		image:                         "is no derivation",
		"/nix/store/../../etc/x.drv":  "is no derivation",
		"/tmp/x.drv":                  "is no derivation",
		imageDrv[:20] + "x.drv":       "is no derivation",
		strings.Repeat("x", 10) + "x": "is no derivation",
	} {
		w := newWorld(t, expression(t))
		w.Prints = prints
		got, err := w.build()
		if !errors.Is(err, rebuild.ErrNotDone) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", prints, err)
		}
		if got.Derivation.Status != check.Unknown {
			t.Errorf("%q: %+v", prints, got.Derivation)
		}
	}
}

// A plan that is refused, or that cannot be run, runs nothing.
func TestBuildRefused(t *testing.T) {
	for name, change := range map[string]func(w *world, d *Details){
		"refused":          func(w *world, _ *Details) { w.plan.Reasons = []check.Message{check.Say("plan/no-expression")} },
		"nothing":          func(_ *world, d *Details) { d.Expression = nil },
		"an option":        func(_ *world, d *Details) { d.Settings = []Setting{{"sandbox", "false"}} },
		"a hook":           func(_ *world, d *Details) { d.Settings = []Setting{{"post-build-hook", "/x"}} },
		"a line":           func(_ *world, d *Details) { d.Settings = []Setting{{"cores", "1\nsandbox = false"}} },
		"a folder":         func(_ *world, d *Details) { d.Expression.Paths = []SearchPath{{Folder: "--impure"}} },
		"two":              func(_ *world, d *Details) { d.Flake = &Flake{Reference: "x"} },
		"a place":          func(_ *world, d *Details) { d.Expression.File = "--eval" },
		"an attribute":     func(_ *world, d *Details) { d.Expression.Attribute = "-E" },
		"a root":           func(_ *world, d *Details) { d.Root = "/etc" },
		"a package":        func(w *world, _ *Details) { w.job.Fresh = []string{"curl"} },
		"no file":          func(_ *world, d *Details) { d.Expression.File = "/nowhere/x.nix" },
		"no details":       func(w *world, _ *Details) { w.plan.Details = nil },
		"an unknown field": func(w *world, _ *Details) { w.plan.Details = json.RawMessage(`{"derivation":"x","shell":"y"}`) },
	} {
		w := newWorld(t, expression(t))
		d := w.details()
		w.plan.Details = d
		change(w, &d)
		if was, ok := w.plan.Details.(Details); ok && !reflect.DeepEqual(was, d) {
			w.plan.Details = d
		}
		got, err := w.build()
		if !errors.Is(err, rebuild.ErrRefused) || got.Image != "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "calls")); err == nil && name != "no file" {
			t.Errorf("%s: Nix was called: %q", name, w.calls())
		}
	}
}

func TestBuildWithoutNix(t *testing.T) {
	w := newWorld(t, expression(t))
	w.builder.Bin = t.TempDir()
	got, err := w.build()
	var hint *rebuild.HintError
	if !errors.Is(err, rebuild.ErrNoBuilder) || !errors.As(err, &hint) || hint.Hint != howToGetNix {
		t.Errorf("%v", err)
	}
	if got.Derivation.Status != check.Skipped {
		t.Errorf("%+v", got.Derivation)
	}
}

// The failures that people meet, each with what it means and what to do.
func TestBuildFailures(t *testing.T) {
	for _, tc := range []struct {
		step, says string
		kind       error
		want, hint string
	}{
		{"realise", "error: writing to file: No space left on device", rebuild.ErrNotDone, "the disk is full", "TMPDIR"},
		{"realise", "error: cloning builder process: Operation not permitted", rebuild.ErrNoBuilder, "sandbox does not work", "unprivileged_userns_clone"},
		{"evaluate", "error: access to absolute path '/etc/hostname' is forbidden in restricted mode", rebuild.ErrRefused, "reads something outside", "--nix-path"},
		{"evaluate", "error: cannot build '/nix/store/x.drv' during evaluation because the option 'allow-import-from-derivation' is disabled", rebuild.ErrRefused, "in order to be evaluated", "--nix-drv"},
		{"evaluate", "error: file 'nixpkgs' was not found in the Nix search path", rebuild.ErrNotDone, "search path", "nixpkgs="},
		{"evaluate", "error: attribute 'x' in selection path 'x' not found", rebuild.ErrNotDone, "no such attribute", "nix eval"},
		{"realise", "warning: unable to download 'https://a': x\nerror: unable to download 'https://b': Couldn't resolve host name (6)", rebuild.ErrNotDone, "could not be fetched: error: unable to download 'https://b'", "network"},
		{"realise", "error: hash mismatch in fixed-output derivation '/nix/store/x.drv':", rebuild.ErrBuild, "a source has changed", "binary cache"},
		{"realise", "error: a 'aarch64-linux' with features {} is required to build '/nix/store/x.drv', but I am a 'x86_64-linux' with features {}", rebuild.ErrNotDone, "another kind of machine", "--builders"},
		{"realise", "error: builder for '/nix/store/b.drv' failed with exit code 1\nerror: 1 dependencies of derivation '/nix/store/a.drv' failed to build", rebuild.ErrBuild, "does not build: error: builder for '/nix/store/b.drv'", "substitutes"},
		{"realise", "error: something new", rebuild.ErrNotDone, "error: something new", ""},
	} {
		w := newWorld(t, expression(t))
		w.Fails[tc.step] = tc.says
		_, err := w.build()
		var hint *rebuild.HintError
		if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.says, err)
		}
		if errors.As(err, &hint) != (tc.hint != "") || tc.hint != "" && !strings.Contains(hint.Hint, tc.hint) {
			t.Errorf("%s: hint %+v", tc.says, hint)
		}
	}
}

// TestMachineFailures: what Nix, its daemon and the kernel say when it is the machine
// that fails is no failed build.
func TestMachineFailures(t *testing.T) {
	for _, tc := range []struct{ says, want string }{
		{"error: all build users are currently in use; consider creating additional users and adding them to the 'nixbld' group", "no build user left"},
		{"error: the build users group 'nixbld' has no members", "no build user left"},
		{"error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused", "connection to the Nix daemon"},
		{"error: Nix daemon disconnected unexpectedly (maybe it crashed?)", "connection to the Nix daemon"},
		{"error: unexpected end-of-file", "connection to the Nix daemon"},
		{"error: cannot open connection to remote store 'ssh-ng://build.example': error: failed to start SSH connection to 'build.example'", "connection to the Nix daemon"},
		{"cannot build on 'ssh://build.example': error: failed to start SSH connection to 'build.example'\nFailed to find a machine for remote build!\nerror: unable to start any build; either increase '--max-jobs' or enable remote builds.", "machine that Nix builds on"},
		{"error: writing to file: No space left on device", "the disk is full"},
		{"error: creating directory '/nix/store/x': Disk quota exceeded", "the disk is full"},
		{"error: builder for '/nix/store/x.drv' failed with exit code 1\nerror: executing SQLite statement: No space left on device", "the disk is full"},
		{"error: unable to fork: Cannot allocate memory", "short of something"},
		{"error: opening file '/nix/store/x': Too many open files", "short of something"},
		{"error: building of '/nix/store/x.drv' timed out after 3600 seconds", "took too long"},
		{"error: building of '/nix/store/x.drv' timed out after 60 seconds of silence", "took too long"},
	} {
		for _, step := range []string{"evaluate", "realise"} {
			w := newWorld(t, expression(t))
			w.Fails[step] = tc.says
			_, err := w.build()
			if !errors.Is(err, rebuild.ErrNotDone) || errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s, %q: %v, want %q", step, tc.says, err, tc.want)
			}
		}
	}
}

// TestBuildersOwnWords: a build that fails has failed, whatever it writes, and
// whichever machine could not be had before it ran.
func TestBuildersOwnWords(t *testing.T) {
	const failed = `@nix {"action":"msg","level":0,"msg":"error: builder for '/nix/store/x.drv' failed with exit code 1;\n       last 1 log lines:\n       > %s\n       For full logs, run 'nix log /nix/store/x.drv'."}` + "\n"
	for _, wrote := range []string{
		"FAIL: test-disk: No space left on device", "connect: Connection refused", "all build users are currently in use",
		"error: unexpected end-of-file", "timed out after 3 seconds", "lost connection", "Cannot allocate memory",
		"error: unable to download 'https://x': Couldn't resolve host name",
	} {
		for name, before := range map[string]string{"": "", "after a machine that is away": "cannot build on 'ssh://build.example': error: failed to start SSH connection\n"} {
			w := newWorld(t, expression(t))
			w.Fails["realise"] = before + `@nix {"action":"result","id":1,"type":101,"fields":["` + wrote + `"]}` + "\n" + fmt.Sprintf(failed, wrote)
			if _, err := w.build(); !errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), "does not build") {
				t.Errorf("%q %s: %v", wrote, name, err)
			}
		}
	}
}

// What can come out of a derivation, and what is taken for an image.
func TestBuildOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(w *world)
		image  string
		want   string
	}{
		{"a folder with a file", func(w *world) { w.Folder = []string{"tarball/image.tar.gz"} }, "the image", ""},
		{"a folder of files", func(w *world) { w.Folder = []string{"a", "b"} }, "", "a folder of 2 files"},
		{"a link in the store", func(w *world) { w.Link = greeter }, "content of " + filepath.Base(greeter), ""},
		{"a link out of the store", func(w *world) { w.Link = "/etc/passwd" }, "", `a link to "/etc/passwd"`},
		{"a link that climbs", func(w *world) { w.Link = greeter + "/../../../etc/passwd" }, "", "a link to"},
		{"a link to itself", func(w *world) { w.Link = image }, "", "too many"},
		{"nix2container", func(w *world) { w.Content = `{"version":1}` }, "", "as nix2container makes it"},
		{"a script", func(w *world) { w.Content = "#!/nix/store/" + strings.Repeat("b", 32) + "-bash-5.2/bin/bash -e\ntar" }, "the streamed image", ""},
		{"a program", func(w *world) { w.Content = "\x7fELF" }, "the streamed image", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, expression(t))
			tc.change(w)
			got, err := w.build()
			if tc.want != "" {
				if !errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := os.ReadFile(got.Image); string(text) != tc.image {
				t.Errorf("image holds %q", text)
			}
		})
	}
}

// The script that writes an image runs in a derivation, by its own shell.
func TestBuildStream(t *testing.T) {
	shell := storeDir + strings.Repeat("b", 32) + "-bash-5.2"
	w := newWorld(t, expression(t))
	w.Content = "#! " + shell + "/bin/bash -e\n"
	got := w.mustBuild()
	want := `# Runs the script that writes the image, inside Nix's sandbox.
let made = import "` + imageDrv + `"; in derivation {
  name = "image.tar";
  system = "x86_64-linux";
  builder = "${builtins.storePath "` + shell + `"}/bin/bash";
  script = "${made}";
  args = [ "-c" "\"$script\" > \"$out\"; exit $?" ];
}
`
	if text := strings.TrimSuffix(w.read("wrapper"), "\n"); text != want {
		t.Errorf("%s", text)
	}
	wrapper := storeDir + strings.Repeat("w", 32) + "-image.tar.drv"
	if !slices.Contains(got.Steps, rebuild.Step{Derivation: wrapper}) || got.Command[len(got.Command)-1] != wrapper {
		t.Errorf("%v, %q", got.Steps, got.Command)
	}
	for interpreter, want := range map[string]string{
		"/bin/sh": `"/bin/sh"`, "/usr/bin/env": `"/bin/sh"`, shell + "/bin/python3": `"/bin/sh"`, shell: `"/bin/sh"`,
		shell + "/bin/\"; x \"/sh": `"/bin/sh"`, shell + "/${x}/sh": `"/bin/sh"`, shell + "/bin/sh": `"${builtins.storePath "` + shell + `"}/bin/sh"`,
	} {
		if got := shellExpression(interpreter); got != want {
			t.Errorf("%s: %s", interpreter, got)
		}
	}
}

func TestBuildInterrupted(t *testing.T) {
	for _, step := range []string{"version", "evaluate", "realise"} {
		w := newWorld(t, expression(t))
		w.Hangs = step
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		w.job.Log = onLine(func(line string) {
			if strings.Contains(line, "hanging") {
				cancel(why)
			}
		})
		if step == "version" { // which says nothing
			cancel(why)
		}
		_, err := w.buildIn(ctx)
		if !errors.Is(err, why) || errors.Is(err, rebuild.ErrBuild) {
			t.Errorf("%s: %v", step, err)
		}
		cancel(nil)
	}
}

// What an expression may read is the work tree that it lies in.
func TestWorkTree(t *testing.T) {
	dir := t.TempDir()
	put(filepath.Join(dir, "tree", ".git", "HEAD"), "")
	put(filepath.Join(dir, "tree", "nix", "image.nix"), "")
	put(filepath.Join(dir, "alone", "default.nix"), "")
	for file, want := range map[string]string{"tree/nix/image.nix": "tree", "tree/nix": "tree", "tree": "tree", "alone/default.nix": "alone", "alone": "alone"} {
		if got := workTree(filepath.Join(dir, file)); got != filepath.Join(dir, want) {
			t.Errorf("%s: %s", file, got)
		}
	}
}

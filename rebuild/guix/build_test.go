package guix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect/check"
	"audit/rebuild"
)

// builds is what guix says when it builds everything, and fetches lib.
func (w *world) builds() string {
	lib := w.item("l", "lib-2.1")
	return fmt.Sprintf("substituting %s...\ndownloading from https://farm.example/nar/lzip/%s ...\n\rbuilding x...\n"+
		"successfully built %s\nsuccessfully built %s\nsuccessfully built %s\n",
		lib, filepath.Base(lib), w.item("a", "app-1.0.drv"), w.item("p", "profile.drv"), w.Drv)
}

func letters(c string) string { return strings.Repeat(c, 32) }

func TestBuildFromNothing(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	var log bytes.Buffer
	w.job.Log = &log
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	want := &rebuild.Result{
		Image:   filepath.Join(w.job.Dir, "rebuilt-app-docker-pack.tar.gz"),
		Command: []string{filepath.Join(w.dir, "guix"), "time-machine", "-C", "channels.scm", "--", "pack", "--verbosity=3", "--format=docker", "--save-provenance", "-m", "manifest.scm"},
		Tools:   []rebuild.Tool{{Name: "guix", Version: "1.5.0"}},
		Derivation: check.Check{
			ID: check.Derivation, Status: check.Pass, Bytes: 30,
			Reasons: []check.Message{check.Say("derivation/all-derived", "items", 3)},
		},
		Derived: rebuild.Derivations{Root: w.item("i", "app-docker-pack.tar.gz.drv")},
		Items: []rebuild.Item{
			{Path: w.item("a", "app-1.0"), How: rebuild.Built},
			{Path: w.item("l", "lib-2.1"), How: rebuild.Substituted, Source: "https://farm.example"},
			{Path: w.item("p", "profile"), How: rebuild.Built},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if text, _ := os.ReadFile(got.Image); string(text) != "the image" {
		t.Errorf("image holds %q", text)
	}
	wantCalls := []string{
		"--version",
		"time-machine -C channels.scm -- pack --verbosity=3 -d --format=docker --save-provenance -m manifest.scm",
		"time-machine -C channels.scm -- pack --verbosity=3 --format=docker --save-provenance -m manifest.scm",
		"gc --requisites STORE/" + letters("p") + "-profile",
	}
	if diff := cmp.Diff(wantCalls, w.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for _, line := range []string{"$ guix time-machine -C channels.scm -- pack", "downloading from https://farm.example", "successfully built"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, log.String())
		}
	}
	w.unchanged()
}

// unchanged checks that nothing lies beside the job's folder that the test did
// not put there.
func (w *world) unchanged() {
	w.t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "gnu", "guix", "job", "calls", "argv", "seen", "scenario.json", "failed-once":
		default:
			w.t.Errorf("%s was left behind", e.Name())
		}
	}
}

// An image that the store has is no rebuild: it is built again.
func TestBuildWhatIsThere(t *testing.T) {
	w := newWorld(t)
	w.has(append(w.Closure, w.Output)...)
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range got.Items {
		if item.How != rebuild.Reused {
			t.Errorf("%s was %s, want reused", item.Path, item.How)
		}
	}
	wantCalls := []string{
		"--version",
		"gc --references STORE/" + letters("a") + "-app-1.0 STORE/" + letters("l") + "-lib-2.1 STORE/" + letters("p") + "-profile",
		"time-machine -C channels.scm -- pack --verbosity=3 -d --format=docker --save-provenance -m manifest.scm",
		"gc --references STORE/" + letters("i") + "-app-docker-pack.tar.gz",
		"build --check -K STORE/" + letters("i") + "-app-docker-pack.tar.gz.drv",
		"gc --requisites STORE/" + letters("p") + "-profile",
	}
	if diff := cmp.Diff(wantCalls, w.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if text, _ := os.ReadFile(got.Image); !strings.HasPrefix(string(text), "content of") {
		t.Errorf("image holds %q", text)
	}
	if got.Command[1] != "build" || got.Command[2] != "--check" {
		t.Errorf("the command is said to be %q", got.Command)
	}
}

// Where the second build gives other bytes, those are the rebuild.
func TestBuildDiffers(t *testing.T) {
	w := newWorld(t)
	w.has(append(w.Closure, w.Output)...)
	w.Differs[w.Drv] = w.Output
	w.write(w.Output+"-check", "other bytes")
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(got.Image); string(text) != "other bytes" {
		t.Errorf("the rebuilt image holds %q, want what the second build made", text)
	}
	w.unchanged()
}

// A path that exists and that the daemon does not know, as an interrupted
// build leaves it, is nothing that was there before.
func TestBuildOverRuins(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	w.write(w.item("a", "app-1.0"), "half of it")
	w.write(w.item("p", "profile"), "half of it")
	w.has(w.item("l", "lib-2.1"))
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	want := []rebuild.How{rebuild.Built, rebuild.Reused, rebuild.Built}
	for i, item := range got.Items {
		if item.How != want[i] {
			t.Errorf("%s was %s, want %s", item.Path, item.How, want[i])
		}
	}
}

// An image that comes from a server was not built; so it is.
func TestBuildOfASubstitute(t *testing.T) {
	w := newWorld(t)
	w.Says = "substituting " + w.Output + "...\n"
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	if got.Command[2] != "--check" {
		t.Errorf("the image was fetched and not built: %q", got.Command)
	}
	w.Silent = true
	w.job.Dir = t.TempDir()
	if _, err = w.build(); !errors.Is(err, rebuild.ErrBuild) {
		t.Errorf("error %v, want ErrBuild: nothing says that anything was built", err)
	}
}

func TestBuildDerivationDiffers(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	w.job.Image = w.image(w.item("p", "profile"), w.item("x", "app-1.0"), w.item("l", "lib-2.1"), w.item("z", "evil-6"))
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	want := check.Check{
		ID: check.Derivation, Status: check.Fail, Bytes: 20,
		Reasons: []check.Message{check.Say("derivation/not-derived", "count", 2, "items", 4), check.Say("derivation/with-and-without-grafts")},
		Findings: []check.Finding{
			{Message: check.Say("derivation/item-not-derived", "instead", w.item("a", "app-1.0")), Level: check.Problem, Path: w.item("x", "app-1.0")},
			{Message: check.Say("derivation/item-not-derived"), Level: check.Problem, Path: w.item("z", "evil-6")},
		},
	}
	if diff := cmp.Diff(want, got.Derivation); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
	}
}

func TestBuildOtherProfile(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	changed := w.details()
	changed.Pack.Root = w.item("q", "profile")
	w.plan.Details = changed
	w.job.Image = w.image(w.item("q", "profile"), w.item("a", "app-1.0"), w.item("l", "lib-2.1"))
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	d := got.Derivation
	if d.Status != check.Fail || d.Bytes != 20 || !strings.Contains(words(d.Reasons), "the same packages with other provenance text") {
		t.Errorf("derivation %+v", d)
	}
	if len(d.Findings) != 1 || d.Findings[0].Path != changed.Pack.Root || !strings.Contains(words([]check.Message{d.Findings[0].Message}), w.item("p", "profile")) {
		t.Errorf("findings %+v", d.Findings)
	}
}

// TestBuildWithoutGrafts: an image does not show whether its packer was called with
// --no-grafts, so that the recipe is evaluated both ways before it is accused. The
// evaluation decides, and the build follows it.
func TestBuildWithoutGrafts(t *testing.T) {
	const grafted, plain = "pack --verbosity=3 -d ", "pack --verbosity=3 --no-grafts -d "
	for _, tt := range []struct {
		name      string
		spoil     func(w *world)
		evaluated []string // in this order
		noGrafts  bool     // of the build
		status    check.Status
		reasons   []string
	}{
		{"made with grafts", func(*world) {}, []string{grafted}, false, check.Pass, []string{"derivation/all-derived"}},
		{"made without", func(w *world) { w.plain() }, []string{grafted, plain}, true, check.Pass,
			[]string{"derivation/all-derived", "derivation/without-grafts"}},
		{"made of something else", func(w *world) {
			w.plain()
			w.job.Image = w.image(w.item("x", "app-1.0"), w.item("l", "lib-2.1"), w.item("q", "profile"))
		},
			[]string{grafted, plain}, false, check.Fail, []string{"derivation/not-derived", "derivation/with-and-without-grafts"}},
		{"no image, made without", func(w *world) { w.plain(); w.job.Image = nil }, []string{grafted, plain}, true, check.Skipped,
			[]string{"derivation/not-evaluated"}},
		{"no image, made with", func(w *world) { w.job.Image = nil }, []string{grafted}, false, check.Skipped,
			[]string{"derivation/not-evaluated"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.Says = w.builds()
			tt.spoil(w)
			got, err := w.build()
			if err != nil {
				t.Fatal(err)
			}
			var evaluated []string
			for _, call := range w.calls() {
				for _, way := range []string{grafted, plain} {
					if strings.Contains(call, way) {
						evaluated = append(evaluated, way)
					}
				}
			}
			if diff := cmp.Diff(tt.evaluated, evaluated); diff != "" {
				t.Errorf("evaluations (-want +got):\n%s", diff)
			}
			if slices.Contains(got.Command, noGrafts) != tt.noGrafts {
				t.Errorf("built by %q", got.Command)
			}
			var reasons []string
			for _, m := range got.Derivation.Reasons {
				reasons = append(reasons, m.Code)
			}
			if diff := cmp.Diff(tt.reasons, reasons); diff != "" || got.Derivation.Status != tt.status {
				t.Errorf("derivation %s, want %s; reasons (-want +got):\n%s", got.Derivation.Status, tt.status, diff)
			}
		})
	}
}

// plain makes the original one that only packing without grafts gives.
func (w *world) plain() {
	app := w.derive("b", "app-1.0", []string{w.item("l", "lib-2.1.drv")})
	packed := w.derive("q", "profile", []string{app, w.item("l", "lib-2.1.drv")})
	w.Plain = w.derive("j", "app-docker-pack.tar.gz", []string{packed})
	w.change(func(d *Details) { d.Pack.Root = w.item("q", "profile") })
	w.job.Image = w.image(w.item("q", "profile"), w.item("b", "app-1.0"), w.item("l", "lib-2.1"))
	w.Closure = []string{w.item("q", "profile"), w.item("b", "app-1.0"), w.item("l", "lib-2.1")}
	w.Says += "successfully built " + w.Plain + "\n"
}

// An evaluation that could not be done a second time accuses nobody.
func TestBuildSecondEvaluationFails(t *testing.T) {
	w := newWorld(t)
	w.plain()
	w.Fails["derive plain"] = "guix pack: error: failed to connect to `/var/guix/daemon-socket/socket': Connection refused\n"
	got, err := w.build()
	if !errors.Is(err, rebuild.ErrNoBuilder) || got.Derivation.Status != check.Skipped {
		t.Errorf("error %v, derivation %+v", err, got.Derivation)
	}
}

func TestBuildWithoutOriginal(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	w.job.Image = nil
	got, err := w.build()
	if err != nil || got.Derivation.Status != check.Skipped {
		t.Errorf("error %v, derivation %+v", err, got.Derivation)
	}
}

func TestBuildImageWithoutItems(t *testing.T) {
	w := newWorld(t)
	w.Says = w.builds()
	w.job.Image = w.image()
	got, err := w.build()
	if err != nil || got.Derivation.Status != check.Unknown {
		t.Errorf("error %v, derivation %+v", err, got.Derivation)
	}
}

func TestBuildFresh(t *testing.T) {
	w := newWorld(t)
	w.has(append(w.Closure, w.Output)...)
	w.job.Fresh = []string{"all"}
	app := w.item("a", "app-1.0")
	for _, folder := range []string{app, app + "-check"} {
		os.Remove(folder)
		w.write(filepath.Join(folder, "share", "built-at"), folder)
		w.write(filepath.Join(folder, "share", "same"), "same")
	}
	w.write(filepath.Join(app, "old"), "")
	w.write(filepath.Join(app+"-check", "new"), "")
	w.Differs[w.item("a", "app-1.0.drv")] = app
	w.Fails["check "+w.item("l", "lib-2.1.drv")] = "guix build: error: some outputs of `x' are not valid, so checking is not possible\n"
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	want := []rebuild.Fresh{
		{Derivation: w.item("a", "app-1.0.drv"), Items: []string{app},
			Differences: []string{app + "/new", app + "/old", app + "/share/built-at"}},
		{Derivation: w.item("l", "lib-2.1.drv"), Items: []string{w.item("l", "lib-2.1")}, Same: true},
		{Derivation: w.item("p", "profile.drv"), Items: []string{w.item("p", "profile")}, Same: true},
	}
	if diff := cmp.Diff(want, got.Fresh); diff != "" {
		t.Errorf("fresh (-want +got):\n%s", diff)
	}
	how := []rebuild.How{rebuild.Reused, rebuild.Built, rebuild.Built}
	for i, item := range got.Items {
		if item.How != how[i] {
			t.Errorf("%s was %s, want %s", item.Path, item.How, how[i])
		}
	}
	if calls := strings.Join(w.calls(), "\n"); !strings.Contains(calls, "\nbuild STORE/"+letters("l")+"-lib-2.1.drv\n") {
		t.Errorf("the missing outputs of lib were not made first:\n%s", calls)
	}
	w.unchanged()
}

func TestBuildFreshFails(t *testing.T) {
	w := newWorld(t)
	w.has(append(w.Closure, w.Output)...)
	w.job.Fresh = []string{"lib"}
	w.Fails["check "+w.item("l", "lib-2.1.drv")] = "guix build: error: build of `lib' failed\n"
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Fresh) != 1 || got.Fresh[0].Same || !strings.Contains(got.Fresh[0].Problem, "build of `lib' failed") {
		t.Errorf("fresh %+v", got.Fresh)
	}
}

func TestBuildFreshUnknown(t *testing.T) {
	w := newWorld(t)
	w.job.Fresh = []string{"ap"}
	if _, err := w.build(); !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), `"ap"`) {
		t.Errorf("error %v, want ErrRefused naming the package", err)
	}
}

// What was grafted is only as new as what it was grafted from.
func TestBuildGraft(t *testing.T) {
	w := newWorld(t)
	plain := w.derive("b", "app-1.0", []string{w.item("l", "lib-2.1.drv")})
	graft := w.derive("a", "app-1.0", []string{plain, w.item("l", "lib-2.1.drv")}, "guix properties", "((type . graft) (graft (count . 1)))")
	w.Says = fmt.Sprintf("substituting %[1]s...\ndownloading from https://farm.example/nar/%[2]s ...\nsuccessfully built %[3]s\nsuccessfully built %[4]s\n",
		w.item("b", "app-1.0"), filepath.Base(w.item("b", "app-1.0")), graft, w.Drv)
	w.job.Fresh = []string{"lib"}
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	if want := (rebuild.Item{Path: w.item("a", "app-1.0"), How: rebuild.Substituted, Source: "https://farm.example"}); got.Items[0] != want {
		t.Errorf("the grafted item is %+v, want %+v", got.Items[0], want)
	}
	w.job.Fresh, w.job.Dir = []string{"app@1.0"}, t.TempDir()
	if _, err = w.build(); !errors.Is(err, rebuild.ErrRefused) {
		t.Errorf("error %v: app@1.0 is no name of a store item", err)
	}
	w.job.Fresh, w.job.Dir = []string{"app-1.0"}, t.TempDir()
	w.Valid = nil
	if err := os.Remove(w.Output); err != nil {
		t.Fatal(err)
	}
	if got, err = w.build(); err != nil {
		t.Fatal(err)
	}
	if len(got.Fresh) != 2 || got.Fresh[0].Derivation != graft || got.Fresh[1].Derivation != plain {
		t.Errorf("fresh %+v, want the graft and what it is made from", got.Fresh)
	}
	if got.Items[0].How != rebuild.Built {
		t.Errorf("%+v, want built: both were built again", got.Items[0])
	}
}

func TestBuildNotPossible(t *testing.T) {
	// What Guix 1.5.0 really said, with neither network nor daemon.
	recorded := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, tt := range []struct {
		name, step, says string
		want             error
		message, hint    string
	}{
		{"no daemon", "derive", recorded("no-daemon.txt"),
			rebuild.ErrNoBuilder, "daemon does not answer", "rebuild.sh"},
		{"no daemon, items there", "references", "guix gc: error: failed to connect to `/x': Connection refused\n",
			rebuild.ErrNoBuilder, "daemon does not answer", "GUIX_DAEMON_SOCKET"},
		{"broken guix", "version", "error while loading shared libraries\n", rebuild.ErrNoBuilder, "guix --version", "Install GNU Guix"},
		{"no network", "derive", recorded("cache-miss-offline.txt"), rebuild.ErrNotDone, "the channel could not be fetched", "--channel-url"},
		{"unknown package", "derive", recorded("unknown-package.txt"),
			rebuild.ErrNotDone, "no-such-package: unknown package", "not record"},
		{"no introduction", "derive", "guix time-machine: error: channel 'guix' lacks an introduction and cannot be authenticated\n",
			rebuild.ErrNotDone, "channel 'guix' lacks an introduction", "introductions"},
		{"commit gone", "derive", "guix time-machine: error: Git error: object not found - no match for id (230a)\n", rebuild.ErrNotDone, "not in the channel's repository", "--channel-url"},
		{"disk full", "pack", "some line\nguix pack: error: copying: No space left on device\n", rebuild.ErrNotDone, "the disk is full", "guix gc"},
		{"package fails", "pack", "builder for `/gnu/store/x.drv' failed with exit code 1\nbuild of /gnu/store/x.drv failed\nView build log at '/var/log/guix/drvs/x.gz'.\nguix pack: error: build of `/gnu/store/y.drv' failed\n",
			rebuild.ErrBuild, "it does not build (builder for `/gnu/store/x.drv' failed with exit code 1); its log: /var/log/guix/drvs/x.gz", "--rebuilt"},
		{"source vanished", "pack", recorded("bad-url.txt"), rebuild.ErrBuild,
			"gone-1.0.tar.gz: its source could not be fetched (builder for `/gnu/store/r6xfz1200zh8i8s1g66xicnav27j884k-gone-1.0.tar.gz.drv' failed to produce output path `/gnu/store/7wyfcf90l2cpapyk3d0dic8czsj4az0p-gone-1.0.tar.gz'); " +
				"its output: failed to download \"/gnu/store/7wyfcf90l2cpapyk3d0dic8czsj4az0p-gone-1.0.tar.gz\" from \"https://example.org/gone/gone-1.0.tar.gz\"; its log: /var/log/guix/drvs/r6/xfz1200zh8i8s1g66xicnav27j884k-gone-1.0.tar.gz.drv.gz",
			"guix download FILE"},
		{"checkout vanished", "pack", recorded("bad-git.txt"), rebuild.ErrBuild, "bad-git-1.0-checkout: its source could not be fetched", "Software Heritage"},
		{"checkout of a channel's Guix vanished", "derive", recorded("bad-git.txt"), rebuild.ErrBuild, "bad-git-1.0-checkout: its source could not be fetched", "Software Heritage"},
		{"time bomb", "pack", recorded("bad-test.txt"), rebuild.ErrBuild, "bad-test-1.0: a certificate in its tests has expired", "virtual-build-machine"},
		{"disk full in a build", "pack", recorded("bad-disk.txt"), rebuild.ErrBuild, "bad-disk-1.0: it does not build, and it wrote that a disk is full", "guix gc"},
		{"package fails to build", "pack", recorded("bad-plain.txt"), rebuild.ErrBuild, "its output: make: *** [Makefile:3: all] Error 1; its log: /var/log/guix/drvs/af/", "--rebuilt"},
		{"build without end", "pack", recorded("bad-loop.txt"), rebuild.ErrNotDone, "bad-loop-1.0: it took too long", "max-silent-time"},
		{"source replaced", "pack", "sha256 hash mismatch for /gnu/store/x-hello.tar.gz:\n  expected hash: 1\n  actual hash:   2\nhash mismatch for store item '/gnu/store/x-hello.tar.gz'\nbuild of /gnu/store/x-hello.tar.gz.drv failed\n",
			rebuild.ErrBuild, "not the one that the package names", "guix download FILE"},
		{"another signer", "derive", "guix time-machine: error: initial commit 9edb is signed by 'A' instead of 'B'\n", rebuild.ErrNotDone, "not signed by those who may", "another history"},
		{"a commit by nobody", "derive", "guix time-machine: error: commit 230a not signed by an authorized key: C\n", rebuild.ErrNotDone, "not signed by those who may", "another history"},
		{"a commit that no server has", "derive", "guix time-machine: error: cannot fetch commit 230a from https://x: gone\n", rebuild.ErrNotDone, "not in the channel's repository", "--channel-url"},
		{"something else", "pack", "one\nguix pack: error: something odd\ntwo\n", rebuild.ErrNotDone, "something odd", ""},
		{"check fails", "check", "guix build: error: something odd\n", rebuild.ErrNotDone, "something odd", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.step == "references" || tt.step == "check" {
				w.has(append(w.Closure, w.Output)...)
			}
			w.Fails[tt.step] = tt.says
			got, err := w.build()
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.message) {
				t.Errorf("error %q does not say %q", err, tt.message)
			}
			var hint *rebuild.HintError
			if errors.As(err, &hint) != (tt.hint != "") || hint != nil && !strings.Contains(hint.Hint, tt.hint) {
				t.Errorf("hint %+v does not say %q", hint, tt.hint)
			}
			if got.Image != "" {
				t.Errorf("there is an image %q", got.Image)
			}
			want := check.Skipped
			switch {
			case tt.step == "pack" || tt.step == "check":
				want = check.Pass
			case tt.step == "derive" && (tt.want == rebuild.ErrBuild || tt.name == "unknown package"):
				want = check.Unknown
			}
			if got.Derivation.Status != want {
				t.Errorf("derivation %+v after a failure in %s, want %s", got.Derivation, tt.step, want)
			}
		})
	}
}

// TestMachineFailures: what Guix, its daemon, Git and the kernel say when it is the
// machine that fails. None of it is a failed build, or a channel that cannot be
// fetched, in whichever phase it comes.
func TestMachineFailures(t *testing.T) {
	for _, tt := range []struct {
		says string
		kind error
		want string
	}{
		{"guix build: error: all build users are currently in use; consider creating additional users and adding them to the `guixbuild' group\n",
			rebuild.ErrNotDone, "no build user left"},
		{"all build users are currently in use; consider creating additional users and adding them to the `guixbuild' group\nbuild of /gnu/store/x.drv failed\nView build log at '/x.gz'.\nguix pack: error: build of `/gnu/store/x.drv' failed\n",
			rebuild.ErrNotDone, "no build user left"},
		{"guix pack: error: the build users group `guixbuild' has no members\n", rebuild.ErrNotDone, "no build user left"},
		{"guix time-machine: error: failed to connect to `/var/guix/daemon-socket/socket': Connection refused\n", rebuild.ErrNoBuilder, "daemon does not answer"},
		{"guix pack: error: failed to connect to `guix://build.example:44146': Connection refused\n", rebuild.ErrNoBuilder, "daemon does not answer"},
		{"guix pack: error: failed to connect to `ssh://build.example': Connection timed out\n", rebuild.ErrNoBuilder, "daemon does not answer"},
		{"building /gnu/store/s86c-s114.drv...\nguix build: error: corrupt input while restoring archive from #<closed: file 7f50e4726ee0>\n", rebuild.ErrNotDone, "connection to the Guix daemon was lost"},
		{"building /gnu/store/s86c-s114.drv...\nhalf a line\nIn procedure fport_read: Connection reset by peer\nguix pack: error: fport_read: Connection reset by peer\n", rebuild.ErrNotDone, "connection to the Guix daemon was lost"},
		{"guix pack: error: writing to file: No space left on device\n", rebuild.ErrNotDone, "the disk is full"},
		{"building /gnu/store/x.drv...\nhello\nguix pack: error: committing transaction: No space left on device\n", rebuild.ErrNotDone, "the disk is full"},
		{"building /gnu/store/x.drv...\nmake: all done\nbuilder for `/gnu/store/x.drv' failed with exit code 1\nguix pack: error: writing to file: No space left on device\n", rebuild.ErrNotDone, "the disk is full"},
		{"guix time-machine: error: opening lock file: Disk quota exceeded\n", rebuild.ErrNotDone, "the disk is full"},
		{"guix pack: error: unable to fork: Cannot allocate memory\n", rebuild.ErrNotDone, "short of something"},
		{"guix pack: error: opening file `/gnu/store/x': Too many open files\n", rebuild.ErrNotDone, "short of something"},
		{"guix pack: error: creating directory `/gnu/store/x': Read-only file system\n", rebuild.ErrNotDone, "short of something"},
		{"guix offload: error: failed to connect to 'build.example': Connection refused\nguix pack: error: build of `/gnu/store/x.drv' failed\n", rebuild.ErrNotDone, "offloads builds to"},
		{"cannot build on offload machines\nguix pack: error: build of `/gnu/store/x.drv' failed\n", rebuild.ErrNotDone, "offloads builds to"},
		{"guix offload: error: timeout expired while offloading '/gnu/store/x.drv'\nbuild of /gnu/store/x.drv failed\nguix pack: error: build of `/gnu/store/x.drv' failed\n", rebuild.ErrNotDone, "offloads builds to"},
		{"guix offload: error: failed to talk to guix-daemon on 'build.example' (test returned #f)\nguix pack: error: build of `/gnu/store/x.drv' failed\n", rebuild.ErrNotDone, "offloads builds to"},
		{"guix pack: error: lost connection to build.example\n", rebuild.ErrNotDone, "offloads builds to"},
		{"guix substitute: error: TLS error in procedure 'handshake': Error in the pull function.\nsubstitution of /gnu/store/x failed\nguix pack: error: some substitutes for the outputs of derivation `/gnu/store/x.drv' failed (usually happens due to networking issues); try `--fallback' to build derivation from source\n",
			rebuild.ErrNotDone, "a substitute could not be fetched"},
		{"building /gnu/store/x.drv...\n....\nbuilding of `/gnu/store/x.drv' timed out after 3600 seconds of silence\nbuild of /gnu/store/x.drv failed\nguix pack: error: build of `/gnu/store/x.drv' failed\n", rebuild.ErrNotDone, "took too long"},
	} {
		for _, step := range []string{"derive", "pack"} {
			w := newWorld(t)
			w.Fails[step] = tt.says
			_, err := w.build()
			if !errors.Is(err, tt.kind) || errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "channel could not") {
				t.Errorf("%s, %q: %v, want %v, %q", step, tt.says, err, tt.kind, tt.want)
			}
			var hint *rebuild.HintError
			if !errors.As(err, &hint) || hint.Hint == "" {
				t.Errorf("%s, %q: no advice", step, tt.says)
			}
		}
	}
}

// TestIncompleteRecipe: a package that no channel has is of a module folder, an
// expression or a channel that is not recorded, and the error says what the recipe
// lacks.
func TestIncompleteRecipe(t *testing.T) {
	for _, says := range []string{
		"guix pack: error: app: package not found for version 1.0\nguix pack: error: failed to load 'manifest.scm':\ngnu/packages.scm:578:4: In procedure specification->package+output:\nThrow to key `quit' with args `(1)'.\n",
		"guix substitute: error: connect: Connection refused\nguix pack: error: app: unknown package\n",
	} {
		w := newWorld(t)
		w.Fails["derive"] = says
		got, err := w.build()
		var lacks *rebuild.IncompleteError
		if !errors.As(err, &lacks) || !errors.Is(err, rebuild.ErrNotDone) || lacks.Package != "app" {
			t.Errorf("%q: %v", says, err)
			continue
		}
		if diff := cmp.Diff(check.Say("recipe/package-not-in-channels", "package", "app"), lacks.Missing); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
		var hint *rebuild.HintError
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint, "--rebuilt IMAGE") || got.Derivation.Status != check.Unknown {
			t.Errorf("hint %+v, derivation %+v", hint, got.Derivation)
		}
	}
}

// TestChannelFailures: what says that a channel could not be fetched is Git, or the
// time-machine that runs it.
func TestChannelFailures(t *testing.T) {
	for _, says := range []string{
		"Updating channel 'guix' from Git repository at 'https://git.guix.gnu.org/guix.git'...\nguix time-machine: error: Git error: failed to connect to git.guix.gnu.org: Connection refused\n",
		"guix time-machine: error: Git error: failed to resolve address for git.guix.gnu.org: Name or service not known\n",
		"guix time-machine: error: Git error: SSL error: received early EOF\n",
		"guix time-machine: error: Git error: Connection reset by peer\n",
	} {
		w := newWorld(t)
		w.Fails["derive"] = says
		if _, err := w.build(); !errors.Is(err, rebuild.ErrNotDone) || !strings.Contains(err.Error(), "the channel could not be fetched") {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// TestBuildersOwnWords: a build that fails has failed, whatever it writes.
func TestBuildersOwnWords(t *testing.T) {
	for _, wrote := range []string{
		"FAIL: test-disk: No space left on device",
		"test_server: connect: Connection refused\nconnection timed out after 30 seconds",
		"all build users are currently in use",
		"cannot build on offload machines",
		"error: failed to connect to `/var/run/x': No such file or directory",
		"Cannot allocate memory",
		"lost connection\nguix offload: error: nothing",
		"Git error: failed to resolve address for example.org: Temporary failure in name resolution",
		"TLS error\nSSL error\nerror: corrupt input while restoring archive",
		"warning: building of x timed out after 5 seconds",
		"unshare: Operation not permitted",
	} {
		for _, end := range []string{
			"builder for `/gnu/store/x-app.drv' failed with exit code 1\nbuild of /gnu/store/x-app.drv failed\nView build log at '/x.gz'.\nguix pack: error: build of `/gnu/store/y.drv' failed\n",
			"build of /gnu/store/x-app.drv failed\nView build log at '/x.gz'.\nguix pack: error: build of `/gnu/store/y.drv' failed\n",
		} {
			for _, step := range []string{"derive", "pack"} {
				w := newWorld(t)
				w.Fails[step] = "building /gnu/store/x-app.drv...\n" + wrote + "\nmake: *** [check] Error 1\n" + end
				if _, err := w.build(); !errors.Is(err, rebuild.ErrBuild) {
					t.Errorf("%s, %q: %v", step, wrote, err)
				}
			}
		}
	}
}

func TestBuildNoGuix(t *testing.T) {
	w := newWorld(t)
	_, err := Builder{Program: filepath.Join(t.TempDir(), "guix")}.Build(t.Context(), w.plan, w.job)
	var hint *rebuild.HintError
	if !errors.Is(err, rebuild.ErrNoBuilder) || !errors.As(err, &hint) || !strings.Contains(hint.Hint, "--rebuilt") {
		t.Errorf("error %v, hint %+v", err, hint)
	}
}

// change changes what the world's plan holds.
func (w *world) change(edit func(d *Details)) {
	d := w.details()
	edit(&d)
	w.plan.Details = d
}

func TestBuildRefused(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"refused":        func(w *world) { w.plan.Reasons = []check.Message{check.Say("plan/not-trusted")} },
		"no details":     func(w *world) { w.plan.Details = nil },
		"no packages":    func(w *world) { w.change(func(d *Details) { d.Pack.Manifest = nil }) },
		"no channels":    func(w *world) { w.change(func(d *Details) { d.Channels = nil }) },
		"another form":   func(w *world) { w.change(func(d *Details) { d.Pack.Format = "vm" }) },
		"NUL":            func(w *world) { w.change(func(d *Details) { d.Pack.ImageTag = "a\x00b" }) },
		"a program":      func(w *world) { w.change(func(d *Details) { d.Configuration = "(system \"evil\")" }) },
		"a load path":    func(w *world) { w.change(func(d *Details) { d.Pack.SystemType = "x -L." }) },
		"root elsewhere": func(w *world) { w.change(func(d *Details) { d.Pack.Root = "/etc/passwd" }) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			spoil(w)
			if _, err := w.build(); !errors.Is(err, rebuild.ErrRefused) {
				t.Errorf("error %v, want ErrRefused", err)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "calls")); err == nil {
				t.Errorf("guix was called: %q", w.calls())
			}
			if entries, _ := os.ReadDir(w.job.Dir); len(entries) > 0 {
				t.Errorf("files were written: %v", entries)
			}
		})
	}
}

// TestBuildStrangeAnswers: what guix prints in place of a derivation or an image is a
// build that was not done; a derivation that makes no image for this recipe is one
// that failed.
func TestBuildStrangeAnswers(t *testing.T) {
	built := map[string]bool{"no profile": true}
	for name, spoil := range map[string]func(w *world){
		"no derivation":          func(w *world) { w.Drv = "nonsense" },
		"derivation elsewhere":   func(w *world) { w.Drv = "/etc/" + letters("a") + "-x.drv" },
		"derivation missing":     func(w *world) { w.Drv = w.item("m", "missing.drv") },
		"derivation malformed":   func(w *world) { w.write(w.Drv, "Derive(") },
		"two outputs":            func(w *world) { w.write(w.Drv, derivationText([]string{w.Output, w.Output + "2"}, nil)) },
		"no profile":             func(w *world) { w.Says = w.builds(); w.write(w.Drv, derivationText([]string{w.Output}, nil)) },
		"image of another name":  func(w *world) { w.Output = w.item("j", "app-docker-pack.tar.gz") },
		"second build of others": func(w *world) { w.has(w.Output); w.Differs[w.Drv] = w.item("a", "app-1.0") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			spoil(w)
			if _, err := w.build(); err == nil || errors.Is(err, rebuild.ErrBuild) != built[name] || errors.Is(err, rebuild.ErrNotDone) == built[name] {
				t.Errorf("error %v, a failed build: %t", err, built[name])
			}
		})
	}
}

func TestBuildCancel(t *testing.T) {
	for _, step := range []string{"version", "derive", "pack", "check", "requisites"} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			w.Says = w.builds()
			if step == "check" {
				w.has(append(w.Closure, w.Output)...)
			}
			w.Hangs = step
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.job.Log = onLine(func(line string) {
				if line == "hanging\n" {
					cancel()
				}
			})
			_, err := w.buildIn(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want context.Canceled", err)
			}
			if errors.Is(err, rebuild.ErrBuild) || errors.Is(err, rebuild.ErrNoBuilder) {
				t.Errorf("%v: an interrupted build is said to have failed", err)
			}
		})
	}
}

type onLine func(line string)

func (f onLine) Write(p []byte) (int, error) { f(string(p)); return len(p), nil }

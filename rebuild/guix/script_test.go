package guix

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect/check"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
	"audit/provenance/guix/scheme"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// hostile are texts that would do harm where they are not quoted.
func hostile() []string {
	return []string{
		"plain", "", " ", "a b", "it's", "'", "''", "'; touch pwned; '", `\'`, `\`, "$(touch pwned)", "`touch pwned`",
		"\"; touch pwned #", "a\ntouch pwned\n", "END_OF_FILE\ntouch pwned\n", "\nEND_OF_FILE_\n", "${IFS}", "*", "~", "!!", "-", "--", "-n", "%s%n",
		"\r", "\t", "\x1b[31m", "\xff\xfe", "é", "$'x'", "&", "|", ";", "#", "(", "a=b", "\\n", "\x7f", "'\\''",
	}
}

// run runs the script of a plan with the world's guix and nothing else that
// the plan could name, in an empty folder.
func (w *world) runScript(script []byte) (stdout, stderr string, err error) {
	w.t.Helper()
	text, err := json.Marshal(w.scenario)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join(w.dir, "scenario.json"), string(text))
	for _, name := range []string{"argv", "calls", "seen"} {
		os.RemoveAll(filepath.Join(w.dir, name))
	}
	cwd, tmp := filepath.Join(w.dir, "cwd"), filepath.Join(w.dir, "tmp")
	for _, dir := range []string{cwd, tmp} {
		os.RemoveAll(dir)
		if err := os.Mkdir(dir, 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
	w.write(filepath.Join(w.dir, "rebuild.sh"), string(script))
	cmd := exec.Command("/bin/sh", filepath.Join(w.dir, "rebuild.sh"))
	cmd.Dir = cwd
	cmd.Env = []string{"PATH=" + w.dir + ":/usr/bin:/bin", "TMPDIR=" + tmp}
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	for _, dir := range []string{cwd, tmp} {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			w.t.Errorf("the script left %v behind", left)
		}
	}
	return out.String(), log.String(), err
}

// argv returns the arguments of each call of guix.
func (w *world) argv() [][]string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "argv"))
	if err != nil {
		w.t.Fatal(err)
	}
	var calls [][]string
	for line := range strings.Lines(string(text)) {
		var args []string
		if err := json.Unmarshal([]byte(line), &args); err != nil {
			w.t.Fatal(err)
		}
		calls = append(calls, args)
	}
	return calls
}

func TestScript(t *testing.T) {
	w := newWorld(t)
	w.plan.Image = "my image.tar.gz"
	stdout, stderr, err := w.runScript(Script(w.plan))
	if err != nil {
		t.Fatal(err, stderr)
	}
	want := "The rebuilt image:\n  " + w.Output + "\nCompare it with the original:\n  audit compare 'my image.tar.gz' " + w.Output + "\n"
	if stdout != want {
		t.Errorf("printed:\n%s\nwant:\n%s", stdout, want)
	}
	wantCalls := []string{
		"time-machine -C channels.scm -- pack -d --format=docker --save-provenance -m manifest.scm",
		"gc --requisites STORE/" + letters("i") + "-app-docker-pack.tar.gz.drv",
		"gc --references STORE/" + letters("i") + "-app-docker-pack.tar.gz",
		"time-machine -C channels.scm -- pack --format=docker --save-provenance -m manifest.scm",
	}
	if diff := cmp.Diff(wantCalls, w.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A script finds out by itself that an image was made without grafts.
func TestScriptWithoutGrafts(t *testing.T) {
	w := newWorld(t)
	w.plain()
	stdout, stderr, err := w.runScript(Script(w.plan))
	if err != nil || !strings.Contains(stderr, "without grafts") || !strings.Contains(stdout, "  "+strings.TrimSuffix(w.Plain, ".drv")+"\n") {
		t.Fatal(err, stdout, stderr)
	}
	plain := letters("j") + "-app-docker-pack.tar.gz"
	wantCalls := []string{
		"time-machine -C channels.scm -- pack -d --format=docker --save-provenance -m manifest.scm",
		"gc --requisites STORE/" + letters("i") + "-app-docker-pack.tar.gz.drv",
		"time-machine -C channels.scm -- pack --no-grafts -d --format=docker --save-provenance -m manifest.scm",
		"gc --requisites STORE/" + plain + ".drv",
		"gc --references STORE/" + plain,
		"time-machine -C channels.scm -- pack --no-grafts --format=docker --save-provenance -m manifest.scm",
	}
	if diff := cmp.Diff(wantCalls, w.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestScriptBuildsAgain(t *testing.T) {
	w := newWorld(t)
	w.has(w.Output)
	stdout, stderr, err := w.runScript(Script(w.plan))
	if err != nil || !strings.Contains(stdout, "  "+w.Output+"\n") {
		t.Fatal(err, stdout, stderr)
	}
	if calls := w.calls(); calls[len(calls)-1] != "build --check -K STORE/"+letters("i")+"-app-docker-pack.tar.gz.drv" {
		t.Errorf("calls %q", calls)
	}
	w.Differs[w.Drv] = w.Output
	stdout, stderr, err = w.runScript(Script(w.plan))
	if err != nil || !strings.Contains(stdout, "  "+w.Output+"-check\n") {
		t.Error(err, stdout, stderr)
	}
}

func TestScriptFails(t *testing.T) {
	for _, step := range []string{"derive", "pack", "check"} {
		w := newWorld(t)
		if step == "check" {
			w.has(w.Output)
		}
		w.Fails[step] = "guix: error: why\n"
		stdout, stderr, err := w.runScript(Script(w.plan))
		if err == nil || !strings.Contains(stderr, "guix: error: why") || strings.Contains(stdout, w.Output) {
			t.Errorf("%s: error %v, stdout %q, stderr %q", step, err, stdout, stderr)
		}
	}
}

func TestScriptWithoutGuix(t *testing.T) {
	w := newWorld(t)
	if err := os.Remove(filepath.Join(w.dir, "guix")); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := w.runScript(Script(w.plan)); err == nil || !strings.Contains(stderr, "https://guix.gnu.org") {
		t.Errorf("error %v, stderr %q", err, stderr)
	}
}

// The script of a plan that must not be run runs nothing.
func TestScriptRefused(t *testing.T) {
	for _, why := range append(hostile(), "the channel is not trusted") {
		w := newWorld(t)
		w.plan.Reasons = []check.Message{check.Say("plan/not-trusted", "channel", why)}
		_, stderr, err := w.runScript(Script(w.plan))
		refusal := &rebuild.RefusedError{Reasons: w.plan.Reasons}
		if err == nil || stderr != shell.Printable("This rebuild is refused: "+refusal.Error())+"\n" {
			t.Errorf("%q: error %v, stderr %q", why, err, stderr)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "argv")); err == nil {
			t.Errorf("%q: guix was called", why)
		}
	}
	w := newWorld(t)
	w.change(func(d *Details) { d.Pack.Format = "$(touch pwned)" })
	if _, _, err := w.runScript(Script(w.plan)); err == nil {
		t.Error("a plan of a strange form was run")
	}
}

// Whatever a plan holds reaches guix as it is, and nothing else happens.
func TestScriptHostile(t *testing.T) {
	for _, text := range hostile() {
		w := newWorld(t)
		w.plan.Image = text
		w.change(func(d *Details) {
			d.Pack.Manifest[0].Name, d.Pack.Manifest[0].Version = "x"+text, text
			d.Pack.EntryPoint, d.Pack.ImageTag = []string{text, text}, text
		})
		w.checkScript()
	}
}

func TestScriptHostileMixtures(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t)
	mix := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(hostile()[r.IntN(len(hostile()))])
		}
		return b.String()
	}
	for range 20 {
		w.plan.Image = mix()
		w.change(func(d *Details) {
			d.Pack.Manifest[0].Name, d.Pack.EntryPoint = "x"+mix(), []string{mix()}
			d.Pack.Symlinks = []guix.Symlink{{Source: "/" + strings.ReplaceAll(mix(), "=", ""), Target: strings.ReplaceAll(mix(), "=", "")}}
		})
		w.checkScript()
	}
}

func FuzzScript(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text, text)
	}
	f.Fuzz(func(t *testing.T, image, text, arg string) {
		if strings.Contains(text+arg, "\x00") {
			t.Skip("refused")
		}
		w := newWorld(t)
		w.plan.Image = image
		w.change(func(d *Details) { d.Pack.Manifest[0].Name, d.Pack.EntryPoint = "x"+text, []string{arg} })
		w.checkScript()
	})
}

// checkScript runs the script of the world's plan and checks that guix was
// given the plan's own words and files.
func (w *world) checkScript() {
	w.t.Helper()
	script := Script(w.plan)
	stdout, stderr, err := w.runScript(script)
	if err != nil || stderr != "" {
		w.t.Fatalf("error %v, stderr %q, script:\n%s", err, stderr, script)
	}
	if n := strings.Count(stdout, "\n"); n != 4 {
		w.t.Errorf("printed %d lines:\n%s", n, stdout)
	}
	calls := w.argv()
	if len(calls) != 4 {
		w.t.Fatalf("%d calls, want 4: %q", len(calls), calls)
	}
	_, arguments := w.details().command()
	head := []string{"time-machine", "-C", "channels.scm", "--", "pack"}
	for i, want := range map[int][]string{
		0: append(append(head[:5:5], "-d"), arguments...),
		3: append(head[:5:5], arguments...),
	} {
		if !sameBytes(want, calls[i]) {
			w.t.Errorf("call %d: %q, want %q, script:\n%s", i, calls[i], want, script)
		}
	}
	for _, f := range w.details().Files() {
		got, err := os.ReadFile(filepath.Join(w.dir, "seen", f.Name))
		if err != nil || strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(f.Text, "\n") {
			w.t.Errorf("%s holds %q (%v), want %q", f.Name, got, err, f.Text)
		}
	}
	readsBack(w.t, w.details())
}

// readsBack checks that the files of a plan hold nothing but data: what they say of
// channels is what the plan has, and a manifest calls nothing but the procedures of
// one.
func readsBack(t *testing.T, d Details) {
	t.Helper()
	files := d.Files()
	list := profile.ReadSystem(channelsFile, []byte(files[0].Text))
	if len(list.Problems) > 0 || !cmp.Equal(list.List, d.Channels) {
		t.Errorf("%s reads back as %v, %v", files[0].Text, list.List, list.Problems)
	}
	forms, err := scheme.Parse([]byte(files[1].Text), scheme.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	heads := []string{"use-modules", "define", "specifications->manifest", "packages->manifest"}
	for _, form := range forms {
		if !form.IsList() || len(form.Items) == 0 || !slices.Contains(heads, form.Items[0].Text) {
			t.Errorf("%s does not belong into a manifest", form)
		}
	}
}

// sameBytes compares arguments that went through JSON, which has no other
// bytes than those of UTF-8.
func sameBytes(want, got []string) bool {
	text, err := json.Marshal(want)
	if err != nil {
		return false
	}
	var through []string
	return json.Unmarshal(text, &through) == nil && cmp.Equal(through, got)
}

// The script of an honest plan reads well.
func TestScriptText(t *testing.T) {
	pack := tinyPack()
	pack.EntryPoint = []string{"bin/it's"}
	got := string(Script(plan(t, recipeOf(pack, guixChannel()))))
	for _, want := range []string{
		"#!/bin/sh\n", "cat >'channels.scm' <<'END_OF_FILE'\n;; -*- coding: utf-8 -*-\n",
		`guix time-machine -C channels.scm -- pack "$@" --format=docker --save-provenance --system=x86_64-linux --compression=gzip '--entry-point=bin/it'\''s' -m manifest.scm` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the script lacks %q:\n%s", want, got)
		}
	}
	if string(Script(rebuild.Plan{})) == got {
		t.Error("an empty plan gives a script")
	}
}

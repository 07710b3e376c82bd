package guix

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
	"audit/rebuild/compare"
)

const forms = "../../fixtures/guix/forms"

// recovered opens a form and returns it with its recipe.
func recovered(t *testing.T, file string) (*inspect.Image, provenance.Recipe) {
	t.Helper()
	img, err := inspect.Open(t.Context(), filepath.Join(forms, file), inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := provenance.Recover(img, nil, []guix.System{{}})
	if err != nil {
		t.Fatal(err)
	}
	return img, ev.Recipe
}

// Every form can be planned, its plan passes through a file, and its script
// calls what made it.
func TestPlansOfForms(t *testing.T) {
	entries, err := os.ReadDir(forms)
	if err != nil || len(entries) < 16 {
		t.Fatalf("%d forms: %v", len(entries), err)
	}
	trusted := Trusted{Channels: []string{fixturesURL}, Configuration: true}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			img, recipe := recovered(t, e.Name())
			p, err := NewPlan(img, recipe, trusted)
			if err != nil || len(p.Reasons) > 0 {
				t.Fatalf("refused: %s (%v)", words(p.Reasons), err)
			}
			again, err := Vet(stored(t, p), trusted)
			if err != nil || len(again.Reasons) > 0 || !slices.Equal(again.Command, p.Command) {
				t.Errorf("vetted: %q, %s (%v)", again.Command, words(again.Reasons), err)
			}
			verbs, _ := details(t, p).command()
			command := "guix time-machine -C channels.scm -- " + strings.Join(verbs, " ") + ` "$@" `
			if script := string(Script(p)); !strings.Contains(script, command) {
				t.Errorf("the script does not call %s:\n%s", command, script)
			}
		})
	}
}

// The configuration of a system is a program: only who says so runs it.
func TestConfigurationIsTrustedByNobody(t *testing.T) {
	img, recipe := recovered(t, "system.tar.gz")
	plan := func(trusted Trusted) rebuild.Plan {
		p, err := NewPlan(img, recipe, trusted)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	refused := plan(Trusted{Channels: []string{"configuration.scm of the image", ""}})
	if n := len(refused.Trust); n != 2 || refused.Trust[1].Trusted || refused.Trust[1].Channel != "configuration.scm of the image" {
		t.Errorf("trust %+v", refused.Trust)
	}
	if !strings.Contains(words(refused.Reasons), "to allow it: --trust-configuration") {
		t.Errorf("refused: %q", words(refused.Reasons))
	}
	if script := string(Script(refused)); strings.Contains(script, "time-machine") || !strings.Contains(script, "exit 1") {
		t.Errorf("the script of a refused plan:\n%s", script)
	}
	allowed := plan(Trusted{Configuration: true})
	if len(allowed.Reasons) > 0 || !allowed.Trust[1].Trusted {
		t.Errorf("refused: %q, trust %+v", words(allowed.Reasons), allowed.Trust)
	}
	if again, err := Vet(stored(t, allowed), Trusted{}); err != nil || !strings.Contains(words(again.Reasons), "--trust-configuration") {
		t.Errorf("a stored plan that says it is trusted: %q (%v)", words(again.Reasons), err)
	}
}

// A system is built by its own command, and compared with the system item.
func TestBuildSystem(t *testing.T) {
	w := newWorld(t)
	system := w.derive("s", "system", []string{w.item("a", "app-1.0.drv")})
	boot := w.derive("b", "boot-program", nil)
	w.Drv = w.derive("i", "app-docker-pack.tar.gz", []string{system, boot})
	d := w.details()
	d.Pack = guix.Pack{Format: "system-docker", Root: w.item("s", "system")}
	d.Configuration = "(operating-system)"
	w.plan.Details = d
	w.Closure = []string{w.item("s", "system"), w.item("a", "app-1.0"), w.item("b", "boot-program")}
	w.job.Image = w.image(w.Closure...)
	w.Says = "built by x with no newline" + "successfully built " + w.Drv + "\n"
	got, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	if got.Derivation.Status != check.Pass {
		t.Errorf("derivation %+v", got.Derivation)
	}
	want := []string{
		"--version",
		"time-machine -C channels.scm -- system image --verbosity=3 -d --image-type=docker --save-provenance configuration.scm",
		"time-machine -C channels.scm -- system image --verbosity=3 --image-type=docker --save-provenance configuration.scm",
		"gc --requisites STORE/" + letters("s") + "-system",
		"gc --requisites STORE/" + letters("b") + "-boot-program",
	}
	if calls := w.calls(); !slices.Equal(calls, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
}

// What an engine exports of an image is made again of the image's rebuild: a
// container sees the same.
func TestExported(t *testing.T) {
	for sample, image := range map[string]string{
		"tiny.docker-export.tar":                  "tiny.tar.gz",
		"hello-opt1.docker-export.tar":            "hello-opt1.tar.gz",
		"hello-opt1.podman-export.tar":            "hello-opt1.tar.gz",
		"tiny-localstatedir.docker-export.tar.gz": "tiny-localstatedir.tar.gz",
	} {
		original, recipe := recovered(t, sample)
		file, err := exported(uncompressed(t, filepath.Join(forms, "../images", image)), *recipe.Details.(guix.Pack).Export)
		if err != nil {
			t.Fatal(err)
		}
		again, err := inspect.Open(t.Context(), file, inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		if c := compare.Images(original, again, nil); !c.Equivalent() {
			t.Errorf("%s: %+v", sample, c.Causes())
			for _, d := range c.Differences {
				if !d.Cause.Harmless() {
					t.Logf("%+v", d)
				}
			}
		}
	}
}

func uncompressed(t *testing.T, path string) string {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	z, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(filepath.Join(t.TempDir(), "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, z); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

// A tarball does not show for which kind of machine it is: where nothing fits,
// that proves nothing against it. Where the image shows it, it does.
func TestBuildForAnotherMachine(t *testing.T) {
	for _, system := range []bool{false, true} {
		w := newWorld(t)
		w.Says = w.builds()
		w.job.Image = w.image(w.item("2", "profile"), w.item("3", "app-1.0"), w.item("4", "lib-2.1"))
		d := w.details()
		d.Pack.Root = w.item("2", "profile")
		want := check.Unknown
		if system {
			d.Pack.SystemType = "aarch64-linux"
			want = check.Fail
		}
		w.plan.Details = d
		got, err := w.build()
		if errors.Is(err, rebuild.ErrRefused) == system {
			t.Errorf("system known is %t: error %v", system, err)
		}
		if got.Derivation.Status != want {
			t.Errorf("system known is %t: %v, %s", system, got.Derivation.Status, words(got.Derivation.Reasons))
		}
	}
}

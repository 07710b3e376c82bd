package guix

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

const fixturesURL = "https://example.org/fixtures.git"

// sample returns the plan for a real image.
func sample(t *testing.T, name string, trusted ...string) rebuild.Plan {
	t.Helper()
	img, err := inspect.Open(t.Context(), filepath.Join("../../fixtures/guix/images", name), inspect.Options{Keep: guix.Keep})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := provenance.Recover(img, nil, []guix.System{{}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(img, ev.Recipe, Trusted{Channels: trusted})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every real image made from the two channels can be planned, and its plan
// passes through a file.
func TestPlansOfSamples(t *testing.T) {
	entries, err := os.ReadDir("../../fixtures/guix/images")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.Contains(e.Name(), ".tar") {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			p := sample(t, e.Name(), fixturesURL)
			if p.Refused != "" {
				t.Errorf("refused: %s", p.Refused)
			}
			got, err := Vet(p, Trusted{Channels: []string{fixturesURL}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, got, noComments()); diff != "" {
				t.Errorf("vetted (-before +after):\n%s", diff)
			}
		})
	}
}

// noComments compares Scheme files but for lines that are comments.
func noComments() cmp.Option {
	return cmp.Transformer("code", func(f rebuild.PlanFile) []string {
		return append(slices.DeleteFunc(strings.Split(f.Text, "\n"), func(line string) bool {
			return line == "" || strings.HasPrefix(line, ";")
		}), f.Name)
	})
}

func TestPackOptionsOfSamples(t *testing.T) {
	for name, want := range map[string]string{
		"tiny.tar.gz":               "--compression=gzip",
		"tiny-layers4.tar.gz":       "--compression=gzip --max-layers=4",
		"hello-opt1.tar.gz":         "--compression=gzip --symlink=/bin=bin --symlink=/opt/gnu=",
		"hello-opt2.tar.gz":         "--compression=gzip --entry-point=bin/hello",
		"hello-opt3.tar":            "--compression=none",
		"tiny-localstatedir.tar.gz": "--compression=gzip --localstatedir",
	} {
		want = "pack --format=docker --save-provenance --system=x86_64-linux " + want + " -m manifest.scm"
		if got := strings.Join(sample(t, name).Pack, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestVet(t *testing.T) {
	refused := sample(t, "tiny.tar.gz")
	if !strings.Contains(refused.Refused, fixturesURL) {
		t.Fatalf("refused: %q", refused.Refused)
	}
	edited := refused
	edited.Refused = ""
	edited.Trust = []rebuild.Trust{{Channel: "fixtures", URL: fixturesURL, Trusted: true, Why: "says who"}}
	incomplete := refused
	incomplete.Refused = "the recipe is not complete: two commits"
	for _, tt := range []struct {
		name    string
		plan    rebuild.Plan
		trusted []string
		want    string
	}{
		{"as it was", refused, nil, "--trust-channel " + fixturesURL},
		{"edited to look harmless", edited, nil, "--trust-channel " + fixturesURL},
		{"trusted now", refused, []string{fixturesURL}, ""},
		{"edited and trusted", edited, []string{fixturesURL}, ""},
		{"incomplete, and trusted now", incomplete, []string{fixturesURL}, "two commits"},
	} {
		got, err := Vet(tt.plan, Trusted{Channels: tt.trusted})
		if err != nil || !strings.Contains(got.Refused, tt.want) || (got.Refused == "") != (tt.want == "") {
			t.Errorf("%s: refused %q (%v), want %q", tt.name, got.Refused, err, tt.want)
		}
	}
}

// A plan is data also where it comes from a file: programs are turned away.
func TestVetPrograms(t *testing.T) {
	for name, spoil := range map[string]func(p *rebuild.Plan){
		"channels":  func(p *rebuild.Plan) { p.Files[0].Text = "(begin (system \"evil\") (list))" },
		"appended":  func(p *rebuild.Plan) { p.Files[0].Text += "(system \"evil\")" },
		"read-eval": func(p *rebuild.Plan) { p.Files[0].Text = "(list #.(system \"evil\"))" },
		"manifest":  func(p *rebuild.Plan) { p.Files[1].Text = "(system \"evil\")" },
		"option":    func(p *rebuild.Plan) { p.Pack[1] = "--expression=(system \"evil\")" },
		"more":      func(p *rebuild.Plan) { p.Files = append(p.Files, rebuild.PlanFile{Name: "more.scm"}) },
		"file name": func(p *rebuild.Plan) { p.Files[1].Name = "../manifest.scm" },
	} {
		p := sample(t, "hello.tar.gz")
		spoil(&p)
		if _, err := Vet(p, Trusted{}); err == nil {
			t.Errorf("%s: a plan that runs a program passed", name)
		}
	}
	p := sample(t, "hello.tar.gz")
	p.System = provenance.Nix
	if _, err := Vet(p, Trusted{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("error %v, want ErrNotMine", err)
	}
}

// A comment is no program, and is left behind.
func TestVetWritesAnew(t *testing.T) {
	p := sample(t, "hello.tar.gz")
	want := p.Files
	p.Files = slices.Clone(p.Files)
	p.Files[0].Text = "; edited\n" + p.Files[0].Text
	got, err := Vet(p, Trusted{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Files, noComments()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

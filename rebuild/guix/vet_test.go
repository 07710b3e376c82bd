package guix

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
	"audit/rebuild"
)

const fixturesURL = "https://example.org/fixtures.git"

// sample returns the plan for a real image.
func sample(t *testing.T, name string, trusted ...string) rebuild.Plan {
	t.Helper()
	img, err := inspect.Open(t.Context(), filepath.Join("../../fixtures/guix/images", name), inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
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

// stored is a plan that went through a file.
func stored(t *testing.T, p rebuild.Plan) rebuild.Plan {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again rebuild.Plan
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	return again
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
			if len(p.Reasons) > 0 {
				t.Errorf("refused: %s", words(p.Reasons))
			}
			got, err := Vet(stored(t, p), Trusted{Channels: []string{fixturesURL}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, got); diff != "" {
				t.Errorf("vetted (-before +after):\n%s", diff)
			}
		})
	}
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
		want = "guix time-machine -C channels.scm -- pack --format=docker --save-provenance --system=x86_64-linux " + want + " -m manifest.scm"
		if got := strings.Join(sample(t, name).Command, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestVet(t *testing.T) {
	refused := sample(t, "tiny.tar.gz")
	if !strings.Contains(words(refused.Reasons), fixturesURL) {
		t.Fatalf("refused: %q", words(refused.Reasons))
	}
	edited := refused
	edited.Reasons = nil
	edited.Trust = []rebuild.Trust{{Channel: "fixtures", URL: fixturesURL, Trusted: true, Reason: check.Say("plan/trust")}}
	incomplete := refused
	incomplete.Reasons = []check.Message{check.Say(codeIncomplete, "status", "partial"), check.Say("recipe/no-packages")}
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
		{"incomplete, and trusted now", incomplete, []string{fixturesURL}, "lists no packages"},
	} {
		got, err := Vet(stored(t, tt.plan), Trusted{Channels: tt.trusted})
		refused := words(got.Reasons)
		if err != nil || !strings.Contains(refused, tt.want) || (refused == "") != (tt.want == "") {
			t.Errorf("%s: refused %q (%v), want %q", tt.name, refused, err, tt.want)
		}
	}
}

// What is in a plan from a file is checked field by field.
func TestVetDetails(t *testing.T) {
	for name, spoil := range map[string]func(d *Details){
		"channel's address":   func(d *Details) { d.Channels[0].URL = "https://x\n(system)" },
		"channel's commit":    func(d *Details) { d.Channels[0].Commit = "main" },
		"channel's name":      func(d *Details) { d.Channels[0].Name = "" },
		"introduction":        func(d *Details) { d.Channels[0].Introduction = &provenance.Introduction{Commit: "x"} },
		"no channels":         func(d *Details) { d.Channels = nil },
		"form":                func(d *Details) { d.Pack.Format = "vm" },
		"compression":         func(d *Details) { d.Pack.Compression = "gzip -f x" },
		"root":                func(d *Details) { d.Pack.Root = "/gnu/store/../../etc/passwd" },
		"root elsewhere":      func(d *Details) { d.Pack.Root = "/etc/passwd" },
		"package":             func(d *Details) { d.Pack.Manifest[0].Name = "" },
		"output":              func(d *Details) { d.Pack.Manifest[0].Output = "" },
		"layers":              func(d *Details) { d.Pack.MaxLayers = -1 },
		"configuration":       func(d *Details) { d.Configuration = "(system \"evil\")" },
		"system without one":  func(d *Details) { d.Pack.Format = "system-docker" },
		"file of an engine":   func(d *Details) { d.Pack.Export = &guix.Export{Files: []string{"etc/passwd"}} },
		"link without a path": func(d *Details) { d.Pack.Symlinks = []guix.Symlink{{Source: "--load-path"}} },
	} {
		p := sample(t, "hello.tar.gz")
		d := details(t, stored(t, p))
		spoil(&d)
		p.Details = d
		if _, err := Vet(stored(t, p), Trusted{}); err == nil {
			t.Errorf("%s: the plan passed", name)
		}
	}
	p := sample(t, "hello.tar.gz")
	p.System = "other"
	if _, err := Vet(p, Trusted{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("error %v, want ErrNotMine", err)
	}
	p = stored(t, sample(t, "hello.tar.gz"))
	for _, text := range []string{"", "null", "[]", `{"pack":{},"more":1}`, `{"pack":{"format":"docker","load-path":"."}}`} {
		p.Details = json.RawMessage(text)
		if _, err := Vet(p, Trusted{}); err == nil {
			t.Errorf("details %q passed", text)
		}
	}
}

// Whatever texts a plan holds, the files that are written from it do nothing but
// list channels and packages.
func TestVetTexts(t *testing.T) {
	for _, text := range append(hostile(), `") (system "evil") ("`, `#.(system "evil")`, "a\n(system)") {
		if text == "" {
			continue
		}
		p := sample(t, "hello.tar.gz")
		d := details(t, stored(t, p))
		d.Pack.Manifest = profile.Manifest{{Name: text, Version: text, Output: text, Transformations: []profile.Transformation{{Option: text, Value: text}}}}
		p.Details = d
		got, err := Vet(stored(t, p), Trusted{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if len(got.Reasons) == 0 {
			t.Errorf("%q: a transformation that nobody knows is trusted", text)
		}
		readsBack(t, details(t, got))
	}
}

package nix

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/provenance"
	"audit/rebuild"
)

func TestInputCheck(t *testing.T) {
	for _, tc := range []struct {
		in   Input
		want string
	}{
		{Input{}, ""},
		{Input{Expr: "x.nix"}, ""},
		{Input{Expr: "x.nix", Attr: "a.b", Path: []string{"nixpkgs=/x"}, URIs: []string{"https://"}, Settings: []string{"cores=2", "sandbox-paths=/bin=/x"}}, ""},
		{Input{Flake: "github:a/b#c"}, ""},
		{Input{Drv: drvSample}, ""},
		{Input{Drv: drvSample, Flake: "x"}, "give one of"},
		{Input{Attr: "x"}, "an attribute needs an expression"},
		{Input{Flake: "x", Attr: "y"}, "an attribute needs an expression"},
		{Input{Flake: "x", Path: []string{"y"}}, "of an expression only"},
		{Input{Settings: []string{"cores=1"}}, "settings need"},
		{Input{Expr: "x", Settings: []string{"cores"}}, "is no setting"},
		{Input{Expr: "x", Settings: []string{"sandbox=false"}}, "is no setting"},
		{Input{Expr: "x", Settings: []string{"restrict-eval=false"}}, "is no setting"},
		{Input{Expr: "x", Settings: []string{"post-build-hook=/x"}}, "is no setting"},
		{Input{Expr: "--eval"}, "is no place"},
		{Input{Expr: "x", Attr: "-E"}, "is no attribute"},
		{Input{Expr: "x", Path: []string{"-I"}}, "is no option"},
		{Input{Expr: "x\n"}, "control character"},
		{Input{Flake: "#x"}, "is no place"},
		{Input{Drv: "image.drv"}, "does not have the name of a derivation"},
		{Input{Drv: "/nix/store/yxiidw4vx0mp72nl5cgzdqm9h8536dgi-image.tar.gz"}, "does not have the name of a derivation"},
	} {
		err := tc.in.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q", tc.in, err, tc.want)
		}
	}
	for _, s := range Settings() {
		for _, never := range []string{"sandbox", "sandbox-fallback", "restrict-eval", "pure-eval", "allow-import-from-derivation", "accept-flake-config", "require-sigs", "substituters", "trusted-public-keys"} {
			if s == never || strings.Contains(s, "hook") || strings.Contains(s, "plugin") {
				t.Errorf("%s may be set", s)
			}
		}
	}
}

func TestNewPlan(t *testing.T) {
	img := &inspect.Image{Reference: "image.tar.gz"}
	recipe := provenance.Recipe{System: provenance.Nix, Pack: provenance.Pack{Root: closure}}
	for _, tc := range []struct {
		in     Input
		source *rebuild.Source
		pack   string
	}{
		{Input{Drv: drvSample}, &rebuild.Source{Kind: "nix-drv", Location: drvSample}, "nix-store --realise " + drvSample},
		{Input{Expr: "x.nix", Attr: "image", Path: []string{"a=b"}, Settings: []string{"cores=2"}},
			&rebuild.Source{Kind: "nix-expr", Location: "x.nix", Attribute: "image", Options: []string{"-I", "a=b", "--option", "cores", "2"}},
			"nix-build --no-out-link x.nix -A image -I a=b --option cores 2"},
		{Input{Flake: "github:a/b#c"}, &rebuild.Source{Kind: "nix-flake", Location: "github:a/b", Attribute: "c"}, "nix build --no-link --json github:a/b#c"},
	} {
		plan, err := NewPlan(img, recipe, tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.source, plan.Source); diff != "" {
			t.Errorf("source (-want +got):\n%s", diff)
		}
		if got := strings.Join(plan.Pack, " "); got != tc.pack || plan.Refused != "" || plan.Root != closure || len(plan.Trust) != 1 || !plan.Trust[0].Trusted {
			t.Errorf("%+v", plan)
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		var again rebuild.Plan
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(plan, again) {
			t.Errorf("stored and read again: %v\n%s", err, cmp.Diff(plan, again))
		}
		if again, err = Vet(again); err != nil || !cmp.Equal(plan, again) {
			t.Errorf("vetted: %v\n%s", err, cmp.Diff(plan, again))
		}
	}
}

// No image of Nix tells its recipe, so without more its plan is refused.
func TestNewPlanWithoutInput(t *testing.T) {
	plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: provenance.Nix}, Input{})
	if err != nil || !strings.Contains(plan.Refused, "--nix-expr") || plan.Source != nil {
		t.Errorf("%+v, %v", plan, err)
	}
	if plan, err = Vet(plan); err != nil || plan.Refused == "" {
		t.Errorf("vetted: %+v, %v", plan, err)
	}
	for _, system := range []provenance.SystemName{provenance.Guix, provenance.UnknownSystem} {
		if _, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: system}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
			t.Errorf("%s: %v", system, err)
		}
		if plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: system}, Input{Expr: "x.nix"}); err != nil || plan.System != provenance.Nix || plan.Refused != "" {
			t.Errorf("%s, and an expression: %+v, %v", system, plan, err)
		}
	}
	if _, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: provenance.Nix}, Input{Attr: "x"}); err == nil {
		t.Error("no error for an attribute of nothing")
	}
}

// A plan from a file is taken for what it can be, and its own words about trust
// and commands count for nothing.
func TestVet(t *testing.T) {
	plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: provenance.Nix}, Input{Expr: "x.nix"})
	if err != nil {
		t.Fatal(err)
	}
	plan.Pack, plan.Trust = []string{"rm", "-rf", "/"}, nil
	vetted, err := Vet(plan)
	if err != nil || !slices.Equal(vetted.Pack, []string{"nix-build", "--no-out-link", "x.nix"}) || len(vetted.Trust) != 1 {
		t.Errorf("%+v, %v", vetted, err)
	}
	plan.Source.Options = []string{"--option", "sandbox", "false"}
	if _, err := Vet(plan); err == nil {
		t.Error("a plan that leaves the sandbox")
	}
	plan.System = provenance.Guix
	if _, err := Vet(plan); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("%v", err)
	}
}

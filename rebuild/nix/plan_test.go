package nix

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
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
		{Input{Expr: "x", Path: []string{"-I"}}, "is nothing that an expression may read"},
		{Input{Expr: "x\n"}, "control character"},
		{Input{Flake: "#x"}, "is no place"},
		{Input{Args: []string{"a=1"}}, "need an expression"},
		{Input{Drv: drvSample, Strings: []string{"a=1"}}, "need an expression"},
		{Input{Drv: drvSample, Imports: true}, "an expression and a flake only"},
		{Input{Expr: "x.nix", Args: []string{"secret"}}, "no argument: --nix-arg NAME=EXPRESSION"},
		{Input{Expr: "x.nix", Strings: []string{"secret"}}, "no argument: --nix-argstr NAME=TEXT"},
		{Input{Expr: "x.nix", Args: []string{"a=1"}, Strings: []string{"a=2"}}, "given twice"},
		{Input{Expr: "x.nix", Args: []string{"--option=1"}}, "no name of an argument"},
		{Input{Expr: "x.nix", Args: []string{"a= "}}, "no name of an argument"},
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
	recipe := provenance.Recipe{System: nix.Name, Root: closure}
	for _, tc := range []struct {
		in      Input
		details Details
		command string
		local   []string
	}{
		{Input{Drv: drvSample}, Details{Derivation: drvSample, Root: closure}, "nix-store --realise " + drvSample, []string{drvSample}},
		{Input{Expr: "x.nix", Attr: "image", Path: []string{"a=/b", "/c"}, URIs: []string{"https://x/"}, Settings: []string{"cores=2"}},
			Details{Expression: &Expression{"x.nix", "image", nil, []SearchPath{{"a", "/b"}, {"", "/c"}}, []string{"https://x/"}}, Settings: []Setting{{"cores", "2"}}, Root: closure},
			"nix-build --no-out-link x.nix -A image -I a=/b -I /c --option allowed-uris https://x/ --option cores 2", []string{"/b", "/c"}},
		{Input{Expr: "x.nix", Args: []string{"pkgs=import <p> {}"}, Strings: []string{"tag=a=b"}, Imports: true},
			Details{Expression: &Expression{File: "x.nix", Arguments: []Argument{{"pkgs", "import <p> {}", false}, {"tag", "a=b", true}}}, Imports: true, Root: closure},
			"nix-build --no-out-link x.nix --arg pkgs import <p> {} --argstr tag a=b", nil},
		{Input{Flake: "github:a/b#c"}, Details{Flake: &Flake{"github:a/b", "c"}, Root: closure}, "nix build --no-link --json github:a/b#c", nil},
	} {
		plan, err := NewPlan(img, recipe, tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(tc.details), plan.Details); diff != "" {
			t.Errorf("details (-want +got):\n%s", diff)
		}
		if got := strings.Join(plan.Command, " "); got != tc.command || plan.Reasons != nil || len(plan.Trust) != 1 || !plan.Trust[0].Trusted || !slices.Equal(plan.Local, tc.local) {
			t.Errorf("%+v", plan)
		}
		if again, err := Vet(stored(t, plan), tc.in); err != nil || !cmp.Equal(plan, again) {
			t.Errorf("stored, read again and vetted: %v\n%s", err, cmp.Diff(plan, again))
		}
	}
}

// stored is a plan that was written and read again.
func stored(t *testing.T, plan rebuild.Plan) rebuild.Plan {
	t.Helper()
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var again rebuild.Plan
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	return again
}

// No image of Nix reveals its recipe, so without more its plan is refused.
func TestNewPlanWithoutInput(t *testing.T) {
	refused := []check.Message{check.Say("plan/no-expression")}
	plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: nix.Name}, Input{})
	if err != nil || !cmp.Equal(plan.Reasons, refused) || plan.Command != nil {
		t.Errorf("%+v, %v", plan, err)
	}
	if plan, err = Vet(stored(t, plan), Input{}); err != nil || !cmp.Equal(plan.Reasons, refused) {
		t.Errorf("vetted: %+v, %v", plan, err)
	}
	for _, system := range []provenance.SystemName{"other", provenance.UnknownSystem} {
		if _, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: system}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
			t.Errorf("%s: %v", system, err)
		}
		if plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: system}, Input{Expr: "x.nix"}); err != nil || plan.System != nix.Name || plan.Reasons != nil {
			t.Errorf("%s, and an expression: %+v, %v", system, plan, err)
		}
	}
	if _, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: nix.Name}, Input{Attr: "x"}); err == nil {
		t.Error("no error for an attribute of nothing")
	}
}

// A plan from a file is a stranger's: its own words about trust and commands count
// for nothing, and it is run only where the user names the same.
func TestVet(t *testing.T) {
	in := Input{Expr: "x.nix", URIs: []string{"https://x/"}}
	plan, err := NewPlan(&inspect.Image{}, provenance.Recipe{System: nix.Name}, in)
	if err != nil {
		t.Fatal(err)
	}
	plan.Command, plan.Trust[0].Reason = []string{"rm", "-rf", "/"}, check.Say("plan/mine")
	for name, tc := range map[string]struct {
		in   Input
		want string // the reason why it is not run
	}{
		"the same":        {in, ""},
		"nothing":         {Input{}, "plan/not-given"},
		"another file":    {Input{Expr: "y.nix", URIs: in.URIs}, "plan/not-given"},
		"no address":      {Input{Expr: "x.nix"}, "plan/not-given"},
		"another setting": {Input{Expr: "x.nix", URIs: in.URIs, Settings: []string{"cores=1"}}, "plan/not-given"},
	} {
		vetted, err := Vet(stored(t, plan), tc.in)
		if err != nil || vetted.Command[0] != "nix-build" || len(vetted.Trust) != 1 || vetted.Trust[0].Trusted != (tc.want == "") {
			t.Errorf("%s: %+v, %v", name, vetted, err)
		}
		if refused := len(vetted.Reasons) > 0; refused != (tc.want != "") || refused && vetted.Reasons[0].Code != tc.want {
			t.Errorf("%s: reasons %v", name, vetted.Reasons)
		}
		if _, err := (Builder{Bin: t.TempDir()}).Build(t.Context(), vetted, rebuild.Job{Dir: t.TempDir()}); errors.Is(err, rebuild.ErrRefused) != (tc.want != "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, details := range map[string]string{
		"a setting":        `{"expression":{"file":"x.nix"},"settings":[{"name":"sandbox","value":"false"}]}`,
		"an unknown field": `{"expression":{"file":"x.nix"},"shell":"sh"}`,
		"no object":        `[]`,
		"two":              `{"expression":{"file":"x.nix"},"derivation":"` + imageDrv + `"}`,
	} {
		bad := plan
		bad.Details = json.RawMessage(details)
		if _, err := Vet(bad, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	plan.System = "other"
	if _, err := Vet(plan, in); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("%v", err)
	}
}

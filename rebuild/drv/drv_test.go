package drv

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nix-community/go-nix/pkg/derivation"

	"audit/inspect"
)

// Derivations that Nix 2.8.0 wrote, read by another reader too (which leaves the
// arguments as they are escaped).
func TestReadSamples(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/nix/drv-mini/*.drv")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		got, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		other, err := derivation.ReadDerivation(in)
		if err != nil {
			t.Fatal(err)
		}
		want := &Derivation{System: other.Platform, Builder: other.Builder, Arguments: got.Arguments, Env: other.Env}
		want.Sources = append(want.Sources, other.InputSources...)
		want.Outputs = []Output{{Name: "out", Path: other.Outputs["out"].Path}}
		for _, in := range got.Inputs {
			want.Inputs = append(want.Inputs, Input{in.Path, other.InputDerivations[in.Path]})
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got.Inputs) != len(other.InputDerivations) {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse(`Derive([("lib","/s/lib","",""),("out","","r:sha256","")],[("/s/x.drv",["lib","out"])],["/s/src"],"x86_64-linux","/bin/sh",["-c","\"a\"\n\\"],[("name","x\ty\r\d")])` + "\n")
	if err != nil {
		t.Fatal(err)
	}
	want := &Derivation{
		Outputs: []Output{{"lib", "/s/lib", "", ""}, {"out", "", "r:sha256", ""}},
		Inputs:  []Input{{"/s/x.drv", []string{"lib", "out"}}}, Sources: []string{"/s/src"},
		System: "x86_64-linux", Builder: "/bin/sh", Arguments: []string{"-c", "\"a\"\n\\"}, Env: map[string]string{"name": "x\ty\rd"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Fixed() {
		t.Error("a derivation of two outputs is no fixed one")
	}
	fixed, err := Parse(`Derive([("out","/s/x","sha256","` + strings.Repeat("00", 32) + `")],[],[],"","",[],[])`)
	if err != nil || !fixed.Fixed() {
		t.Errorf("%+v, %v", fixed, err)
	}
}

// What stands in the place of a hash and is none fixes nothing.
func TestParseHashes(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for _, outputs := range []string{
		`("out","/s/x","sha256","zz")`, `("out","/s/x","sha256","00")`, `("out","/s/x","crc32","00000000")`, `("out","/s/x","","` + sum + `")`,
		`("out","/s/x","text:sha256","z` + sum[1:] + `")`, `("out","/s/x","sha256","` + sum + `"),("lib","/s/y","","")`, `("lib","/s/x","sha256","` + sum + `")`,
	} {
		if d, err := Parse(`Derive([` + outputs + `],[],[],"","",[],[])`); err == nil {
			t.Errorf("%s: %+v", outputs, d.Outputs)
		}
	}
	d, err := Parse(`Derive([("out","","r:sha256","impure")],[],[],"","",[],[])`)
	if err != nil || d.Fixed() || !d.Impure() {
		t.Errorf("impure: %+v, %v", d, err)
	}
}

// A derivation cannot give outputs of its own where an input's are not known.
func TestVerifyOpen(t *testing.T) {
	open := &Derivation{Outputs: []Output{{Name: "out", Algorithm: "r:sha256"}}, Env: map[string]string{}}
	user := &Derivation{Outputs: []Output{{Name: "out", Path: "/s/abc"}}, Inputs: []Input{{Path: "/s/open.drv", Outputs: []string{"out"}}}, Env: map[string]string{}}
	v := verifier{closure: Closure{"/s/open.drv": open, "/s/user.drv": user}, modulo: make(map[string]string), open: make(map[string]bool)}
	if err := v.verifyOutputs("/s/user.drv"); err == nil {
		t.Error("an output that nothing computes is taken for verified")
	}
}

func TestParseBroken(t *testing.T) {
	const tail = `,"","",[],[])`
	for _, bad := range []string{
		"", "Derive", "Derive(", "Derive()", "Derive([],[],[])", `Derive([],[],[],"","",[],[]`, `Derive([],[],[]` + tail + "x",
		`Derive([("out")],[],[]` + tail, `Derive([],[()],[]` + tail, `Derive([],[],["a" "b"]` + tail, `Derive([],[],["a` + tail,
		"Derive" + strings.Repeat("[", 1000), `Derive([],[],[,"a"]` + tail, `Derive([],[],["a",]` + tail, `Derive([x],[],[]` + tail,
		`DrvWithVersion("xp-dyn-drv",[],[],[]` + tail, `Derive([],[],[],"","",[],[("a")])`,
	} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken for a derivation", bad)
		}
	}
}

func TestReadTooBig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long.drv")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, MaxBytes+1); err != nil {
		t.Fatal(err)
	}
	var limit *inspect.LimitError
	if _, err := Read(file); !errors.As(err, &limit) {
		t.Errorf("error %v, want a LimitError", err)
	}
}

// What was printed is printed the same again.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../fixtures/nix/drv-mini/*.drv")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.Text())
		if err != nil {
			t.Fatalf("what was read and printed cannot be read: %v", err)
		}
		if d.Text() != again.Text() {
			t.Errorf("first\n%s\nthen\n%s", d.Text(), again.Text())
		}
	})
}

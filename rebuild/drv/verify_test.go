package drv

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mini returns the derivations of a sample image.
func mini(t testing.TB) Closure {
	t.Helper()
	files, err := filepath.Glob("../../fixtures/nix/drv-mini/*.drv")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	c := make(Closure)
	for _, file := range files {
		if c["/nix/store/"+filepath.Base(file)], err = Read(file); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

const (
	wordsDrv   = "/nix/store/bs0ga8fy6knp5car1s4rkwd8lj3sygm2-words-1.0.drv"
	greeterDrv = "/nix/store/7mb90v2ik6jmii84pmqlqqcnqb7f2ava-greeter-1.0.drv"
)

// What Nix printed is printed again, byte for byte.
func TestText(t *testing.T) {
	for p, d := range mini(t) {
		text, err := os.ReadFile("../../fixtures/nix/drv-mini/" + filepath.Base(p))
		if err != nil {
			t.Fatal(err)
		}
		if d.Text() != string(text) {
			t.Errorf("%s is printed as\n%s\nand is\n%s", p, d.Text(), text)
		}
	}
}

func TestVerify(t *testing.T) {
	if err := mini(t).Verify(); err != nil {
		t.Error(err)
	}
}

// Derivations of downloads, of each kind of hash, and one that needs two of
// them which are the same but for where they are fetched from (made with
// nix-instantiate 2.8.0).
func TestVerifyFixed(t *testing.T) {
	c := make(Closure)
	files, err := filepath.Glob("testdata/*.drv")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	fixed := 0
	for _, file := range files {
		d, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if d.Fixed() {
			fixed++
		}
		c["/nix/store/"+filepath.Base(file)] = d
	}
	if err := c.Verify(); err != nil || fixed < 4 {
		t.Errorf("%d fixed outputs, %v", fixed, err)
	}
	for p, d := range c {
		if d.Fixed() {
			d.Outputs[0].Path = strings.Replace(d.Outputs[0].Path, "/store/", "/store/0", 1)
			if err := c.Verify(); err == nil {
				t.Errorf("another output of %s is not noticed", p)
			}
			return
		}
	}
}

// One thing changed in a derivation is told, wherever it is.
func TestVerifyChanged(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(c Closure)
		want   string
	}{
		{"an argument", func(c Closure) { c[wordsDrv].Arguments[1] += " " }, "verifying " + wordsDrv + ": its text gives the path /nix/store/"},
		{"an output", func(c Closure) {
			d := c[wordsDrv]
			d.Outputs[0].Path = "/nix/store/00000000000000000000000000000000-words-1.0"
			clear(c)
			c[textPath("/nix/store", "words-1.0.drv", nil, d.Text())] = d
		}, "its output out is given as /nix/store/00000000000000000000000000000000-words-1.0 and must be /nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0"},
		{"an input that is missing", func(c Closure) { delete(c, wordsDrv) }, "it needs " + wordsDrv + ", which is missing"},
		{"a derivation under another name", func(c Closure) {
			c["/nix/store/bs0ga8fy6knp5car1s4rkwd8lj3sygm2-wurds-1.0.drv"] = c[wordsDrv]
		}, "verifying /nix/store/bs0ga8fy6knp5car1s4rkwd8lj3sygm2-wurds-1.0.drv: its text gives the path"},
	} {
		c := maps.Clone(mini(t))
		tc.change(c)
		if err := c.Verify(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// A circle of derivations cannot have paths that are right, and has an end.
func TestVerifyCircle(t *testing.T) {
	c := mini(t)
	v := verifier{closure: c, modulo: make(map[string]string), open: make(map[string]bool)}
	c[wordsDrv].Inputs = []Input{{Path: greeterDrv, Outputs: []string{"out"}}}
	if _, err := v.hash(greeterDrv); err == nil || err.Error() != "it needs itself" {
		t.Errorf("%v", err)
	}
}

package guix

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
)

// A derivation that Guix 1.5.0 wrote.
func TestReadDerivation(t *testing.T) {
	got, err := readDerivation("testdata/tiny-hello-3.2.drv")
	if err != nil {
		t.Fatal(err)
	}
	want := &derivation{
		path:    "testdata/tiny-hello-3.2.drv",
		outputs: []string{"/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2"},
		inputs: []string{
			"/gnu/store/c18zwjasa094gg9ngl5l4xkwwfqdh7lz-guile-3.0.9.drv",
			"/gnu/store/j32ba7zd9rbl838chs4s3s8i7n987pzv-tiny-lib-2.1.drv",
		},
		sources: []string{"/gnu/store/yhgaxij5wrbyqmv9m36xnyb7rihfdjvp-tiny-hello-3.2-builder"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(derivation{})); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
	}
}

func TestParseDerivation(t *testing.T) {
	const tail = `,"x86_64-linux","/bin/sh",["-c","\"a\"\n\\"],[("name","x"),("guix properties","((type . graft) (graft (count . 2)))")])`
	got, err := parseDerivation(`Derive([("lib","/s/lib","",""),("out","/s/a\"b\n\r\t\\c\d","","")],[("/s/x.drv",["lib","out"])],["/s/src","/s/src2"]` + tail + "\n")
	if err != nil {
		t.Fatal(err)
	}
	want := &derivation{
		outputs: []string{"/s/lib", "/s/a\"b\n\r\t\\cd"}, inputs: []string{"/s/x.drv"}, sources: []string{"/s/src", "/s/src2"}, graft: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(derivation{})); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
	}
	for _, bad := range []string{
		"", "Derive", "Derive(", "Derive()", "Derive([],[],[])", `Derive([],[],[],"","",[],[]`, `Derive([],[],[],"","",[],[])x`,
		`Derive([("out")],[],[],"","",[],[])`, `Derive([],[()],[],"","",[],[])`, `Derive([],[],["a" "b"],"","",[],[])`,
		`Derive([],[],["a,"",[],[])`, "Derive" + strings.Repeat("[", 1000), `Derive([],[],[,"a"],"","",[],[])`, `Derive([],[],["a",],"","",[],[])`,
		"Derive([x],[],[]" + tail, "DrvWithVersion([],[],[]" + tail,
	} {
		if _, err := parseDerivation(bad); err == nil {
			t.Errorf("%q is taken for a derivation", bad)
		}
	}
}

func TestReadDerivationTooLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.drv")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxDerivation+1); err != nil {
		t.Fatal(err)
	}
	var limit *inspect.LimitError
	if _, err := readDerivation(path); !errors.As(err, &limit) {
		t.Errorf("error %v, want a LimitError", err)
	}
}

// Derivations that are each other's inputs have an end all the same.
func TestReadGraphCircle(t *testing.T) {
	w := newWorld(t)
	a := w.derive("a", "a", []string{w.item("b", "b.drv")})
	b := w.derive("b", "b", []string{a})
	g, err := readGraph(a)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.near) != 2 || g.root.path != a || g.near[1].path != b {
		t.Errorf("graph %+v", g.near)
	}
}

func FuzzParseDerivation(f *testing.F) {
	text, err := os.ReadFile("testdata/tiny-hello-3.2.drv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`Derive([("out","/s","","")],[("/x.drv",["out"])],["\\\n"],"","",[],[("a","b")])`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDerivation(text)
		if err != nil {
			return
		}
		again, err := parseDerivation(derivationText(d.outputs, d.inputs))
		if err != nil {
			t.Fatalf("what was read and printed cannot be read: %v", err)
		}
		if diff := cmp.Diff([][]string{d.outputs, d.inputs}, [][]string{again.outputs, again.inputs}); diff != "" {
			t.Errorf("read, printed and read again (-first +second):\n%s", diff)
		}
	})
}

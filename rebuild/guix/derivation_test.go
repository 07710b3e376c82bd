package guix

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/rebuild/drv"
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
	read, err := drv.Parse(`Derive([("lib","/s/lib","",""),("out","/s/a\"b\n\r\t\\c\d","","")],[("/s/x.drv",["lib","out"])],["/s/src","/s/src2"]` + tail + "\n")
	if err != nil {
		t.Fatal(err)
	}
	got := newDerivation(read)
	want := &derivation{
		outputs: []string{"/s/lib", "/s/a\"b\n\r\t\\cd"}, inputs: []string{"/s/x.drv"}, sources: []string{"/s/src", "/s/src2"}, graft: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(derivation{})); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
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

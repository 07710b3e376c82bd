package guix

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// A derivation that Guix 1.5.0 wrote.
func TestReadDerivation(t *testing.T) {
	got, err := readDerivation("testdata/tiny-hello-3.2.drv")
	if err != nil {
		t.Fatal(err)
	}
	got.System, got.Builder, got.Arguments = "", "", nil
	want := &drv.Derivation{
		Outputs: []drv.Output{{Name: "out", Path: "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2"}},
		Inputs: []drv.Input{
			{Path: "/gnu/store/c18zwjasa094gg9ngl5l4xkwwfqdh7lz-guile-3.0.9.drv", Outputs: []string{"out"}},
			{Path: "/gnu/store/j32ba7zd9rbl838chs4s3s8i7n987pzv-tiny-lib-2.1.drv", Outputs: []string{"out"}},
		},
		Sources: []string{"/gnu/store/yhgaxij5wrbyqmv9m36xnyb7rihfdjvp-tiny-hello-3.2-builder"},
		Env:     map[string]string{properties: ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
	}
}

func TestIsGraft(t *testing.T) {
	for text, want := range map[string]bool{`((type . graft) (graft (count . 2)))`: true, `((type . profile))`: false, "": false} {
		d, err := drv.Parse(`Derive([("out","/s/a","","")],[],[],"x86_64-linux","/bin/sh",[],[("guix properties","` + text + `")])`)
		if err != nil {
			t.Fatal(err)
		}
		if got := isGraft(&store.Node{Derivation: d}); got != want {
			t.Errorf("%q: a graft: %t, want %t", text, got, want)
		}
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
	if len(g.Near) != 2 || g.Root.Path != a || g.Near[1].Path != b {
		t.Errorf("graph %+v", g.Near)
	}
}

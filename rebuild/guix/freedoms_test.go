package guix

import (
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/rebuild/compare"
)

// Honest builds of one recipe differ by what the packer leaves to chance, and that
// is named; what is made by another has no such freedom.
func TestFreedoms(t *testing.T) {
	open := func(name string) *inspect.Image {
		img, err := inspect.Open(t.Context(), filepath.Join("../../fixtures/guix/images", name), inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	for _, tc := range []struct {
		was, now, code string
		count          int
	}{
		{"tiny.tar.gz", "tiny.other-ext4.tar.gz", "known/guix-readdir-order", 1},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", "known/guix-layer-sizes", 3},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", "", 0},
	} {
		was, now := open(tc.was), open(tc.now)
		var known []compare.Known
		if tc.code != "" {
			known = []compare.Known{{Code: tc.code, Count: tc.count}}
		}
		c := compare.Images(was, now, System{}.Freedoms(was, now))
		if len(c.Known) != len(known) || len(known) == 1 && c.Known[0] != known[0] {
			t.Errorf("%s, %s: %+v, want %+v", tc.was, tc.now, c.Known, known)
		}
		now.Config.Raw = []byte(`{"comment":"made otherwise"}`)
		if freedoms := (System{}).Freedoms(was, now); freedoms != nil {
			t.Errorf("%s, by another tool: %+v", tc.now, freedoms)
		}
	}
}

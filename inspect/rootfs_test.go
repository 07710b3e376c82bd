package inspect

import (
	"archive/tar"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func folder(name string) archiveMember {
	return archiveMember{tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}, nil}
}

func TestFiles(t *testing.T) {
	for name, test := range map[string]struct {
		layers [][]archiveMember
		want   string // path=layer …
	}{
		"one layer":             {[][]archiveMember{{folder("a/"), regular("a/b", "")}}, "a=0 a/b=0"},
		"leading dots and /":    {[][]archiveMember{{folder("./"), folder("./a/"), regular("/a//b", "")}}, ".=0 a=0 a/b=0"},
		"replaced":              {[][]archiveMember{{regular("a", "1")}, {regular("a", "2")}}, "a=1"},
		"twice in a layer":      {[][]archiveMember{{regular("a", "1"), regular("b", ""), regular("a", "2")}}, "a=0 b=0"},
		"whiteout":              {[][]archiveMember{{folder("a"), regular("a/b", ""), regular("a/c", "")}, {regular("a/.wh.b", "")}}, "a=0 a/c=0"},
		"whiteout of a folder":  {[][]archiveMember{{folder("a"), folder("a/b"), regular("a/b/c", "")}, {regular("a/.wh.b", "")}}, "a=0"},
		"opaque":                {[][]archiveMember{{folder("a"), regular("a/b", "")}, {folder("a"), regular("a/c", ""), regular("a/.wh..wh..opq", "")}}, "a=1 a/c=1"},
		"whiteout, then new":    {[][]archiveMember{{folder("a"), regular("a/b", "")}, {regular(".wh.a", ""), folder("a")}}, "a=1"},
		"whiteout of nothing":   {[][]archiveMember{{regular("a", "")}, {regular("x/y/.wh.z", "")}}, "a=0"},
		"a file over a folder":  {[][]archiveMember{{folder("a"), regular("a/b", "")}, {regular("a", "")}}, "a=1"},
		"a folder over folder":  {[][]archiveMember{{folder("a"), regular("a/b", "")}, {folder("a")}}, "a=1 a/b=0"},
		"parents without entry": {[][]archiveMember{{regular("a/b/c", "")}}, "a/b/c=0"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := folded(t, test.layers); got != test.want {
				t.Errorf("folded to %q, want %q", got, test.want)
			}
		})
	}
}

func folded(t testing.TB, layers [][]archiveMember) string {
	t.Helper()
	var tars [][]byte
	for _, l := range layers {
		tars = append(tars, tarOf(t, l...))
	}
	img, err := openBytes(t, tarOf(t, imageOf(t, tars...)...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range img.Files() {
		all = append(all, fmt.Sprintf("%s=%d", f.Path, f.Layer))
	}
	return strings.Join(all, " ")
}

// FuzzFiles: splitting the layers of an image without whiteouts into more
// layers, entry by entry, folds to the same files.
func FuzzFiles(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var entries []archiveMember
		for range rnd.IntN(12) {
			path := []string{"a", "b", "c"}[rnd.IntN(3)]
			for range rnd.IntN(3) {
				path += "/" + []string{"d", "e"}[rnd.IntN(2)]
			}
			entries = append(entries, []archiveMember{folder(path), regular(path, "x")}[rnd.IntN(2)])
		}
		one := withoutLayers(folded(t, [][]archiveMember{entries}))
		var many [][]archiveMember
		for _, e := range entries {
			many = append(many, []archiveMember{e})
		}
		if got := withoutLayers(folded(t, many)); !slices.Equal(got, one) {
			t.Errorf("in one layer %q, in %d layers %q", one, len(many), got)
		}
	})
}

func withoutLayers(folded string) []string {
	words := strings.Fields(folded)
	for i, w := range words {
		words[i], _, _ = strings.Cut(w, "=")
	}
	return words
}

package inspect

import (
	"archive/tar"
	"audit/fixtures"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/paths"
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
	img, err := openBytes(t, tarOf(t, imageOf(t, tars...)...), pass.Options{Stores: fixtures.Stores()})
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

// FuzzFold holds the fold against one that lays layer over layer in a map, as
// the image-spec tells it.
func FuzzFold(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		img := new(image.Image)
		for i := range rnd.IntN(4) {
			l := &image.Layer{Index: i}
			for range rnd.IntN(8) {
				l.Entries = append(l.Entries, image.Entry{Path: randomPath(rnd), Type: "0525"[rnd.IntN(4)]})
			}
			img.Layers = append(img.Layers, l)
		}
		got, want := img.Files(), layOver(img)
		if !slices.EqualFunc(got, want, func(a, b image.File) bool { return a.Entry == b.Entry && a.Layer == b.Layer }) {
			t.Errorf("folded to %v, want %v", pathsOf(got), pathsOf(want))
		}
		if !slices.IsSortedFunc(got, func(a, b image.File) int { return paths.Compare(a.Path, b.Path) }) {
			t.Errorf("not sorted: %v", pathsOf(got))
		}
	})
}

func randomPath(rnd *rand.Rand) string {
	names := []string{"a", "b", "a-", ".wh.a", ".wh.b", ".wh..wh..opq", ".wh.", ".wh..", "-"}
	path := names[rnd.IntN(len(names))]
	for range rnd.IntN(3) {
		path = []string{"a", "b", "a-"}[rnd.IntN(3)] + "/" + path
	}
	if rnd.IntN(12) == 0 {
		path = "."
	}
	return path
}

func pathsOf(files []image.File) []string {
	var all []string
	for _, f := range files {
		all = append(all, fmt.Sprintf("%s=%d%c", f.Path, f.Layer, f.Type))
	}
	return all
}

func layOver(img *image.Image) []image.File {
	seen := make(map[string]image.File)
	hide := func(dir string, itself bool) {
		for path := range seen {
			if path == dir && itself || dir == "." && path != "." || strings.HasPrefix(path, dir+"/") {
				delete(seen, path)
			}
		}
	}
	for _, l := range img.Layers {
		for _, e := range l.Entries {
			dir, base := paths.Split(e.Path)
			if hidden, ok := strings.CutPrefix(base, ".wh."); ok && base == ".wh..wh..opq" {
				hide(dir, false)
			} else if ok && hidden != "" && hidden != "." {
				hide(strings.TrimPrefix(dir+"/"+hidden, "./"), true)
			}
		}
		for i := range l.Entries {
			e := &l.Entries[i]
			if _, base := paths.Split(e.Path); strings.HasPrefix(base, ".wh.") {
				continue
			}
			if e.Path == "." && e.Type != '5' {
				continue // no engine can make it
			}
			for dir, _ := paths.Split(e.Path); dir != "."; dir, _ = paths.Split(dir) {
				if f, ok := seen[dir]; ok && f.Type != '5' {
					delete(seen, dir)
				}
			}
			if was, ok := seen[e.Path]; e.Type != '5' || ok && was.Type != '5' {
				hide(e.Path, false)
			}
			seen[e.Path] = image.File{Entry: e, Path: e.Path, Layer: l.Index}
		}
	}
	var files []image.File
	for _, f := range seen {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b image.File) int { return paths.Compare(a.Path, b.Path) })
	return files
}

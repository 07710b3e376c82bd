package image

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"audit/inspect/digest"
	"audit/inspect/paths"
)

// layersOf makes layers of entries that are written as TYPE PATH [TARGET].
func layersOf(layers ...[]string) *Image {
	img := new(Image)
	for i, list := range layers {
		l := &Layer{Index: i}
		for _, text := range list {
			words := strings.Fields(text + " ")
			e := Entry{Path: words[1], Type: words[0][0]}
			if e.Type == '5' {
				e.Mode = 0o755
			}
			if len(words) > 2 {
				e.Linkname = words[2]
			}
			if e.Type == '0' {
				content := fmt.Appendf(nil, "%d/%d", i, len(l.Entries))
				e.Digest = digest.Of(content)
				l.KeepBody(&e, content, false)
			}
			l.Entries = append(l.Entries, &e)
		}
		img.Layers = append(img.Layers, l)
	}
	return img
}

func pathsIn(img *Image) string {
	var all []string
	for f := range img.Root().Files() {
		all = append(all, fmt.Sprintf("%s=%d%c", f.Path, f.Layer, f.Inode.Type))
	}
	return strings.Join(all, " ")
}

func codes(img *Image) string {
	var all []string
	for _, f := range img.Root().Problems() {
		all = append(all, strings.TrimPrefix(f.Code, "integrity/"))
	}
	return strings.Join(all, " ")
}

// The root file system is the one that an engine makes, and what engines make
// differently is a problem.
func TestRoot(t *testing.T) {
	for name, test := range map[string]struct {
		layers   [][]string
		want     string
		problems string
	}{
		"below a link":              {[][]string{{"5 usr", "5 usr/lib", "2 lib usr/lib", "0 lib/x"}}, "lib=02 usr=05 usr/lib=05 usr/lib/x=00", ""},
		"below an absolute link":    {[][]string{{"5 usr", "2 a/lib /usr", "0 a/lib/x"}}, "a/lib=02 usr=05 usr/x=00", ""},
		"a link that leads up":      {[][]string{{"2 a/l ../../../b", "0 a/l/x"}}, "a/l=02 b/x=00", ""},
		"a link of a lower layer":   {[][]string{{"5 usr", "2 lib usr"}, {"0 lib/x"}}, "lib=02 usr=05 usr/x=10", "ambiguous-parent-link"},
		"links in a circle":         {[][]string{{"2 a b", "2 b a", "0 a/x"}}, "a=02 b=02", "link-loop"},
		"order decides":             {[][]string{{"5 b", "0 a/x", "2 a b"}}, "a=02 b=05", ""},
		"a link replaced":           {[][]string{{"5 usr", "2 lib usr", "5 lib", "0 lib/x"}}, "lib=05 lib/x=00 usr=05", ""},
		"hard link, then whiteout":  {[][]string{{"0 a", "1 b a"}, {"0 .wh.a"}}, "b=00", ""},
		"hard link, then another":   {[][]string{{"0 a", "1 b a", "0 a"}}, "a=00 b=00", ""},
		"hard link to a symlink":    {[][]string{{"2 a x", "1 b a"}}, "a=02 b=02", ""},
		"hard link by a link":       {[][]string{{"5 d", "0 d/a", "2 l d", "1 b l/a"}}, "b=00 d=05 d/a=00 l=02", ""},
		"hard link to nothing":      {[][]string{{"1 b a", "0 a"}}, "a=00 b=01", "dangling-hard-link"},
		"hard link to itself":       {[][]string{{"0 a", "1 a a"}}, "a=00", "dangling-hard-link"},
		"nothing but such a link":   {[][]string{{"1 a a"}}, "a=01", "dangling-hard-link"},
		"hard link to a folder":     {[][]string{{"5 a", "1 b a"}}, "a=05 b=01", "dangling-hard-link"},
		"hard link to what is gone": {[][]string{{"0 a"}, {"0 .wh.a", "1 b a"}}, "b=11", "dangling-hard-link"},
		"file and its whiteout":     {[][]string{{"0 a", "0 .wh.a"}}, "a=00", "ambiguous-whiteout"},
		"whiteout, then the file":   {[][]string{{"0 a"}, {"0 .wh.a", "0 a"}}, "a=10", ""},
		"whiteout of a used folder": {[][]string{{"5 d", "0 d/a"}, {"0 d/b", "0 .wh.d"}}, "d/b=10", "ambiguous-whiteout"},
		"below a file":              {[][]string{{"0 a"}, {"0 a/b"}}, "a/b=10", "ambiguous-parent"},
		"whiteout by a link":        {[][]string{{"5 d", "0 d/a", "2 l d"}, {"0 l/.wh.a"}}, "d=05 l=02", "ambiguous-parent-link"},
		"opaque, then whiteout":     {[][]string{{"5 d", "5 d/e", "0 d/e/f"}, {"0 d/.wh..wh..opq", "0 d/e/g"}}, "d=05 d/e/g=10", ""},
		"an opaque root":            {[][]string{{"0 a"}, {"0 .wh..wh..opq", "0 b"}}, "b=10", "ambiguous-opaque-root"},
		"an opaque lowest root":     {[][]string{{"0 a", "0 .wh..wh..opq"}}, "a=00", ""},
		"a folder again":            {[][]string{{"5 d", "0 d/a"}, {"0 .wh.d", "5 d", "0 d/b"}}, "d=15 d/b=10", "ambiguous-folder-again"},
		"a folder again, implied":   {[][]string{{"5 d", "0 d/a"}, {"0 .wh.d", "0 d/b"}}, "d/b=10", "ambiguous-folder-again"},
		"an empty folder again":     {[][]string{{"5 d"}, {"0 .wh.d", "5 d", "0 d/b"}}, "d=15 d/b=10", ""},
		"a file for a folder":       {[][]string{{"5 d", "0 d/a"}, {"0 .wh.d", "0 d"}}, "d=10", ""},
		"a whiteout in no folder":   {[][]string{{"5 d"}, {"0 e/.wh.a"}}, "d=05", "ambiguous-whiteout-parent"},
		"a folder after a whiteout": {[][]string{{"5 d"}, {"0 e/.wh.a", "5 e"}}, "d=05 e=15", ""},
		"a name of AUFS":            {[][]string{{"5 .wh..wh.plnk", "0 .wh..wh.plnk/a"}}, ".wh..wh.plnk/a=00", "ambiguous-aufs-name"},
		"a global header":           {[][]string{{"g pax_global_header", "0 a"}}, "a=00", ""},
		"a global header twice":     {[][]string{{"g pax_global_header", "0 a", "g pax_global_header", "0 b"}}, "a=00 b=00", ""},
		"a global header at a file": {[][]string{{"0 a"}, {"g a"}}, "a=00", "ambiguous-global-header"},
		"a global whiteout":         {[][]string{{"0 a"}, {"g .wh.a"}}, "a=00", "ambiguous-global-header"},
		"a device over a file":      {[][]string{{"0 a"}, {"3 a"}}, "a=13", "ambiguous-overlayfs"},
		"a device over nothing":     {[][]string{{"0 a"}, {"3 b"}}, "a=00 b=13", ""},
		"a device below":            {[][]string{{"3 a"}, {"0 a"}}, "a=10", ""},
		"a root that is a file":     {[][]string{{"0 ."}}, "", "root-no-folder"},
	} {
		t.Run(name, func(t *testing.T) {
			img := layersOf(test.layers...)
			if got := pathsIn(img); got != test.want {
				t.Errorf("folded to %q, want %q", got, test.want)
			}
			if got := codes(img); got != test.problems {
				t.Errorf("problems %q, want %q", got, test.problems)
			}
		})
	}
}

// Marks of overlayfs over what lower layers have are read in two ways, unless the layer is
// one that is mounted.
func TestOverlayfsMarks(t *testing.T) {
	for name, test := range map[string]struct{ upper, key, value, want string }{
		"opaque":             {"5 d", "trusted.overlay.opaque", "y", "ambiguous-overlayfs"},
		"opaque to users":    {"5 d", "user.overlay.opaque", "y", "ambiguous-overlayfs"},
		"not opaque":         {"5 d", "trusted.overlay.opaque", "n", ""},
		"opaque over none":   {"5 e", "trusted.overlay.opaque", "y", ""},
		"redirected":         {"5 e", "trusted.overlay.redirect", "/d", "ambiguous-overlayfs"},
		"without content":    {"0 e", "trusted.overlay.metacopy", "", "ambiguous-overlayfs"},
		"where it came from": {"5 d", "trusted.overlay.origin", "x", ""},
		"another attribute":  {"5 d", "user.opaque", "y", ""},
	} {
		img := layersOf([]string{"5 d", "0 d/a"}, []string{test.upper})
		img.Layers[1].Entries[0].Attributes = &Attributes{Xattrs: map[string]string{test.key: test.value}}
		if got := codes(img); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		mounted := layersOf([]string{"5 d", "0 d/a"}, []string{test.upper})
		mounted.Layers[1].Entries[0].Attributes, mounted.Layers[1].Overlayfs = img.Layers[1].Entries[0].Attributes, true
		if got := codes(mounted); got != "" {
			t.Errorf("%s, mounted: %q", name, got)
		}
	}
}

func TestRootLookup(t *testing.T) {
	img := layersOf(
		[]string{"5 var", "0 var/status", "1 hard var/status", "2 soft var/status", "2 chain soft", "2 v var", "2 up ../../v", "2 self self", "2 nowhere x/y"},
		[]string{"0 .wh.var", "5 var", "0 var/status"})
	for path, want := range map[string]string{
		"var/status": "1/2", "soft": "1/2", "chain": "1/2", "v/status": "1/2", "up/status": "1/2", "/var/./status": "1/2",
		"hard": "0/1", // the inode of the first status
		"self": "", "nowhere": "", "var": "", "var/status/x": "", "absent": "",
	} {
		content, _, _ := img.Root().Content(path)
		if string(content) != want {
			t.Errorf("%s has content %q, want %q", path, content, want)
		}
	}
	if f, ok := img.Root().Name("v"); !ok || f.Type != '2' {
		t.Errorf("the name v stands for %+v", f)
	}
	if f, ok := img.Root().Name("v/status"); !ok || f.Path != "var/status" || f.Layer != 1 {
		t.Errorf("the name v/status stands for %+v", f)
	}
}

// Every name of an inode is listed, and the last header says its owner and mode.
func TestRootInodes(t *testing.T) {
	img := layersOf([]string{"0 a", "1 b a"}, []string{"1 c b", "0 .wh.a"})
	img.Layers[1].Entries[0].Mode = 0o4755
	f, ok := img.Root().Lookup("b")
	if !ok || !slices.Equal(f.Inode.Links, []string{"b", "c"}) || f.Inode.Header.Mode != 0o4755 || f.Inode.Layer != 0 {
		t.Errorf("b is %+v of %+v", f, f.Inode)
	}
}

// The tree is folded once, whoever asks.
func TestRootIsFoldedOnce(t *testing.T) {
	img := layersOf([]string{"0 a"})
	first := img.Root()
	if img.Files(); img.Root() != first {
		t.Error("the layers were folded twice")
	}
}

// BenchmarkFold shows the cost at n and 2n: it doubles.
func BenchmarkFold(b *testing.B) {
	for name, layer := range map[string]func(n int) []string{
		"one path": func(n int) []string { return slices.Repeat([]string{"0 a/b"}, n) },
		"whiteouts": func(n int) []string {
			return append(slices.Repeat([]string{"5 d", "0 d/a"}, n/4), slices.Repeat([]string{"0 .wh.d"}, n/2)...)
		},
		"below a link": func(n int) []string {
			list := []string{"2 l " + strings.Repeat("d/", 100)}
			for i := range n - 1 {
				list = append(list, fmt.Sprintf("0 l/%d", i))
			}
			return list
		},
		"deep": func(n int) []string { return []string{"0 " + strings.Repeat("d/", n) + "x"} },
	} {
		for _, n := range []int{20_000, 40_000} {
			img := layersOf(layer(n))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := img.Fold(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A folder of a lower layer keeps its owner and mode in some engines only, where the
// layer above has no entry of it; a hard link's own are those of the file in most.
func TestRootModes(t *testing.T) {
	private := layersOf([]string{"5 d"}, []string{"0 d/a"})
	private.Layers[0].Entries[0].Mode = 0o700
	if got := codes(private); got != "ambiguous-folder" {
		t.Errorf("problems %q", got)
	}
	with := layersOf([]string{"5 d"}, []string{"0 d/a", "5 d"})
	with.Layers[0].Entries[0].Mode = 0o700
	if got := codes(with); got != "" {
		t.Errorf("problems %q of a layer with the folder", got)
	}
	setuid := layersOf([]string{"0 a", "1 b a"})
	setuid.Layers[0].Entries[1].Mode = 0o4755
	if got := codes(setuid); got != "ambiguous-hard-link" {
		t.Errorf("problems %q of a link with another mode", got)
	}
}

// TestName writes paths as headers do. The usual ways to write them are the same for all.
func TestName(t *testing.T) {
	usual := []string{".", "./", "a", "a/", "./a", "./a/", "/a", "/a/", "a/b", "./a/b/", "a/a"}
	for _, name := range append(usual, "", "/", "//", ".//a", "a//b", "a/../b", "../a", "./.", "./a/./a/") {
		path := paths.Clean(name)
		e := Entry{Path: path, Attributes: &Attributes{Spelling: Spell(name, path)}}
		if got := e.Name(); got != name || e.Attributes.Spelling.Other == slices.Contains(usual, name) {
			t.Errorf("%q is %q, %+v", name, got, e.Attributes.Spelling)
		}
	}
}

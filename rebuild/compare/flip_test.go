package compare

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"audit/inspect"
)

// sampleLayer has an entry of most kinds, with every sort of extended header.
func sampleLayer(t testing.TB) []byte {
	name := "folder/" + long
	return layer(t,
		d("folder"), f("folder/file", "content"), l("folder/link", "file"), h("folder/hard", "folder/file"),
		f(name, "x").change(gnu), f(name+"p", "y").change(at1(1, 5)), f("z", "z").xattr("user.a", "v"), dev("n", '3', 1, 3))
}

// flip changes a byte of a tar and mends the checksum of the header it is in.
func flip(data []byte, at int, mask byte) []byte {
	data = bytes.Clone(data)
	data[at] ^= mask
	h := data[at/block*block:][:block]
	if string(h[257:262]) == "ustar" && (at%block < 148 || at%block >= 156) {
		copy(h[148:156], "        ")
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	}
	return data
}

// checkPair holds a comparison of two images against what is known of them
// without it, both ways round.
func checkPair(t *testing.T, a, b *inspect.Image) {
	t.Helper()
	c := Images(a, b, nil)
	same := a.Layers[0].DiffID == b.Layers[0].DiffID
	if c.Identical() != same {
		t.Fatalf("identical %v, same bytes %v\n%s", c.Identical(), same, show(c))
	}
	if !same && len(c.Differences) == 0 {
		t.Fatal("layers differ without a difference")
	}
	if c.Equivalent() && (a.Layers[0].Broken != nil || b.Layers[0].Broken != nil) != same && !same {
		t.Fatalf("a broken layer is equivalent\n%s", show(c))
	}
	if err := sameTree(a, b); c.Equivalent() && err != nil {
		t.Fatalf("equivalent, but %v\n%s", err, show(c))
	}
	if back := Images(b, a, nil); back.Equivalent() != c.Equivalent() || len(back.Differences) != len(c.Differences) {
		t.Fatalf("one way:\n%s\nthe other way:\n%s", show(c), show(back))
	}
}

// sameTree compares folded root file systems the plain way.
func sameTree(a, b *inspect.Image) error {
	x, y := a.Files(), b.Files()
	if len(x) != len(y) {
		return fmt.Errorf("%d files, %d files", len(x), len(y))
	}
	for i := range x {
		p, q := x[i], y[i]
		linkOrFile := func(e inspect.File) bool { return e.Type == '0' || e.Type == '1' }
		switch {
		case p.Path != q.Path || p.Type != q.Type && !(linkOrFile(p) && linkOrFile(q)):
			return errors.New("another path or type at " + p.Path)
		case p.Type == q.Type && (p.Digest != q.Digest || p.Size != q.Size || p.Type == '2' && p.Linkname != q.Linkname):
			return errors.New("other content or link at " + p.Path)
		case p.Mode != q.Mode && p.Type != '2' || p.Attr().UID != q.Attr().UID || p.Attr().GID != q.Attr().GID:
			return errors.New("another mode or owner at " + p.Path)
		case !maps.Equal(p.Attr().Xattrs, q.Attr().Xattrs) || p.Type == '3' && (p.Attr().Devmajor != q.Attr().Devmajor || p.Attr().Devminor != q.Attr().Devminor):
			return errors.New("another attribute or device at " + p.Path)
		}
	}
	return nil
}

// TestFlippedBytes flips bytes of a layer in turn, in all parts of its headers:
// none goes unnoticed.
func TestFlippedBytes(t *testing.T) {
	data := sampleLayer(t)
	a := imageOf(t, data)
	const step = 29 // shares no factor with the size of a header
	for at := 0; at < len(data); at += step {
		b := imageOf(t, flip(data, at, 1<<(at%7)))
		checkPair(t, a, b)
		c := Images(a, b, nil)
		if b.Layers[0].Broken == nil {
			for _, d := range c.Differences {
				if d.Cause == Content && d.Path == "" && at < len(data)-2*block {
					t.Errorf("byte %d: %s", at, show(c))
				}
			}
		}
	}
}

// FuzzFlips flips two bytes in each of two copies of a layer.
func FuzzFlips(f *testing.F) {
	data := sampleLayer(f)
	f.Add(uint16(100), byte(1), uint16(600), byte(1))
	f.Add(uint16(156), byte(3), uint16(157), byte(1))
	f.Add(uint16(1024), byte(7), uint16(1536+265), byte(9))
	f.Fuzz(func(t *testing.T, at1 uint16, mask1 byte, at2 uint16, mask2 byte) {
		x := flip(data, int(at1)%len(data), mask1)
		y := flip(flip(data, int(at2)%len(data), mask2), int(at1)*7%len(data), mask1)
		checkPair(t, imageOf(t, x), imageOf(t, y))
	})
}

// extract lays down the files of an image as an extractor does, and returns
// what is in each: hard links share what their target had.
func extract(img *inspect.Image) map[string]string {
	held := make(map[string]string)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := l.Entries[i]
			switch what, ok := held[target(e)]; {
			case kind(e) != hardLink:
				held[e.Path] = kind(e) + " " + e.Digest.String()
			case ok:
				held[e.Path] = what
			default:
				held[e.Path] = "a link to nothing"
			}
		}
	}
	files := make(map[string]string)
	for _, f := range img.Files() {
		files[f.Path] = held[f.Path]
	}
	return files
}

// checkSpelt compares the images that two texts spell and holds the comparison
// against what an extractor makes of them.
func checkSpelt(t *testing.T, was, now string) {
	t.Helper()
	x, y := spell(t, was), spell(t, now)
	a, b := imageOf(t, x...), imageOf(t, y...)
	c := Images(a, b, nil)
	if same := slices.EqualFunc(x, y, bytes.Equal); c.Identical() != same {
		t.Fatalf("%q, %q: identical %v, same bytes %v\n%s", was, now, c.Identical(), same, show(c))
	}
	tree, held := sameTree(a, b), maps.Equal(extract(a), extract(b))
	if c.Equivalent() && (tree != nil || !held) {
		t.Fatalf("%q, %q: equivalent, but %v, or the files hold other things\n%s", was, now, tree, show(c))
	}
	if back := Images(b, a, nil); back.Equivalent() != c.Equivalent() {
		t.Fatalf("%q, %q: one way:\n%s\nthe other way:\n%s", was, now, show(c), show(back))
	}
}

// TestShuffledEntries compares layers with few names, so that entries often
// override each other, in orders drawn from a fixed seed.
func TestShuffledEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		was := make([]byte, 1+r.IntN(7))
		for i := range was {
			was[i] = "abcdefghijkl||"[r.IntN(14)]
		}
		now := slices.Clone(was)
		if r.IntN(2) == 0 {
			now[r.IntN(len(now))] = byte('a' + r.IntN(12))
		}
		r.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		checkSpelt(t, string(was), string(now))
	}
}

// FuzzEntries compares layers with the entries that two texts spell.
func FuzzEntries(f *testing.F) {
	f.Add("aAbB", "aA|bB")
	f.Add("abcabc", "cba|abc")
	f.Add("k|gifhi", "h|gifki")
	f.Add("w|a|xb", "a|w|bx")
	f.Fuzz(checkSpelt)
}

// spell turns a text into layers: each character is an entry of one of five
// names and of a kind, and '|' starts the next layer.
func spell(t testing.TB, text string) [][]byte {
	var layers [][]byte
	var items []item
	if len(text) > 40 {
		text = text[:40]
	}
	for _, c := range []byte(text + "|") {
		name := string(rune('a' + c%5))
		switch {
		case c == '|':
			layers, items = append(layers, layer(t, items...)), nil
		case c%7 == 0:
			items = append(items, d(name))
		case c%7 == 1:
			items = append(items, l(name, "b"))
		case c%7 == 2:
			items = append(items, h(name, "a"))
		case c%7 == 3:
			items = append(items, f(".wh."+name, ""))
		case c%7 == 4:
			items = append(items, f("a/"+name, string(c)))
		default:
			items = append(items, f(name, fmt.Sprint(c%16)).change(func(h *tar.Header) { h.Format = tar.FormatUSTAR }))
		}
	}
	return layers
}

package explain

import (
	"bytes"
	"testing"
	"time"
)

// FuzzExplain holds that any two contents that differ have an explanation, the
// same one each time, within its bounds, and that no decoder fails on them.
// The seeds are the samples of all formats.
func FuzzExplain(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.path, []byte(s.was), []byte(s.now))
		f.Add(s.path, []byte(s.was)[:len(s.was)*2/3], []byte(s.now))
	}
	f.Fuzz(func(t *testing.T, path string, was, now []byte) {
		if bytes.Equal(was, now) {
			return
		}
		one, two := explainOnce(path, was, now), explainOnce(path, was, now)
		if len(one.Parts) == 0 || one.total() == 0 {
			t.Fatal("contents differ without a part")
		}
		if len(one.Parts) > maxParts || one.size > maxShown && one.Shown[len(one.Shown)-1].Code != "difference/not-shown" {
			t.Fatalf("%d parts, %d bytes of text", len(one.Parts), one.size)
		}
		if show(one) != show(two) || shownText(one) != shownText(two) {
			t.Fatalf("first\n%s%s\nthen\n%s%s", show(one), shownText(one), show(two), shownText(two))
		}
	})
}

// explainOnce explains without the net that Explain has below it.
func explainOnce(path string, was, now []byte) *Explanation {
	x := New(time.Time{})
	x.expand = 4 << 20
	d := &diff{Explainer: x, finders: x.finders, path: path, out: new(Explanation)}
	d.explain(was, now)
	return d.out
}

// FuzzDecoders asks each decoder alone: what it does not know, it leaves be.
func FuzzDecoders(f *testing.F) {
	for _, s := range samples(f) {
		for i := range New(time.Time{}).decoders {
			f.Add(byte(i), s.path, []byte(s.was), []byte(s.now))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, path string, was, now []byte) {
		if bytes.Equal(was, now) {
			return
		}
		x := New(time.Time{})
		x.expand = 4 << 20
		d := &diff{Explainer: x, finders: x.finders, path: path, out: new(Explanation)}
		decoder := x.decoders[int(which)%len(x.decoders)]
		if known := decoder.decode(d, was, now); !known && d.out.total() > 0 {
			t.Fatalf("%T does not know the contents, yet it says\n%s", decoder, show(d.out))
		}
	})
}

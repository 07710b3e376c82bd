package repack

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"audit/inspect"
)

// Any byte of a frame that changes is told, and once, with the entry that it
// belongs to.
func TestEveryByteOfTheFrame(t *testing.T) {
	most := 600 // flips in a layer
	if testing.Short() {
		most = 100
	}
	for _, path := range images(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			img := open(t, path)
			recipe := recipeOf(t, img, eraOf(name))
			fit, _ := candidates(img, recipe.Pack)
			a := &attempt{img: img, pack: recipe.Pack, era: fit[0]}
			for _, c := range a.plan() {
				if !c.run() {
					t.Fatal("the sample itself differs")
				}
				flipAll(t, c, most)
			}
		})
	}
}

func flipAll(t *testing.T, c *layerCheck, most int) {
	raw, err := io.ReadAll(c.layer.Frame.Open())
	if err != nil {
		t.Fatal(err)
	}
	owners := frameOwners(c.layer, len(raw))
	step := len(raw)/most | 1 // odd, so that it meets every place in a block
	for at := 0; at < len(raw); at += step {
		for _, bit := range []byte{0x01, 0x80} {
			raw[at] ^= bit
			c.out = &findings{}
			c.checkFrame(bytes.NewReader(raw))
			raw[at] ^= bit
			if c.out.problems != 1 || c.out.list[0].Path != owners[at] {
				t.Fatalf("layer %d, byte %d of the frame, flipped by %#02x, belongs to %q: %+v", c.layer.Index, at, bit, owners[at], c.out.list)
			}
		}
	}
}

// frameOwners tells for each byte of a frame the path that a problem with it
// must name: the padding after a content is that content's, and the end of the
// archive is nobody's.
func frameOwners(l *inspect.Layer, size int) []string {
	owners := make([]string, size)
	at, pad, before := 0, 0, ""
	for _, e := range l.Entries {
		for k := range int(e.FrameSize) {
			owners[at+k] = e.Path
			if k < pad {
				owners[at+k] = before
			}
		}
		at += int(e.FrameSize)
		pad, before = int(padding(e.Size)), e.Path
	}
	for k := range pad {
		owners[at+k] = before
	}
	return owners
}

// A frame that is cut short or goes on is told, wherever that happens.
func TestFrameOfAnotherLength(t *testing.T) {
	img := open(t, filepath.Join(samples, plainImage))
	recipe := recipeOf(t, img, "1.5")
	raw, err := io.ReadAll(img.Layers[0].Frame.Open())
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) + 2000 {
		if n%97 != 0 || n == len(raw) {
			continue
		}
		other := append(raw[:min(n, len(raw)):min(n, len(raw))], make([]byte, max(0, n-len(raw)))...)
		img.Layers[0].Frame = inspect.NewFrame(other)
		if c := Check(img, recipe); c.Status != inspect.Fail || c.Bytes != 0 {
			t.Fatalf("%d bytes instead of %d: %s, %s", n, len(raw), c.Status, c.Summary)
		}
	}
}

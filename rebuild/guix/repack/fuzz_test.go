package repack

import (
	"io"
	"path/filepath"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix"
)

// Whatever a layer holds, the check ends; and where it passes, one byte of the
// frame more or less would have made it fail.
func FuzzCheck(f *testing.F) {
	for _, sample := range []string{plainImage, layeredImage, oldestImage, dataImage} {
		for _, l := range apart(f, filepath.Join(samples, sample)).layers {
			f.Add(l.bytes(), "1.5", "", "", uint(300))
		}
	}
	f.Add([]byte{}, "1.0", "gnu/store/x", "../..", uint(0))
	f.Fuzz(func(t *testing.T, data []byte, era, source, target string, at uint) {
		img := layerOf(t, data)
		recipe := recipeOf(t, img, era)
		changePack(func(pack *guix.Pack) {
			pack.Root = "/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile"
			if source != "" {
				pack.Symlinks = append(pack.Symlinks, guix.Symlink{Source: source, Target: target})
			}
		})(&recipe)
		c := Check(img, recipe)
		if c.Status != check.Pass {
			return
		}
		raw, err := io.ReadAll(img.Layers[0].Frame.Open())
		if err != nil {
			t.Fatal(err)
		}
		raw[int(at%uint(len(raw)))] ^= 1
		img.Layers[0].Frame = frameOf(raw)
		if c := Check(img, recipe); c.Status != check.Fail {
			t.Errorf("a changed frame: %s, %s", c.Status, summaryOf(c))
		}
	})
}

// layerOf reads an image that has data for its layer.
func layerOf(t *testing.T, data []byte) *inspect.Image {
	raw := &rawImage{config: []byte(head + history + tail), layers: []*rawLayer{{end: data}}}
	img := open(t, raw.pack(t))
	img.Config.Raw = nil // it is the layer that is looked at
	return img
}

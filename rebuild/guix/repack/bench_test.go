package repack

import (
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
)

// BenchmarkCheck packs an image of 20,000 files again.
func BenchmarkCheck(b *testing.B) {
	path := filepath.Join(b.TempDir(), "image.tar")
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	if err := fixtures.Write(out, fixtures.Spec{Items: 300, Files: 20_000, Bytes: 20_000 * 512}); err != nil {
		b.Fatal(err)
	}
	img := open(b, path)
	recipe := recipeOf(b, img, "1.5")
	b.SetBytes(img.Layers[0].Frame.Size)
	b.ReportAllocs()
	for b.Loop() {
		Check(img, recipe)
	}
}

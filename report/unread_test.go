package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"audit/inspect"
	"audit/provenance/vouch"
)

// TestUnreadLayersAreNamed: of an image with layers that could not be read the answer, the
// shares and the next step say so, in each form.
func TestUnreadLayersAreNamed(t *testing.T) {
	for mediaType, step := range map[string]string{
		"application/vnd.oci.image.layer.v1.tar+gzip+encrypted": "skopeo copy --decryption-key",
		"application/vnd.oci.image.layer.nydus.blob.v1":         "with every layer in it",
	} {
		img := &inspect.Image{Layers: []*inspect.Layer{{Broken: errors.New("no tar")}, {Index: 1}}}
		r := New(Input{Image: img})
		r.Image.Layers[0].MediaType = mediaType
		r.Coverage.Contents, r.Coverage.Vouchers = 26, []VoucherShare{{Kind: vouch.Instruction, Files: 1, Bytes: 26, Share: 1}}
		if got := r.meaning(); !strings.Contains(got, "1 of 2 layers could not be read to the end") {
			t.Errorf("%s: %s", mediaType, got)
		}
		if got := strings.Join(r.next(), "\n"); !strings.Contains(got, step) {
			t.Errorf("%s: next: %s", mediaType, got)
		}
		var text, markdown, html bytes.Buffer
		if err := errors.Join(WriteText(&text, r, TextOptions{}), WriteMarkdown(&markdown, r), WriteHTML(&html, r)); err != nil {
			t.Fatal(err)
		}
		for _, form := range []bytes.Buffer{text, markdown, html} {
			if got := strings.Join(strings.Fields(form.String()), " "); !strings.Contains(got, "that could be read (1 of 2 layers could not)") {
				t.Errorf("%s: shares of what was read are given as those of the image:\n%.2000s", mediaType, got)
			}
		}
	}
	whole := New(Input{Image: &inspect.Image{Layers: []*inspect.Layer{{}}}})
	if whole.unreadMeaning()+whole.ofRead()+whole.readAll() != "" {
		t.Error("an image that was read in full")
	}
}

package registry

import (
	"io"
	"os"
	"strings"
	"testing"

	"audit/inspect/digest"
	"audit/inspect/pass"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What a full disk keeps out of a cache in the middle of a blob is copied as it is without
// a cache: contents are found in it, whatever room there was.
func TestKeepingEnds(t *testing.T) {
	p := pass.New(t.Context(), pass.Options{})
	defer p.Copies.Close()
	text := strings.Repeat("a", 100) + strings.Repeat("b", 100)
	d := v1.Descriptor{Digest: digest.Of([]byte(text)).Hash(), Size: int64(len(text))}
	c := cache{t.TempDir(), p}
	k := c.keep(d, strings.NewReader(text))
	if _, err := io.ReadFull(k, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	full, err := os.Open(k.file.Name()) // which nothing can be written to
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	k.file = full
	if _, err := io.ReadAll(k); err != nil {
		t.Fatal(err)
	}
	k.end(true)
	copied, ok := p.Copies.Open(digest.BlobPath(d.Digest))
	if !ok {
		t.Fatal("there is no copy")
	}
	if got, err := io.ReadAll(copied); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
	if left, err := os.ReadDir(c.dir + "/sha256"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

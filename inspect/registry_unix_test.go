//go:build unix

package inspect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/pass"
	"audit/inspect/userfile"
)

// A named pipe in a cache of layers, which may have no writer, is no layer.
func TestLayerCachePipe(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	host, cache := serve(t, l, nil), t.TempDir()
	path := filepath.Join(cache, "sha256", strings.TrimPrefix(digestOf(layer), "sha256:"))
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := Open(t.Context(), "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), LayerCache: cache})
	if err != nil || img.Integrity().Status != check.Pass {
		t.Errorf("%v, %v", img, err)
	}
}

// A named pipe in a layout, which may have no writer, is no blob and no index.
func TestLayoutPipe(t *testing.T) {
	for _, name := range []string{"index.json", "blobs/sha256/" + strings.TrimPrefix(digestOf(string(tarOf(t, regular("platform", "s390x")))), "sha256:")} {
		l, _ := imagesOf(t, "s390x")
		dir := l.folder(t)
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		var irregular *userfile.IrregularError
		if _, err := Open(t.Context(), dir, pass.Options{Stores: fixtures.Stores()}); !errors.As(err, &irregular) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

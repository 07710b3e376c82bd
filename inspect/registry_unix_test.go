//go:build unix

package inspect

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/pass"
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

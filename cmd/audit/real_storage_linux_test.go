package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"audit/inspect"
)

// TestRealContainersStorage: what skopeo has put into a store comes out of it with the
// config and the layers that it had as an archive.
func TestRealContainersStorage(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "readers" {
		t.Skip("needs root and skopeo: AUDIT_TEST_REAL=readers says that they are there")
	}
	for name, sample := range map[string]string{"guix": "guix/images/hello-opt3.tar", "docker": "docker/classic.tar"} {
		path, err := filepath.Abs("../../fixtures/" + sample)
		if err != nil {
			t.Fatal(err)
		}
		want, err := inspect.Open(t.Context(), path, inspect.Options{Stores: systems().Stores()})
		if err != nil {
			t.Fatal(err)
		}
		for _, driver := range []string{"overlay", "vfs"} {
			root := t.TempDir()
			t.Cleanup(func() { syscall.Unmount(filepath.Join(root, "overlay"), 0) }) // which the driver mounts upon itself
			place := "[" + driver + "@" + root
			copied := exec.CommandContext(t.Context(), "skopeo", "copy", "-q", "--insecure-policy", "docker-archive:"+path, "containers-storage:"+place+"+"+t.TempDir()+"]lab/"+name+":1")
			if out, err := copied.CombinedOutput(); err != nil {
				t.Errorf("%s into %s: %v\n%s", name, driver, err, out)
				continue
			}
			got, err := inspect.Open(t.Context(), "containers-storage:"+place+"]lab/"+name+":1", inspect.Options{Stores: systems().Stores()})
			if err != nil {
				t.Errorf("%s in %s: %v", name, driver, err)
				continue
			}
			if got.Config.Digest != want.Config.Digest || len(got.Layers) != len(want.Layers) || got.Integrity().Status != want.Integrity().Status {
				t.Errorf("%s in %s: config %s, %d layers, integrity %v", name, driver, got.Config.Digest, len(got.Layers), got.Integrity().Status)
			}
			for i := range min(len(got.Layers), len(want.Layers)) {
				if got.Layers[i].DiffID != want.Layers[i].DiffID {
					t.Errorf("%s in %s: layer %d is %s, want %s", name, driver, i, got.Layers[i].DiffID, want.Layers[i].DiffID)
				}
			}
		}
	}
}

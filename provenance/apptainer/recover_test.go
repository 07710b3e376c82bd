package apptainer

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// The definition of a SIF is a recipe that is partial, and passes no check.
func TestRecover(t *testing.T) {
	squashfs, err := os.ReadFile("../../fixtures/squashfs/gzip.squashfs")
	if err != nil {
		t.Fatal(err)
	}
	for definition, mine := range map[string]bool{"Bootstrap: docker\nFrom: debian:12\n%post\n  true\n": true, "": false, "words\n": false} {
		name := filepath.Join(t.TempDir(), "image.sif")
		if err := os.WriteFile(name, fixtures.SIF(definition, squashfs), 0o600); err != nil {
			t.Fatal(err)
		}
		img, err := inspect.Open(t.Context(), name, inspect.Options{Stores: fixtures.Stores(), Keep: Keep})
		if err != nil {
			t.Fatal(err)
		}
		if img.Config.File.Architecture != "amd64" {
			t.Errorf("architecture %q", img.Config.File.Architecture)
		}
		ev, err := System{}.Recover(img, nil)
		if !mine {
			if !errors.Is(err, provenance.ErrNotMine) {
				t.Errorf("%q: %v", definition, err)
			}
			continue
		}
		if err != nil || ev.Recipe.Status != provenance.Partial || ev.Recover.Status != check.Unknown || ev.Closure.Status != check.Unknown ||
			string(ev.Recipe.Files[0].Text) != definition {
			t.Errorf("%+v, %v", ev, err)
		}
	}
}

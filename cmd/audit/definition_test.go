package main

import (
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// TestDefinitionWithStoreItems: a SIF whose definition put store items into it, as
// the installer of a package manager does, is what its definition says, and the rules
// of packers of stores do not accuse it.
func TestDefinitionWithStoreItems(t *testing.T) {
	squashfs, err := os.ReadFile("../../fixtures/squashfs/gzip.squashfs")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.sif")
	if err := os.WriteFile(path, fixtures.SIF("Bootstrap: docker\nFrom: debian:12\n%post\n  sh install\n", squashfs), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Keep: systems().Keep, Stores: systems().Stores()})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := provenance.Recover(img, nil, systems())
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Items) == 0 || ev.Recipe.System != "apptainer" || ev.Closure.Status != check.Unknown {
		t.Errorf("%d store items, system %q, closure %v", len(img.Items), ev.Recipe.System, ev.Closure.Status)
	}
	found := make(map[string]bool)
	for _, f := range ev.Closure.Findings {
		found[f.Path] = true
	}
	if !found["bin/su"] {
		t.Error("a definition hides a setuid file")
	}
}

package inspect

import (
	"audit/inspect/pass"
	"context"
	"path/filepath"
	"testing"
)

// TestKeepOnly holds that a reading for contents alone keeps the same ones as
// one for everything, of every form that is among the samples.
func TestKeepOnly(t *testing.T) {
	keep := func(path string) bool {
		return filepath.Base(path) == "manifest" || filepath.Base(path) == "tiny-hello"
	}
	seen := 0
	for _, pattern := range []string{"images/tiny*", "forms/tiny*", "eras/*layers5*.tar.gz", "realpack/*.tar.gz"} {
		names, err := filepath.Glob("../fixtures/guix/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			whole, err := Open(context.Background(), name, pass.Options{Keep: keep})
			if err != nil {
				continue // no image: another file of the samples
			}
			only, err := Open(context.Background(), name, pass.Options{Keep: keep, KeepOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range whole.Layers {
				for _, e := range l.Entries {
					body, ok := whole.Body(i, e.Path)
					if !ok {
						continue
					}
					seen++
					if got, ok := only.Body(i, e.Path); !ok || string(got) != string(body) {
						t.Errorf("%s: %s is not the same", name, e.Path)
					}
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d contents were seen", seen)
	}
}

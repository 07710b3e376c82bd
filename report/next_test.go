package report

import (
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
)

// TestNextAsksForWhatIsLacking: what was given is not asked for again, and nobody is sent to
// signers of what nobody signs.
func TestNextAsksForWhatIsLacking(t *testing.T) {
	for code, want := range map[string]string{
		"signatures/deb-no-key":        "--trusted-key FILE, the key of whoever signed them",
		"signatures/deb-no-release":    "must have the Release file",
		"signatures/deb-names-only":    "in the versions that the image has",
		"signatures/apk-no-source":     "--packages DIR or URL, with the packages",
		"signatures/rpm-none-verified": "another key",
		"signatures/nothing-signed":    "",
		"signatures/no-packages":       "",
	} {
		r := New(Input{Image: &inspect.Image{}, Checks: []check.Check{check.Skip(check.Signatures, code)}})
		got := strings.Join(r.next(), "\n")
		if !strings.Contains(got, want) || strings.Contains(got, "To have its packages verified") != (want != "") {
			t.Errorf("%s: %s", code, got)
		}
		if want != "" && code != "signatures/deb-no-key" && strings.Contains(got, "the key of whoever signed them") {
			t.Errorf("%s asks for the key that was given: %s", code, got)
		}
	}
}

// TestNextIsNoCircle: --fresh is of store items, and not advised to who has given it.
func TestNextIsNoCircle(t *testing.T) {
	for name, test := range map[string]struct {
		store   bool
		rebuild *Rebuild
		fresh   bool
	}{
		"a store":             {true, &Rebuild{}, true},
		"built twice already": {true, &Rebuild{Fresh: []Fresh{{Derivation: "x"}}}, false},
		"instructions":        {false, &Rebuild{}, false},
		"made elsewhere":      {true, &Rebuild{Status: Given}, false},
	} {
		r := New(Input{Image: &inspect.Image{}, Verdict: rebuild.Unreproducible, Systems: testSystems()})
		for _, s := range testSystems() {
			if (s.Store != "") == test.store {
				r.Recipe.System = s.Name
			}
		}
		r.Rebuild = test.rebuild
		if got := strings.Join(r.next(), "\n"); strings.Contains(got, "--fresh") != test.fresh {
			t.Errorf("%s: %s", name, got)
		}
	}
}

package guix

import (
	"strings"
	"testing"

	"audit/rebuild"
)

const (
	officialChannel = `(list (channel (name 'guix) (url "https://git.guix.gnu.org/guix.git") (branch "master")
  (commit "230aa373f315f247852ee07dff34146e9b480aec")
  (introduction (make-channel-introduction "9edb3f66fd807b096b48283debdcddccfea34bad"
    (openpgp-fingerprint "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA")))))`
	strangeChannel = `(list (channel (name 'x) (url "https://example.org/x.git") (branch "b") (commit "230aa373f315f247852ee07dff34146e9b480aec")))`
)

func storedPlan(channels, manifest string) rebuild.Plan {
	return rebuild.Plan{
		System: "guix", Root: "/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile", Pack: []string{"pack", "-f", "docker", "-m", "manifest.scm"},
		Files: []rebuild.PlanFile{{Name: channelsFile, Text: channels}, {Name: manifestFile, Text: manifest}},
		Trust: []rebuild.Trust{{Channel: "x", Trusted: true, Why: "because I say so"}},
	}
}

// A stored plan is not believed: neither its trust nor its programs.
func TestVet(t *testing.T) {
	const manifest = `(specifications->manifest (list "hello"))`
	plan, err := Vet(storedPlan(officialChannel, manifest), nil)
	if err != nil || plan.Refused != "" || len(plan.Trust) != 1 || !plan.Trust[0].Trusted {
		t.Errorf("official: %v, refused %q, trust %v", err, plan.Refused, plan.Trust)
	}
	plan, err = Vet(storedPlan(strangeChannel, manifest), nil)
	if err != nil || !strings.Contains(plan.Refused, "--trust-channel") || plan.Trust[0].Trusted {
		t.Errorf("a strange channel: %v, refused %q, trust %v", err, plan.Refused, plan.Trust)
	}
	plan, err = Vet(storedPlan(strangeChannel, manifest), []string{"https://example.org/x.git"})
	if err != nil || plan.Refused != "" {
		t.Errorf("a strange channel that is trusted: %v, refused %q", err, plan.Refused)
	}
	if _, err = Vet(storedPlan(officialChannel, `(system "x")`), nil); err == nil {
		t.Error("a program was taken for a manifest")
	}
	if _, err = Vet(storedPlan(`(begin (system "x") `+officialChannel+`)`, manifest), nil); err == nil {
		t.Error("a program was taken for channels")
	}
}

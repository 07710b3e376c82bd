package nix

import (
	"encoding/json"
	"strings"
	"testing"

	"audit/inspect"
	"audit/provenance"
	"audit/rebuild"
)

// A plan and its script hold no secret of an address; the builder has them from the
// user's own flags, and does without none.
func TestPlanKeepsSecrets(t *testing.T) {
	for _, in := range []rebuild.Settings{
		{"nix-flake": {"git+https://S3CR3T@example.org/x?ref=main#img"}},
		{"nix-flake": {"github:x/y?token=S3CR3T&rev=0123#img"}},
		{"nix-expr": {"a.nix"}, "nix-uri": {"https://u:S3CR3T@example.org/", "https://example.org/"}, "nix-path": {"n=https://S3CR3T@example.org/n.tar.gz"}},
	} {
		plan, err := System{}.Plan(&inspect.Image{}, provenance.Recipe{}, in)
		if err != nil || len(plan.Reasons) > 0 {
			t.Fatal(err, plan.Reasons)
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		script := string(System{}.Script(plan))
		if strings.Contains(string(text)+script, "S3CR3T") || !strings.Contains(script, `: "${AUDIT_ADDRESS_1?`) || strings.Count(script, "$AUDIT_ADDRESS_1") == 0 {
			t.Errorf("%v: %s\n%s", in, text, script)
		}
		s := session{plan: plan, job: rebuild.Job{Settings: in}}
		if err := s.admit(); err != nil {
			t.Errorf("%v: %v", in, err)
		}
		if given, _ := json.Marshal(s.details); !strings.Contains(string(given), "S3CR3T") {
			t.Errorf("%v: the builder gets %s", in, given)
		}
		without := session{plan: plan}
		if err := without.admit(); err == nil || !strings.Contains(err.Error(), "plan/addresses-without-secrets") {
			t.Errorf("%v: without the flags: %v", in, err)
		}
		if vetted, err := (System{}).Vet(plan, in); err != nil || len(vetted.Reasons) > 0 {
			t.Errorf("%v: vetted: %v, %v", in, err, vetted.Reasons)
		}
	}
}

package guix

import (
	"fmt"
	"slices"

	"audit/provenance"
	evidence "audit/provenance/guix"
	"audit/rebuild"
)

// Vet makes a plan that was stored fit to be run: a file that anyone may have
// edited is not believed what it says of trust. Its channels.scm and
// manifest.scm, which Guix runs as programs, must list channels and packages
// and do nothing else; they are written anew from what was read, and trust is
// judged again.
func Vet(plan rebuild.Plan, trusted []string) (rebuild.Plan, error) {
	if plan.System != provenance.Guix {
		return plan, fmt.Errorf("the plan is for %q, and only Guix can be run", plan.System)
	}
	plan.Files = slices.Clone(plan.Files)
	plan.Trust, plan.Refused = nil, ""
	for i, f := range plan.Files {
		switch f.Name {
		case channelsFile:
			channels, text, err := evidence.ReadChannels([]byte(f.Text))
			if err != nil {
				return plan, fmt.Errorf("vetting the plan: %w", err)
			}
			plan.Files[i].Text, plan.Trust = string(text), judge(channels, trusted)
			if name := twice(channels); name != "" {
				plan.Refused = fmt.Sprintf("two channels are named %q", name)
			}
		case manifestFile:
			text, err := evidence.ReadManifest([]byte(f.Text))
			if err != nil {
				return plan, fmt.Errorf("vetting the plan: %w", err)
			}
			plan.Files[i].Text = string(text)
		default:
			return plan, fmt.Errorf("vetting the plan: it has a file %q, which no plan for Guix has", f.Name)
		}
	}
	if err := runnable(plan); err != nil {
		return plan, fmt.Errorf("vetting the plan: %w", err)
	}
	if plan.Refused == "" {
		plan.Refused = distrust(plan.Trust)
	}
	return plan, nil
}

package docker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"audit/provenance"
	"audit/rebuild"
)

// Vet judges a plan that comes from a file, which anyone may have written: it
// may give no option to an engine but those that plans have, and no file but
// those that engines are pointed to. A plan with a network needs the user's word
// for it again. What the plan was refused for stands.
//
// The error wraps [provenance.ErrNotMine] for a plan of another build system.
func Vet(plan rebuild.Plan, in Input) (rebuild.Plan, error) {
	if plan.System != provenance.Docker {
		return plan, fmt.Errorf("vetting a plan for a Dockerfile: %w", provenance.ErrNotMine)
	}
	if plan.Refused != "" {
		return plan, nil
	}
	if err := runnable(plan); err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	c, err := parseCall(plan.Pack)
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	if c.network && !in.Network {
		plan.Refused = "the plan gives instructions the network; to allow it: --network"
	}
	plan.Trust = judge(c, nil)
	for n := range plan.Trust {
		if plan.Trust[n].Channel == "source" {
			plan.Trust[n].Why = "the plan names it"
		}
	}
	return plan, nil
}

// runnable says what about a plan cannot be run.
func runnable(plan rebuild.Plan) error {
	c, err := parseCall(plan.Pack)
	if err != nil {
		return err
	}
	if !slices.Contains(engineNames(), plan.Engine) {
		return fmt.Errorf("%q is no engine that builds Dockerfiles", plan.Engine)
	}
	have := make(map[string]bool)
	for _, f := range plan.Files {
		if have[f.Name] || f.Name != dockerfileName && f.Name != policyName {
			return fmt.Errorf("no plan for a Dockerfile has a file %q", f.Name)
		}
		have[f.Name] = true
		if strings.Contains(f.Text, "\x00") {
			return fmt.Errorf("the file %s holds a NUL character", f.Name)
		}
		if f.Name == policyName && !json.Valid([]byte(f.Text)) {
			return fmt.Errorf("the file %s is no JSON", f.Name)
		}
	}
	if have[dockerfileName] && isRemote(c.context) {
		return fmt.Errorf("a Dockerfile of its own cannot go with a context that is fetched")
	}
	return nil
}

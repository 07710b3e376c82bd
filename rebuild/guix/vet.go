package guix

import (
	"fmt"

	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

// Vet judges a plan that comes from a file, which anyone may have written. Its
// Scheme files are read as data and written anew, so that they hold nothing but
// channels and packages, and what it would run is judged afresh: trusted is
// what may be run beside the channels that carry the official introduction of
// Guix. What the plan was refused for beside that stands.
//
// The configuration of a system is a program and stays as it is; it is run only
// when it is trusted. Any other program in a plan is an error; a plan of another
// build system an error that wraps [provenance.ErrNotMine].
func Vet(plan rebuild.Plan, trusted Trusted) (rebuild.Plan, error) {
	if plan.System != provenance.Guix {
		return plan, fmt.Errorf("vetting a plan for Guix: %w", provenance.ErrNotMine)
	}
	if err := runnable(plan); err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	var channels []provenance.Channel
	var files []rebuild.PlanFile
	for _, f := range plan.Files {
		var text []byte
		var err error
		switch {
		case f.Name == channelsFile:
			channels, text, err = guix.ReadChannels([]byte(f.Text))
		case f.Name == manifestFile:
			text, err = guix.ReadManifest([]byte(f.Text))
		case f.Name == configurationFile && isSystem(plan):
			text = []byte(f.Text)
		default:
			err = fmt.Errorf("no plan for Guix has a file %q", f.Name)
		}
		if err != nil {
			return plan, fmt.Errorf("vetting a plan: %w", err)
		}
		files = append(files, rebuild.PlanFile{Name: f.Name, Text: string(text)})
	}
	otherwise := plan.Refused
	if otherwise == distrust(plan.Trust) {
		otherwise = ""
	}
	plan.Files, plan.Trust = files, judge(plan, channels, trusted)
	plan.Refused = firstOf(otherwise, ambiguous(channels), distrust(plan.Trust))
	return plan, nil
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

package guix

import (
	"fmt"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

// NewPlan says how to build an image again from its recipe. trusted is what may
// run or be fetched beside what is trusted by default.
//
// A recipe that cannot be built, or must not be, gives a plan all the same, with
// the reasons in it. A recipe of another build system is an error that wraps
// [provenance.ErrNotMine].
func NewPlan(img *inspect.Image, recipe provenance.Recipe, trusted Trusted) (rebuild.Plan, error) {
	pack, isMine := guix.PackOf(recipe)
	if !isMine {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Guix: %w", provenance.ErrNotMine)
	}
	pack.Unknown = nil
	details := Details{Pack: pack, Channels: recipe.Channels, Given: trusted.Given, Mirrors: trusted.Mirrors}
	if err := details.checkMirrors(); err != nil {
		return rebuild.Plan{}, err
	}
	for _, f := range recipe.Files {
		if f.Name == configurationFile && details.isSystem() {
			details.Configuration = string(f.Text)
		}
	}
	plan := rebuild.Plan{
		System:       guix.Name,
		Image:        img.Reference,
		ConfigDigest: img.Config.Digest.String(),
		Command:      details.invocation(),
		Trust:        judge(details, trusted),
		Local:        trusted.local(),
		Details:      details,
	}
	plan.Reasons = obstacles(recipe, details)
	if len(plan.Reasons) > 0 && plan.Reasons[0].Code == codeIncomplete && details.completable() {
		plan.Takes = []string{channelsFile, manifestFile}
	}
	if len(plan.Reasons) == 0 {
		plan.Reasons = refusal(details, plan.Trust)
	}
	return plan, nil
}

// obstacles are the reasons why a recipe cannot be built, whoever is trusted.
func obstacles(recipe provenance.Recipe, d Details) []check.Message {
	if recipe.Status != provenance.Complete && d.Given.isZero() {
		return append([]check.Message{check.Say(codeIncomplete, "status", string(recipe.Status))}, recipe.Missing...)
	}
	if verbs, _ := d.command(); verbs == nil {
		return []check.Message{check.Say("plan/no-command", "form", d.Pack.Format)}
	}
	if err := d.check(); err != nil {
		return []check.Message{check.Say("plan/not-expressible", "error", err)}
	}
	return nil
}

// The code of a reason that stands when a stored plan is judged again.
const codeIncomplete = "plan/recipe-incomplete"

// refusal are the reasons why a plan that could be run must not be.
func refusal(d Details, trust []rebuild.Trust) []check.Message {
	var reasons []check.Message
	if name := ambiguous(d.Channels); name != "" && d.Given.Channels == "" {
		reasons = append(reasons, check.Say("plan/two-channels", "channel", name))
	}
	return append(reasons, distrust(trust)...)
}

// ambiguous returns the name that two channels have, "" when each has its own.
func ambiguous(channels []provenance.Channel) string {
	seen := make(map[string]bool, len(channels))
	for _, c := range channels {
		if seen[c.Name] {
			return c.Name
		}
		seen[c.Name] = true
	}
	return ""
}

package docker

import (
	"fmt"
	"maps"
	"slices"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/provenance/docker/dockerfile"
	"audit/rebuild"
)

// Vet judges a plan that comes from a file, which anyone may have written, as if it
// had come out of an image: each of its fields is checked, what it fetches needs
// the user's word again, and so does a network. No folder of this machine is built
// from but the one that the user names. A plan that was refused before it had
// details stays refused. What may be fetched does not follow from the plan: the flags
// of this run alone decide it.
//
// The error wraps [provenance.ErrNotMine] for a plan of another build system.
func Vet(plan rebuild.Plan, in Input) (rebuild.Plan, error) {
	if plan.System != docker.Name {
		return plan, fmt.Errorf("vetting a plan for a Dockerfile: %w", provenance.ErrNotMine)
	}
	if err := in.Check(); err != nil {
		return plan, err
	}
	if plan.Details == nil && len(plan.Reasons) > 0 {
		return plan, nil
	}
	d, err := rebuild.DetailsOf[Details](plan)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	d.Fetch = in.fetch()
	plan.Reasons = d.missing(in)
	text, err := d.take(in)
	if err != nil {
		return plan, fmt.Errorf("vetting a plan: %w", err)
	}
	plan.Details, plan.Command = d, d.command()
	stages, refused := d.stages(in, text)
	plan.Reasons = append(plan.Reasons, refused...)
	plan.Trust = judge(&d, in, stages)
	plan.Reasons = append(plan.Reasons, untrusted(plan.Trust)...)
	return plan, nil
}

// missing says what the user has to give for a stored plan.
func (d *Details) missing(in Input) []check.Message {
	var reasons []check.Message
	say := func(code string, args ...any) { reasons = append(reasons, check.Say(code, args...)) }
	if d.Network && !in.Network {
		say("plan/network-not-allowed")
	}
	if !isRemote(d.Context) && in.Source == "" {
		say("plan/folder-not-named", "folder", d.shownContext())
	}
	if d.Private && in.Source == "" {
		say("plan/address-without-user", "address", d.Context)
	}
	values := in.values()
	var names []string
	for _, name := range d.Given {
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		say("plan/arguments-missing", "names", names)
	}
	return reasons
}

// take puts what the user names in the place of what the plan has, and returns the
// text of the Dockerfile where it is known.
func (d *Details) take(in Input) (text string, err error) {
	text = d.Text
	d.give(in)
	if in.Source != "" {
		at, err := locate(in.Source)
		if err != nil {
			return "", err
		}
		d.Context = rebuild.WithoutSecrets(at.context)
		d.Private = d.Context != at.context
		if in.Dockerfile != "" {
			d.Dockerfile, d.Text = in.Dockerfile, ""
		}
		if at.folder && d.Text == "" {
			if text, err = dockerfileIn(at.context, d.Dockerfile); err != nil {
				return "", err
			}
		}
	}
	for _, name := range frontendsOf(nil, merged(d.Arguments, in.values()), text) {
		if !slices.Contains(d.Frontends, name) {
			d.Frontends = append(d.Frontends, name)
		}
	}
	return text, nil
}

func merged(all ...map[string]string) map[string]string {
	out := make(map[string]string)
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// runnable returns the details of a plan that may be run, else why it must not be:
// an error that wraps [rebuild.ErrRefused].
func runnable(plan rebuild.Plan) (Details, error) {
	if len(plan.Reasons) > 0 {
		return Details{}, &rebuild.RefusedError{Reasons: plan.Reasons}
	}
	d, err := rebuild.DetailsOf[Details](plan)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Details{}, &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/malformed", "error", err)}}
	}
	if reasons := untrusted(plan.Trust); len(reasons) > 0 {
		return Details{}, &rebuild.RefusedError{Reasons: reasons}
	}
	return d, nil
}

// syntaxOf is the frontend that the Dockerfile of a folder names, once more when
// it is built: "" for none, and for what cannot be read.
func syntaxOf(folder, file string) string {
	text, err := dockerfileIn(folder, file)
	if err != nil {
		return ""
	}
	return dockerfile.Syntax(text)
}

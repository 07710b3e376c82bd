package docker

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/docker/dockerfile"
	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// A judgement is what a plan would run and fetch, and on whose word.
type judgement struct {
	*Details
	in    Input
	trust []rebuild.Trust
	known map[[2]string]bool // kind and URL of those on the list
}

// judge returns the list of what a plan runs and fetches; stages are those of its
// Dockerfile, none where that is not known. An address that the user
// names is trusted, with what the source there names in its turn, but for a
// frontend: that is a program which BuildKit runs before the build, outside of
// what keeps instructions from the network. Any other needs the flag of
// [rebuild.Prefixes].
//
// What a provenance names that a key signed which the user trusts needs no prefix.
func judge(d *Details, in Input, stages []dockerfile.Stage) []rebuild.Trust {
	j := judgement{Details: d, in: in, known: make(map[[2]string]bool)}
	j.instructions()
	j.context()
	for _, p := range d.Pins {
		if !j.isContext(p) {
			j.address(kindOf(p.Kind), addressOf(p))
		}
	}
	for _, pair := range pairs("", d.Contexts) {
		_, value, _ := strings.Cut(pair, "=")
		if name, ok := strings.CutPrefix(value, rebuild.ImageScheme+"://"); ok {
			j.address("image", rebuild.ImageScheme+"://"+slsa.Reference(name))
			continue
		}
		j.address("source", value)
	}
	if in.Source != "" {
		j.images(stages)
	}
	for _, name := range d.Frontends {
		j.frontend(name)
	}
	return j.trust
}

// instructions run in containers, in which the engine is trusted to keep them.
func (j *judgement) instructions() {
	code := "plan/instructions-without-network"
	if j.Network {
		code = "plan/instructions-with-network"
	}
	j.trust = append(j.trust, rebuild.Trust{Kind: "instructions", URL: j.shownContext(), Trusted: true, Reason: check.Say(code)})
}

func (j *judgement) context() {
	if j.in.Source == "" {
		j.address("source", j.Context)
		return
	}
	t := rebuild.Trust{Kind: "source", URL: rebuild.WithoutSecrets(j.shownContext()), Trusted: true, Reason: check.Say("plan/source-given")}
	if s := (slsa.Material{URI: j.Context}); isRemote(j.Context) && s.Kind() == slsa.Git && s.Commit() == "" {
		t.Reason = check.Say("plan/source-without-commit")
	}
	j.trust = append(j.trust, t)
}

// isContext says whether a pin is the context, which is judged by itself.
func (j *judgement) isContext(p Pin) bool {
	was, _, _ := strings.Cut(p.Name, "#")
	is, _, _ := strings.Cut(j.Context, "#")
	return was == is
}

// kindOf is what a pin is to the build.
func kindOf(pin string) string {
	if pin == pinImage {
		return "image"
	}
	return "source"
}

// address judges what the image names.
func (j *judgement) address(kind, address string) {
	t := j.in.Trusted.Judge(kind, address)
	if !t.Trusted && j.in.signer != "" && !rebuild.IsSpecial(address) {
		t = rebuild.Trust{Kind: kind, URL: t.URL, Trusted: true, Reason: check.Say("plan/named-by-signer", "signer", j.in.signer)}
	}
	if key := [2]string{t.Kind, t.URL}; !j.known[key] {
		j.known[key] = true
		j.trust = append(j.trust, t)
	}
}

// stages returns those of a Dockerfile that the user names, or why the plan is
// refused where they cannot be resolved: BuildKit would refuse it too. Another
// frontend may read it.
func (d *Details) stages(in Input, text string) ([]dockerfile.Stage, []check.Message) {
	if text == "" || in.Source == "" {
		return nil, nil
	}
	var arguments []string
	values := merged(d.Arguments, in.values())
	for _, name := range slices.Sorted(maps.Keys(values)) {
		arguments = append(arguments, name+"="+values[name])
	}
	stages, err := dockerfile.Stages(text, arguments)
	if err != nil && len(d.Frontends) == 0 {
		return nil, []check.Message{check.Say("recipe/dockerfile-unread", "error", err)}
	}
	return stages, nil
}

// images lists those that the user's own Dockerfile names.
func (j *judgement) images(stages []dockerfile.Stage) {
	for _, image := range dockerfile.Images(stages) {
		j.trust = append(j.trust, rebuild.Trust{Kind: "image", URL: rebuild.ImageScheme + "://" + image, Trusted: true,
			Reason: check.Say("plan/named-by-source")})
	}
}

func (j *judgement) frontend(name string) {
	t := j.in.Trusted.Judge("frontend", rebuild.ImageScheme+"://"+slsa.Reference(name))
	j.trust = append(j.trust, t)
}

// untrusted are the reasons why a plan must not be run: what on the list may not
// be run or fetched, and how it would be allowed.
func untrusted(list []rebuild.Trust) []check.Message {
	var reasons []check.Message
	for _, t := range list {
		if !t.Trusted {
			reasons = append(reasons, check.Say("plan/needs-trust", "kind", t.Kind, "address", t.URL, "flag", t.Flag))
		}
	}
	return reasons
}

// frontendsOf are the images of the frontends that a build names: in its
// attestation, in a build argument, and in the Dockerfile itself.
func frontendsOf(b *slsa.Build, arguments map[string]string, text string) []string {
	named := []string{arguments[syntaxArgument], dockerfile.Syntax(text)}
	if b != nil {
		named = append(named, b.Args["cmdline"], b.Args["source"], b.Args["build-arg:"+syntaxArgument])
	}
	var found []string
	known := make(map[string]bool)
	for _, name := range named {
		name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
		if name != "" && !known[slsa.Reference(name)] {
			known[slsa.Reference(name)] = true
			found = append(found, name)
		}
	}
	return found
}

// syntaxArgument is the build argument by which BuildKit runs another frontend.
const syntaxArgument = "BUILDKIT_SYNTAX"

package docker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/provenance/docker/dockerfile"
	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// dockerfileName is the usual name of a Dockerfile.
const dockerfileName = "Dockerfile"

// NewPlan says how to build an image again: from the source that the user
// names, else from what the image's provenance says. It reads the Dockerfile
// of a source that is a folder, and nothing else of the machine.
//
// An image that cannot, or must not, be built again gives a plan all the same, with
// the reasons in Reasons. A recipe of another build system is an error that wraps
// [provenance.ErrNotMine], unless a source is named; a source that is not there
// is any other error.
func NewPlan(img *inspect.Image, recipe provenance.Recipe, in Input) (rebuild.Plan, error) {
	if recipe.System != docker.Name && in.Source == "" {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild from a Dockerfile: %w", provenance.ErrNotMine)
	}
	if err := in.Check(); err != nil {
		return rebuild.Plan{}, err
	}
	p := planner{img: img, in: in, found: docker.Attested(img)}
	p.history, _ = docker.History(img)
	p.plan = rebuild.Plan{
		System: docker.Name, Image: img.Reference, ConfigDigest: img.Config.Digest.String(), Trust: []rebuild.Trust{},
	}
	err := p.source()
	return p.plan, err
}

// A planner makes one plan.
type planner struct {
	img     *inspect.Image
	in      Input
	found   docker.Attestations
	history []docker.Instruction
	plan    rebuild.Plan
	details Details
	text    string // of the Dockerfile; "" where it is not known
}

func (p *planner) refuse(code string, args ...any) {
	p.plan.Reasons = append(p.plan.Reasons, check.Say(code, args...))
}

func (p *planner) source() error {
	var err error
	p.details = Details{Engine: docker.BuiltBy(p.history, p.found.Build)}
	if p.in.Source == "" {
		p.fromProvenance()
	} else {
		err = p.fromUser()
	}
	if len(p.plan.Reasons) > 0 || err != nil {
		return err
	}
	p.details.Network = p.in.Network
	p.details.Platform = platformOf(p.img)
	p.times()
	p.networkNeeds()
	p.finish()
	return nil
}

// finish judges what was planned.
func (p *planner) finish() {
	d := &p.details
	if err := d.check(); err != nil {
		p.refuse("plan/malformed", "error", err)
		return
	}
	p.plan.Details = *d
	p.plan.Command = d.command()
	stages, refused := d.stages(p.in, p.text)
	p.plan.Reasons = append(p.plan.Reasons, refused...)
	p.plan.Trust = judge(d, p.in, stages)
	p.plan.Reasons = append(p.plan.Reasons, untrusted(p.plan.Trust)...)
}

// fromProvenance plans what the image's own provenance says.
func (p *planner) fromProvenance() {
	b := p.found.Build
	switch {
	case len(p.found.Wrong) > 0:
		p.plan.Reasons = []check.Message{p.found.Wrong[0].Message}
	case len(p.found.Unread) > 0 && b == nil:
		p.plan.Reasons = []check.Message{p.found.Unread[0].Message}
	case b == nil:
		p.refuse("recipe/no-attestation")
		p.refuse("plan/name-source")
	default:
		p.plan.Reasons = b.Obstacles()
		if slices.ContainsFunc(p.plan.Reasons, needsSource) {
			p.refuse("plan/name-source")
		}
	}
	if len(p.plan.Reasons) > 0 {
		return
	}
	p.callOf(b)
	d := &p.details
	d.Context, _ = b.PinnedContext()
	d.Dockerfile = b.Dockerfile
	if text, ok := docker.Text(b); ok {
		p.text = string(text)
	}
	contexts, refused := pinContexts(b, d.Contexts)
	p.plan.Reasons = append(p.plan.Reasons, refused...)
	d.Contexts = contexts
	d.Fetch, d.Pins = p.in.fetch(), pinsOf(b)
	d.Frontends = frontendsOf(b, d.Arguments, p.text)
}

// needsSource says of an obstacle whether a source of the user's own takes it away.
func needsSource(m check.Message) bool {
	return slices.Contains([]string{slsa.LocalContext, slsa.NoContext, slsa.UnpinnedContext, slsa.MinMode}, m.Code)
}

// fromUser plans what the user names.
func (p *planner) fromUser() error {
	at, err := locate(p.in.Source)
	if err != nil {
		return err
	}
	d := &p.details
	b := p.found.Build
	known := b != nil && b.BuildKit() && !b.MinMode()
	if known {
		p.callOf(b)
		for _, name := range slices.Sorted(maps.Keys(d.Contexts)) {
			p.refuse("plan/named-context-missing", "name", name, "address", d.Contexts[name])
		}
	} else {
		d.Arguments = make(map[string]string)
		for _, a := range docker.Arguments(p.history) {
			name, value, _ := strings.Cut(a, "=")
			d.Arguments[name] = value
		}
	}
	d.give(p.in)
	d.Context, d.Dockerfile = rebuild.WithoutSecrets(at.context), p.in.Dockerfile
	d.Private = d.Context != at.context
	if known && d.Dockerfile == "" {
		d.Dockerfile = b.Dockerfile
	}
	if at.folder {
		if err := p.readDockerfile(at.context); err != nil {
			return err
		}
	}
	d.Fetch = p.in.fetch()
	d.Frontends = frontendsOf(nil, merged(d.Arguments, p.in.values()), p.text)
	return nil
}

// give takes what the user gives beside the source.
func (d *Details) give(in Input) {
	for name := range in.values() {
		delete(d.Arguments, name)
		if !slices.Contains(d.Given, name) {
			d.Given = append(d.Given, name)
		}
	}
	slices.Sort(d.Given)
	if in.Target != "" {
		d.Target = in.Target
	}
}

// readDockerfile takes the Dockerfile of a folder, else the one that the
// provenance holds.
func (p *planner) readDockerfile(folder string) error {
	text, err := dockerfileIn(folder, p.details.Dockerfile)
	if err != nil {
		return err
	}
	p.text = text
	if text != "" {
		return nil
	}
	if b := p.found.Build; b != nil && p.in.Dockerfile == "" {
		if text, ok := docker.Text(b); ok {
			p.text, p.details.Dockerfile, p.details.Text = string(text), "", string(text)
			return nil
		}
	}
	p.refuse("plan/no-dockerfile", "name", orUsual(p.details.Dockerfile))
	return nil
}

func orUsual(file string) string {
	if file == "" {
		return dockerfileName
	}
	return file
}

// callOf takes from a statement how BuildKit was called. Options that are not known
// are a reason to refuse: what they would do is not known either.
func (p *planner) callOf(b *slsa.Build) {
	d := &p.details
	d.Arguments, d.Labels = make(map[string]string), make(map[string]string)
	d.Contexts, d.Options = make(map[string]string), make(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(b.Args)) {
		value := b.Args[key]
		kind, name, _ := strings.Cut(key, ":")
		switch {
		case kind == "build-arg":
			d.Arguments[name] = value
		case kind == "label":
			d.Labels[name] = value
		case kind == "context" && name != "":
			d.Contexts[name] = value
		case key == "target":
			d.Target = value
		case slices.Contains(frontendOptions(), key):
			d.Options[key] = value
		case slices.Contains(fromPlan(), kind) || slices.Contains(ofBuilder(), key):
		default:
			p.refuse("plan/unknown-option", "option", key)
		}
	}
}

// fromPlan are the options of BuildKit's frontend that follow from other parts of
// a plan, or would undo them.
func fromPlan() []string {
	return []string{
		"context", "contextkey", "dockerfilekey", "filename", "platform", "no-cache", "force-network-mode",
		"cmdline", "source", "attest", "cache-from", "cache-imports",
	}
}

// ofBuilder are options that say how a builder worked, and not what it made.
func ofBuilder() []string {
	return []string{"frontend.caps", "image-resolve-mode", "multi-platform", "requestid", "cgroup-parent", "cache-to", "local-sessionid", "build-info", "vcs"}
}

// platformOf returns the platform of an image, "" when its config names none.
func platformOf(img *inspect.Image) string {
	c := img.Config.File
	if c.OS == "" || c.Architecture == "" {
		return ""
	}
	name := c.OS + "/" + c.Architecture
	if c.Variant != "" {
		name += "/" + c.Variant
	}
	if !platform.MatchString(name) {
		return ""
	}
	return name
}

const epochArgument = "SOURCE_DATE_EPOCH"

// times has the rebuild set the times that the original has, as far as its
// engine can do that.
func (p *planner) times() {
	d := &p.details
	created := p.img.Config.File.Created
	switch d.Engine {
	case docker.Classic, docker.Kaniko:
	case docker.Buildah:
		d.Layers = slices.ContainsFunc(p.history, func(i docker.Instruction) bool { return strings.HasPrefix(i.Comment, "FROM ") })
		if oneTime(p.img) {
			d.Timestamp = strconv.FormatInt(created.Unix(), 10)
		}
		if dockerFormat(p.img) {
			d.Format = "docker"
		}
	default:
		epoch, given := p.in.values()[epochArgument]
		if !given {
			epoch, given = d.Arguments[epochArgument]
		}
		if !given && !created.IsZero() && created.Unix() >= 0 {
			epoch = strconv.FormatInt(created.Unix(), 10)
			d.Arguments[epochArgument] = epoch
		}
		d.Rewrite = rewritten(p.img, epoch)
	}
}

// oneTime says whether the image and every instruction of its history were made
// in the same whole second: then the builder was given it.
func oneTime(img *inspect.Image) bool {
	created := img.Config.File.Created
	for _, h := range img.Config.File.History {
		if !h.Created.Equal(created.Time) {
			return false
		}
	}
	return created.Nanosecond() == 0 && created.Unix() > 0 && len(img.Config.File.History) > 0
}

// dockerFormat says whether a config has what Docker's own format has, and OCI's
// does not.
func dockerFormat(img *inspect.Image) bool {
	return img.Config.Written().Fields["container_config"] != nil
}

// rewritten says whether BuildKit was asked to set the times of files: it marks
// such layers in an OCI manifest. In other forms, and where a copy has lost the
// marks, the times themselves decide: none is after the epoch.
func rewritten(img *inspect.Image, epoch string) bool {
	at, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return false
	}
	if strings.Contains(string(img.Manifest.Raw), `"buildkit/rewritten-timestamp"`) {
		return true
	}
	for _, l := range img.Layers {
		for n := range l.Entries {
			if l.Entries[n].ModTime > at {
				return false
			}
		}
	}
	return oneTime(img)
}

// networkNeeds refuses a plan without a network of which the Dockerfile shows
// that an instruction needs one: it would only fail.
func (p *planner) networkNeeds() {
	if p.in.Network || p.text == "" {
		return
	}
	all, err := dockerfile.Parse(p.text)
	if err != nil {
		p.refuse("plan/network-unknown", "error", err)
		return
	}
	for _, i := range all {
		what := i.Network()
		if i.Keyword == "ADD" && p.in.Source != "" {
			what = fetches(i)
		}
		if what != "" {
			p.refuse("plan/network-needed", "what", what, "line", i.Line)
			return
		}
	}
}

// fetches returns the address that an ADD fetches from.
func fetches(i dockerfile.Instruction) string {
	for _, word := range strings.Fields(i.Text) {
		if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "git@") {
			return "ADD " + word
		}
	}
	return ""
}

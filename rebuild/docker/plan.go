package docker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/provenance/docker/dockerfile"
	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// The files of a plan, which the engines are pointed to by these names.
const (
	dockerfileName = "Dockerfile"         // built in place of the context's own
	policyName     = "source-policy.json" // of BuildKit: what may be fetched, and at which digests
)

// NewPlan says how to build an image again: from the source that the user
// names, else from what the image's provenance tells. It reads the Dockerfile
// of a source that is a folder, and nothing else of the machine.
//
// An image that cannot be built again gives a plan all the same, with the
// reason in Refused. A recipe of another build system is an error that wraps
// [provenance.ErrNotMine], unless a source is named; a source that is not there
// is any other error.
func NewPlan(img *inspect.Image, recipe provenance.Recipe, in Input) (rebuild.Plan, error) {
	if recipe.System != provenance.Docker && in.Source == "" {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild from a Dockerfile: %w", provenance.ErrNotMine)
	}
	if err := in.Check(); err != nil {
		return rebuild.Plan{}, err
	}
	p := planner{img: img, in: in, found: docker.Attested(img)}
	p.history, _ = docker.History(img)
	p.plan = rebuild.Plan{
		System: provenance.Docker, Image: img.Reference, ConfigDigest: img.Config.Digest.String(),
		Files: []rebuild.PlanFile{}, Pack: []string{}, Trust: []rebuild.Trust{}, Engine: string(docker.BuiltBy(img)),
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
	call    call
	text    string // of the Dockerfile; "" where it is not known
}

func (p *planner) refuse(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if p.plan.Refused != "" {
		reason = p.plan.Refused + "; " + reason
	}
	p.plan.Refused = reason
}

func (p *planner) source() error {
	var err error
	if p.in.Source == "" {
		p.fromProvenance()
	} else {
		err = p.fromUser()
	}
	if p.plan.Refused != "" || err != nil {
		return err
	}
	p.call.network = p.in.Network
	p.call.platform = platformOf(p.img)
	p.times()
	p.networkNeeds()
	p.plan.Pack = p.call.words()
	p.plan.Trust = judge(p.call, p.pinned())
	if err := runnable(p.plan); err != nil {
		p.refuse("%s", err)
	}
	return nil
}

// pinned returns the materials that the plan fetches at a digest.
func (p *planner) pinned() []slsa.Source {
	if p.in.Source != "" || p.found.Build == nil {
		return nil
	}
	return p.found.Build.Materials
}

// fromProvenance plans what the image's own provenance tells.
func (p *planner) fromProvenance() {
	b := p.found.Build
	switch {
	case len(p.found.Wrong) > 0:
		p.refuse("%s", p.found.Wrong[0].Words)
	case len(p.found.Unread) > 0 && b == nil:
		p.refuse("%s", p.found.Unread[0].Words)
	case b == nil:
		p.refuse("%s; --source names what to build", docker.NoProvenance)
	}
	if p.plan.Refused != "" {
		return
	}
	for _, o := range b.Obstacles() {
		p.refuse("%s%s", o.Message, advice(o.Rule))
	}
	if p.plan.Refused != "" {
		return
	}
	p.call = callOf(b)
	p.call.context, _ = b.PinnedContext()
	p.call.file = b.Dockerfile
	if text, ok := docker.Text(b); ok {
		p.text = string(text)
	}
	contexts, err := pinContexts(b, p.call.contexts)
	if err != nil {
		p.refuse("%s", err)
		return
	}
	p.call.contexts = contexts
	p.plan.Files = append(p.plan.Files, rebuild.PlanFile{Name: policyName, Text: pins(b, p.call.context)})
}

// advice is what a user can do about an obstacle.
func advice(rule string) string {
	switch rule {
	case slsa.LocalContext, slsa.NoContext, slsa.UnpinnedContext, slsa.MinMode:
		return " (--source names what to build, if you have it)"
	}
	return ""
}

// fromUser plans what the user names.
func (p *planner) fromUser() error {
	at, err := locate(p.in.Source)
	if err != nil {
		return err
	}
	p.call = call{arguments: map[string]string{}, labels: map[string]string{}, contexts: map[string]string{}, options: map[string]string{}}
	b := p.found.Build
	known := b != nil && b.BuildKit() && !b.MinMode()
	if known {
		p.call = callOf(b)
		for name, value := range p.call.contexts {
			p.refuse("the build had a named context %s, %q, which is not here", name, value)
		}
	} else {
		for _, a := range docker.Arguments(p.history) {
			name, value, _ := strings.Cut(a, "=")
			p.call.arguments[name] = value
		}
	}
	for _, a := range p.in.BuildArgs {
		name, value, _ := strings.Cut(a, "=")
		p.call.arguments[name] = value
	}
	if p.in.Target != "" {
		p.call.target = p.in.Target
	}
	p.call.context, p.call.file = at.context, p.in.Dockerfile
	if known && p.call.file == "" {
		p.call.file = b.Dockerfile
	}
	if at.folder {
		if err := p.readDockerfile(at.context); err != nil {
			return err
		}
	}
	if !p.in.Network {
		p.plan.Files = append(p.plan.Files, rebuild.PlanFile{Name: policyName, Text: offline(at)})
	}
	p.plan.Source = &rebuild.Source{Kind: "dockerfile", Location: at.context, Attribute: p.call.file}
	return nil
}

// readDockerfile takes the Dockerfile of a folder, else the one that the
// provenance holds.
func (p *planner) readDockerfile(folder string) error {
	text, err := dockerfileIn(folder, p.call.file)
	if err != nil {
		return err
	}
	p.text = text
	if text != "" {
		return nil
	}
	if b := p.found.Build; b != nil && p.in.Dockerfile == "" {
		if text, ok := docker.Text(b); ok {
			p.text, p.call.file = string(text), ""
			p.plan.Files = append(p.plan.Files, rebuild.PlanFile{Name: dockerfileName, Text: p.text})
			return nil
		}
	}
	p.refuse("the source has no %s, and the image's provenance holds none", orUsual(p.call.file))
	return nil
}

func orUsual(file string) string {
	if file == "" {
		return dockerfileName
	}
	return file
}

// callOf takes from a statement how BuildKit was called.
func callOf(b *slsa.Build) call {
	c := call{arguments: map[string]string{}, labels: map[string]string{}, contexts: map[string]string{}, options: map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(b.Args)) {
		value := b.Args[key]
		kind, name, _ := strings.Cut(key, ":")
		switch {
		case kind == "build-arg":
			c.arguments[name] = value
		case kind == "label":
			c.labels[name] = value
		case kind == "context" && name != "":
			c.contexts[name] = value
		case key == "target":
			c.target = value
		case slices.Contains(fromPlan(), kind) || slices.Contains(ofBuilder(), key):
		default:
			c.options[key] = value
		}
	}
	return c
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
	created := p.img.Config.File.Created
	switch docker.Builder(p.plan.Engine) {
	case docker.Classic, docker.Kaniko:
	case docker.Buildah:
		p.call.layers = slices.ContainsFunc(p.history, func(i docker.Instruction) bool { return strings.HasPrefix(i.Comment, "FROM ") })
		if oneTime(p.img) {
			p.call.timestamp = strconv.FormatInt(created.Unix(), 10)
		}
		if dockerFormat(p.img) {
			p.call.format = "docker"
		}
	default:
		if _, given := p.call.arguments[epochArgument]; !given && !created.IsZero() && created.Unix() >= 0 {
			p.call.arguments[epochArgument] = strconv.FormatInt(created.Unix(), 10)
		}
		p.call.rewrite = rewritten(p.img, p.call.arguments[epochArgument])
	}
}

// oneTime says whether the image and every instruction of its history were made
// in the same whole second: then it was told to the builder.
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
	var c map[string]json.RawMessage
	_ = json.Unmarshal(img.Config.Raw, &c) // a config that is no JSON has none of it
	return c["container_config"] != nil
}

// rewritten says whether BuildKit was told to set the times of files: it marks
// such layers in an OCI manifest. In other forms, and where a copy has lost the
// marks, the times themselves tell: none is after the epoch.
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
		p.refuse("an instruction may need the network, and it has none unless --network is given: %v", err)
		return
	}
	for _, i := range all {
		what := i.Network()
		if i.Keyword == "ADD" && p.in.Source != "" {
			what = fetches(i)
		}
		if what == "" {
			continue
		}
		p.refuse("an instruction needs the network (%s, line %d of the Dockerfile), and it has none unless --network is given", what, i.Line)
		return
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

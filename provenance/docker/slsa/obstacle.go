package slsa

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// An Obstacle is why a build cannot be repeated from its statement alone.
type Obstacle struct {
	Rule    string // a stable name in kebab case
	Message string // a clause
}

// The rules of obstacles. The distinctions are those of docker buildx replay.
const (
	NoProvenance     = "no-provenance"
	OtherBuilder     = "unsupported-predicate"
	LocalContext     = "local-context"
	MinMode          = "min-mode-provenance"
	NoContext        = "no-context"
	UnpinnedContext  = "unpinned-context"
	UnpinnedMaterial = "unpinned-material"
	MissingSecret    = "missing-secret"
	MissingSSH       = "missing-ssh"
	HostNetwork      = "host-network"
	OtherFrontend    = "unsupported-frontend"
	Incomplete       = "incomplete-provenance"
)

// Obstacles returns what stands in the way of building again, the most telling
// first; none when the statement suffices.
func (b *Build) Obstacles() []Obstacle {
	var found []Obstacle
	add := func(rule, format string, args ...any) {
		found = append(found, Obstacle{rule, fmt.Sprintf(format, args...)})
	}
	if !b.BuildKit() {
		add(OtherBuilder, "the provenance is of the build type %q, and only that of BuildKit tells how to build again", b.Type)
		return found
	}
	if local := b.local(); len(local) > 0 {
		add(LocalContext, "it was built from local inputs that nobody else can fetch (%s); only a Git repository or an HTTP address can be fetched again", strings.Join(local, ", "))
	}
	if b.MinMode() {
		add(MinMode, "its provenance was recorded with mode=min, which leaves out the build arguments, labels, secrets and SSH keys that it was built with")
	}
	b.contextObstacle(add)
	for _, m := range b.Materials {
		if m.unpinned() {
			add(UnpinnedMaterial, "the provenance records no digest for %q, which the build fetched", m.URI)
		}
	}
	if ids := required(b.Secrets); len(ids) > 0 {
		add(MissingSecret, "it was built with secrets that are not here: %s", strings.Join(ids, ", "))
	}
	if ids := required(b.SSH); len(ids) > 0 {
		add(MissingSSH, "it was built with SSH keys that are not here: %s", strings.Join(ids, ", "))
	}
	if b.Args["force-network-mode"] == "host" {
		add(HostNetwork, "its instructions used the network of the machine that built it")
	}
	if !b.ofDockerfile() {
		add(OtherFrontend, "it was built by the frontend %q, and only that of Dockerfiles is known", strings.TrimSpace(b.Frontend+" "+b.Args["source"]))
	}
	if len(found) == 0 && !(b.AllParameters && b.AllMaterials) {
		add(Incomplete, "the provenance says of itself that it does not list all %s", b.lacking())
	}
	return found
}

// ofDockerfile says whether the frontend reads Dockerfiles. A Dockerfile can name
// a frontend for itself in its first line (# syntax=); BuildKit then notes that
// it was called through the gateway, with that line.
func (b *Build) ofDockerfile() bool {
	return b.Frontend == "dockerfile.v0" || b.Frontend == "gateway.v0" && b.Args["cmdline"] != ""
}

func (b *Build) lacking() string {
	switch {
	case b.AllParameters:
		return "materials"
	case b.AllMaterials:
		return "parameters"
	}
	return "parameters and materials"
}

func (b *Build) contextObstacle(add func(rule, format string, args ...any)) {
	if len(b.local()) > 0 {
		return
	}
	if b.Context.URI == "" {
		add(NoContext, "the provenance names no build context")
		return
	}
	if _, ok := b.PinnedContext(); !ok {
		add(UnpinnedContext, "the provenance does not say which commit or bytes its build context %q was", b.Context.URI)
	}
}

// local names the inputs that only the machine had that built the image: its
// folders, what was piped in, named contexts of the like.
func (b *Build) local() []string {
	names := slices.Clone(b.Locals)
	if u, err := url.Parse(b.Context.URI); err == nil && u.Host == "buildkit-session" {
		names = append(names, "context from standard input")
	}
	for key, value := range b.Args {
		name, ok := strings.CutPrefix(key, "context:")
		if !ok {
			continue
		}
		for _, prefix := range []string{"oci-layout://", "local:", "input:", "target:"} {
			if strings.HasPrefix(value, prefix) {
				names = append(names, name)
			}
		}
	}
	for _, m := range b.Materials {
		if strings.HasPrefix(m.URI, "pkg:oci/") {
			names = append(names, m.URI)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s Source) unpinned() bool {
	if s.Kind() == Git {
		return s.Commit() == ""
	}
	return s.SHA256() == ""
}

// required returns the ids of what a build cannot do without.
func required(all []Needed) []string {
	var ids []string
	for _, n := range all {
		if !n.Optional {
			ids = append(ids, n.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

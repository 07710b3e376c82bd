package slsa

import (
	"net/url"
	"slices"
	"strings"

	"audit/inspect/check"
)

// The codes of obstacles. The distinctions are those of docker buildx replay.
const (
	OtherBuilder     = "recipe/unsupported-predicate"
	LocalContext     = "recipe/local-context"
	MinMode          = "recipe/min-mode-attestation"
	NoContext        = "recipe/no-context"
	UnpinnedContext  = "recipe/unpinned-context"
	UnpinnedMaterial = "recipe/unpinned-material"
	MissingSecret    = "recipe/missing-secret"
	MissingSSH       = "recipe/missing-ssh"
	HostNetwork      = "recipe/host-network"
	OtherFrontend    = "recipe/unsupported-frontend"
	Incomplete       = "recipe/incomplete-attestation"
)

// Obstacles returns why a build cannot be repeated from its statement alone, the
// most telling first; none when the statement suffices.
func (b *Build) Obstacles() []check.Message {
	var found []check.Message
	add := func(code string, args ...any) { found = append(found, check.Say(code, args...)) }
	if !b.BuildKit() {
		add(OtherBuilder, "build-type", b.Type)
		return found
	}
	if local := b.local(); len(local) > 0 {
		add(LocalContext, "inputs", local)
	}
	if b.MinMode() {
		add(MinMode)
	}
	b.contextObstacle(add)
	for _, m := range b.unpinned() {
		add(UnpinnedMaterial, "address", m.URI)
	}
	if ids := required(b.Secrets); len(ids) > 0 {
		add(MissingSecret, "secrets", ids)
	}
	if ids := required(b.SSH); len(ids) > 0 {
		add(MissingSSH, "keys", ids)
	}
	if b.Args["force-network-mode"] == "host" {
		add(HostNetwork)
	}
	if !b.ofDockerfile() {
		add(OtherFrontend, "frontend", strings.TrimSpace(b.Frontend+" "+b.Args["source"]))
	}
	if len(found) == 0 && !(b.AllParameters && b.AllMaterials) {
		add(Incomplete, "lacking", b.lacking())
	}
	return found
}

// ofDockerfile says whether the frontend reads Dockerfiles. A Dockerfile can name
// a frontend for itself in its first line (# syntax=); BuildKit then notes that
// it was called through the gateway, with that line.
func (b *Build) ofDockerfile() bool {
	return b.Frontend == "dockerfile.v0" || b.Frontend == "gateway.v0" && b.Args["cmdline"] != ""
}

// lacking names what the statement says of itself that it does not list in full.
func (b *Build) lacking() (what []string) {
	if !b.AllParameters {
		what = append(what, "parameters")
	}
	if !b.AllMaterials {
		what = append(what, "materials")
	}
	return what
}

func (b *Build) contextObstacle(add func(code string, args ...any)) {
	if len(b.local()) > 0 {
		return
	}
	if b.Context.URI == "" {
		add(NoContext)
		return
	}
	if _, ok := b.PinnedContext(); !ok {
		add(UnpinnedContext, "address", b.Context.URI)
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

// mostUnpinned bounds the materials without a digest that are named one by one.
const mostUnpinned = 20

// unpinned returns the first materials without a digest.
func (b *Build) unpinned() []Material {
	var found []Material
	for _, m := range b.Materials {
		if m.unpinned() && len(found) < mostUnpinned {
			found = append(found, m)
		}
	}
	return found
}

func (s Material) unpinned() bool {
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

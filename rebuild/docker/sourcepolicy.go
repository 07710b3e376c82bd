package docker

import (
	"encoding/json"
	"strings"

	"audit/inspect/check"
	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// The kinds of a [Pin].
const (
	pinImage = string(slsa.Image)
	pinGit   = string(slsa.Git)
	pinHTTP  = string(slsa.HTTP)
)

// policyName is the file that BuildKit's client is pointed to.
const policyName = "source-policy.json"

// A policy says what BuildKit may fetch for a build (BuildKit 0.20,
// sourcepolicy/pb/policy.proto). The last rule that matches decides.
type policy struct {
	Rules []rule `json:"rules"`

	allowed map[string]bool
}

type rule struct {
	Action   string   `json:"action"`
	Selector selector `json:"selector"`
	Updates  *updates `json:"updates,omitempty"`
}

type selector struct {
	Identifier string `json:"identifier"`
	MatchType  string `json:"matchType,omitempty"`
}

type updates struct {
	Identifier string            `json:"identifier,omitempty"`
	Attrs      map[string]string `json:"attrs,omitempty"`
}

func (p *policy) deny(pattern string) {
	p.Rules = append(p.Rules, rule{Action: "DENY", Selector: selector{Identifier: pattern}})
}

func (p *policy) allow(identifier string) {
	if !p.allowed[identifier] {
		p.allowed[identifier] = true
		p.Rules = append(p.Rules, rule{Action: "ALLOW", Selector: selector{identifier, "EXACT"}})
	}
}

func (p *policy) convert(from string, to updates) {
	p.Rules = append(p.Rules, rule{Action: "CONVERT", Selector: selector{from, "EXACT"}, Updates: &to})
}

// policyOf returns the text of the policy of a plan whose context is fetched from
// an address, or is a folder; "" where anything may be fetched. With pins nothing
// may but the context and what is pinned; else images may.
func policyOf(d *Details, context string) string {
	p := &policy{allowed: make(map[string]bool)}
	switch d.Fetch {
	case FetchPinned:
		p.deny("*")
	case FetchImages:
		for _, pattern := range []string{"http://*", "https://*", "git://*"} {
			p.deny(pattern)
		}
	default:
		return ""
	}
	if isRemote(context) {
		for _, id := range identifiers(context) {
			p.allow(id)
		}
	}
	for _, pin := range d.Pins {
		p.pin(pin)
	}
	out, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(out) + "\n"
}

// pin lets something be fetched as it was.
func (p *policy) pin(pin Pin) {
	switch pin.Kind {
	case pinImage:
		bare, _, _ := strings.Cut(pin.Name, "@")
		at := "docker-image://" + bare + "@" + pin.Digest
		p.convert("docker-image://"+pin.Name, updates{Identifier: at})
		p.allow(at)
		if colon := strings.LastIndexByte(bare, ':'); colon > strings.LastIndexByte(bare, '/') {
			p.allow("docker-image://" + bare[:colon] + "@" + pin.Digest)
		}
	case pinGit:
		address, ref, folder := slsa.Material{URI: pin.Name}.Git()
		to := address + "#" + pin.Digest
		if folder != "" {
			to += ":" + folder
		}
		froms, tos := identifiers(pin.Name), identifiers(to)
		for n := range froms {
			if froms[n] != tos[n] && ref != "" {
				p.convert(froms[n], updates{Identifier: tos[n]})
			}
			p.allow(tos[n])
		}
	case pinHTTP:
		p.convert(pin.Name, updates{Attrs: map[string]string{"http.checksum": pin.Digest}})
		p.allow(pin.Name)
	}
}

// identifiers returns the names that BuildKit may have for a source: that of a
// repository is git:// with host and path, whatever its address begins with
// (BuildKit 0.20, client/llb/source.go, Git).
func identifiers(uri string) []string {
	if (slsa.Material{URI: uri}).Kind() != slsa.Git {
		return []string{uri}
	}
	_, rest, hasScheme := strings.Cut(uri, "://")
	if !hasScheme {
		rest = strings.Replace(uri, ":", "/", 1)
	}
	if at := strings.IndexByte(rest, '@'); at >= 0 && at < strings.IndexByte(rest+"/", '/') {
		rest = rest[at+1:]
	}
	return []string{uri, "git://" + rest}
}

// pinsOf are the materials of a build at their digests.
func pinsOf(b *slsa.Build) []Pin {
	var pins []Pin
	for _, m := range b.Materials {
		switch m.Kind() {
		case slsa.Image:
			pins = append(pins, Pin{pinImage, m.Reference(), m.SHA256()})
		case slsa.Git:
			pins = append(pins, Pin{pinGit, m.URI, m.Commit()})
		case slsa.HTTP:
			pins = append(pins, Pin{pinHTTP, m.URI, m.SHA256()})
		}
	}
	return pins
}

// pinContexts pins the named contexts of a build by its materials. It returns why
// one cannot be.
func pinContexts(b *slsa.Build, contexts map[string]string) (map[string]string, []check.Message) {
	pinned, materials := make(map[string]string, len(contexts)), b.Pinned()
	for name, value := range contexts {
		s := slsa.Material{URI: value}
		switch {
		case strings.HasPrefix(value, "docker-image://") && materials.Has(strings.TrimPrefix(value, "docker-image://")):
		case s.Kind() == slsa.HTTP && materials.Has(value):
		case s.Kind() == slsa.Git && materials.Commit(gitOf(s)) != "":
			address, ref, folder := s.Git()
			value = address + "#" + materials.Commit(address, ref)
			if folder != "" {
				value += ":" + folder
			}
		default:
			return nil, []check.Message{check.Say("plan/named-context-unpinned", "name", name, "address", value)}
		}
		pinned[name] = value
	}
	return pinned, nil
}

func gitOf(s slsa.Material) (address, ref string) {
	address, ref, _ = s.Git()
	return address, ref
}

// addressOf is where a pin is fetched from.
func addressOf(p Pin) string {
	if p.Kind == pinImage {
		return rebuild.ImageScheme + "://" + p.Name
	}
	return p.Name
}

package docker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"audit/provenance/docker/slsa"
)

// A policy says what BuildKit may fetch for a build (BuildKit 0.20,
// sourcepolicy/pb/policy.proto). The last rule that matches decides.
type policy struct {
	Rules []rule `json:"rules"`
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
	r := rule{Action: "ALLOW", Selector: selector{identifier, "EXACT"}}
	if !slices.Contains(p.Rules, r) {
		p.Rules = append(p.Rules, r)
	}
}

func (p *policy) convert(from string, to updates) {
	p.Rules = append(p.Rules, rule{Action: "CONVERT", Selector: selector{from, "EXACT"}, Updates: &to})
}

func (p *policy) text() string {
	out, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(out) + "\n"
}

// pins returns the policy of a replay: nothing may be fetched but the context
// and the materials, each at the digest that the provenance has of it.
func pins(b *slsa.Build, context string) string {
	p := new(policy)
	p.deny("*")
	for _, id := range identifiers(context) {
		p.allow(id)
	}
	for _, m := range b.Materials {
		p.pin(m)
	}
	return p.text()
}

// pin lets a material be fetched as it was.
func (p *policy) pin(m slsa.Source) {
	switch m.Kind() {
	case slsa.Image:
		name := m.Reference()
		bare, _, _ := strings.Cut(name, "@")
		at := "docker-image://" + bare + "@" + m.SHA256()
		p.convert("docker-image://"+name, updates{Identifier: at})
		p.allow(at)
		if colon := strings.LastIndexByte(bare, ':'); colon > strings.LastIndexByte(bare, '/') {
			p.allow("docker-image://" + bare[:colon] + "@" + m.SHA256())
		}
	case slsa.Git:
		address, ref, folder := m.Git()
		to := address + "#" + m.Commit()
		if folder != "" {
			to += ":" + folder
		}
		froms, tos := identifiers(m.URI), identifiers(to)
		for n := range froms {
			if froms[n] != tos[n] && ref != "" {
				p.convert(froms[n], updates{Identifier: tos[n]})
			}
			p.allow(tos[n])
		}
	case slsa.HTTP:
		p.convert(m.URI, updates{Attrs: map[string]string{"http.checksum": m.SHA256()}})
		p.allow(m.URI)
	}
}

// identifiers returns the names that BuildKit may have for a source: that of a
// repository is git:// with host and path, whatever its address begins with
// (BuildKit 0.20, client/llb/source.go, Git).
func identifiers(uri string) []string {
	if (slsa.Source{URI: uri}).Kind() != slsa.Git {
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

// offline returns the policy of a build from the user's own source that has no
// network: images may be fetched, and the source itself where it is remote.
func offline(at place) string {
	p := new(policy)
	for _, pattern := range []string{"http://*", "https://*", "git://*"} {
		p.deny(pattern)
	}
	if !at.folder {
		for _, id := range identifiers(at.context) {
			p.allow(id)
		}
	}
	return p.text()
}

// pinContexts pins the named contexts of a build, which its materials tell of.
func pinContexts(b *slsa.Build, contexts map[string]string) (map[string]string, error) {
	pinned := make(map[string]string, len(contexts))
	for _, name := range slices.Sorted(maps.Keys(contexts)) {
		value := contexts[name]
		s := slsa.Source{URI: value}
		switch {
		case strings.HasPrefix(value, "docker-image://") && b.Pins(strings.TrimPrefix(value, "docker-image://")):
		case s.Kind() == slsa.HTTP && b.Pins(value):
		case s.Kind() == slsa.Git:
			address, ref, folder := s.Git()
			commit := b.Commit(address, ref)
			if commit == "" {
				return nil, fmt.Errorf("the provenance does not say which commit the named context %s, %q, was", name, value)
			}
			value = address + "#" + commit
			if folder != "" {
				value += ":" + folder
			}
		default:
			return nil, fmt.Errorf("the provenance does not say what the named context %s, %q, was", name, value)
		}
		pinned[name] = value
	}
	return pinned, nil
}

package rebuild

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/signatures"
)

// TrustSource is the flag whose values are [Prefixes].
const TrustSource = "trust-source"

// ImageScheme is that of the address of an image in a registry, of which a prefix
// has no tag and no digest: docker-image://docker.io/library/debian.
const ImageScheme = "docker-image"

// TrustSourceFlag is the flag that names addresses from which a build may fetch.
// Each system that fetches lists it.
func TrustSourceFlag() Flag {
	return Flag{Name: TrustSource, Kind: List, Trust: true,
		Usage: "let a rebuild fetch what the image names below `URL-PREFIX`, such as https://github.com/me/; may be given again"}
}

// Prefixes are addresses that the user trusts, with all that lies below them. An
// address matches a prefix when scheme, host and port are the same and the
// prefix's path is the address's, or one above it: a prefix ends at a path
// segment. User info, the fragment and, but for an exact match, the query do not
// count.
//
// An address that is special matches only where a prefix is the very same: see
// [IsSpecial]. What is named there is on this machine, in its network, or asks for
// the user's own keys.
type Prefixes []string

// Judge says of something that would be fetched from an address, of a kind such
// as "context", whether it may.
func (all Prefixes) Judge(kind, address string) Trust {
	t := Trust{Kind: kind, URL: WithoutSecrets(address), Flag: "--" + TrustSource + " " + normal(address).String()}
	at := slices.IndexFunc(all, func(prefix string) bool { return matches(prefix, address) })
	switch {
	case at >= 0:
		t.Trusted = true
		t.Reason = check.Say("plan/address-named", "prefix", WithoutSecrets(all[at]))
	case IsSpecial(address):
		t.Reason = check.Say("plan/address-special", "flag", t.Flag)
	default:
		t.Reason = check.Say("plan/address-not-named", "flag", t.Flag)
	}
	return t
}

func matches(prefix, address string) bool {
	p, a := normal(prefix), normal(address)
	if !p.ok || !a.ok || p.scheme != a.scheme || p.host != a.host {
		return false
	}
	if IsSpecial(address) || p.query != "" {
		return p.path == a.path && p.query == a.query
	}
	base := strings.TrimSuffix(p.path, "/")
	return a.path == base || strings.HasPrefix(a.path, base+"/")
}

// An address is one in the form in which it is compared.
type address struct {
	scheme, host, path, query string
	ok                        bool // it could be taken apart, without a way around a prefix
}

func (a address) String() string {
	text := a.scheme + "://" + a.host + a.path
	if a.query != "" {
		text += "?" + a.query
	}
	return text
}

// normal takes an address apart: in lower case where case does not matter,
// without user info, the scheme's own port, dot segments and the fragment. The
// address git@host:path is one of ssh.
func normal(text string) address {
	if !strings.Contains(text, "://") {
		if user, rest, ok := strings.Cut(text, "@"); ok && !strings.ContainsAny(user, "/:") {
			text = "ssh://" + user + "@" + strings.Replace(rest, ":", "/", 1)
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		scheme, _, _ := strings.Cut(text, ":")
		return address{scheme: strings.ToLower(scheme)}
	}
	a := address{scheme: strings.ToLower(u.Scheme), query: u.RawQuery, ok: true}
	a.host = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(a.host, ":") {
		a.host = "[" + a.host + "]"
	}
	usual := map[string]string{"https": "443", "http": "80", "ssh": "22", "git": "9418", "ftp": "21"}
	if port := u.Port(); port != "" && port != usual[a.scheme] {
		a.host += ":" + port
	}
	a.path = path.Clean("/" + u.Path)
	if a.scheme == ImageScheme {
		a.path = withoutTag(a.path)
	}
	// A server may decode what is written encoded before it takes the path apart.
	escaped := strings.ToLower(u.EscapedPath())
	if strings.Contains(escaped, "%2f") || strings.Contains(escaped, "%5c") || strings.Contains(u.Path, `\`) {
		a.ok = false
	}
	return a
}

// IsSpecial says whether an address is one that a prefix does not reach: of
// another scheme than https, http, git and docker-image, such as file: and ssh:,
// or of a host that is this machine, in a private network, or of no name that the
// public name service has.
func IsSpecial(text string) bool {
	a := normal(text)
	return !a.ok || !slices.Contains([]string{"https", "http", "git", ImageScheme}, a.scheme) || isPrivate(a.host)
}

// isPrivate judges a host by its name: what it resolves to is not asked.
func isPrivate(host string) bool {
	if h, _, ok := strings.Cut(host, "]"); ok {
		host = strings.TrimPrefix(h, "[")
	} else {
		host, _, _ = strings.Cut(host, ":")
	}
	return signatures.IsPrivate(host)
}

// withoutTag is the name of an image without its tag and digest.
func withoutTag(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}

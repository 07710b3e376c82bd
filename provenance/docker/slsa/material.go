package slsa

import (
	"net/url"
	"slices"
	"strings"
)

// A Kind says how something is fetched.
type Kind string

// The kinds of source.
const (
	Git   Kind = "git"
	HTTP  Kind = "http"
	Image Kind = "image"
	Other Kind = ""
)

// Kind is the kind of source by its URI. Addresses of Git repositories are
// recognised as BuildKit does it (BuildKit 0.25, util/gitutil/git_ref.go): by
// scheme, or by a path that ends in ".git".
func (s Material) Kind() Kind {
	scheme, _, hasScheme := strings.Cut(s.URI, "://")
	switch {
	case strings.HasPrefix(s.URI, "pkg:docker/"):
		return Image
	case strings.HasPrefix(s.URI, "git@"), scheme == "git", scheme == "ssh", strings.HasPrefix(scheme, "git+"):
		return Git
	case hasScheme && (scheme == "https" || scheme == "http"):
		address, _, _ := strings.Cut(s.URI, "#")
		if strings.HasSuffix(address, ".git") {
			return Git
		}
		return HTTP
	}
	return Other
}

// Git takes the URI of a repository apart: its address, the branch, tag or
// commit, and the folder in it; the latter two may be "".
func (s Material) Git() (address, ref, folder string) {
	address, fragment, _ := strings.Cut(s.URI, "#")
	ref, folder, _ = strings.Cut(fragment, ":")
	return address, ref, folder
}

// Commit returns the commit that a Git source is pinned to, "" when none is
// recorded: that of its digest, else its ref where that is one.
func (s Material) Commit() string {
	for _, algorithm := range []string{"sha1", "gitCommit", "sha256"} {
		if d := s.Digest[algorithm]; IsCommit(d) {
			return d
		}
	}
	if _, ref, _ := s.Git(); IsCommit(ref) {
		return ref
	}
	return ""
}

// IsCommit says whether a text is the full name of a commit, of which Git has
// two lengths.
func IsCommit(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}

// SHA256 returns the digest of a source that is no repository, as
// "sha256:HEX"; "" when none is recorded.
func (s Material) SHA256() string {
	if d := s.Digest["sha256"]; len(d) == 64 && IsCommit(d) {
		return "sha256:" + d
	}
	return ""
}

// Reference returns the name of an image in the form that engines take, with
// registry and tag: the package URL pkg:docker/alpine@3.17 is
// docker.io/library/alpine:3.17. It is "" for anything else.
func (s Material) Reference() string {
	rest, ok := strings.CutPrefix(s.URI, "pkg:docker/")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "?")
	name, version, hasVersion := strings.Cut(rest, "@")
	name, err1 := url.PathUnescape(name)
	version, err2 := url.PathUnescape(version)
	if err1 != nil || err2 != nil || name == "" {
		return ""
	}
	host, _, deep := strings.Cut(name, "/")
	switch {
	case !deep:
		name = "docker.io/library/" + name
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		name = "docker.io/" + name
	}
	switch {
	case hasVersion && strings.HasPrefix(version, "sha256:"):
		return name + "@" + version
	case hasVersion:
		return name + ":" + version
	}
	return name + ":latest"
}

// PinnedContext returns the build's context with everything that can move
// replaced by what it was: a repository at its commit, "ADDRESS#COMMIT[:FOLDER]".
// It is false where the statement does not say.
func (b *Build) PinnedContext() (string, bool) {
	switch b.Context.Kind() {
	case Git:
		address, _, folder := b.Context.Git()
		commit := b.contextCommit()
		if commit == "" || strings.Contains(address, "?") {
			return "", false
		}
		pinned := address + "#" + commit
		if folder != "" {
			pinned += ":" + folder
		}
		return pinned, true
	case HTTP:
		return b.Context.URI, b.httpDigest(b.Context.URI) != ""
	}
	return "", false
}

// contextCommit returns the commit of the context. BuildKit before 0.25 records
// none for a folder of a repository, but has the repository itself, at the same
// ref, among the materials.
func (b *Build) contextCommit() string {
	if c := b.Context.Commit(); c != "" {
		return c
	}
	address, ref, _ := b.Context.Git()
	return b.Pinned().Commit(address, ref)
}

// httpDigest returns the digest of what an address gave.
func (b *Build) httpDigest(uri string) string {
	if b.Context.URI == uri && b.Context.SHA256() != "" {
		return b.Context.SHA256()
	}
	for _, m := range b.Materials {
		if m.URI == uri && m.SHA256() != "" {
			return m.SHA256()
		}
	}
	return ""
}

// BuildArguments returns the build arguments, NAME=VALUE, sorted.
func (b *Build) BuildArguments() []string {
	var all []string
	for key, value := range b.Args {
		if name, ok := strings.CutPrefix(key, "build-arg:"); ok {
			all = append(all, name+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

// Pinned are what the materials of a build have a digest for.
type Pinned struct {
	names   map[string]bool   // addresses, and full names of images
	commits map[string]string // of repositories, by address and ref
}

// Pinned returns what the materials have a digest for.
func (b *Build) Pinned() Pinned {
	p := Pinned{names: make(map[string]bool), commits: make(map[string]string)}
	for _, m := range b.Materials {
		if m.unpinned() {
			continue
		}
		p.names[m.URI] = true
		switch m.Kind() {
		case Image:
			p.names[m.Reference()] = true
		case Git:
			address, ref, _ := m.Git()
			if key := address + "#" + ref; p.commits[key] == "" {
				p.commits[key] = m.Commit()
			}
		}
	}
	return p
}

// Has says whether there is a digest for something that a Dockerfile names: an
// image, or the first word of an ADD.
func (p Pinned) Has(name string) bool {
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	return name != "" && (p.names[name] || p.names[Reference(name)])
}

// Commit returns the commit that a branch or tag of a repository was, "" when the
// materials do not say.
func (p Pinned) Commit(address, ref string) string { return p.commits[address+"#"+ref] }

// Reference returns the full name of an image, with registry and tag or digest, of
// one as short as people write it.
func Reference(name string) string {
	name, digest, pinned := strings.Cut(name, "@")
	tag := ""
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name, tag = name[:at], name[at+1:]
	}
	short := Material{URI: "pkg:docker/" + url.PathEscape(name)}
	switch {
	case pinned:
		short.URI += "@" + digest
	case tag != "":
		short.URI += "@" + tag
	}
	return short.Reference()
}

// withoutUser is an address without the name and password in it: a builder that was
// called with a token has written it into its statement, and nothing repeats it.
func withoutUser(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || scheme == "ssh" || scheme == "git+ssh" {
		return address
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest[:end], '@')+1:]
}

package nix

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
)

// A hint is a revision of nixpkgs that a store item of the image asserts, by its
// name or by one of its files. Nothing ties it to what the image was made of.
type hint struct {
	layer    int
	path     string // of the store item, or of the file in it
	revision string // 7 to 40 hexadecimal digits
}

// A release is the version of a NixOS system made from a Git tree or a channel:
// its release, the day or the count of commits, and the revision (nixpkgs,
// nixos/modules/misc/version.nix, system.nixos.version, and flake.nix).
var release = regexp.MustCompile(`(?:^|-)[0-9]{2}\.[0-9]{2}(?:(?:pre|\.|beta)[0-9]+)\.([0-9a-f]{7,40})$`)

// The files of store items that name a revision.
const (
	versionFile  = "nixos-version" // of a NixOS system
	registryFile = "registry.json" // of nix.registry: the flakes that nix finds by name
	revisionFile = ".git-revision" // of a channel of nixpkgs
)

// maxHint bounds, in bytes, a file that is looked into for a revision.
const maxHint = 1 << 20

// namesRevision says whether the file at p may name a revision.
func namesRevision(p string) bool {
	switch path.Base(p) {
	case versionFile, registryFile, revisionFile:
		return Store().ItemOf(path.Dir(p)) == "/"+path.Dir(p)
	}
	return false
}

// revisions returns what the store items assert of the revision of nixpkgs, in
// the order of their paths.
func (v *view) revisions() []hint {
	var hints []hint
	for i := range v.img.Items {
		item := &v.img.Items[i]
		if name := inspect.StoreName(item.Path); strings.HasPrefix(name, "nixos-system-") {
			if m := release.FindStringSubmatch(name); m != nil {
				hints = append(hints, hint{item.Layer, item.Path, m[1]})
			}
		}
	}
	for _, f := range v.files {
		if f.Type != '0' || f.Size > maxHint || !namesRevision(f.Path) {
			continue
		}
		if data, ok := v.img.Body(f.Layer, f.Path); ok {
			if r := revisionIn(path.Base(f.Path), data); r != "" {
				hints = append(hints, hint{f.Layer, f.Path, r})
			}
		}
	}
	return hints
}

// revisionIn returns the revision that a file of one of those names asserts.
func revisionIn(name string, data []byte) string {
	text := strings.TrimSpace(string(data))
	switch name {
	case versionFile:
		if m := release.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	case revisionFile:
		if isRevision(text) {
			return text
		}
	case registryFile:
		return revisionOfRegistry(data)
	}
	return ""
}

// revisionOfRegistry returns the revision at which a registry of flakes pins
// nixpkgs (Nix, "nix registry", format version 2).
func revisionOfRegistry(data []byte) string {
	var registry struct {
		Flakes []struct {
			From struct{ ID string }
			To   struct{ Rev string }
		}
	}
	if json.Unmarshal(data, &registry) != nil {
		return ""
	}
	for _, f := range registry.Flakes {
		if f.From.ID == "nixpkgs" && isRevision(f.To.Rev) {
			return f.To.Rev
		}
	}
	return ""
}

// isRevision says whether a text is a whole revision of Git.
func isRevision(text string) bool {
	return len(text) == 40 && strings.Trim(text, "0123456789abcdef") == ""
}

// revision returns the longest revision of the hints when all others are its
// beginning; "" when they contradict each other.
func revision(hints []hint) string {
	longest := ""
	for _, h := range hints {
		if len(h.revision) > len(longest) {
			longest = h.revision
		}
	}
	if slices.ContainsFunc(hints, func(h hint) bool { return !strings.HasPrefix(longest, h.revision) }) {
		return ""
	}
	return longest
}

// chosenDate says whether the date of the config is not the one that the packer
// gives by itself: then it is fixed by the expression, or "now".
func (v *view) chosenDate(p packer) bool {
	created := v.config.Created
	if created == nil || p != buildImage && p != streamLayered && p != buildLayered {
		return false
	}
	return !strings.HasPrefix(*created, "1970-01-01T00:00:01")
}

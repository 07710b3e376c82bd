package dockerarchive

import (
	"regexp"
	"slices"

	"audit/inspect/archive"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/pass"
	"audit/inspect/paths"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// What docker save writes since Docker 25 where images lie in the store of a graph
// driver (moby, image/tarexport/save.go): among the blobs the document that the
// legacy form had for each layer, which nothing names any more, and a manifest for
// each image, which the index need not name.
type savedDocuments struct {
	legacy    []string // paths
	manifests []string
}

// findSaved finds the documents that docker save writes for these images. There are
// no more of the legacy form than the images have layers.
func findSaved(a *archive.Archive, images tarball.Manifest) savedDocuments {
	var s savedDocuments
	layers := 0
	byConfig := make(map[string][]tarball.Descriptor)
	for _, d := range images {
		layers += len(d.Layers)
		path := paths.Clean(d.Config)
		byConfig[path] = append(byConfig[path], d)
	}
	for _, m := range a.Documents() {
		if m.Path != digest.BlobPath(m.Digest) {
			continue
		}
		switch {
		case len(s.legacy) < layers && isLegacyDocument(m.Body):
			s.legacy = append(s.legacy, m.Path)
		case isManifestOf(m.Body, byConfig):
			s.manifests = append(s.manifests, m.Path)
		}
	}
	return s
}

var v1Name = regexp.MustCompile(`^[0-9a-f]{64}$`)

// isLegacyDocument says whether a document is what the legacy form has of a layer: an
// ID, maybe that of a parent, and nothing that leads to a blob.
func isLegacyDocument(raw []byte) bool {
	var d struct {
		ID        string    `json:"id"`
		Parent    string    `json:"parent"`
		RootFS    *struct{} `json:"rootfs"`
		Layers    []any     `json:"layers"`
		Manifests []any     `json:"manifests"`
	}
	return pass.Decode("", raw, &d) == nil && v1Name.MatchString(d.ID) && (d.Parent == "" || v1Name.MatchString(d.Parent)) &&
		d.RootFS == nil && d.Layers == nil && d.Manifests == nil
}

// isManifestOf says whether a document is an image manifest with the config and the
// layers of one of these images.
func isManifestOf(raw []byte, byConfig map[string][]tarball.Descriptor) bool {
	var m v1.Manifest
	if pass.Decode("", raw, &m) != nil || m.Config.Digest.Hex == "" {
		return false
	}
	return slices.ContainsFunc(byConfig[digest.BlobPath(m.Config.Digest)], func(d tarball.Descriptor) bool {
		return slices.EqualFunc(m.Layers, d.Layers, func(l v1.Descriptor, path string) bool {
			return digest.BlobPath(l.Digest) == paths.Clean(path)
		})
	})
}

// accept adds the documents that nothing leads to to the members that are known, and
// says that they are there.
func (s savedDocuments) accept(a *archive.Archive, known func(path string) bool) (func(path string) bool, []check.Finding) {
	own := make(map[string]bool)
	count := func(all []string) int {
		for _, path := range all {
			if !known(path) && !a.ByPath[path].Referenced {
				own[path] = true
			}
		}
		return len(own)
	}
	var found check.List
	legacy := count(s.legacy)
	if legacy > 0 {
		found.Note(-1, "", "integrity/legacy-documents", "count", legacy)
	}
	if n := count(s.manifests) - legacy; n > 0 {
		found.Note(-1, "index.json", "integrity/unlisted-manifests", "count", n)
	}
	return func(path string) bool { return own[path] || known(path) }, found.All()
}

package repack

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/paths"
	"audit/provenance/guix"
)

// schemaVersion is what the packer writes beside a layer for engines of before
// Docker 1.10 (guix/docker.scm).
const schemaVersion = "1.0"

// checkArchive writes the documents around config and layers again, and compares
// their digests with those of the archive's members. An archive that another
// tool has written since names its layers otherwise.
func checkArchive(img *inspect.Image, pack guix.Pack, e era, out *check.List) {
	if len(img.Config.Raw) == 0 {
		return
	}
	if !isPackersArchive(img, pack.Root) {
		out.Note(-1, "", "repack/archive-rewritten")
		return
	}
	members := make(map[string]image.Member, len(img.Members))
	for _, m := range img.Members {
		members[paths.Clean(m.Name)] = m
	}
	for _, d := range documents(img, pack, e) {
		m, ok := members[d.name]
		switch sum := sha256.Sum256([]byte(d.text)); {
		case !ok:
			out.Problem(-1, d.name, "repack/document-missing", "era", e.name)
		case m.Digest.Hex != hex.EncodeToString(sum[:]):
			out.Problem(-1, d.name, "repack/document-differs", "digest", m.Digest, "want", excerpt([]byte(d.text), 0))
		}
	}
}

// A document is a small member of the archive.
type document struct{ name, text string }

// isPackersArchive says whether config and layers have the names that the
// packer gives to them.
func isPackersArchive(img *inspect.Image, root string) bool {
	if img.Transport != image.DockerArchive || paths.Clean(img.Config.Member) != "config.json" {
		return false
	}
	due := layerNames(img, root)
	for i, l := range img.Layers {
		if paths.Clean(l.Member) != due[i] {
			return false
		}
	}
	return true
}

// layerNames returns the packer's names for the layers: one alone is named
// after what the image is made of.
func layerNames(img *inspect.Image, root string) []string {
	if len(img.Layers) == 1 {
		return []string{rootID(root) + "/layer.tar"}
	}
	var names []string
	for _, l := range img.Layers {
		names = append(names, l.DiffID.String()+"/layer.tar")
	}
	return names
}

// documents returns what the packer writes into the archive beside config and
// layers, with the names that the image claims for itself.
func documents(img *inspect.Image, pack guix.Pack, e era) []document {
	id, layers := rootID(pack.Root), layerNames(img, pack.Root)
	w := new(scmJSON)
	w.raw(`[{"Config":"config.json","RepoTags":`).list(img.Tags[:min(1, len(img.Tags))]).raw(`,"Layers":`).list(layers).raw(`}]`)
	manifest := document{"manifest.json", w.String()}
	if len(img.Layers) > 1 {
		return []document{manifest}
	}
	return []document{manifest, {"repositories", repositories(img, e, id)}, {id + "/VERSION", schemaVersion}, {id + "/json", description(id)}}
}

// rootID is what the packer calls the one layer of an image.
func rootID(root string) string {
	sum := sha256.Sum256([]byte(root))
	return hex.EncodeToString(sum[:])
}

// repositories is the document of that name: 1.0 took the whole tag for the
// name of a repository.
func repositories(img *inspect.Image, e era, id string) string {
	name := ""
	if len(img.Tags) > 0 {
		name = img.Tags[0]
	}
	if e.env {
		name = strings.TrimSuffix(name, ":latest")
	}
	return new(scmJSON).raw(`{`).text(name).raw(`:{"latest":`).text(id).raw(`}}`).String()
}

func description(id string) string {
	return new(scmJSON).raw(`{"id":`).text(id).raw(`,"created":`).text(created).raw(`,"container_config":null}`).String()
}

package dockerarchive

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/archive"
	"audit/inspect/choice"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
	"audit/inspect/paths"
)

// Form is that of docker save.
func Form() form.Form {
	return form.Form{
		Transport: image.DockerArchive, Argument: "PATH[:REF]",
		Match: func(in *form.Input) (bool, error) {
			_, err := in.Archive()
			return err == nil, err
		},
		Open: Open,
	}
}

// Open reads an image of that form.
func Open(in *form.Input) (*image.Image, error) {
	a, err := in.Archive()
	if err != nil {
		return nil, err
	}
	return read(in.Pass, a, in.Want)
}

// read reads the form that docker save writes and docker load
// takes (Docker image specification v1.2, "Combined Image JSON + Filesystem
// Changeset Format"): manifest.json names the config and the layers. Beside
// it may lie what engines before 1.10 read, and since Docker 25 an OCI layout
// of the same blobs.
func read(p *pass.Pass, a *archive.Archive, want string) (*image.Image, error) {
	if a.ByPath["manifest.json"] == nil && hasLegacy(a) {
		return readLegacyArchive(a, want)
	}
	var manifest tarball.Manifest
	m, err := a.Document("manifest.json", &manifest)
	if inner := packed(a); err != nil && a.ByPath["manifest.json"] == nil && inner != "" {
		return nil, &limit.FormatError{Where: "the archive", Err: limit.Absent(fmt.Sprintf("it is no image, but has %q in it: unpack it, and audit that", inner))}
	}
	if err != nil {
		return nil, fmt.Errorf("not a docker-archive that can be read: %w", err)
	}
	a.CheckKeys(m, manifest)
	if len(manifest) == 0 {
		return nil, &limit.FormatError{Where: "manifest.json", Err: errors.New("it lists no image")}
	}
	n, err := choice.Of(imageNames(manifest), want)
	if err != nil {
		return nil, err
	}
	chosen := manifest[n]
	img := &image.Image{Transport: image.DockerArchive, Tags: chosen.RepoTags, Manifest: image.Manifest{Origin: image.Synthesised}, Problems: a.Problems}
	if err := config(a, img, chosen.Config); err != nil {
		return nil, fmt.Errorf("reading the image config: %w", err)
	}
	if err := layers(a, img, chosen.Layers); err != nil {
		return nil, err
	}
	if err := observe(p, a, img, manifest); err != nil {
		return nil, err
	}
	img.Problems = append(img.Problems, legacyDiffers(a, img)...)
	known, saved := findSaved(a, manifest).accept(a, explained(a, manifest))
	img.Problems = append(img.Problems, saved...)
	img.Problems = append(img.Problems, a.Unreferenced(known, false)...)
	img.Members = a.List()
	return img, nil
}

// packed is the archive that is packed in another, the first of them; "" for none, and
// where it may be the layer of an image that lacks its manifest.
func packed(a *archive.Archive) string {
	var inner []string
	for path := range a.ByPath {
		if strings.HasSuffix(path, "layer.tar") || digest.InName(path) != (v1.Hash{}) {
			return ""
		}
		if paths.IsArchive(path) {
			inner = append(inner, path)
		}
	}
	if len(inner) == 0 {
		return ""
	}
	return slices.Min(inner)
}

// imageNames returns the names of each image that manifest.json lists.
func imageNames(manifest tarball.Manifest) []choice.Named {
	var names []choice.Named
	for _, d := range manifest {
		own := choice.Named{Names: d.RepoTags, Tags: true}
		if len(d.RepoTags) == 0 {
			own = choice.Named{Names: []string{d.Config}}
		}
		names = append(names, own)
	}
	return names
}

func config(a *archive.Archive, img *image.Image, path string) error {
	m, err := a.Document(path, &img.Config.File)
	if err != nil {
		return err
	}
	img.Config.Member, img.Config.Raw, img.Config.Digest = m.Name, m.Body, m.Digest
	return nil
}

// layers binds the layers at paths, lowest first, to what the config claims.
func layers(a *archive.Archive, img *image.Image, paths []string) error {
	claimed := img.Config.File.RootFS.DiffIDs
	if err := pass.CheckLayers(len(paths)); err != nil {
		return err
	}
	used := make(map[*archive.Member]bool)
	for i, path := range paths {
		m, err := a.Get(path)
		if err != nil {
			return &limit.FormatError{Where: fmt.Sprintf("layer %d", i), Err: err}
		}
		layer := *m.AsLayer()
		if used[m] {
			if err := a.Pass.AddEntries(m.Name, len(layer.Entries)); err != nil {
				return err
			}
		}
		used[m] = true
		layer.Index = i
		layer.MediaType = mediaType(layer.Compression)
		if i < len(claimed) {
			layer.ClaimedDiffID = claimed[i]
		}
		claim(&layer, digest.InName(m.Path))
		img.Layers = append(img.Layers, &layer)
	}
	return nil
}

// claim takes note of the digest that a name claims: of the blob, or as some
// writers have it of what is packed in it.
func claim(l *image.Layer, named v1.Hash) {
	if named != l.DiffID || l.Compression == compression.None {
		l.ClaimedDigest = named
	}
}

func mediaType(c compression.Kind) types.MediaType {
	switch c {
	case compression.None:
		return types.DockerUncompressedLayer
	case compression.Gzip:
		return types.DockerLayer
	case compression.Zstd:
		return types.OCILayerZStd
	}
	return ""
}

// explained finds the members that do not belong to the chosen image and are
// yet where they should be: those of the other images, of the OCI layout, and
// those that only engines before Docker 1.10 read.
func explained(a *archive.Archive, manifest tarball.Manifest) func(path string) bool {
	known := make(map[string]bool)
	add := func(m *archive.Member) { known[m.Path] = true }
	for _, d := range manifest {
		for _, path := range append([]string{d.Config}, d.Layers...) {
			_, _ = a.Follow(path, add) // what is missing of another image is not asked for
		}
	}
	legacy := withLegacy(a, known)
	if index := a.ByPath["index.json"]; index != nil {
		inLayout := oci.Reachable(a, index.Body)
		return func(path string) bool { return legacy(path) || inLayout(path) }
	}
	return legacy
}

package inspect

import (
	"audit/inspect/check"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// readDockerArchive reads the form that docker save writes and docker load
// takes (Docker image specification v1.2, "Combined Image JSON + Filesystem
// Changeset Format"): manifest.json names the config and the layers. Beside
// it may lie what engines before 1.10 read, and since Docker 25 an OCI layout
// of the same blobs.
func (p *pass) readDockerArchive(a *archive, problems []check.Finding, want string) (*Image, error) {
	if a.byPath["manifest.json"] == nil && a.hasLegacy() {
		return p.readLegacyArchive(a, problems, want)
	}
	var manifest tarball.Manifest
	if _, err := a.document("manifest.json", &manifest); err != nil {
		return nil, fmt.Errorf("not a docker-archive that can be read: %w", err)
	}
	if len(manifest) == 0 {
		return nil, &FormatError{"manifest.json", errors.New("it lists no image")}
	}
	n, err := choose(imageNames(manifest), want)
	if err != nil {
		return nil, err
	}
	chosen := manifest[n]
	img := &Image{Transport: DockerArchive, Tags: chosen.RepoTags, Manifest: Manifest{Origin: Synthesised}, Problems: problems}
	if err := a.config(img, chosen.Config); err != nil {
		return nil, fmt.Errorf("reading the image config: %w", err)
	}
	if err := a.layers(img, chosen.Layers); err != nil {
		return nil, err
	}
	if err := p.observe(a, img); err != nil {
		return nil, err
	}
	img.Problems = append(img.Problems, a.legacyDiffers(img)...)
	img.Problems = append(img.Problems, a.unreferenced(a.explained(manifest))...)
	img.Members = a.list()
	return img, nil
}

// imageNames returns the names of each image that manifest.json lists.
func imageNames(manifest tarball.Manifest) [][]string {
	var names [][]string
	for _, d := range manifest {
		own := d.RepoTags
		if len(own) == 0 {
			own = []string{d.Config}
		}
		names = append(names, own)
	}
	return names
}

func (a *archive) config(img *Image, path string) error {
	m, err := a.document(path, &img.Config.File)
	if err != nil {
		return err
	}
	img.Config.Member, img.Config.Raw, img.Config.Digest = m.Name, m.body, m.Digest
	return nil
}

// layers binds the layers at paths, lowest first, to what the config claims.
func (a *archive) layers(img *Image, paths []string) error {
	claimed := img.Config.File.RootFS.DiffIDs
	if err := checkLayers(len(paths)); err != nil {
		return err
	}
	used := make(map[*member]bool)
	for i, path := range paths {
		m, err := a.get(path)
		if err != nil {
			return &FormatError{fmt.Sprintf("layer %d", i), err}
		}
		layer := *m.asLayer()
		if used[m] {
			if err := a.pass.addEntries(m.Name, len(layer.Entries)); err != nil {
				return err
			}
		}
		used[m] = true
		layer.Index = i
		layer.MediaType = mediaType(layer.Compression)
		if i < len(claimed) {
			layer.ClaimedDiffID = claimed[i]
		}
		layer.claim(digestInName(m.path))
		img.Layers = append(img.Layers, &layer)
	}
	return nil
}

// claim takes note of the digest that a name claims: of the blob, or as some
// writers have it of what is packed in it.
func (l *Layer) claim(named v1.Hash) {
	if named != l.DiffID || l.Compression == None {
		l.ClaimedDigest = named
	}
}

func mediaType(c Compression) types.MediaType {
	switch c {
	case None:
		return types.DockerUncompressedLayer
	case Gzip:
		return types.DockerLayer
	case Zstd:
		return types.OCILayerZStd
	}
	return ""
}

// explained tells the members that do not belong to the chosen image and are
// yet where they should be: those of the other images, of the OCI layout, and
// those that only engines before Docker 1.10 read.
func (a *archive) explained(manifest tarball.Manifest) func(path string) bool {
	known := make(map[string]bool)
	add := func(m *member) { known[m.path] = true }
	for _, d := range manifest {
		for _, path := range append([]string{d.Config}, d.Layers...) {
			_, _ = a.follow(path, add) // what is missing of another image is not asked for
		}
	}
	legacy := a.withLegacy(known)
	if index := a.byPath["index.json"]; index != nil {
		inLayout := a.reachable(index.body)
		return func(path string) bool { return legacy(path) || inLayout(path) }
	}
	return legacy
}

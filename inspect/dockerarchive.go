package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// readDockerArchive reads the form that docker save writes and docker load
// takes (Docker image specification v1.2, "Combined Image JSON + Filesystem
// Changeset Format"): manifest.json names the config and the layers.
func (p *pass) readDockerArchive(a *archive, problems []Finding, want string) (*Image, error) {
	var manifest tarball.Manifest
	if _, err := a.document("manifest.json", &manifest); err != nil {
		return nil, fmt.Errorf("not a docker-archive that can be read: %w", err)
	}
	chosen, err := choose(manifest, want)
	if err != nil {
		return nil, err
	}
	img := &Image{Transport: DockerArchive, Tags: chosen.RepoTags, Manifest: Manifest{Origin: Synthesised}, Problems: problems}
	config, err := a.document(chosen.Config, &img.Config.File)
	if err != nil {
		return nil, fmt.Errorf("reading the image config: %w", err)
	}
	img.Config.Member, img.Config.Raw, img.Config.Digest = config.Name, config.body, config.Digest
	if err := a.layers(img, chosen); err != nil {
		return nil, err
	}
	img.Problems = append(img.Problems, a.unreferenced(a.legacy(manifest))...)
	img.Members = a.list()
	return img, nil
}

// choose returns the image that want names; "" stands for the only one.
func choose(manifest tarball.Manifest, want string) (tarball.Descriptor, error) {
	var names []string
	for _, d := range manifest {
		own := d.RepoTags
		if len(own) == 0 {
			own = []string{d.Config}
		}
		if want != "" && (slices.Contains(own, want) || d.Config == want) {
			return d, nil
		}
		names = append(names, own...)
	}
	switch {
	case len(manifest) == 0:
		return tarball.Descriptor{}, &FormatError{"manifest.json", errors.New("it lists no image")}
	case want != "" || len(manifest) > 1:
		return tarball.Descriptor{}, &ChoiceError{Want: want, Have: names}
	}
	return manifest[0], nil
}

// A ChoiceError reports that a reference does not name exactly one image.
type ChoiceError struct {
	Want string // "" when nothing was asked for
	Have []string
}

func (e *ChoiceError) Error() string {
	have := strings.Join(e.Have, ", ")
	if e.Want == "" {
		return "several images in one archive: choose one with docker-archive:PATH:REF, where REF is one of " + have
	}
	return fmt.Sprintf("no image %q in the archive, which has %s", e.Want, have)
}

// layers binds the layers that the manifest lists to what the config claims.
func (a *archive) layers(img *Image, d tarball.Descriptor) error {
	claimed := img.Config.File.RootFS.DiffIDs
	img.Problems = append(img.Problems, countProblem(img, len(d.Layers))...)
	for i, path := range d.Layers {
		m, err := a.get(path)
		if err != nil {
			return &FormatError{fmt.Sprintf("layer %d", i), err}
		}
		layer := *m.asLayer()
		layer.Index = i
		layer.MediaType = mediaType(layer.Compression)
		if i < len(claimed) {
			layer.ClaimedDiffID = claimed[i]
		}
		layer.ClaimedDigest = digestInName(m.path)
		img.Layers = append(img.Layers, &layer)
	}
	return nil
}

// asLayer returns what was read of a member; one that does not look like a
// tar is a layer all the same when the manifest says so.
func (m *member) asLayer() *Layer {
	if m.layer != nil {
		return m.layer
	}
	return &Layer{Member: m.Name, Compression: None, Digest: m.Digest, Size: m.Size, DiffID: m.Digest, UncompressedSize: m.Size,
		Broken: errors.New("it is not a tar archive")}
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

// digestInName returns the digest that the name of a member claims for its
// bytes: "sha256:HEX/layer.tar" (Guix with --max-layers), "blobs/sha256/HEX"
// (docker save since 25), "HEX.json" and "HEX.tar" (docker save, skopeo).
func digestInName(path string) v1.Hash {
	name := strings.TrimSuffix(path, "/layer.tar")
	name = strings.TrimPrefix(name, "sha256:")
	if name == path {
		name = strings.TrimPrefix(path, "blobs/sha256/")
	}
	if name == path {
		name = strings.TrimSuffix(strings.TrimSuffix(path, ".json"), ".tar")
	}
	if name == path || strings.HasSuffix(path, "/layer.tar") && !strings.HasPrefix(path, "sha256:") {
		return v1.Hash{}
	}
	hash, err := v1.NewHash("sha256:" + name)
	if err != nil {
		return v1.Hash{}
	}
	return hash
}

// legacy tells the members that only engines before Docker 1.10 read, and that
// writers still lay beside the manifest.
func (a *archive) legacy(manifest tarball.Manifest) func(path string) bool {
	known := map[string]bool{"repositories": true}
	for _, d := range manifest {
		for _, layer := range d.Layers {
			dir, _ := splitPath(cleanPath(layer))
			known[dir+"/json"], known[dir+"/VERSION"] = true, true
		}
	}
	return func(path string) bool { return known[path] }
}

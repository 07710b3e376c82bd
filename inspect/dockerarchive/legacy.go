package dockerarchive

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"audit/inspect/archive"
	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/paths"
)

// What engines before Docker 1.10 read (Docker image specification v1.0): a
// folder for each layer, named by an ID that is no digest, with its tar in
// layer.tar and the ID of its parent in json; and the file repositories, which
// gives names to layers. Nothing in it claims a digest.

// A legacyImage is an image in that form.
type legacyImage struct {
	id    string   // of the topmost layer
	names []string // sorted
}

// hasLegacy says whether the archive has the legacy form.
func hasLegacy(a *archive.Archive) bool { return a.ByPath["repositories"] != nil || len(v1IDs(a)) > 0 }

// v1IDs returns the IDs of all layers in the legacy form, sorted.
func v1IDs(a *archive.Archive) []string {
	var ids []string
	for path := range a.ByPath {
		id, ok := strings.CutSuffix(path, "/json")
		if ok && !strings.Contains(id, "/") && a.ByPath[id+"/layer.tar"] != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// v1Images returns the images that have a name; where nothing names any, those
// that are nobody's parent.
func v1Images(a *archive.Archive) ([]legacyImage, error) {
	if a.ByPath["repositories"] == nil {
		return v1Heads(a)
	}
	var tags map[string]map[string]string
	m, err := a.Document("repositories", &tags)
	if err != nil {
		return nil, err
	}
	a.CheckKeys(m, tags)
	byID := make(map[string]*legacyImage)
	for repository, own := range tags {
		for tag, id := range own {
			if byID[id] == nil {
				byID[id] = &legacyImage{id: id}
			}
			byID[id].names = append(byID[id].names, repository+":"+tag)
		}
	}
	var images []legacyImage
	for _, img := range byID {
		slices.Sort(img.names)
		images = append(images, *img)
	}
	slices.SortFunc(images, func(a, b legacyImage) int { return cmp.Compare(a.names[0], b.names[0]) })
	return images, nil
}

func v1Heads(a *archive.Archive) ([]legacyImage, error) {
	isParent := make(map[string]bool)
	ids := v1IDs(a)
	for _, id := range ids {
		parent, err := v1Parent(a, id)
		if err != nil {
			return nil, err
		}
		isParent[parent] = true
	}
	var images []legacyImage
	for _, id := range ids {
		if !isParent[id] {
			images = append(images, legacyImage{id, []string{id}})
		}
	}
	return images, nil
}

// v1Parent returns the ID of the layer below another, "" when there is none.
func v1Parent(a *archive.Archive, id string) (string, error) {
	var layer struct {
		Parent string `json:"parent"`
	}
	_, err := a.Document(id+"/json", &layer)
	return layer.Parent, err
}

// v1Chain returns the IDs of the layers from the lowest up to this one.
func v1Chain(a *archive.Archive, id string) ([]string, error) {
	var ids []string
	seen := make(map[string]bool)
	for id != "" {
		if seen[id] {
			return nil, &limit.FormatError{Where: id + "/json", Err: errors.New("its parents lead back to it")}
		}
		seen[id] = true
		ids = append(ids, id)
		parent, err := v1Parent(a, id)
		if err != nil {
			return nil, err
		}
		id = parent
	}
	slices.Reverse(ids)
	return ids, nil
}

// readLegacyArchive reads an archive that has nothing but the legacy form. The
// config is what lies beside the topmost layer.
func readLegacyArchive(a *archive.Archive, want string) (*image.Image, error) {
	images, err := v1Images(a)
	if err != nil {
		return nil, err
	}
	var names []choice.Named
	for _, v := range images {
		names = append(names, choice.Named{Names: v.names, Tags: a.ByPath["repositories"] != nil})
	}
	n, err := choice.Of(names, want)
	if err != nil {
		return nil, err
	}
	ids, err := v1Chain(a, images[n].id)
	if err != nil {
		return nil, fmt.Errorf("following the parents of layer %s: %w", images[n].id, err)
	}
	img := &image.Image{Transport: image.DockerArchive, Tags: images[n].names, Manifest: image.Manifest{Origin: image.Synthesised}, Problems: a.Problems, Claimless: true}
	if err := config(a, img, images[n].id+"/json"); err != nil {
		return nil, err
	}
	if err := layers(a, img, v1Layers(ids)); err != nil {
		return nil, err
	}
	img.Problems = append(img.Problems, a.Unreferenced(v1Explained(a, images), false)...)
	img.Members = a.List()
	return img, nil
}

func v1Layers(ids []string) []string {
	var paths []string
	for _, id := range ids {
		paths = append(paths, id+"/layer.tar")
	}
	return paths
}

// v1Explained finds the members that belong to any of the images.
func v1Explained(a *archive.Archive, images []legacyImage) func(path string) bool {
	known := make(map[string]bool)
	for _, img := range images {
		for id := img.id; id != "" && a.ByPath[id+"/json"] != nil && !known[id+"/json"]; {
			known[id+"/json"] = true
			_, _ = a.Follow(id+"/layer.tar", func(m *archive.Member) { known[m.Path] = true })
			id, _ = v1Parent(a, id) // a parent that cannot be read ends the chain
		}
	}
	return withLegacy(a, known)
}

// withLegacy adds to the members that are known those that only old engines
// read, beside a layer that is known.
func withLegacy(a *archive.Archive, known map[string]bool) func(path string) bool {
	return func(path string) bool { return known[path] || isLegacy(a, path, known) }
}

func isLegacy(a *archive.Archive, path string, known map[string]bool) bool {
	m := a.ByPath[path]
	id, base := paths.Split(path)
	switch {
	case path == "repositories":
		return m.Body != nil
	case id == "." || strings.Contains(id, "/"):
		return false
	case base == "json" && m.Body == nil, base == "VERSION" && !isV1Version(m):
		return false
	case base != "json" && base != "VERSION" && base != "layer.tar":
		return false
	}
	layer, err := a.Follow(id+"/layer.tar", func(*archive.Member) {})
	return err == nil && (layer.Referenced || known[layer.Path])
}

// isV1Version says whether a member has the version of the legacy form, the
// only one there is.
func isV1Version(m *archive.Member) bool {
	sum := m.Digest
	return sum == digest.Of([]byte("1.0")).Hash() || sum == digest.Of([]byte("1.0\n")).Hash()
}

// legacyDiffers reports when an old engine would read other layers under the
// names of the image.
func legacyDiffers(a *archive.Archive, img *image.Image) []check.Finding {
	images, err := v1Images(a)
	if a.ByPath["repositories"] == nil || err != nil {
		return nil
	}
	for _, v := range images {
		for _, name := range v.names {
			if slices.Contains(img.Tags, name) && !isTopmost(img, v.id) && !sameLayers(a, img, v.id) {
				return []check.Finding{check.Find(check.Note, -1, "repositories", "integrity/legacy-differs", "name", name)}
			}
		}
	}
	return nil
}

// isTopmost says whether an ID is the digest of the topmost layer, as docker save has
// it since Docker 25: engines that read the legacy form find nothing there.
func isTopmost(img *image.Image, id string) bool {
	n := len(img.Layers)
	return n > 0 && img.Layers[n-1].DiffID.Hex == id
}

func sameLayers(a *archive.Archive, img *image.Image, id string) bool {
	ids, err := v1Chain(a, id)
	if err != nil || len(ids) != len(img.Layers) {
		return false
	}
	for i, path := range v1Layers(ids) {
		m, err := a.Follow(path, func(*archive.Member) {})
		if err != nil || m.Digest != img.Layers[i].Digest {
			return false
		}
	}
	return true
}

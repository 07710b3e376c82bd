package inspect

import (
	"audit/inspect/check"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What engines before Docker 1.10 read (Docker image specification v1.0): a
// folder for each layer, named by an ID that is no digest, with its tar in
// layer.tar and the ID of its parent in json; and the file repositories, which
// gives names to layers. Nothing in it claims a digest.

// A v1Image is an image in that form.
type v1Image struct {
	id    string   // of the topmost layer
	names []string // sorted
}

// hasLegacy says whether the archive has the legacy form.
func (a *archive) hasLegacy() bool { return a.byPath["repositories"] != nil || len(a.v1IDs()) > 0 }

// v1IDs returns the IDs of all layers in the legacy form, sorted.
func (a *archive) v1IDs() []string {
	var ids []string
	for path := range a.byPath {
		id, ok := strings.CutSuffix(path, "/json")
		if ok && !strings.Contains(id, "/") && a.byPath[id+"/layer.tar"] != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// v1Images returns the images that have a name; where nothing names any, those
// that are nobody's parent.
func (a *archive) v1Images() ([]v1Image, error) {
	if a.byPath["repositories"] == nil {
		return a.v1Heads()
	}
	var tags map[string]map[string]string
	if _, err := a.document("repositories", &tags); err != nil {
		return nil, err
	}
	byID := make(map[string]*v1Image)
	for repository, own := range tags {
		for tag, id := range own {
			if byID[id] == nil {
				byID[id] = &v1Image{id: id}
			}
			byID[id].names = append(byID[id].names, repository+":"+tag)
		}
	}
	var images []v1Image
	for _, img := range byID {
		slices.Sort(img.names)
		images = append(images, *img)
	}
	slices.SortFunc(images, func(a, b v1Image) int { return cmp.Compare(a.names[0], b.names[0]) })
	return images, nil
}

func (a *archive) v1Heads() ([]v1Image, error) {
	isParent := make(map[string]bool)
	ids := a.v1IDs()
	for _, id := range ids {
		parent, err := a.v1Parent(id)
		if err != nil {
			return nil, err
		}
		isParent[parent] = true
	}
	var images []v1Image
	for _, id := range ids {
		if !isParent[id] {
			images = append(images, v1Image{id, []string{id}})
		}
	}
	return images, nil
}

// v1Parent returns the ID of the layer below another, "" when there is none.
func (a *archive) v1Parent(id string) (string, error) {
	var layer struct {
		Parent string `json:"parent"`
	}
	_, err := a.document(id+"/json", &layer)
	return layer.Parent, err
}

// v1Chain returns the IDs of the layers from the lowest up to this one.
func (a *archive) v1Chain(id string) ([]string, error) {
	var ids []string
	seen := make(map[string]bool)
	for id != "" {
		if seen[id] {
			return nil, &FormatError{id + "/json", errors.New("its parents lead back to it")}
		}
		seen[id] = true
		ids = append(ids, id)
		parent, err := a.v1Parent(id)
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
func (p *pass) readLegacyArchive(a *archive, problems []check.Finding, want string) (*Image, error) {
	images, err := a.v1Images()
	if err != nil {
		return nil, err
	}
	var names [][]string
	for _, v := range images {
		names = append(names, v.names)
	}
	n, err := choose(names, want)
	if err != nil {
		return nil, err
	}
	ids, err := a.v1Chain(images[n].id)
	if err != nil {
		return nil, fmt.Errorf("following the parents of layer %s: %w", images[n].id, err)
	}
	img := &Image{Transport: DockerArchive, Tags: images[n].names, Manifest: Manifest{Origin: Synthesised}, Problems: problems, claimless: true}
	if err := a.config(img, images[n].id+"/json"); err != nil {
		return nil, err
	}
	if err := a.layers(img, v1Layers(ids)); err != nil {
		return nil, err
	}
	img.Problems = append(img.Problems, a.unreferenced(a.v1Explained(images))...)
	img.Members = a.list()
	return img, nil
}

func v1Layers(ids []string) []string {
	var paths []string
	for _, id := range ids {
		paths = append(paths, id+"/layer.tar")
	}
	return paths
}

// v1Explained tells the members that belong to any of the images.
func (a *archive) v1Explained(images []v1Image) func(path string) bool {
	known := make(map[string]bool)
	for _, img := range images {
		for id := img.id; id != "" && a.byPath[id+"/json"] != nil && !known[id+"/json"]; {
			known[id+"/json"] = true
			_, _ = a.follow(id+"/layer.tar", func(m *member) { known[m.path] = true })
			id, _ = a.v1Parent(id) // a parent that cannot be read ends the chain
		}
	}
	return a.withLegacy(known)
}

// withLegacy adds to the members that are known those that only old engines
// read, beside a layer that is known.
func (a *archive) withLegacy(known map[string]bool) func(path string) bool {
	return func(path string) bool { return known[path] || a.isLegacy(path, known) }
}

func (a *archive) isLegacy(path string, known map[string]bool) bool {
	m := a.byPath[path]
	id, base := splitPath(path)
	switch {
	case path == "repositories":
		return m.body != nil
	case id == "." || strings.Contains(id, "/"):
		return false
	case base == "json" && m.body == nil, base == "VERSION" && !isV1Version(m):
		return false
	case base != "json" && base != "VERSION" && base != "layer.tar":
		return false
	}
	layer, err := a.follow(id+"/layer.tar", func(*member) {})
	return err == nil && (layer.Referenced || known[layer.path])
}

// isV1Version says whether a member holds the version of the legacy form, the
// only one there is.
func isV1Version(m *member) bool {
	sum := m.Digest
	return sum == sumOfBytes([]byte("1.0")).Hash() || sum == sumOfBytes([]byte("1.0\n")).Hash()
}

// legacyDiffers reports when an old engine would read other layers under the
// names of the image.
func (a *archive) legacyDiffers(img *Image) []check.Finding {
	images, err := a.v1Images()
	if a.byPath["repositories"] == nil || err != nil {
		return nil
	}
	for _, v := range images {
		for _, name := range v.names {
			if slices.Contains(img.Tags, name) && !a.sameLayers(img, v.id) {
				return []check.Finding{check.Find(check.Note, -1, "repositories", "integrity/legacy-differs", "name", name)}
			}
		}
	}
	return nil
}

func (a *archive) sameLayers(img *Image, id string) bool {
	ids, err := a.v1Chain(id)
	if err != nil || len(ids) != len(img.Layers) {
		return false
	}
	for i, path := range v1Layers(ids) {
		m, err := a.follow(path, func(*member) {})
		if err != nil || m.Digest != img.Layers[i].Digest {
			return false
		}
	}
	return true
}

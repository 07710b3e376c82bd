package docker

import (
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/base"
)

// compareBase looks for the layers of an image below this one. It says that it is
// the base, or why it is not: then there are no base layers.
func (v *view) compareBase(given *inspect.Image) check.Message {
	name := check.Brief(given.Reference)
	if len(given.Layers) == 0 {
		return check.Say("recipe/base-without-layers", "base", name)
	}
	if len(given.Layers) > len(v.img.Layers) {
		return check.Say("recipe/base-larger", "base", name, "base-layers", len(given.Layers), "layers", len(v.img.Layers))
	}
	for n, l := range given.Layers {
		if l.DiffID != v.img.Layers[n].DiffID {
			return check.Say("recipe/base-differs", "base", name, "layer", n)
		}
	}
	v.baseLayers = len(given.Layers)
	v.markBase(given)
	return check.Say("recipe/base-image", "base", name, "layers", v.baseLayers)
}

// markBase marks the instructions of the base image: as many as its own history
// has where this image's begins like it, else those up to its last layer.
func (v *view) markBase(given *inspect.Image) {
	end := 0
	for n, i := range v.history {
		if i.Layer >= 0 && i.Layer < v.baseLayers {
			end = n + 1
		}
	}
	own := given.Config.File.History
	same := len(own) <= len(v.history)
	for n := 0; same && n < len(own); n++ {
		same = own[n].CreatedBy == v.history[n].Raw
	}
	if same {
		end = max(end, len(own))
	}
	for n := range v.history[:end] {
		v.history[n].Base = true
	}
}

// findBase gathers what tells of the base. One that was given and whose layers are there
// is known by them: its name is the one in a registry, where it has one.
func (v *view) findBase(given *inspect.Image) {
	v.base = base.Read(v.img, v.installed)
	if v.baseLayers == 0 {
		return
	}
	v.base.Layers = v.baseLayers
	end := 0
	for end < len(v.history) && v.history[end].Base {
		end++
	}
	v.base.At(end, base.Layers)
	reference := ""
	if given.Transport == image.Registry {
		reference = given.Reference
	} else if len(given.Tags) > 0 {
		reference = given.Tags[0]
	}
	digest := ""
	if given.Manifest.Origin != image.Synthesised {
		digest = given.Manifest.Digest.String()
	}
	v.base.Set(reference, digest, base.Layers)
}

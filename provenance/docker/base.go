package docker

import (
	"audit/inspect"
	"audit/inspect/check"
)

// compareBase looks for the layers of an image below this one. It says that it is
// the base, or why it is not: then there are no base layers.
func (v *view) compareBase(base *inspect.Image) check.Message {
	name := check.Brief(base.Reference)
	if len(base.Layers) == 0 {
		return check.Say("recipe/base-without-layers", "base", name)
	}
	if len(base.Layers) > len(v.img.Layers) {
		return check.Say("recipe/base-larger", "base", name, "base-layers", len(base.Layers), "layers", len(v.img.Layers))
	}
	for n, l := range base.Layers {
		if l.DiffID != v.img.Layers[n].DiffID {
			return check.Say("recipe/base-differs", "base", name, "layer", n)
		}
	}
	v.baseLayers = len(base.Layers)
	v.markBase(base)
	return check.Say("recipe/base-image", "base", name, "layers", v.baseLayers)
}

// markBase marks the instructions of the base image: as many as its own history
// has where this image's begins like it, else those up to its last layer.
func (v *view) markBase(base *inspect.Image) {
	end := 0
	for n, i := range v.history {
		if i.Layer >= 0 && i.Layer < v.baseLayers {
			end = n + 1
		}
	}
	own := base.Config.File.History
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

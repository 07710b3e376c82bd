package docker

import (
	"fmt"

	"audit/inspect"
	"audit/provenance"
)

// base looks for the layers of an image below this one. It returns what there
// is to say: that it is the base, or why it is not.
func (v *view) base(base *inspect.Image) (found string, is bool) {
	name := brief(base.Reference)
	if len(base.Layers) == 0 {
		return fmt.Sprintf("%s, which is said to be the base image, has no layers", name), false
	}
	if len(base.Layers) > len(v.img.Layers) {
		return fmt.Sprintf("%s is not its base: it has %s, and this one %d", name, provenance.Count(len(base.Layers), "layer"), len(v.img.Layers)), false
	}
	for n, l := range base.Layers {
		if l.DiffID != v.img.Layers[n].DiffID {
			return fmt.Sprintf("%s is not its base: their layers %d differ", name, n), false
		}
	}
	v.baseLayers = len(base.Layers)
	v.markBase(base)
	return fmt.Sprintf("%s is its base: the lowest %s are the same bytes", name, provenance.Count(v.baseLayers, "layer")), true
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

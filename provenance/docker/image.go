package docker

import (
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/base"
	"audit/provenance/ospackages"
)

// A view is an image with what is looked up in it again and again.
type view struct {
	img        *inspect.Image
	installed  *ospackages.Installed
	history    []Instruction
	unclear    check.Message // why layers cannot be assigned to instructions; zero when they can
	baseLayers int           // that are known to be those of the base image
	base       base.Base
	baseFound  check.Message // that the user's base image is the base, or why not; zero when there is none
	made       map[int][]reach
	by         map[int]string // the instruction that made each layer, the first of several
}

func newView(img, given *inspect.Image) *view {
	v := &view{img: img}
	v.history, v.unclear = History(img)
	if given != nil {
		v.baseFound = v.compareBase(given)
	}
	v.assign()
	v.installed = ospackages.ReadExcluding(img, func(layer int, p string) bool {
		return layer >= v.baseLayers && v.omits(layer, p, false)
	})
	v.findBase(given)
	return v
}

// Keep says whether this package needs the content of the file at path.
func Keep(path string) bool { return ospackages.Keep(path) || provenance.IsKey(path) }

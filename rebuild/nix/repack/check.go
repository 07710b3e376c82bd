package repack

import (
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
)

// Check packs the store items of img again and returns the check named repack.
// It is skipped for images that Nix has left no trace in, or that are no layers;
// unknown where a layer could not be read to its end, comes from a base image,
// or was written by nothing that is known here; else it is pass or fail. Bytes
// counts the uncompressed layers that came out the same.
func Check(img *inspect.Image, recipe provenance.Recipe) check.Check {
	switch {
	case recipe.System != nix.Name:
		return check.Skip(check.Repack, "repack/other-system", "system", string(recipe.System))
	case len(img.Config.Raw) == 0:
		return check.Skip(check.Repack, "repack/bare-file-system")
	case len(img.Layers) == 0:
		return check.Skip(check.Repack, "repack/no-layers")
	}
	pack, _ := nix.PackOf(recipe)
	a := &attempt{img: img, base: pack.BaseLayers, packer: recipe.Packer, lists: nix.Lists(img), out: check.List{Max: maxAlike}}
	if pack.Format == nix.UnknownFormat {
		a.packer = "what wrote them, read off the layers"
	}
	a.listed = slices.ContainsFunc(a.lists, func(l []string) bool { return l != nil })
	a.run()
	checkConfig(img, pack.Format, &a.out)
	return a.check()
}

// maxAlike is how many findings alike of one layer are listed.
const maxAlike = 20

// An attempt packs an image again.
type attempt struct {
	img    *inspect.Image
	packer string
	base   int        // layers at the bottom that are those of a base image
	lists  [][]string // store items of each layer by the history; nil where it lists none
	listed bool       // it lists those of some layer

	out      check.List
	matched  int   // layers that came out the same
	bytes    int64 // in them
	unknown  int   // layers that no rule is known for
	unsorted bool  // some layer stands in an order that can be that of a file system
	freedoms []check.Message

	common *layerCheck // the first layer of store items alone
}

func (a *attempt) run() {
	root := 0 // layers whose root was taken as it is
	for i, l := range a.img.Layers {
		if i < a.base && !writtenByStream(l) {
			a.baseLayer(l)
			continue
		}
		c := newLayerCheck(l, &a.out)
		if i < len(a.lists) {
			c.list = a.lists[i]
		}
		switch {
		case l.Broken != nil:
			a.out.Undecided(l.Index, "", "repack/layer-broken", "error", l.Broken)
			a.unknown++
			continue
		case c.rules == nil:
			a.out.Undecided(l.Index, "", "repack/unknown-writer")
			a.unknown++
			continue
		}
		if c.run() {
			a.matched++
			a.bytes += l.UncompressedSize
		}
		root += c.rootEntries
		if i >= a.base {
			a.compareConstants(c)
		}
		if c.disordered {
			a.unsorted = true
			a.out.Undecided(l.Index, "", "repack/entries-unsorted")
		}
	}
	a.once()
	a.split()
	if root > 0 {
		a.freedoms = append(a.freedoms, check.Say("repack/freedom-root"))
		a.out.Note(-1, "", "repack/root-taken", "entries", root)
	}
}

// baseLayer packs a layer of the base image again, which anything may have written.
// It counts when it comes out the same, and shows nothing when it does not.
func (a *attempt) baseLayer(l *inspect.Layer) {
	var apart check.List
	if l.Broken == nil {
		if c := newLayerCheck(l, &apart); c.rules != nil && c.run() && !c.disordered {
			a.matched++
			a.bytes += l.UncompressedSize
			return
		}
	}
	a.out.Undecided(l.Index, "", "repack/base-layer")
	a.unknown++
}

// writtenByStream says whether a layer is one of store items as streamLayeredImage
// alone names them. A base that has such layers was made by it, and they are held
// to its rules.
func writtenByStream(l *inspect.Layer) bool {
	if l.Broken != nil || len(l.Entries) == 0 {
		return false
	}
	first := l.Entries[0].Name()
	return string(firstBlock(l)[257:265]) == posixMagic && (first == "/nix/" || first == "/nix/store/")
}

// compareConstants compares date and owner of a layer of store items with those
// of the first: they are arguments of the one call that made all of them. Layers
// that the history does not list can come from a base image.
func (a *attempt) compareConstants(c *layerCheck) {
	if !c.storeOnly() || a.listed && c.list == nil {
		return
	}
	if a.common == nil {
		a.common = c
	}
	if s, common := c.same, a.common.same; s != common {
		a.out.Problem(c.layer.Index, "", "repack/constants-differ", "time", s.time, "uid", s.uid, "user", s.uname, "gid", s.gid, "group", s.gname,
			"other", a.common.layer.Index, "other-time", common.time, "other-uid", common.uid, "other-user", common.uname, "other-gid", common.gid, "other-group", common.gname)
	}
}

// once sees to it that each store item is in one layer.
func (a *attempt) once() {
	first := make(map[string]int)
	for _, l := range a.img.Layers {
		for i := range l.Entries {
			item := nix.Store().ItemOf(l.Entries[i].Path)
			if at, ok := first[item]; item == "" || ok && at == l.Index {
				continue
			} else if ok && at < a.base {
				if l.Index >= a.base {
					a.out.Note(l.Index, item[1:], "repack/base-item-again", "other", at)
				}
			} else if ok {
				a.out.Problem(l.Index, item[1:], "repack/duplicate-item", "other", at)
			}
			first[item] = l.Index
		}
	}
}

// split notes how the store items are spread over the layers.
func (a *attempt) split() {
	perLayer := make(map[int]int)
	for i := range a.img.Items {
		perLayer[a.img.Items[i].Layer]++
	}
	if len(perLayer) > 1 {
		a.freedoms = append(a.freedoms, check.Say("repack/freedom-split-taken"))
		a.out.Note(-1, "", "repack/split-taken", "items", len(a.img.Items), "layers", len(perLayer))
	}
}

// check turns the attempt into the check of a report.
func (a *attempt) check() check.Check {
	c := check.Check{ID: check.Repack, Status: a.out.Status(), Findings: a.out.All(), Bytes: a.bytes}
	c.Because("repack/regenerated", "equal", a.matched, "layers", len(a.img.Layers), "packer", a.packer)
	switch {
	case c.Status == check.Fail:
		c.Because("repack/problems", "count", a.out.Count(check.Problem))
		return c
	case a.unknown > 0:
		c.Because("repack/unknown-layers", "count", a.unknown)
	case a.unsorted:
		c.Because("repack/order-of-a-time")
	}
	c.Reasons = append(c.Reasons, a.freedoms...)
	return c
}

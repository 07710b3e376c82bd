// Package repack is the embedded builder: it packs the store items that an
// image has once more, by the rules of the Guix version that made it, and
// says whether that gives the same layers, diffID by diffID.
//
// It is pure Go and reads nothing twice. A layer is its frame (headers,
// padding, end of archive) and the contents of its files around which the
// frame lies; [inspect.Open] has both. So it is enough to write the frame that
// the packer would have written, byte for byte as GNU tar does, and to compare
// it with the recorded one: where they are equal, the regenerated layer has
// the same bytes and thus the same diffID. config.json is written again and
// compared likewise.
//
// What is packed is the image's own files in the normal form of the store:
// folders 0555, files 0444 or 0555, symlinks 0777, modification time 1, owner
// 0, nothing else. What stands outside the store (symlinks, /tmp, the store's
// database) is made up from the recipe alone. An entry in excess, one that is
// missing, a mode, an owner, a bit of padding: each is a problem that names
// layer, entry and header field.
//
// What a packer of some era leaves to chance is taken from the image and named
// by a note: the order of entries in a folder where tar was not asked to sort,
// the split over layers where it depends on the builder's file system. A file
// that was changed together with all digests above it is not found by this
// check: it would be packed in the same way.
//
// Tarballs and images of whole systems are packed again by the same means. A
// squashfs is not: mksquashfs compresses headers and contents together. The
// small documents that lie in the archive around config and layers are written
// again, too.
//
// The rules of the eras are in era.go. They were learnt from Guix's
// guix/docker.scm, guix/scripts/pack.scm and guix/build/pack.scm and compared
// with what GNU tar 1.34 and 1.35 write.
package repack

import (
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
)

// Check packs the store items of img again and returns the check named repack.
// It is skipped for what is neither an image for Docker nor a tarball by Guix,
// and unknown where a layer could not be read to its end or the split over layers
// follows no file system that is known; else it is pass or fail. Bytes counts the
// uncompressed layers that came out the same.
//
// The contents that [Keep] names make the check of the config complete.
func Check(img *inspect.Image, recipe provenance.Recipe) check.Check {
	pack, isMine := guix.PackOf(recipe)
	if !isMine {
		return check.Skip(check.Repack, "repack/other-system", "system", string(recipe.System))
	}
	broken, certain := brokenLayers(img, pack)
	if certain {
		return check.Check{ID: check.Repack, Status: check.Fail, Findings: broken, Reasons: []check.Message{check.Say("repack/no-packers-header")}}
	}
	if why := unfit(img, pack); !why.IsZero() {
		return check.Check{ID: check.Repack, Status: check.Skipped, Reasons: []check.Message{why}}
	}
	if len(broken) > 0 {
		return check.Check{ID: check.Repack, Status: check.Unknown, Findings: broken, Reasons: []check.Message{check.Say("repack/layer-unread")}}
	}
	return regenerate(img, pack).check()
}

// regenerate packs the image again by the rules of each era that may be its
// own, until one fits, and returns the attempt that came closest.
func regenerate(img *inspect.Image, pack guix.Pack) *attempt {
	var best *attempt
	fit, doubt := candidates(img, pack)
	for _, e := range fit {
		a := &attempt{img: img, pack: pack, era: e}
		a.out.Max = maxAlike
		a.run()
		if best == nil || a.problems() < best.problems() {
			best = a
		}
		if best.problems() == 0 {
			break
		}
	}
	if !doubt.IsZero() {
		best.out.Append(check.Finding{Message: doubt, Layer: -1})
	}
	return best
}

// maxAlike is how many findings of one code are kept for each layer.
const maxAlike = 20

// unfit says why there is nothing to pack again; zero where there is.
func unfit(img *inspect.Image, pack guix.Pack) check.Message {
	switch why := unpackable(pack.Format); {
	case !why.IsZero():
		return why
	case !strings.HasPrefix(pack.Root, storeDir):
		return check.Say("repack/no-profile")
	case len(img.Layers) == 0:
		return check.Say("repack/no-layers")
	case len(erasFor(img, pack)) == 0:
		return check.Say("repack/era-not-known", "era", pack.Era)
	}
	return check.Message{}
}

func erasFor(img *inspect.Image, pack guix.Pack) []era {
	fit, _ := candidates(img, pack)
	return fit
}

// unpackable says why what is of a form cannot be packed again; zero where it
// can.
func unpackable(format string) check.Message {
	switch format {
	case docker, tarball, system:
		return check.Message{}
	case "squashfs":
		return check.Say("repack/squashfs")
	case "docker-export":
		return check.Say("repack/exported")
	case "system-files":
		return check.Say("repack/system-files")
	case "layers":
		return check.Say("repack/other-tools-layers")
	}
	return check.Say("repack/form-not-known", "form", format)
}

// An attempt packs an image again by the rules of one era.
type attempt struct {
	img  *inspect.Image
	pack guix.Pack
	era  era
	out  check.List

	matched  int             // layers that came out the same
	bytes    int64           // in them
	freedoms []check.Message // that the image needed
	weights  []weight        // of the store items, in the order of the image
	unsorted bool            // in some folder, where tar did not sort

	undecided check.Message // why this is neither a pass nor a fail; zero where it is one
}

func (a *attempt) run() {
	layers := a.plan()
	for _, c := range layers {
		if c.run() {
			a.matched++
			a.bytes += c.layer.UncompressedSize
		}
		a.weights = append(a.weights, c.weights...)
		a.unsorted = a.unsorted || c.unsorted && !c.style.sorted
	}
	a.checkItems()
	switch {
	case len(layers) > 1:
		a.checkSplit()
	case !a.era.dotted:
		a.noteOrder()
	}
	a.noteFreedoms()
	checkConfig(a.img, a.pack, a.era, &a.out)
	checkArchive(a.img, a.pack, a.era, &a.out)
}

// plan says what belongs into each layer.
func (a *attempt) plan() []*layerCheck {
	made := newExtra(a.era, a.pack, a.img)
	last := len(a.img.Layers) - 1
	if last == 0 || a.era.layers == single {
		if last > 0 {
			a.out.Problem(-1, "", "repack/layer-count", "layers", last+1, "era", a.era.name)
		}
		return []*layerCheck{{layer: a.img.Layers[0], style: a.era.whole(), era: a.era, items: true, extra: made, out: &a.out}}
	}
	var plan []*layerCheck
	items := a.era.items(firstOwner(a.img.Layers[0]))
	for _, l := range a.img.Layers[:last] {
		plan = append(plan, &layerCheck{layer: l, style: items, era: a.era, items: true, out: &a.out})
	}
	return append(plan, &layerCheck{layer: a.img.Layers[last], style: a.era.whole(), era: a.era, extra: made, out: &a.out})
}

// firstOwner returns the owner of a layer's first entry.
func firstOwner(l *inspect.Layer) owner {
	if len(l.Entries) == 0 {
		return owner{}
	}
	e := l.Entries[0]
	return owner{uid: int64(e.Attr().UID), gid: int64(e.Attr().GID), uname: e.Attr().Uname, gname: e.Attr().Gname}
}

// checkItems looks at the items of all layers together: each must be there
// once, and each layer but the last two has one of them.
func (a *attempt) checkItems() {
	first := make(map[string]int)
	held := make(map[int]int)
	for _, w := range a.weights {
		held[w.layer]++
		if layer, ok := first[w.path]; ok && layer != w.layer {
			a.out.Problem(w.layer, w.path[1:], "repack/duplicate-item", "other", layer)
			continue
		}
		first[w.path] = w.layer
	}
	last := len(a.img.Layers) - 1
	for i := range max(0, last) {
		n := held[i]
		if n == 0 || n > 1 && i < last-1 {
			a.out.Problem(i, "", "repack/layer-items", "count", n)
		}
	}
}

// checkSplit compares the order of the items over the layers with their sizes.
func (a *attempt) checkSplit() {
	if a.era.layers == plain {
		a.out.Note(-1, "", "repack/split-by-blocks", "era", a.era.name)
		a.freedoms = append(a.freedoms, check.Say("repack/freedom-split-by-blocks"))
		return
	}
	if x, y, found := impossible(a.weights); found {
		a.out.Problem(x.layer, x.path[1:], "repack/layer-split", "before", y.path, "bytes", x.content, "folders", x.folders,
			"other-bytes", y.content, "other-folders", y.folders)
		return
	}
	fs := splitOn(a.weights, closureOrder(a.img.Items))
	if fs == "" {
		a.undecided = check.Say("repack/split-unexplained")
		a.out.Undecided(-1, "", "repack/split-not-by-size")
		return
	}
	a.freedoms = append(a.freedoms, check.Say("repack/freedom-split", "file-system", fs))
	a.out.Note(-1, "", "repack/split-by-size", "file-system", fs)
}

// noteOrder says whether the items stand in Guix's own order. It proves
// nothing: references that the image does not show may stand behind another.
func (a *attempt) noteOrder() {
	order := closureOrder(a.img.Items)
	for i, w := range a.weights {
		if due := at(order, i); w.path != due {
			a.out.Note(0, "", "repack/item-order-differs", "item", w.path, "want", due)
			return
		}
	}
	a.out.Note(0, "", "repack/item-order", "count", len(a.weights))
}

// noteFreedoms names what the image decides and no rule does.
func (a *attempt) noteFreedoms() {
	if a.unsorted {
		a.freedoms = append(a.freedoms, check.Say("repack/freedom-readdir"))
		a.out.Note(-1, "", "repack/readdir-order", "era", a.era.name)
	}
	if o := firstOwner(a.img.Layers[0]); a.era.layers == plain && len(a.img.Layers) > 1 {
		a.freedoms = append(a.freedoms, check.Say("repack/freedom-owner"))
		a.out.Note(-1, "", "repack/builder-owner", "era", a.era.name, "uid", o.uid, "user", o.uname, "gid", o.gid, "group", o.gname)
	}
}

// problems counts the problems, listed or not.
func (a *attempt) problems() int { return a.out.Count(check.Problem) }

// check turns the attempt into the check of a report.
func (a *attempt) check() check.Check {
	c := check.Check{ID: check.Repack, Status: check.Pass, Findings: a.out.All(), Bytes: a.bytes}
	c.Because("repack/regenerated", "equal", a.matched, "layers", len(a.img.Layers), "packer", a.era.name)
	switch {
	case a.problems() > 0:
		c.Status = check.Fail
		c.Because("repack/problems", "count", a.problems())
	case !a.undecided.IsZero():
		c.Status = check.Unknown
		c.Reasons = append(c.Reasons, a.undecided)
	default:
		c.Reasons = append(c.Reasons, a.freedoms...)
	}
	return c
}

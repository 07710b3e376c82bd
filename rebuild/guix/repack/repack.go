// Package repack is the embedded builder: it packs the store items that an
// image holds once more, by the rules of the Guix version that made it, and
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
// by a note: the order of entries in a folder where tar was not told to sort,
// the split over layers where it depends on the builder's file system. A file
// that was changed together with all digests above it is not told by this
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
	"fmt"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild/findings"
)

// Check packs the store items of img again and returns the check named repack.
// It is skipped for what is neither an image for Docker nor a tarball by Guix, and unknown where
// a layer could not be read to its end or the split over layers follows no file
// system that is known; else it is pass or fail. Bytes counts the uncompressed
// layers that came out the same.
//
// The contents that [Keep] names make the check of the config complete.
func Check(img *inspect.Image, recipe provenance.Recipe) check.Check {
	broken, certain := brokenLayers(img, recipe.Pack)
	if certain && recipe.System == provenance.Guix {
		return check.Check{ID: check.Repack, Status: check.Fail, Findings: broken, Summary: "a layer has a header that no packer writes, and could not be read to its end"}
	}
	if why := unfit(img, recipe); why != "" {
		return check.Check{ID: check.Repack, Status: check.Skipped, Summary: why}
	}
	if len(broken) > 0 {
		return check.Check{ID: check.Repack, Status: check.Unknown, Findings: broken, Summary: "a layer could not be read to its end, so there is nothing to compare with"}
	}
	return regenerate(img, recipe.Pack).check()
}

// regenerate packs the image again by the rules of each era that may be its
// own, until one fits, and returns the attempt that came closest.
func regenerate(img *inspect.Image, pack provenance.Pack) *attempt {
	var best *attempt
	fit, why := candidates(img, pack)
	for _, e := range fit {
		a := &attempt{img: img, pack: pack, era: e}
		a.run()
		if best == nil || a.out.Problems < best.out.Problems {
			best = a
		}
		if best.out.Problems == 0 {
			break
		}
	}
	if why != "" {
		best.out.Note("era", -1, "%s", why)
	}
	return best
}

// unfit says why there is nothing to pack again.
func unfit(img *inspect.Image, recipe provenance.Recipe) string {
	switch {
	case recipe.System != provenance.Guix:
		return fmt.Sprintf("only what Guix or Nix packed can be packed again here; the recipe's system is %s", recipe.System)
	case unpackable(recipe.Pack.Format) != "":
		return unpackable(recipe.Pack.Format)
	case !strings.HasPrefix(recipe.Pack.Root, storeDir):
		return "the image does not tell which profile it was made of"
	case len(img.Layers) == 0:
		return "the image has no layers"
	case len(erasFor(img, recipe.Pack)) == 0:
		return fmt.Sprintf("how the packer of Guix %s laid out its tarballs is not known here", recipe.Pack.Era)
	}
	return ""
}

func erasFor(img *inspect.Image, pack provenance.Pack) []era {
	fit, _ := candidates(img, pack)
	return fit
}

// unpackable says why what is of a form cannot be packed again, "" when it can.
func unpackable(format string) string {
	switch format {
	case docker, tarball, system:
		return ""
	case "squashfs":
		return "mksquashfs compresses a squashfs as a whole, and its bytes depend on its version and that of its compressor: nothing short of running it gives them again"
	case "docker-export":
		return "a container engine has written these files anew when it exported them: nothing is left of what the packer wrote"
	case "system-files":
		return "these are the files of a system without what tells how they were packed"
	case "layers":
		return "another tool than Guix's packer has put the layers together"
	}
	return fmt.Sprintf("how files of the form %q were packed is not known here", format)
}

// An attempt packs an image again by the rules of one era.
type attempt struct {
	img  *inspect.Image
	pack provenance.Pack
	era  era
	out  findings.List

	matched  int   // layers that came out the same
	bytes    int64 // in them
	freedoms []string
	weights  []weight // of the store items, in the order of the image
	unsorted bool     // in some folder, where tar did not sort

	undecided string // why this is neither a pass nor a fail
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
			a.out.Problem("layer-count", -1, "", "the image has %d layers; %s packs everything into one", last+1, a.era.name)
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
	e := &l.Entries[0]
	return owner{uid: int64(e.UID), gid: int64(e.GID), uname: e.Uname, gname: e.Gname}
}

// checkItems looks at the items of all layers together: each must be there
// once, and each layer but the last two holds one of them.
func (a *attempt) checkItems() {
	first := make(map[string]int)
	held := make(map[int]int)
	for _, w := range a.weights {
		held[w.layer]++
		if layer, ok := first[w.path]; ok && layer != w.layer {
			a.out.Problem("duplicate-entry", w.layer, w.path[1:], "the store item is in layer %d, too", layer)
			continue
		}
		first[w.path] = w.layer
	}
	last := len(a.img.Layers) - 1
	for i := range max(0, last) {
		n := held[i]
		if n == 0 || n > 1 && i < last-1 {
			a.out.Problem("layer-split", i, "", "%d store items; the packer puts one into each layer, and what is left into the last but one", n)
		}
	}
}

// checkSplit holds the order of the items over the layers against their sizes.
func (a *attempt) checkSplit() {
	if a.era.layers == plain {
		a.out.Note("split-by-size", -1, "%s sorted the store items by the disk blocks that they took on the builder's file system, which the image does not tell", a.era.name)
		a.freedoms = append(a.freedoms, "the split over layers follows the builder's file system")
		return
	}
	if x, y, found := impossible(a.weights); found {
		a.out.Problem("layer-split", x.layer, x.path[1:], "it comes before %s, though it is smaller whatever size a folder has: %d bytes and %d folders against %d bytes and %d folders",
			y.path, x.content, x.folders, y.content, y.folders)
		return
	}
	fs := splitOn(a.weights, closureOrder(a.img.Items))
	if fs == "" {
		a.undecided = "the split over layers cannot be explained"
		a.out.Add(check.Problem, "split-by-size", -1, "", "the store items are not sorted by size, whichever known file system one counts the folders' own sizes on; nor is the order impossible on another")
		return
	}
	a.freedoms = append(a.freedoms, "the split over layers is that of a builder on "+fs)
	a.out.Note("split-by-size", -1, "the store items are sorted by size, and folders' own sizes count, which differ between file systems: this order is that of a builder on %s, and on another the same items can come in other layers", fs)
}

// noteOrder says whether the items stand in Guix's own order. It proves
// nothing: references that the image does not show may stand behind another.
func (a *attempt) noteOrder() {
	order := closureOrder(a.img.Items)
	for i, w := range a.weights {
		if due := at(order, i); w.path != due {
			a.out.Note("item-order", 0, "the store items are not in the order that Guix gives to this closure: %s stands where %s is due", w.path, due)
			return
		}
	}
	a.out.Note("item-order", 0, "the %d store items are in the order that Guix gives to this closure, leaves first", len(a.weights))
}

// noteFreedoms names what the image decides and no rule does.
func (a *attempt) noteFreedoms() {
	if a.unsorted {
		a.freedoms = append(a.freedoms, "the order inside folders is readdir's")
		a.out.Note("readdir-order", -1, "entry order inside folders is readdir's on the builder's file system: %s packs without tar --sort=name, so the same files can come in another order", a.era.name)
	}
	if o := firstOwner(a.img.Layers[0]); a.era.layers == plain && len(a.img.Layers) > 1 {
		a.freedoms = append(a.freedoms, "the owner is the builder's")
		a.out.Note("builder-owner", -1, "%s packs layers with the owners of the builder: user %d %q, group %d %q in each entry", a.era.name, o.uid, o.uname, o.gid, o.gname)
	}
}

// check turns the attempt into the check of a report.
func (a *attempt) check() check.Check {
	c := check.Check{ID: check.Repack, Status: check.Pass, Findings: a.out.All, Bytes: a.bytes}
	c.Summary = fmt.Sprintf("%d of %d layers regenerated, byte for byte, by the rules of %s", a.matched, len(a.img.Layers), a.era.name)
	switch {
	case a.out.Problems > 0:
		c.Status = check.Fail
		c.Summary += fmt.Sprintf("; problems: %d", a.out.Problems)
	case a.undecided != "":
		c.Status = check.Unknown
		c.Summary += "; " + a.undecided
	default:
		for _, f := range a.freedoms {
			c.Summary += "; " + f
		}
	}
	return c
}

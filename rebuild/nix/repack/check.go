package repack

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
	"audit/rebuild/findings"
)

// Check packs the store items of img again and returns the check named repack.
// It is skipped for images that Nix has left no trace in, or that are no layers;
// unknown where a layer could not be read to its end, comes from a base image,
// or was written by nothing that is known here; else it is pass or fail. Bytes
// counts the uncompressed layers that came out the same.
func Check(img *inspect.Image, recipe provenance.Recipe) check.Check {
	if why := unfit(img, recipe); why != "" {
		return check.Check{ID: check.Repack, Status: check.Skipped, Summary: why}
	}
	a := &attempt{img: img, packer: recipe.Packer, lists: nix.Lists(img)}
	if recipe.Pack.Format == nix.UnknownFormat {
		a.packer = "what wrote them, read off the layers"
	}
	a.run()
	checkConfig(img, recipe.Pack.Format, &a.out)
	return a.check()
}

// unfit says why there is nothing to pack again.
func unfit(img *inspect.Image, recipe provenance.Recipe) string {
	switch {
	case recipe.System != provenance.Nix:
		return fmt.Sprintf("only what Nix packed can be packed again here; the recipe's system is %s", recipe.System)
	case len(img.Config.Raw) == 0:
		return "a bare file system has no layers to pack again"
	case len(img.Layers) == 0:
		return "the image has no layers"
	}
	return ""
}

// An attempt packs an image again.
type attempt struct {
	img    *inspect.Image
	packer string
	lists  [][]string // store items of each layer by the history; nil where it does not tell

	out      findings.List
	matched  int   // layers that came out the same
	bytes    int64 // in them
	unknown  int   // layers that no rule is known for
	odd      bool  // layers contradict each other
	unsorted bool  // some layer stands in an order that can be that of a file system
	freedoms []string

	common *layerCheck // the first layer of store items alone
}

func (a *attempt) run() {
	root := 0 // layers whose root was taken as it is
	for i, l := range a.img.Layers {
		c := newLayerCheck(l, &a.out)
		if i < len(a.lists) {
			c.list = a.lists[i]
		}
		switch {
		case l.Broken != nil:
			a.out.Problem("layer-broken", l.Index, "", "%v", l.Broken)
			a.unknown++
			continue
		case c.rules == nil:
			a.out.Note("unknown-writer", l.Index, "nothing that is known to pack for Nix has written this layer, so it is not packed again")
			a.unknown++
			continue
		}
		if c.run() {
			a.matched++
			a.bytes += l.UncompressedSize
		}
		root += c.rootEntries
		a.compareConstants(c)
		if c.disordered {
			a.unsorted = true
			a.out.Note("readdir-order", l.Index, "the entries are not in the order that nixpkgs has written them in since 2021; nixpkgs 20.09 left it to the builder's file system")
		}
	}
	a.once()
	a.split()
	if root > 0 {
		a.freedoms = append(a.freedoms, "what stands at the root is the author's")
		a.out.Note("root-taken", -1, "modes, owners and contents of %d entries outside the store are taken from the image: the author's contents and commands decide them", root)
	}
}

// compareConstants holds date and owner of a layer of store items against those
// of the first: they are arguments of the one call that made all of them. Layers
// that the history does not list can come from a base image.
func (a *attempt) compareConstants(c *layerCheck) {
	listed := slices.ContainsFunc(a.lists, func(l []string) bool { return l != nil })
	if !c.storeOnly() || listed && c.list == nil {
		return
	}
	if a.common == nil {
		a.common = c
	}
	if c.same != a.common.same {
		a.out.Problem("constants-differ", c.layer.Index, "", "its entries are of the second %d and of user %d %q, group %d %q; those of layer %d of the second %d and of user %d %q, group %d %q",
			c.same.time, c.same.uid, c.same.uname, c.same.gid, c.same.gname,
			a.common.layer.Index, a.common.same.time, a.common.same.uid, a.common.same.uname, a.common.same.gid, a.common.same.gname)
		a.odd = true
	}
}

// once sees to it that each store item is in one layer.
func (a *attempt) once() {
	first := make(map[string]int)
	for _, l := range a.img.Layers {
		for i := range l.Entries {
			item := inspect.ItemOf(l.Entries[i].Path)
			if at, ok := first[item]; item == "" || ok && at == l.Index {
				continue
			} else if ok {
				a.out.Problem("duplicate-entry", l.Index, item[1:], "the store item is in layer %d, too", at)
				a.odd = true
			}
			first[item] = l.Index
		}
	}
}

// split notes how the store items are spread over the layers.
func (a *attempt) split() {
	held := make(map[int]int)
	for i := range a.img.Items {
		held[a.img.Items[i].Layer]++
	}
	if len(held) > 1 {
		a.freedoms = append(a.freedoms, "the split over layers is the packer's")
		a.out.Note("layer-split", -1, "the %d store items are in %d layers: which of them share one follows from how many others need them, or from the author's pipeline, and is taken from the image", len(a.img.Items), len(held))
	}
}

// check turns the attempt into the check of a report.
func (a *attempt) check() check.Check {
	c := check.Check{ID: check.Repack, Status: check.Pass, Findings: a.out.All, Bytes: a.bytes}
	c.Summary = fmt.Sprintf("%d of %d layers regenerated, byte for byte, by the rules of %s", a.matched, len(a.img.Layers), a.packer)
	switch {
	case a.out.Problems > 0 && a.matched+a.unknown < len(a.img.Layers), a.odd:
		c.Status = check.Fail
		c.Summary += fmt.Sprintf("; problems: %d", a.out.Problems)
	case a.unknown > 0:
		c.Status = check.Unknown
		c.Summary += fmt.Sprintf("; %d were not written by anything known here, or cannot be read", a.unknown)
	case a.unsorted:
		c.Status = check.Unknown
		c.Summary += "; the order of entries can only be that of nixpkgs 20.09, or somebody else's"
	}
	if c.Status != check.Fail && len(a.freedoms) > 0 {
		c.Summary += "; " + strings.Join(a.freedoms, "; ")
	}
	return c
}

package repack

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild/findings"
)

// brokenLayers tells of the layers that could not be read to their end, and
// whether one of them broke off at a header that no tar writes: a layer with
// such a header is none of a packer.
func brokenLayers(img *inspect.Image, pack provenance.Pack) (list []check.Finding, certain bool) {
	var out findings.List
	for _, l := range img.Layers {
		if l.Broken == nil {
			continue
		}
		switch block := lastHeader(l); {
		case block != nil && bytes.Count(block, []byte{0}) > blockSize-16: // there is no header so empty
			certain = true
			at := firstNonZero(block)
			out.Problem("data-after-end", l.Index, "", "byte %d of the blocks after the last entry is %#02x; tar writes zeros to the end", at, block[at])
			continue
		case block != nil:
			certain = true
			out.Problem("header-differs", l.Index, nameIn(block), "%s; the layer can be read no further", misfit(block, ownerOf(img, pack, l)))
			continue
		}
		out.Problem("layer-broken", l.Index, "", "%v", l.Broken)
	}
	return out.All, certain
}

// lastHeader returns the header block at which the reading of a layer broke
// off, when its checksum is not that of its bytes; else nil.
func lastHeader(l *inspect.Layer) []byte {
	read := l.Frame.Size
	for i := range l.Entries {
		read -= l.Entries[i].FrameSize
	}
	if n := len(l.Entries); n > 0 {
		read -= padding(l.Entries[n-1].Size)
	}
	if read < blockSize || read%blockSize != 0 {
		return nil
	}
	r := l.Frame.Open()
	if _, err := io.CopyN(io.Discard, r, l.Frame.Size-blockSize); err != nil {
		return nil
	}
	block := make([]byte, blockSize)
	if _, err := io.ReadFull(r, block); err != nil || signed(block) || firstNonZero(block) < 0 {
		return nil
	}
	return block
}

// signed says whether the checksum of a header block is that of its bytes.
func signed(block []byte) bool {
	text := strings.Trim(string(block[148:156]), " \x00")
	stored, err := strconv.ParseInt(text, 8, 64)
	return err == nil && stored == checksum(block)
}

// checksum adds up the bytes of a header block, with spaces for the field that
// holds the sum.
func checksum(block []byte) (sum int64) {
	for i, c := range block {
		if 148 <= i && i < 156 {
			c = ' '
		}
		sum += int64(c)
	}
	return sum
}

func nameIn(block []byte) string {
	name, _, _ := bytes.Cut(block[:nameSize], []byte{0})
	return inspect.CleanPath(string(name))
}

// ownerOf returns the owner that the packer writes into a layer.
func ownerOf(img *inspect.Image, pack provenance.Pack, l *inspect.Layer) owner {
	fit, _ := candidates(img, pack)
	if len(img.Layers) > 1 && l.Index < len(img.Layers)-1 && len(fit) > 0 {
		return fit[0].items(firstOwner(l)).owner
	}
	return owner{uname: "root", gname: "root"}
}

// misfit says which field of a header block holds what the packer never writes
// into it. Where each may be the packer's, it is one that can hold anything.
func misfit(block []byte, o owner) string {
	for _, f := range fields() {
		got := block[f.from:f.to]
		due := dueFields(f.name, o)
		fits := func(d []byte) bool { return bytes.Equal(got, d[f.from:f.to]) }
		if len(due) > 0 && !slices.ContainsFunc(due, fits) {
			return fieldDifference(f.name, got, due[0][f.from:f.to])
		}
	}
	return fmt.Sprintf("its checksum is %s, and its bytes add up to %06o: a byte of its name, size, linkname or checksum is not what tar wrote",
		show(block[148:156]), checksum(block))
}

// dueFields returns header blocks with all that the packer may write into a
// field, none where that may be anything.
func dueFields(name string, o owner) [][]byte {
	var due [][]byte
	add := func(h header) { due = append(due, appendBlock(nil, h)) }
	switch name {
	case "name", "size", "linkname", "checksum":
		return nil
	case "mode":
		for _, mode := range []int64{0o444, 0o555, 0o777, 0o755, 0o644, 0o1777, 0o1775} {
			add(header{mode: mode})
		}
	case "typeflag":
		for _, kind := range []byte("0521LK") {
			add(header{kind: kind})
		}
	default:
		add(header{mtime: 1, uid: o.uid, gid: o.gid, uname: o.uname, gname: o.gname})
		add(header{}) // of a long name
		add(header{uname: "root", gname: "root"})
	}
	return due
}

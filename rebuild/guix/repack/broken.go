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
	"audit/provenance/guix"
	"audit/rebuild/gnutar"
)

// brokenLayers finds the layers that could not be read to their end, and says
// whether one of them broke off at a header that no tar writes: a layer with
// such a header is none of a packer.
func brokenLayers(img *inspect.Image, pack guix.Pack) (found []check.Finding, certain bool) {
	var out check.List
	for _, l := range img.Layers {
		if l.Broken == nil {
			continue
		}
		switch block := lastHeader(l); {
		case block == nil:
			out.Problem(l.Index, "", "repack/layer-broken", "error", l.Broken)
		case bytes.Count(block, []byte{0}) > gnutar.BlockSize-16: // there is no header so empty
			certain = true
			at := gnutar.FirstNonZero(block)
			out.Problem(l.Index, "", "repack/data-after-end", "byte", at, "value", gnutar.HexByte(block[at]))
		default:
			certain = true
			code, args := misfit(block, ownerOf(img, pack, l))
			out.Problem(l.Index, nameIn(block), code, args...)
		}
	}
	return out.All(), certain
}

// lastHeader returns the header block at which the reading of a layer broke
// off, when its checksum is not that of its bytes; else nil.
func lastHeader(l *inspect.Layer) []byte {
	read := l.Frame.Size
	for i := range l.Entries {
		read -= l.Entries[i].FrameSize
	}
	if n := len(l.Entries); n > 0 {
		read -= gnutar.Padding(l.Entries[n-1].Size)
	}
	if read < gnutar.BlockSize || read%gnutar.BlockSize != 0 {
		return nil
	}
	r := l.Frame.Open()
	if _, err := io.CopyN(io.Discard, r, l.Frame.Size-gnutar.BlockSize); err != nil {
		return nil
	}
	block := make([]byte, gnutar.BlockSize)
	if _, err := io.ReadFull(r, block); err != nil || signed(block) || gnutar.FirstNonZero(block) < 0 {
		return nil
	}
	return block
}

// signed says whether the checksum of a header block is that of its bytes.
func signed(block []byte) bool {
	text := strings.Trim(string(block[148:156]), " \x00")
	stored, err := strconv.ParseInt(text, 8, 64)
	return err == nil && stored == gnutar.Checksum(block)
}

func nameIn(block []byte) string {
	name, _, _ := bytes.Cut(block[:gnutar.NameSize], []byte{0})
	return inspect.CleanPath(string(name))
}

// ownerOf returns the owner that the packer writes into a layer.
func ownerOf(img *inspect.Image, pack guix.Pack, l *inspect.Layer) owner {
	fit, _ := candidates(img, pack)
	if len(img.Layers) > 1 && l.Index < len(img.Layers)-1 && len(fit) > 0 {
		return fit[0].items(firstOwner(l)).owner
	}
	return owner{uname: "root", gname: "root"}
}

// misfit is the finding about a header block that no tar wrote: the field that
// holds what the packer never writes into it. Where each may be the packer's, it
// is one that can hold anything.
func misfit(block []byte, o owner) (code string, args []any) {
	for _, f := range gnutar.Fields() {
		got := block[f.From:f.To]
		due := dueFields(f.Name, o)
		fits := func(d []byte) bool { return bytes.Equal(got, d[f.From:f.To]) }
		if len(due) > 0 && !slices.ContainsFunc(due, fits) {
			d := gnutar.Compare(f.Name, got, due[0][f.From:f.To])
			return "repack/header-unreadable", gnutar.Arguments([]gnutar.Difference{d})
		}
	}
	return "repack/header-checksum", []any{"got", gnutar.Quote(block[148:156]), "want", fmt.Sprintf("%06o", gnutar.Checksum(block))}
}

// dueFields returns header blocks with all that the packer may write into a
// field, none where that may be anything.
func dueFields(name string, o owner) [][]byte {
	var due [][]byte
	add := func(h gnutar.Header) { due = append(due, gnutar.AppendBlock(nil, h)) }
	switch name {
	case "name", "size", "linkname", "checksum":
		return nil
	case "mode":
		for _, mode := range []int64{0o444, 0o555, 0o777, 0o755, 0o644, 0o1777, 0o1775} {
			add(gnutar.Header{Mode: mode})
		}
	case "typeflag":
		for _, kind := range []byte("0521LK") {
			add(gnutar.Header{Kind: kind})
		}
	default:
		add(gnutar.Header{Time: 1, UID: o.uid, GID: o.gid, Uname: o.uname, Gname: o.gname})
		add(gnutar.Header{}) // of a long name
		add(gnutar.Header{Uname: "root", Gname: "root"})
	}
	return due
}

package report

import (
	"cmp"
	"fmt"
	"slices"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/vouch"
)

// newShares adds up the files by who vouches for them.
func newShares(t *vouch.Table) (out []VoucherShare, contents int64) {
	if t == nil {
		return nil, 0
	}
	shares := t.Shares()
	for _, s := range shares {
		contents += s.Bytes
	}
	for _, s := range shares {
		out = append(out, VoucherShare{s.Word.Kind, s.Files, s.Bytes, share(s.Bytes, contents)})
	}
	return out, contents
}

const (
	maxVouchers  = 5000  // packages, records and the like
	maxUnvouched = 10000 // files
)

func newVouchers(t *vouch.Table, keys []vouch.Key) (out Vouchers) {
	for _, k := range keys {
		out.Keys = append(out.Keys, Key(k))
	}
	if t == nil {
		return out
	}
	for _, s := range t.ByWord() {
		if s.Word.Kind != vouch.Nobody {
			out.By = append(out.By, Voucher{s.Word.Kind, s.Word.By, s.Word.Keys, s.Word.Rule, s.Files, s.Bytes})
		}
	}
	out.By = rest(out.By)
	out.Nobody, out.More = newUnvouched(t)
	return out
}

// rest makes one of those vouchers that are too many to list.
func rest(all []Voucher) []Voucher {
	if len(all) <= maxVouchers {
		return all
	}
	left := Voucher{Kind: all[maxVouchers].Kind}
	for _, v := range all[maxVouchers:] {
		left.Files += v.Files
		left.Bytes += v.Bytes
	}
	return append(all[:maxVouchers:maxVouchers], left)
}

// newUnvouched lists the files that nobody vouches for: what an intruder would want
// first, then the largest.
func newUnvouched(t *vouch.Table) (out []UnvouchedFile, more int) {
	type row struct {
		file      UnvouchedFile
		dangerous bool
	}
	var rows []row
	for f, w := range t.Rows() {
		if w.Kind != vouch.Nobody && w.Kind != vouch.Differs {
			continue
		}
		rows = append(rows, row{unvouched(f, w.Kind), provenance.Dangerous(t.Image(), f.Layer, f.Inode.Header) != ""})
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.dangerous != b.dangerous {
			return map[bool]int{true: -1, false: 1}[a.dangerous]
		}
		return cmp.Compare(b.file.Size, a.file.Size)
	})
	for _, r := range rows[:min(len(rows), maxUnvouched)] {
		out = append(out, r.file)
	}
	return out, len(rows) - len(out)
}

func unvouched(f inspect.File, kind vouch.Kind) UnvouchedFile {
	out := UnvouchedFile{
		Path: f.Path, Kind: kind, Layer: f.Inode.Layer, Type: provenance.KindOf(f.Inode.Entry),
		Mode: fmt.Sprintf("%04o", f.Inode.Header.Mode), Size: vouch.Content(f),
	}
	if f.Inode.Type == '0' {
		out.Digest = f.Inode.Digest.String()
	}
	return out
}

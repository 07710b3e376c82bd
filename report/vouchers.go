package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/vouch"
	"audit/rebuild/compare"
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
// first, then what decides who may do what, then the largest.
func newUnvouched(t *vouch.Table) (out []UnvouchedFile, more int) {
	type row struct {
		file  UnvouchedFile
		place int
	}
	var rows []row
	for f, w := range t.Rows() {
		if w.Kind != vouch.Nobody && w.Kind != vouch.Differs {
			continue
		}
		place := accessOrder(f.Path)
		if provenance.Dangerous(t.Image(), f.Layer, f.Inode.Header) != "" {
			place = 0
		}
		rows = append(rows, row{unvouched(f, w.Kind), place})
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(b.file.Size, a.file.Size))
	})
	for _, r := range rows[:min(len(rows), maxUnvouched)] {
		out = append(out, r.file)
	}
	return out, len(rows) - len(out)
}

// accessOrder orders what decides who may log in or what they may do: first what few
// images have, which is 1, then what every system has, such as etc/passwd, and 3 for all
// other files.
func accessOrder(path string) int {
	if !compare.DecidesAccess(path) || strings.HasPrefix(path, ".singularity.d/") { // which each SIF has, and no packages
		return 3
	}
	for _, few := range []string{"etc/ld.so.preload", "etc/sudoers", "etc/doas.conf", "etc/crontab", "etc/cron.", "etc/anacrontab", "var/spool/cron/"} {
		if strings.HasPrefix(path, few) {
			return 1
		}
	}
	if strings.Contains("/"+path, "/.ssh/") {
		return 1
	}
	return 2
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

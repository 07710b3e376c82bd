package vouch

import (
	"cmp"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
)

// Left says how many files are left, where packages were verified, that none of these has,
// that no rule makes from them, and that no record of a language has: what somebody has
// put there since, or a script has made. Nothing was held against their bytes. Rank orders
// the files that are named, the lowest first. It is false where there are none.
func (t *Table) Left(rank func(inspect.File) int) (check.Finding, bool) {
	type row struct {
		path string
		rank int
	}
	var rows []row
	var bytes int64
	for f, w := range t.Rows() {
		if w.Kind != Packaged && w.Kind != Nobody && (w.Kind != Instruction || w.Rule != "") {
			continue
		}
		rows = append(rows, row{f.Path, rank(f)})
		if names := f.Inode.Links; len(names) == 0 || names[0] == f.Path {
			bytes += Content(f)
		}
	}
	if len(rows) == 0 {
		return check.Finding{}, false
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.rank, b.rank) })
	paths := make([]string, len(rows))
	for i, r := range rows {
		paths[i] = check.Brief(r.path)
	}
	names, beyond := Some(paths)
	return check.Find(check.Note, -1, "", "signatures/files-left", "count", len(rows), "bytes", bytes, "names", names, "beyond", beyond), true
}

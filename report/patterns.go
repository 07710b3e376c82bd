package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"audit/inspect/store"
)

// A pattern is what the paths of many differences have alike, as a shell would
// match them: usr/share/part*/file*.dat. In "usr/**" all below the folder is meant.
type pattern struct {
	Glob  string
	Count int
	First Difference
}

const (
	patternRows = 30 // of one cause, on a page
	globDepth   = 6  // folders of a path that are kept at most where paths are cut
)

// patternsOf groups differences by folder and pattern, the largest group first: by
// numbers in their paths, and where that makes more than a page shows by ever less of
// their names and folders. Each difference is in one of them.
func patternsOf(ds []Difference) []pattern {
	var all []pattern
	for level, ok := 0, false; !ok; level++ {
		most := patternRows
		if level == globDepth+2 {
			most = len(ds)
		}
		all, ok = groupBy(ds, most, func(p string) string { return globOf(p, level) })
	}
	slices.SortStableFunc(all, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Glob, b.Glob))
	})
	return all
}

// groupBy groups differences by what glob makes of their paths; false when that makes
// more than so many groups.
func groupBy(ds []Difference, most int, glob func(string) string) ([]pattern, bool) {
	index := make(map[string]int)
	var all []pattern
	for _, d := range ds {
		g := glob(d.Path)
		i, ok := index[g]
		if !ok {
			if i = len(all); i == most {
				return nil, false
			}
			index[g] = i
			all = append(all, pattern{Glob: g, First: d})
		}
		all[i].Count++
	}
	return all, true
}

// globOf returns the pattern of a path: with a star for each number and each hash of
// a store item; then for the name but its end, for all of it, and at last for all
// below a folder that lies ever higher.
func globOf(p string, level int) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = starred(part)
	}
	last := len(parts) - 1
	switch {
	case level == 0:
	case level == 1:
		parts[last] = "*" + path.Ext(parts[last])
	case level == 2 || last == 0:
		parts[last] = "*"
	default:
		parts = append(parts[:min(last, globDepth+3-level)], "**")
	}
	return strings.Join(parts, "/")
}

// starred writes a star for each number in a name, and for the hash of a store item.
func starred(name string) string {
	const hash = 32
	if store.IsStoreName(name) {
		return "*" + starred(name[hash:])
	}
	var b strings.Builder
	for i, c := range []byte(name) {
		switch {
		case c < '0' || c > '9':
			b.WriteByte(c)
		case i == 0 || name[i-1] < '0' || name[i-1] > '9':
			b.WriteByte('*')
		}
	}
	return b.String()
}

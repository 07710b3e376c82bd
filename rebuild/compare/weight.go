package compare

import (
	"slices"
	"strings"
)

// Weight orders what differs by how much it matters to whoever runs the image: what has
// less comes first. Files that lend rights come before all others, then those that decide
// who has rights, then the causes in the order of [AllCauses]. Of one cause, files where
// a system looks for programs come first, and what a known freedom explains last. That
// a difference decides who has rights [Decides] says. The paths are those that it has: a
// file under another name has two.
func Weight(cause Cause, known string, privileged, decides bool, paths ...string) int {
	group, place := 2, 1
	switch {
	case privileged:
		group = 0
	case known != "":
		place = 2
	case decides:
		group = 1
	}
	if place == 1 && slices.ContainsFunc(paths, IsForPrograms) {
		place = 0
	}
	return (group*2*len(AllCauses())+cause.order())*3 + place
}

// SortByWeight sorts things by their weights, each of which is asked for once; the order of
// equals stays.
func SortByWeight[T any](all []T, weight func(*T) int) {
	at, weights := make([]int, len(all)), make([]int, len(all))
	for i := range all {
		at[i], weights[i] = i, weight(&all[i])
	}
	if slices.IsSorted(weights) {
		return
	}
	slices.SortStableFunc(at, func(x, y int) int { return weights[x] - weights[y] })
	sorted := make([]T, len(all))
	for i, from := range at {
		sorted[i] = all[from]
	}
	copy(all, sorted)
}

// order is the place of a cause among all, each of which has two: one that is not known
// here comes before those known to be harmless.
func (c Cause) order() int {
	all := AllCauses()
	if i := slices.Index(all, c); i >= 0 {
		return 2 * i
	}
	return 2*slices.IndexFunc(all, Cause.Harmless) - 1
}

// Weight is that of the difference.
func (d *Difference) Weight() int {
	return Weight(d.Cause, d.Known, d.Privileged, d.Decides(), d.Path, d.RenamedTo())
}

// IsForPrograms says whether a system looks for programs and libraries where a file lies.
func IsForPrograms(path string) bool {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "usr/"), "local/")
	for _, folder := range []string{"bin/", "sbin/", "lib/", "lib64/", "libexec/", "etc/init.d/", "etc/systemd/", "etc/profile.d/"} {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}

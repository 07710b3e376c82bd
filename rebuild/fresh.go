package rebuild

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// Originals lists the store items of the original; nil where it is not known.
func (j Job) Originals() []string {
	if j.Image == nil {
		return nil
	}
	var paths []string
	for i := range j.Image.Items {
		paths = append(paths, j.Image.Items[i].Path)
	}
	return paths
}

// FreshKnown checks that every package to build afresh is in the original,
// where that is known. The error wraps [ErrRefused].
func (j Job) FreshKnown() error {
	for _, pkg := range j.Fresh {
		if j.Image != nil && !slices.ContainsFunc(j.Originals(), func(item string) bool { return isOf(item, pkg) }) {
			return fmt.Errorf("%w: no store item of the image is of a package %q, which was to be built afresh", ErrRefused, pkg)
		}
	}
	return nil
}

// WantsFresh says whether a store item is of a package to build afresh.
func (j Job) WantsFresh(item string) bool {
	return slices.ContainsFunc(j.Fresh, func(pkg string) bool { return isOf(item, pkg) })
}

// isOf says whether a store item is of a package, which is named with or
// without its version, or as "all".
func isOf(item, pkg string) bool {
	name := inspect.StoreName(item)
	version, ok := strings.CutPrefix(name, pkg+"-")
	return pkg == "all" || name == pkg || ok && version != "" && '0' <= version[0] && version[0] <= '9'
}

// Unstable says that a build which was asked for afresh gave other bytes than
// the one before: whatever the images show, the recipe does not decide what
// comes out.
func Unstable(fresh []Fresh) bool {
	for _, f := range fresh {
		if !f.Same && f.Problem == "" {
			return true
		}
	}
	return false
}

// WithFresh adds to the check named rebuild what building again has shown. A
// build that gave other bytes makes it a fail; one that could not be done is
// worth a note.
func WithFresh(c check.Check, fresh []Fresh) check.Check {
	for _, f := range fresh {
		switch {
		case f.Problem != "":
			c.Findings = append(c.Findings, check.Find(check.Note, -1, f.Derivation, "rebuild/fresh-build-not-done", "error", f.Problem))
		case !f.Same:
			c.Findings = append(c.Findings, check.Find(check.Problem, -1, f.Derivation, "rebuild/fresh-build-differs", "paths", f.Differences))
		}
	}
	if Unstable(fresh) {
		c.Status = check.Fail
		c.Reasons = slices.Insert(slices.Clone(c.Reasons), 0, check.Say("rebuild/unstable"))
	}
	return c
}

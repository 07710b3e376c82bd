package inspect

import (
	"audit/inspect/check"
	"fmt"
	"slices"
	"strings"
)

// maxAlike bounds how many findings of one rule a layer can have.
const maxAlike = 100

// An oddList gathers findings about entries, of each rule at most maxAlike.
type oddList struct {
	found []check.Finding
	count map[string]int
}

func (o *oddList) add(level check.Level, rule string, layer int, path, format string, args ...any) {
	if o.count == nil {
		o.count = make(map[string]int)
	}
	if o.count[rule]++; o.count[rule] > maxAlike {
		return
	}
	o.found = append(o.found, check.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Words: fmt.Sprintf(format, args...)})
}

// all returns the findings, and how many were left out.
func (o *oddList) all() []check.Finding {
	for i, f := range slices.Backward(o.found) {
		if more := o.count[f.Rule] - maxAlike; more > 0 {
			o.found[i].Words += fmt.Sprintf(" (and %d entries more)", more)
			o.count[f.Rule] = 0
		}
	}
	return o.found
}

// oddEntries lists entries that one tool reads otherwise than another.
func (l *Layer) oddEntries() []check.Finding {
	var odd oddList
	seen := make(map[string]bool, len(l.Entries))
	for i := range l.Entries {
		e := &l.Entries[i]
		if hasDotDot(e.Name) {
			odd.add(check.Problem, "unsafe-name", l.Index, e.Path, "the name %q leads upwards", e.Name)
		}
		if strings.HasPrefix(e.Name, "/") {
			odd.add(check.Note, "absolute-name", l.Index, e.Path, "the name %q is absolute: engines take it as relative to the root of the image", e.Name)
		}
		if seen[e.Path] && e.Type != '5' {
			odd.add(check.Note, "duplicate-entry", l.Index, e.Path, "the layer has this entry more than once; the last one is seen by a container")
		}
		if _, base := splitPath(e.Path); strings.HasPrefix(base, whiteoutPrefix) && !isName(base[len(whiteoutPrefix):]) {
			odd.add(check.Problem, "odd-whiteout", l.Index, e.Path, "it deletes nothing that has a name: some engines refuse it, others delete the folder that it is in")
		}
		seen[e.Path] = true
	}
	return odd.all()
}

// deadLinks lists hard links whose target is no entry before them, in their
// layer or in a lower one: no engine can make them.
func (img *Image) deadLinks() []check.Finding {
	if !img.hasHardLinks() {
		return nil
	}
	var odd oddList
	seen := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := &l.Entries[i]
			if e.Type == '1' && !seen[cleanPath(e.Linkname)] {
				odd.add(check.Problem, "dead-hard-link", l.Index, e.Path, "it is a hard link to %q, and there is no such file before it", e.Linkname)
			}
			seen[e.Path] = true
		}
	}
	return odd.all()
}

func (img *Image) hasHardLinks() bool {
	for _, l := range img.Layers {
		if slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Type == '1' }) {
			return true
		}
	}
	return false
}

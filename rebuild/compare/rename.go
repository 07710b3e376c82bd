package compare

import (
	"slices"

	"audit/inspect"
	"audit/inspect/check"
)

// renamedFile is the code of a file that lies in the rebuild under another name.
const renamedFile = "difference/renamed"

// RenamedTo is the path in the rebuild of the file that only the original has under
// its own, "" for all other differences.
func (d *Difference) RenamedTo() string {
	for _, m := range d.Evidence {
		if m.Code == renamedFile {
			return m.Args.String("to")
		}
	}
	return ""
}

// renames makes one difference of two where a file that only the original has, and
// one that only the rebuild has, are the same but for the name. The differences are
// sorted; of several of the same content the first goes with the first.
func (w *walk) renames() {
	if len(w.out.Differences) == 0 {
		return
	}
	extra := make(map[string][]int) // by what the file is
	for i, d := range w.out.Differences {
		if d.Cause == Extra && d.isRenamable() {
			extra[d.Now] = append(extra[d.Now], i)
		}
	}
	dropped := make(map[int]bool)
	for i := range w.out.Differences {
		d := &w.out.Differences[i]
		if d.Cause != Missing || !d.isRenamable() || len(extra[d.Was]) == 0 {
			continue
		}
		other := extra[d.Was][0]
		extra[d.Was] = extra[d.Was][1:]
		dropped[other] = true
		d.Now = w.out.Differences[other].Now
		d.Evidence = append(d.Evidence, check.Say(renamedFile, "to", w.out.Differences[other].Path))
	}
	kept := w.out.Differences[:0]
	for i, d := range w.out.Differences {
		if !dropped[i] {
			kept = append(kept, d)
		}
	}
	w.out.Differences = slices.Clip(kept)
}

// isRenamable says whether a difference is about one regular file with a content,
// that nothing explains and that lends no rights.
func (d *Difference) isRenamable() bool {
	return d.file && d.Known == "" && !d.Privileged && len(d.Evidence) == 0
}

// isFileWithContent says whether an entry is a regular file whose content, which is
// not empty, has a known digest.
func isFileWithContent(e *inspect.Entry) bool {
	return kind(e) == file && e.Size > 0 && !e.Digest.IsZero() && whiteout(e.Path) == ""
}

package compare

import (
	"fmt"
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
	extra := make(map[fileState][]int)
	for i, d := range w.out.Differences {
		if d.Cause == Extra && d.isRenamable() {
			extra[d.file] = append(extra[d.file], i)
		}
	}
	dropped := make(map[int]bool)
	for i := range w.out.Differences {
		d := &w.out.Differences[i]
		if d.Cause != Missing || !d.isRenamable() || len(extra[d.file]) == 0 {
			continue
		}
		other := extra[d.file][0]
		extra[d.file] = extra[d.file][1:]
		dropped[other] = true
		to := w.out.Differences[other].Path
		d.Evidence = append(d.Evidence, check.Say(renamedFile, "to", to, "file", Argument(d.Was)))
		d.Cause, d.Was, d.Now = Renamed, Text(nameText(d.Path)), Text(nameText(to))
	}
	kept := w.out.Differences[:0]
	for i, d := range w.out.Differences {
		if !dropped[i] {
			kept = append(kept, d)
		}
	}
	w.out.Differences = slices.Clip(kept)
	w.folderRenames()
}

// isRenamable says whether a difference is about one regular file with a content,
// that nothing explains and that lends no rights.
func (d *Difference) isRenamable() bool {
	return d.file != fileState{} && d.Known == "" && !d.Privileged && len(d.Evidence) == 0
}

// A fileState is what a regular file is beside its name and times. The zero value
// is for all that has no content, or one whose digest is not known.
type fileState struct {
	digest inspect.Sum
	size   int64
	mode   uint16
	owner  Text
	xattrs string
}

func stateOf(e *inspect.Entry) fileState {
	if kind(e) != file || e.Size == 0 || e.Digest.IsZero() || isWhiteout(e.Path) {
		return fileState{}
	}
	state := fileState{digest: e.Digest, size: e.Size, mode: e.Mode, owner: ownerText(e)}
	if xattrs := e.Attr().Xattrs; len(xattrs) > 0 {
		state.xattrs = fmt.Sprintf("%q", xattrs)
	}
	return state
}

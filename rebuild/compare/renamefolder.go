package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
)

// renamedFolder is the code of a folder that lies in the rebuild under another name.
const renamedFolder = "difference/renamed-folder"

// A Rename is one file or folder that has another path in the rebuild.
type Rename struct{ From, To string }

// Renames are the files and folders that a difference of another name is about: one
// file, or what moved with a folder. Nil for all other differences.
func (d *Difference) Renames() []Rename {
	for _, m := range d.Evidence {
		switch m.Code {
		case renamedFile:
			return []Rename{{d.Path, m.Args.String("to")}}
		case renamedFolder:
			var all []Rename
			for _, name := range m.Args.Strings("names") {
				all = append(all, Rename{below(d.Path, name), below(m.Args.String("to"), name)})
			}
			return all
		}
	}
	return nil
}

// FolderTo is the path in the rebuild of a folder that has another name there, "" for all
// other differences.
func (d *Difference) FolderTo() string {
	for _, m := range d.Evidence {
		if m.Code == renamedFolder {
			return m.Args.String("to")
		}
	}
	return ""
}

// below is the path of something in a folder, "" for the folder itself.
func below(folder, name string) string {
	if name == "" {
		return folder
	}
	return folder + "/" + name
}

// Bounds on looking for folders that were renamed.
const (
	maxRenameDepth = 64 // folders of a path that are tried
	maxRenameWork  = 4  // times each difference may be looked at
)

// folderRenames makes one difference of those of a folder where most of what is in it,
// two files at least, has the same path below another folder of the rebuild: that
// folder is new there, and the old one is gone.
func (w *walk) folderRenames() {
	groups := make(map[Rename]int) // files
	for i := range w.out.Differences {
		if d := &w.out.Differences[i]; d.RenamedTo() != "" {
			if r, ok := w.folderOf(d.Path, d.RenamedTo()); ok {
				groups[r]++
			}
		}
	}
	maps.DeleteFunc(groups, func(_ Rename, n int) bool { return n < 2 })
	if len(groups) == 0 {
		return
	}
	f := newFolderFinder(w.out.Differences)
	for _, r := range slices.SortedFunc(maps.Keys(groups), func(x, y Rename) int {
		return cmp.Or(strings.Compare(x.From, y.From), strings.Compare(x.To, y.To))
	}) {
		f.collapse(r)
	}
	w.out.Differences = slices.DeleteFunc(w.out.Differences, func(d Difference) bool { return d.absorbed })
	w.out.sort()
}

// folderOf returns the topmost folders that a renamed file went from and to, where the
// first is not in the rebuild and the second not in the original.
func (w *walk) folderOf(from, to string) (r Rename, ok bool) {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	same := 0
	for same < min(len(a), len(b)) && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	for n := same; n > max(0, same-maxRenameDepth); n-- {
		r = Rename{strings.Join(a[:len(a)-n], "/"), strings.Join(b[:len(b)-n], "/")}
		if r.From == "" || r.To == "" || isBelow(r.From, r.To) || isBelow(r.To, r.From) {
			continue
		}
		if !hasFolder(w.b.img.Root(), r.From) && !hasFolder(w.a.img.Root(), r.To) {
			return r, true
		}
	}
	return r, false
}

// hasFolder says whether a root file system has a path, or anything below it.
func hasFolder(root *inspect.Root, path string) bool {
	i, ok := root.Search(path)
	return ok || i < root.Len() && isBelow(root.File(i).Path, path)
}

// A folderFinder finds all differences of a folder.
type folderFinder struct {
	all    []Difference
	byPath []int    // positions, sorted by path
	paths  []string // of these
	work   int      // differences that may still be looked at
}

func newFolderFinder(all []Difference) *folderFinder {
	f := &folderFinder{all: all, work: maxRenameWork * len(all)}
	for i := range all {
		f.byPath = append(f.byPath, i)
	}
	slices.SortStableFunc(f.byPath, func(x, y int) int { return strings.Compare(all[x].Path, all[y].Path) })
	for _, i := range f.byPath {
		f.paths = append(f.paths, all[i].Path)
	}
	return f
}

// of returns the differences of a folder by their path in it, "" for its own; ok is
// false when a path has several, or there are too many of them.
func (f *folderFinder) of(folder string) (found map[string]*Difference, ok bool) {
	found, ok = make(map[string]*Difference), true
	add := func(i int) bool {
		name := strings.TrimPrefix(f.paths[i][len(folder):], "/")
		f.work--
		if f.work < 0 || found[name] != nil {
			return false
		}
		found[name] = &f.all[f.byPath[i]]
		return true
	}
	for i, _ := slices.BinarySearch(f.paths, folder); ok && i < len(f.paths) && f.paths[i] == folder; i++ {
		ok = add(i)
	}
	for i, _ := slices.BinarySearch(f.paths, folder+"/"); ok && i < len(f.paths) && isBelow(f.paths[i], folder); i++ {
		ok = add(i)
	}
	return found, ok
}

// collapse makes one difference of those of a folder that moved alike: most of them. What
// else differs in it stays a difference of its own.
func (f *folderFinder) collapse(r Rename) {
	gone, okGone := f.of(r.From)
	come, okCome := f.of(r.To)
	if !okGone || !okCome {
		return
	}
	files := 0
	var names []string // of what moved
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		d, other := gone[name], come[name]
		switch {
		case d.absorbed:
			return
		case len(names) > 0 && d.Layer != gone[names[0]].Layer:
		case DecidesAccess(d.Path), DecidesAccess(below(r.To, name)): // a difference of its own
		case d.RenamedTo() == below(r.To, name):
			files++
			names = append(names, name)
		case other != nil && !other.absorbed && isSameElsewhere(d, other):
			names = append(names, name)
		}
	}
	if files < 2 || 2*len(names) <= len(gone) {
		return
	}
	others := len(gone) + len(come)
	for _, name := range names {
		others--
		gone[name].absorbed = true
		if come[name] != nil {
			others--
			come[name].absorbed = true
		}
	}
	first := gone[names[0]]
	*first = Difference{Path: r.From, Layer: first.Layer, Cause: Renamed, Was: Text(nameText(r.From)), Now: Text(nameText(r.To)), folder: true,
		Evidence: evidence(renamedFolder, "to", r.To, "files", files, "names", names, "others", others)}
}

// isSameElsewhere says whether what only the original has and what only the rebuild has
// are the same but for name and time: folders, symlinks, and files without a content.
func isSameElsewhere(was, now *Difference) bool {
	a, okA := was.Was.(wholeEntry)
	b, okB := now.Now.(wholeEntry)
	if was.Cause != Missing || now.Cause != Extra || !okA || !okB || was.Known+now.Known != "" ||
		was.Privileged || now.Privileged || len(was.Evidence)+len(now.Evidence) > 0 {
		return false
	}
	moved := *b.Entry
	moved.ModTime, moved.ModNanos = a.ModTime, a.ModNanos
	return kind(a.Entry) != hardLink && !isWhiteout(a.Path) && alike(a.Entry, &moved)
}

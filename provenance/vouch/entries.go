package vouch

import (
	"maps"
	"path"

	"audit/inspect"
)

// Entries finds the words on the entries of layers, for checks that go through these.
type Entries struct {
	table   *Table
	folders map[string]bool // that lead to a file with a word of signed packages, or to a folder that is explained
}

// Entries looks for the folders that lead to files with a word of signed packages.
func (t *Table) Entries() *Entries {
	s := &Entries{t, make(map[string]bool)}
	root := t.img.Root()
	for i, n := range t.of {
		if n == aFolder || n >= 0 && !t.words[n].ofPackages() {
			continue
		}
		for dir := path.Dir(root.File(i).Path); !s.folders[dir]; dir = path.Dir(dir) {
			s.folders[dir] = true
		}
	}
	return s
}

// ofPackages says whether what is signed speaks for a file, or a rule by which it comes
// from that.
func (w Word) ofPackages() bool {
	return w.IsSigned() || w.Kind == Instruction && w.Rule != ""
}

// HasRights says whether a word is about the rights that a file gives too, such as setuid,
// and not about its content alone.
func (w Word) HasRights() bool {
	return w.Kind == Rebuilt || w.Kind == Signed || w.Kind == Made && (w.Rule == "device" || w.Rule == "mode-by-script")
}

// Of returns what speaks for an entry that containers see, of what is signed or made from
// it; a folder is explained itself, or, where everybody may read and root alone write it, by
// what it leads to. False is for any other.
func (s *Entries) Of(e *inspect.Entry) (Word, bool) {
	root := s.table.img.Root()
	i, ok := root.Search(e.Path)
	if e.Type == '5' {
		return Word{Kind: Made, Rule: "folder"}, isPlain(e) && s.folders[e.Path] || ok && isLike(e, root.File(i)) && s.table.Explains(root.File(i))
	}
	if !ok || root.File(i).Entry != e {
		return Word{}, false
	}
	w, ok := s.table.At(i)
	return w, ok && w.ofPackages()
}

// isPlain says whether everybody may read a folder, and root alone write it.
func isPlain(e *inspect.Entry) bool {
	a := e.Attr()
	return a.UID == 0 && a.GID == 0 && e.Mode&0o7777 == 0o755 && len(a.Xattrs) == 0
}

// isLike says whether an entry gives a folder the mode and owner that it has in the end.
func isLike(e *inspect.Entry, f inspect.File) bool {
	a, b := e.Attr(), f.Inode.Header.Attr()
	return e.Mode == f.Inode.Header.Mode && a.UID == b.UID && a.GID == b.GID && maps.Equal(a.Xattrs, b.Xattrs)
}

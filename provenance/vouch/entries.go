package vouch

import (
	"path"

	"audit/inspect"
)

// Entries finds the words on the entries of layers, for checks that go through these.
type Entries struct {
	table   *Table
	folders map[string]bool // that lead to a file with a word of signed packages
}

// Entries looks for the folders that lead to files with a word of signed packages.
func (t *Table) Entries() *Entries {
	s := &Entries{t, make(map[string]bool)}
	for f, w := range t.Rows() {
		if !w.ofPackages() {
			continue
		}
		for dir := path.Dir(f.Path); !s.folders[dir]; dir = path.Dir(dir) {
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
// it; a folder that everybody may read, and root alone write, has the word of what it
// leads to. False is for any other.
func (s *Entries) Of(e *inspect.Entry) (Word, bool) {
	if e.Type == '5' {
		a := e.Attr()
		plain := a.UID == 0 && a.GID == 0 && e.Mode&0o7777 == 0o755 && len(a.Xattrs) == 0
		return Word{Kind: Made, Rule: "folder"}, plain && s.folders[e.Path]
	}
	i, ok := s.table.img.Root().Search(e.Path)
	if !ok || s.table.img.Root().File(i).Entry != e {
		return Word{}, false
	}
	w, ok := s.table.At(i)
	return w, ok && w.ofPackages()
}

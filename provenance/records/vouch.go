package records

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/paths"
	"audit/provenance/vouch"
)

// maxListed bounds the findings alike about a layer.
const maxListed = 100

// Vouch adds a word on each file that has the digest which a record has of it, and
// returns what is otherwise. A record is signed by nobody, and who installs software
// may change its files: one that differs is undecided, and only where nothing else
// has a word on its content. A store item and a package of a distribution have their
// own.
//
// Notes list the files in a folder of packages that no record has, or how many there
// are where packages have no lists of their files.
func (all *All) Vouch(t *vouch.Table) []check.Finding {
	list := check.List{Max: maxListed, Notes: maxListed}
	for file, word := range t.Rows() {
		c, ok := all.claims[file.Path]
		if !ok {
			continue
		}
		of := &all.Components[c.component]
		switch {
		case c.standing == Agrees && file.Inode.Header.Mode&0o6000 == 0: // no record knows of modes
			t.Vouch(file.Path, vouch.Word{Kind: vouch.Recorded, By: of.Title()})
		case c.standing == Differs && !hasContent(word) && !all.isStored(file):
			list.Undecided(file.Layer, file.Path, "closure/record-differs", "package", check.Brief(of.Title()), "digest", c.recorded.String())
		}
	}
	for i := range all.Components {
		c := &all.Components[i]
		if c.Signed && c.In < 0 {
			list.Note(c.At.Layer, c.At.Path, "records/signature-unread", "package", check.Brief(c.Title()))
		}
		if c.Uncompared > 0 {
			list.Note(c.At.Layer, c.At.Path, "records/digest-uncompared", "package", check.Brief(c.Title()), "files", c.Uncompared)
		}
		if c.Missing > 0 {
			list.Note(c.At.Layer, c.At.Path, "records/file-missing", "package", check.Brief(c.Title()), "files", c.Missing, "listed", c.Missing+c.Agree+c.Differ+c.Uncompared)
		}
	}
	all.strays(t, &list)
	return list.Sorted()
}

// Unread notes which records could not be read, or not in full: of the files that they may
// have nothing is said.
func (all *All) Unread() []check.Finding {
	list := check.List{Max: maxListed, Notes: maxListed}
	for _, p := range all.Problems {
		if strings.HasPrefix(p.Code, "records/") {
			list.Append(check.Finding{Message: p.Message, Level: check.Note, Layer: p.Layer, Path: p.Path})
		}
	}
	return list.Sorted()
}

// Conclude adds what records say to the check named closure: a file that is not what the
// record of its package has cannot be called explained.
func Conclude(closure check.Check, findings []check.Finding) check.Check {
	if len(findings) == 0 {
		return closure
	}
	differ := 0
	for _, f := range findings {
		if f.Level == check.Undecided {
			more, _ := f.Args["more"].(int64)
			differ += 1 + int(more)
		}
	}
	closure.Findings = append(slices.Clone(closure.Findings), findings...)
	if differ == 0 {
		return closure
	}
	why := check.Say("closure/records-differ", "count", differ)
	if closure.Status == check.Pass {
		closure.Status = check.Unknown
		closure.Reasons = append([]check.Message{why}, closure.Reasons...)
	} else {
		closure.Reasons = append(slices.Clone(closure.Reasons), why)
	}
	return closure
}

// hasContent says whether a word is about the content of its file.
func hasContent(w vouch.Word) bool { return w.Kind != vouch.Nobody && w.Kind != vouch.Instruction }

func (all *All) isStored(file inspect.File) bool { return all.img.Stores.InItem(file.Path) }

// strays adds the files in folders of packages that no record lists and nothing else
// has a word on.
func (all *All) strays(t *vouch.Table, list *check.List) {
	folders := make([]string, 0, len(all.places))
	for folder := range all.places {
		folders = append(folders, folder)
	}
	slices.SortFunc(folders, paths.Compare)
	described := all.described()
	unknown := make(map[string]int) // files that may be of a package without a list, by folder
	var in []string                 // folders that the file lies in
	for file, word := range t.Rows() {
		for len(folders) > 0 && paths.Compare(folders[0], file.Path) <= 0 {
			in = append(within(in, folders[0]), folders[0])
			folders = folders[1:]
		}
		if in = within(in, file.Path); len(in) == 0 || hasContent(word) || all.isListed(file.Path) || described[path.Dir(file.Path)] && isRecord(file.Path) || all.isStored(file) {
			continue
		}
		folder := in[len(in)-1]
		if all.places[folder].placed {
			unknown[folder]++
			continue
		}
		list.Note(file.Layer, file.Path, "records/unlisted-file", "ecosystem", string(all.places[folder].ecosystem), "folder", folder)
	}
	for folder, n := range unknown {
		list.Note(-1, folder, "records/no-file-list", "ecosystem", string(all.places[folder].ecosystem), "files", n)
	}
}

// within removes from a path of folders in each other those that p does not lie in.
func within(in []string, p string) []string {
	for len(in) > 0 {
		if folder := in[len(in)-1]; folder == "." || strings.HasPrefix(p, folder+"/") {
			break
		}
		in = in[:len(in)-1]
	}
	return in
}

// described are the folders with what describes a package, or with a record that could not
// be read: other records may lie beside it. Elsewhere a file of that name is none.
func (all *All) described() map[string]bool {
	folders := make(map[string]bool)
	for i := range all.Components {
		folders[path.Dir(all.Components[i].At.Path)] = true
	}
	for _, p := range all.Problems {
		folders[path.Dir(p.Path)] = true
	}
	return folders
}

// isListed says whether a record has a file, or has the source that Python compiled it
// from, or whether it is of conda itself or the lock of npm, which none can have.
func (all *All) isListed(p string) bool {
	if _, ok := all.claims[p]; ok || isNpmLock(p) || path.Base(path.Dir(p)) == "conda-meta" {
		return true
	}
	stem, ok := strings.CutSuffix(p, ".pyc")
	if !ok {
		return false
	}
	if dir, base := path.Split(stem); strings.HasSuffix(dir, "/__pycache__/") {
		base, _, _ = strings.Cut(base, ".")
		stem = strings.TrimSuffix(dir, "__pycache__/") + base
	}
	_, ok = all.claims[stem+".py"]
	return ok
}

package locks

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/records"
	"audit/provenance/vouch"
)

// ownFiles are the files of one's own, of which an image can have a million.
type ownFiles struct {
	listed []bool         // of each file of the root file system, whether it is one
	known  map[int]remark // of some of them, by their places there
}

// A remark is what is known of a file that nothing accounts for.
type remark struct {
	why     string // "" for nothing
	changed bool   // a package or a record has other bytes
	made    bool   // a rule of signed packages explains it
}

// An ownFile is a file of one's own.
type ownFile struct {
	inspect.File
	remark
}

// A ledger says of each file what accounts for it.
type ledger struct {
	Source
	locked    map[string]bool             // packages and components that are in a lock
	standings map[*inspect.Entry]standing // of entries that package databases know of
	records   map[string]string           // the components that a file describes, by its path
	folders   map[string]string           // components without a digest of their files, by folder
	table     *vouch.Table                // with the words of records
	differs   map[string]string           // components whose record has another digest, by the file's path
}

// measure finds the files of one's own and adds up the others. Words are what is known of
// files from signed packages, nil where none were verified.
func (r *Recipe) measure(words *vouch.Table) {
	s := r.source
	r.own.known = make(map[int]remark)
	l := newLedger(s, r.Locks)
	root := s.Image.Root()
	r.own.listed = make([]bool, root.Len())
	for i := range root.Len() {
		word, ok := l.table.At(i)
		if !ok {
			continue
		}
		f, bytes := root.File(i), int64(0)
		if names := f.Inode.Links; len(names) == 0 || names[0] == f.Path {
			bytes = vouch.Content(f)
		}
		r.Share.Total += bytes
		var spoken vouch.Word
		if words != nil {
			spoken, _ = words.At(i)
		}
		switch why := l.standings[f.Entry]; {
		case f.Layer < s.BaseLayers:
			r.Share.Bytes += bytes
			r.Share.Base += bytes
		case spoken.Kind == vouch.Nobody, spoken.Kind == vouch.Differs:
			r.add(i, remark{cmp.Or(why.words(), l.hint(f)), spoken.Kind == vouch.Differs || why == changed, false}, bytes)
		case spoken.Kind == vouch.Made:
			r.Share.Bytes += bytes
			r.mark(i, remark{why: fmt.Sprintf("%s, made again by the rule %s", check.Brief(spoken.By), spoken.Rule), made: true})
		case spoken.Kind == vouch.Instruction && spoken.Rule != "":
			r.mark(i, remark{why: fmt.Sprintf("%s, by the rule %s, which proves nothing of its content", check.Brief(spoken.By), spoken.Rule), made: true})
		case spoken.Kind == vouch.Signed, spoken.Kind == vouch.Rebuilt, why == packaged, why == unknown && s.Installed.State(f.Path), word.Kind == vouch.Recorded && l.locked[word.By], l.locked[l.records[f.Path]]:
			r.Share.Bytes += bytes
		case word.Kind == vouch.Recorded:
			r.add(i, remark{why: "of " + check.Brief(word.By) + ", which is in no lock"}, bytes)
		default:
			r.add(i, remark{cmp.Or(why.words(), l.hint(f)), why == changed || l.differs[f.Path] != "", false}, bytes)
		}
	}
}

// add counts a file as one of one's own.
func (r *Recipe) add(i int, known remark, bytes int64) {
	r.mark(i, known)
	r.Share.Own++
	r.Share.OwnBytes += bytes
}

// mark lists a file.
func (r *Recipe) mark(i int, known remark) {
	r.own.listed[i] = true
	if known != (remark{}) {
		r.own.known[i] = known
	}
}

func newLedger(s Source, locks []Lock) *ledger {
	l := &ledger{s, make(map[string]bool), make(map[*inspect.Entry]standing), make(map[string]string), make(map[string]string), vouch.New(s.Image), make(map[string]string)}
	for _, f := range s.Records.Vouch(l.table) {
		if f.Code == "closure/record-differs" {
			l.differs[f.Path] = f.Args.String("package")
		}
	}
	for _, lock := range locks {
		for _, title := range lock.titles {
			l.locked[title] = true
		}
	}
	for _, c := range s.Records.Components {
		l.records[c.At.Path] = c.Title()
		if c.Ecosystem == records.Python && path.Base(c.At.Path) == "METADATA" {
			l.records[path.Join(path.Dir(c.At.Path), "RECORD")] = c.Title()
		}
		switch {
		case c.Ecosystem == records.EasyBuild:
			l.folders[path.Dir(path.Dir(c.At.Path))] = c.Title()
		case c.Agree+c.Differ == 0 && (c.Ecosystem == records.Npm || c.Ecosystem == records.R):
			l.folders[path.Dir(c.At.Path)] = c.Title()
		}
	}
	l.databases()
	return l
}

// maxLevels bounds how far above a file the folder of its package is looked for.
const maxLevels = 64

// hint is what is known of a file that nothing accounts for.
func (l *ledger) hint(f inspect.File) string {
	if title, ok := l.differs[f.Path]; ok {
		return "the record of " + check.Brief(title) + " has another digest"
	}
	if path.Dir(f.Path) == aptLists {
		return "a list of the archive"
	}
	if stem, ok := strings.CutSuffix(f.Path, ".pyc"); ok {
		dir, base := path.Split(stem)
		base, _, _ = strings.Cut(base, ".")
		source, ok := l.Image.Root().Lookup(strings.TrimSuffix(dir, "__pycache__/") + base + ".py")
		if word, _ := l.table.Word(source.Path); ok && (l.standings[source.Entry] == packaged || word.Kind == vouch.Recorded) {
			return "named like what Python compiles from a file of a package"
		}
	}
	dir := path.Dir(f.Path)
	for level := 0; level < maxLevels && dir != "." && len(l.folders) > 0; level++ {
		if title, ok := l.folders[dir]; ok {
			return "in the folder of " + check.Brief(title) + ", which has no list of its files"
		}
		dir = path.Dir(dir)
	}
	return ""
}

// A standing is what package databases say of a file.
type standing int

const (
	unknown  standing = iota // nothing
	packaged                 // it is as its package has it, as far as that has a record
	changed                  // its package has other bytes
	config                   // likewise, and expects that
)

func (s standing) words() string {
	switch s {
	case changed:
		return "its package has other bytes"
	case config:
		return "configuration of a package, changed"
	}
	return ""
}

// databases notes what package databases say of entries.
func (l *ledger) databases() {
	for _, layer := range l.Image.Layers {
		for index, e := range layer.Entries {
			if e.Type == '5' {
				continue
			}
			switch l.Installed.Compare(layer.Index, index).Standing {
			case ospackages.Changed:
				l.standings[e] = changed
			case ospackages.Config, ospackages.Made, ospackages.Diverted:
				l.standings[e] = config
			default:
				if p, _ := l.Installed.Owner(e.Path); p != nil && l.locked[titleOf(p)] {
					l.standings[e] = packaged
				}
			}
		}
	}
}

// titleOf names a package of a package manager as no other is named.
func titleOf(p *ospackages.Package) string {
	return strings.Join([]string{string(p.Manager), p.Name, p.Version, p.Arch}, "\x00")
}

// ownFiles lists the files of one's own: those that somebody changed, those of which
// nothing is known, those of which something is, then links and the like. Apart from them
// stand those that signed packages explain, and do not contain.
func (r *Recipe) ownFiles() provenance.File {
	var changed, files, known, others, made strings.Builder
	for i, listed := range r.own.listed {
		if !listed {
			continue
		}
		f := ownFile{r.source.Image.Root().File(i), r.own.known[i]}
		switch {
		case f.made:
			made.WriteString(f.line())
		case f.Inode.Type != '0':
			others.WriteString(f.line())
		case f.changed:
			changed.WriteString(f.line())
		case f.why != "":
			known.WriteString(f.line())
		default:
			files.WriteString(f.line())
		}
	}
	const head = "# files.txt: files and links that no package in a lock has, or has otherwise. No recipe says\n" +
		"# how to make them. SHA-256, bytes, mode, owner and group, layer, path; a path with other\n" +
		"# characters than most is in quotes.\n"
	text := head + changed.String() + files.String() + known.String() + others.String()
	if made.Len() > 0 {
		text += "# What follows was made of signed packages when they were installed, and is no file of one's own.\n" + made.String()
	}
	return provenance.File{Name: "files.txt", Text: []byte(text)}
}

// line is one of files.txt.
func (f ownFile) line() string {
	digest := "-"
	if f.Inode.Type == '0' {
		digest = f.Inode.Digest.String()
	}
	owner := f.Inode.Header.Attr()
	line := fmt.Sprintf("%s %d %04o %d:%d %d %s", digest, vouch.Content(f.File), f.Inode.Header.Mode, owner.UID, owner.GID, f.Layer, quoted(f.Path))
	switch f.Inode.Type {
	case '0':
	case '2':
		line += " -> " + quoted(f.Inode.Linkname)
	default:
		line += " # " + provenance.KindOf(f.Inode.Entry)
	}
	if f.why != "" {
		line += " # " + f.why
	}
	return line + "\n"
}

// quoted is a path as it is, or in quotes where it has characters that would be
// misread.
func quoted(p string) string {
	for _, c := range []byte(p) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/._+-@:,=%~", c) >= 0:
		default:
			return strconv.QuoteToASCII(p)
		}
	}
	if p == "" {
		return `""`
	}
	return p
}

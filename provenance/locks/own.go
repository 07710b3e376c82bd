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

// A Share says how much of the files that a container sees a recipe accounts for. What
// has several names is counted once.
type Share struct {
	Bytes   int64 // of files that packages in a lock have, or the base image
	Base    int64 // of these, those of a base image that is known by its layers
	Total   int64 // of all files
	Own     int   // files and links that no package has
	OwnSize int64 // bytes of these
}

// Message says it for people.
func (s Share) Message() check.Message {
	percent := int64(0)
	if s.Total > 0 {
		percent = s.Bytes * 100 / s.Total
	}
	return check.Say("recipe/share", "bytes", s.Bytes, "total", s.Total, "percent", percent, "base", s.Base, "own", s.Own, "own-bytes", s.OwnSize)
}

// ownFiles are the files of one's own, of which an image can have a million: by their
// places in its root file system.
type ownFiles struct {
	places []int32
	why    map[int32]string // what is known of some of them all the same
}

// An ownFile is a file of one's own.
type ownFile struct {
	inspect.File
	why string // "" for nothing
}

// A ledger says of each file what accounts for it.
type ledger struct {
	Source
	locked    map[string]bool             // packages and components that are in a lock
	standings map[*inspect.Entry]standing // of entries that package databases know of
	records   map[string]string           // the components that a file describes, by its path
	folders   map[string]string           // components without a digest of their files, by folder
	table     *vouch.Table                // with the words of records
}

// measure finds the files of one's own and adds up the others.
func (r *Recipe) measure(s Source) {
	r.own.why = make(map[int32]string)
	l := newLedger(s, r.Locks)
	root := s.Image.Root()
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
		switch why := l.standings[f.Entry]; {
		case f.Layer < s.BaseLayers:
			r.Share.Bytes += bytes
			r.Share.Base += bytes
		case why == packaged, why == unknown && s.Installed.State(f.Path), word.Kind == vouch.Recorded && l.locked[word.By], l.locked[l.records[f.Path]]:
			r.Share.Bytes += bytes
		case word.Kind != vouch.Recorded:
			r.own.places = append(r.own.places, int32(i))
			if why := cmp.Or(why.words(), l.hint(f)); why != "" {
				r.own.why[int32(i)] = why
			}
			r.Share.Own++
			r.Share.OwnSize += bytes
		}
	}
}

func newLedger(s Source, locks []Lock) *ledger {
	l := &ledger{s, make(map[string]bool), make(map[*inspect.Entry]standing), make(map[string]string), make(map[string]string), vouch.New(s.Image)}
	s.Records.Vouch(l.table)
	for _, lock := range locks {
		for _, title := range lock.titles {
			l.locked[title] = true
		}
	}
	for _, c := range s.Records.Components {
		l.records[c.At.Path] = c.Title()
		if c.Agree+c.Differ == 0 && (c.Ecosystem == records.Npm || c.Ecosystem == records.R) {
			l.folders[path.Dir(c.At.Path)] = c.Title()
		}
	}
	l.databases()
	return l
}

// hint is what is known of a file that nothing accounts for.
func (l *ledger) hint(f inspect.File) string {
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
	for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
		if title, ok := l.folders[dir]; ok {
			return "in the folder of " + check.Brief(title) + ", which has no list of its files"
		}
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

// titleOf tells a package of a package manager from all others.
func titleOf(p *ospackages.Package) string {
	return strings.Join([]string{string(p.Manager), p.Name, p.Version, p.Arch}, "\x00")
}

// ownFiles lists the files of one's own: those of which nothing is known, then those of
// which something is, then links and the like.
func (r *Recipe) ownFiles() provenance.File {
	var files, known, others strings.Builder
	for _, i := range r.own.places {
		f := ownFile{r.img.Root().File(int(i)), r.own.why[i]}
		switch {
		case f.Inode.Type != '0':
			others.WriteString(f.line())
		case f.why != "":
			known.WriteString(f.line())
		default:
			files.WriteString(f.line())
		}
	}
	const head = "# files.txt: files and links that no package in the image has, or has otherwise. No recipe says\n" +
		"# how to make them. SHA-256, bytes, mode, owner and group, layer, path; a path with other\n" +
		"# characters than most is in quotes.\n"
	return provenance.File{Name: "files.txt", Text: []byte(head + files.String() + known.String() + others.String())}
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

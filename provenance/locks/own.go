package locks

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
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
	percent := int64(100)
	if s.Total > 0 {
		percent = s.Bytes * 100 / s.Total
	}
	return check.Say("recipe/share", "bytes", s.Bytes, "total", s.Total, "percent", percent, "base", s.Base, "own", s.Own, "own-bytes", s.OwnSize)
}

// An ownFile is a file of one's own.
type ownFile struct {
	inspect.File
	why string // what is known of it all the same; "" for nothing
}

// measure finds the files of one's own and adds up the others.
func (r *Recipe) measure(s Source) {
	explained := r.explained(s.Installed)
	locked := make(map[string]bool)
	for _, l := range r.Locks {
		for _, title := range l.titles {
			locked[title] = true
		}
	}
	table := vouch.New(r.img)
	s.Records.Vouch(table)
	for f, word := range table.Rows() {
		var bytes int64
		if names := f.Inode.Links; len(names) == 0 || names[0] == f.Path {
			bytes = vouch.Content(f)
		}
		r.Share.Total += bytes
		switch why := explained[f.Entry]; {
		case f.Layer < s.BaseLayers:
			r.Share.Bytes += bytes
			r.Share.Base += bytes
		case why == packaged, why == unknown && s.Installed.State(f.Path), word.Kind == vouch.Recorded && locked[word.By]:
			r.Share.Bytes += bytes
		case word.Kind != vouch.Recorded:
			r.own = append(r.own, ownFile{f, why.words()})
			r.Share.Own++
			r.Share.OwnSize += bytes
		}
	}
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

// explained returns what package databases say of entries that they know of.
func (r *Recipe) explained(in *ospackages.Installed) map[*inspect.Entry]standing {
	all := make(map[*inspect.Entry]standing)
	for _, l := range r.img.Layers {
		for index, e := range l.Entries {
			if e.Type == '5' {
				continue
			}
			switch in.Compare(l.Index, index).Standing {
			case ospackages.Changed:
				all[e] = changed
			case ospackages.Config, ospackages.Made, ospackages.Diverted:
				all[e] = config
			default:
				if p, _ := in.Owner(e.Path); p != nil {
					all[e] = packaged
				}
			}
		}
	}
	return all
}

// ownFiles lists the files of one's own, then links and the like.
func (r *Recipe) ownFiles() provenance.File {
	var files, others strings.Builder
	for _, f := range r.own {
		if f.Inode.Type == '0' {
			files.WriteString(f.line())
		} else {
			others.WriteString(f.line())
		}
	}
	const head = "# files.txt: files and links that no package in the image has, or has otherwise. No recipe says\n" +
		"# how to make them. SHA-256, bytes, mode, owner and group, layer, path; a path with other\n" +
		"# characters than most is in quotes.\n"
	return provenance.File{Name: "files.txt", Text: []byte(head + files.String() + others.String())}
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
func quoted(path string) string {
	for _, c := range []byte(path) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/._+-@:,=%~", c) >= 0:
		default:
			return strconv.QuoteToASCII(path)
		}
	}
	if path == "" {
		return `""`
	}
	return path
}

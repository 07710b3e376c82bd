package deb

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// A signedIndex is a file of a Release that lists packages.
type signedIndex struct {
	release *Release
	stem    string // its path without the end for the compression
}

// stemOf cuts what names the compression.
func stemOf(name string) string {
	dir, base := path.Split(name)
	base, _, _ = strings.Cut(base, ".")
	return dir + base
}

// readIndexes finds the lists of packages that signed Release files name, by their
// digests, in folders, in the image, and at servers as far as packages are missing.
func (s *session) readIndexes(ctx context.Context) error {
	s.offers = make(map[Name][]offer)
	wanted := make(map[string]bool)
	for _, p := range s.installed {
		wanted[p.Package] = true
	}
	x := &indexes{session: s, signed: make(map[digest.Sum]signedIndex), others: make(map[digest.Sum]*Release), wanted: wanted, done: make(map[signedIndex]bool)}
	for _, r := range s.releases {
		for name, l := range r.Files {
			if isIndex(name) {
				x.signed[l.Sum] = signedIndex{r, stemOf(name)}
			} else if l.Size > 0 {
				x.others[l.Sum] = r
			}
		}
	}
	if err := x.folders(ctx); err != nil {
		return err
	}
	x.image(ctx)
	return x.servers(ctx)
}

// indexes reads the lists of packages.
type indexes struct {
	*session
	signed map[digest.Sum]signedIndex
	others map[digest.Sum]*Release // files of other kinds, such as translations
	wanted map[string]bool
	done   map[signedIndex]bool
	left   int64 // bytes that lists of the image may still unpack to
}

// take notes what a list has when a Release names it, as it is stored or unpacked.
func (x *indexes) take(r io.Reader, most int64) (signedIndex, bool, error) {
	got, err := scanIndex(r, x.wanted, most)
	x.left = max(0, x.left-got.size)
	if err != nil {
		return signedIndex{}, false, err
	}
	at, ok := x.signed[got.stored]
	if !ok {
		at, ok = x.signed[got.plain]
	}
	if !ok || x.done[at] {
		return at, ok, nil
	}
	x.done[at] = true
	for name, listed := range got.found {
		for _, l := range listed {
			x.offers[name] = append(x.offers[name], offer{l, at.release})
		}
	}
	return at, true, nil
}

func (x *indexes) folders(ctx context.Context) error {
	for _, src := range x.Sources {
		if src.IsServer() {
			continue
		}
		for _, name := range src.Files() {
			if !isList(name) {
				continue
			}
			r, err := src.Open(ctx, name, digest.Sum{}, 0)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				x.list.Note(-1, src.String()+"/"+name, "signatures/deb-index-unreadable", "error", err)
				continue
			}
			_, known, err := x.take(r, maxIndex)
			r.Close()
			switch {
			case err != nil:
				x.list.Note(-1, src.String()+"/"+name, "signatures/deb-index-unreadable", "error", err)
			case !known:
				x.list.Note(-1, src.String()+"/"+name, "signatures/deb-index-unsigned")
			}
		}
	}
	return nil
}

// image takes apt's lists. One that is as a Release names it is signed; one that unpacks
// to that was made from it.
func (x *indexes) image(ctx context.Context) {
	var lists, unread []inspect.File
	for _, f := range x.filesIn(aptLists) {
		if f.Inode.Type != '0' || f.Inode.Size == 0 || isRelease(f.Path) || isClear(f.Path) || path.Ext(f.Path) == ".gpg" {
			continue
		}
		if r := x.others[f.Inode.Digest]; r != nil {
			x.say(f, r.word())
			continue
		}
		lists = append(lists, f)
		if at, isSigned := x.signed[f.Inode.Digest]; !isSigned || !x.done[at] {
			unread = append(unread, f)
		}
	}
	x.session.fetch(ctx, unread)
	x.left = maxIndex
	for _, f := range lists {
		if at, isSigned := x.signed[f.Inode.Digest]; isSigned {
			x.say(f, at.release.word())
			if x.done[at] {
				continue
			}
		}
		text, _, ok := x.root.Content(f.Path)
		if !ok {
			continue
		}
		if !isList(f.Path) {
			x.unpacked(f, text)
			continue
		}
		at, known, err := x.take(bytes.NewReader(text), x.left)
		switch {
		case err != nil:
			x.list.Note(f.Layer, f.Path, "signatures/deb-index-unreadable", "error", err)
		case known:
			x.say(f, madeFrom(at.release))
		default:
			x.list.Note(f.Layer, f.Path, "signatures/deb-index-unsigned")
		}
	}
}

// unpacked adds a word on a list of another kind that was compressed again.
func (x *indexes) unpacked(f inspect.File, text []byte) {
	got, err := scanIndex(bytes.NewReader(text), nil, x.left)
	x.left = max(0, x.left-got.size)
	if r := x.others[got.plain]; err == nil && r != nil {
		x.say(f, madeFrom(r))
	}
}

func madeFrom(r *Release) vouch.Word {
	return vouch.Word{Kind: vouch.Made, By: "archive " + r.Name, Keys: r.Keys, Rule: "apt-list"}
}

// servers fetches lists until all that is installed is known, those of the component
// main first.
func (x *indexes) servers(ctx context.Context) error {
	var archs []string
	for _, p := range x.installed {
		if p.Arch != "all" && !slices.Contains(archs, p.Arch) {
			archs = append(archs, p.Arch)
		}
	}
	if len(archs) == 0 {
		archs = []string{"all"}
	}
	for _, r := range x.releases {
		src := x.sourceOf[r]
		if src == nil {
			continue
		}
		components := slices.Clone(r.Components)
		slices.SortStableFunc(components, func(a, b string) int { return rank(a) - rank(b) })
		for _, component := range components {
			for _, arch := range archs {
				if x.complete() {
					return nil
				}
				if err := x.fetch(ctx, r, src, path.Join(path.Base(component), "binary-"+arch, "Packages")); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func rank(component string) int {
	if component == "main" {
		return 0
	}
	return 1
}

// complete says whether all that is installed is listed.
func (x *indexes) complete() bool {
	return !slices.ContainsFunc(x.installed, func(p *installed) bool { return len(x.offers[p.Name]) == 0 })
}

// fetch fetches one list, in the smallest form that there is.
func (x *indexes) fetch(ctx context.Context, r *Release, src *packages.Source, stem string) error {
	if x.done[signedIndex{r, stem}] {
		return nil
	}
	for _, end := range []string{".xz", ".gz", ""} {
		l, ok := r.Files[stem+end]
		if !ok {
			continue
		}
		name := path.Join(r.Folder, stem+end)
		if r.ByHash {
			name = path.Join(r.Folder, path.Dir(stem), "by-hash/SHA256", hex.EncodeToString(l.Sum[:]))
		}
		content, err := src.Open(ctx, name, l.Sum, l.Size)
		if errors.Is(err, packages.ErrAbsent) {
			continue
		}
		if err != nil {
			return err
		}
		defer content.Close()
		_, _, err = x.take(content, maxIndex)
		return err
	}
	return nil
}

// say adds a word on a file of the image, under the name that it was found by.
func (s *session) say(f inspect.File, w vouch.Word) {
	if f.Entry != nil && s.isPlain(f) {
		s.table.Vouch(f.Path, w)
	}
}

// isPlain says whether a file is as files are that only hold data: of root, with no
// more than the right to be read by all, and no attributes. It may be a link.
func (s *session) isPlain(f inspect.File) bool {
	h := f.Inode.Header
	a := h.Attr()
	return (f.Inode.Type == '2' || h.Mode&07777&^0644 == 0) && len(attributes(f)) == 0 && (s.flat || a.UID == 0 && a.GID == 0)
}

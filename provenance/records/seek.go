package records

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/pass"
)

// Keep says whether [Read] needs the content of the file at path. A link may lead to
// records from where they are looked for, so those that have a name of their own are
// kept wherever they are.
func Keep(p string) bool {
	switch path.Base(p) {
	case "METADATA", "PKG-INFO", "DESCRIPTION":
		return true
	}
	return isRecord(p)
}

// isRecord says whether a file at this path is a record of any ecosystem.
func isRecord(p string) bool {
	all := families()
	for i := range all {
		if f := &all[i]; f.describes(p) || f.keeps != nil && f.keeps(p) {
			return true
		}
	}
	return false
}

// Bounds of the bytes of records that are read again.
const (
	maxLinked  = 16 << 20 // of those that have other names
	maxDropped = 96 << 20 // of those that were too many to be kept in the pass
)

// Wanted returns the files whose contents [Read] needs and that were not kept: records
// behind a link that has the name by which they are one, those that were dropped
// (Image.Dropped), and programs of an older Go or of Rust. See [inspect.Complete].
func Wanted(img *inspect.Image) []inspect.File {
	var named, dropped []inspect.File
	s := newSeeker(img)
	s.found = func(at found) {
		if _, _, kept := s.root.Content(at.Path); !kept && at.Inode.Type == '0' && !Keep(at.Inode.Entry.Path) {
			named = append(named, at.File)
		}
	}
	s.seek()
	if len(img.Dropped) > 0 {
		for file := range s.root.Files() {
			if _, _, kept := s.root.Content(file.Path); !kept && file.Inode.Type == '0' && Keep(file.Inode.Entry.Path) {
				dropped = append(dropped, file)
			}
		}
	}
	named, _ = affordable(img, named, maxRecord, maxLinked)
	dropped, _ = affordable(img, dropped, maxRecord, maxDropped)
	whole, _ := wholePrograms(img)
	return slices.Concat(named, dropped, whole)
}

// affordable chooses files to be read again, in their order: those of up to most bytes,
// and no more than fit into room. What another layer has at the same path is read along
// with it, and counts.
func affordable(img *inspect.Image, files []inspect.File, most, room int64) (chosen, left []inspect.File) {
	if len(files) == 0 {
		return nil, nil
	}
	cost := make(map[string]int64, len(files))
	for _, f := range files {
		cost[f.Inode.Path] = 0
	}
	for _, l := range img.Layers {
		for _, e := range l.Entries {
			if n, ok := cost[e.Path]; ok {
				cost[e.Path] = n + e.Size
			}
		}
	}
	for _, f := range files {
		n := cost[f.Inode.Path]
		if f.Inode.Size > most || n > room {
			left = append(left, f)
			continue
		}
		room -= n
		cost[f.Inode.Path] = 0 // another name of it costs no more
		chosen = append(chosen, f)
	}
	return chosen, left
}

// Watch reads along with the pass over an image, for what Go noted in programs and for
// the packages in archives of Java and in tarballs of npm: see Options.Watch of package inspect.
func Watch(e *inspect.Entry) pass.Watcher {
	switch {
	case e.Type == '0' && isJar(e.Path):
		return &jarWatcher{size: e.Size}
	case e.Type == '0' && isTarball(e.Path):
		return &tarWatcher{size: e.Size}
	case e.Type == '0' && isEgg(e.Path):
		return &eggWatcher{jarWatcher{size: e.Size}}
	case isProgram(e):
		return &goWatcher{size: e.Size}
	}
	return nil
}

// A seeker goes through the files of an image for those that describe a package.
type seeker struct {
	root     *inspect.Root
	families [10]family
	listed   map[string]bool         // folders that links lead to, which were looked into
	found    func(at found)          // for each
	dangling func(link inspect.File) // for each link in the place of one that leads nowhere
}

func newSeeker(img *inspect.Image) *seeker {
	return &seeker{root: img.Root(), families: families(), listed: make(map[string]bool), dangling: func(inspect.File) {}}
}

func (s *seeker) seek() {
	for file := range s.root.Files() {
		switch file.Inode.Type {
		case '0', '1':
			if f, ok := s.describes(file.Path); ok {
				s.found(found{file, file.Path, f})
			}
		case '2':
			s.link(file)
		}
	}
}

// describes returns the family for which a file at this path describes a package.
func (s *seeker) describes(p string) (family, bool) {
	for i := range s.families {
		if s.families[i].describes(p) {
			return s.families[i], true
		}
	}
	return family{}, false
}

// link looks at what a symbolic link leads to: a record, the folder of one
// package, or a folder of packages. What lies there under a name by which it is
// found anyway is left to that.
func (s *seeker) link(link inspect.File) {
	if !s.isPackageName(link.Path) {
		return
	}
	folder, isFolder := s.root.FolderPath(link.Path)
	_, isFile := s.root.Lookup(link.Path)
	switch {
	case isFolder && !isLibrary(link.Path):
		s.linkedPackage(link.Path)
	case isFolder && !s.listed[folder]:
		s.listed[folder] = true
		s.linkedLibrary(link.Path)
	case isFolder:
	case isFile:
		s.linked(link.Path)
	default:
		if _, ok := s.describes(link.Path); ok {
			s.dangling(link)
		}
	}
}

// isPackageName says whether a link of this path can stand for a record, for a
// package or for a folder of packages.
func (s *seeker) isPackageName(p string) bool {
	parent := path.Base(path.Dir(p))
	if isLibrary(p) || isLibrary(path.Dir(p)) || strings.HasPrefix(parent, "@") || isMetadataFolder(p) || isMetadataFolder(path.Dir(p)) {
		return true
	}
	_, ok := s.describes(p)
	return ok
}

// isLibrary says whether a folder of this path has packages of a language whose
// own names do not show it.
func isLibrary(p string) bool {
	switch path.Base(p) {
	case "node_modules":
		return true
	}
	return isRLibrary(p)
}

func isMetadataFolder(p string) bool {
	switch path.Ext(p) {
	case ".dist-info", ".egg-info", ".egg":
		return true
	}
	return path.Base(p) == "EGG-INFO"
}

// linkedLibrary looks at the packages in a folder behind a link.
func (s *seeker) linkedLibrary(at string) {
	_, names, _ := s.root.Folder(at)
	for _, name := range names {
		s.linkedPackage(path.Join(at, name))
		if !strings.HasPrefix(name, "@") {
			continue
		}
		folder, ok := s.root.FolderPath(path.Join(at, name))
		if !ok || s.listed[folder] {
			continue
		}
		s.listed[folder] = true
		_, scoped, _ := s.root.Folder(folder)
		for _, one := range scoped {
			s.linkedPackage(path.Join(at, name, one))
		}
	}
}

// linkedPackage looks at the records of a package at a path that a link is part of.
func (s *seeker) linkedPackage(at string) {
	for _, name := range []string{"METADATA", "PKG-INFO", "EGG-INFO/PKG-INFO", "DESCRIPTION", "package.json"} {
		s.linked(path.Join(at, name))
	}
}

// linked finds a record at a path that a link is part of, where it is not to be found
// under its own path.
func (s *seeker) linked(at string) {
	f, ok := s.describes(at)
	if !ok {
		return
	}
	target, ok := s.root.Lookup(at)
	if !ok || target.Inode.Type != '0' {
		return
	}
	if _, own := s.describes(target.Path); !own || IsStore(target.Path) {
		s.found(found{target, at, f})
	}
}

// IsStore says whether a path lies in the cache of uv ("archive-v0" below its folder, uv
// 0.5): what is in an environment can be links to it.
func IsStore(p string) bool { return strings.Contains("/"+p, "/uv/archive-v") }

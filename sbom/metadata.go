package sbom

import (
	"path"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
)

// Keep says whether the bill of an image needs the content of the file at
// path. A link may lead to metadata from where they are looked for, so those that
// have a name of their own are kept wherever they are.
func Keep(p string) bool {
	switch path.Base(p) {
	case "METADATA", "PKG-INFO", "DESCRIPTION":
		return true
	}
	return ospackages.Keep(p) || isCopyright(p) || isPython(p) || isNpm(p)
}

// maxMetadata bounds the metadata of one package: honest ones have some
// kilobytes, and a readme in them.
const maxMetadata = 4 << 20

// A seeker goes through the files of an image for those that describe a package.
type seeker struct {
	root     *inspect.Root
	listed   map[string]bool                      // folders that links lead to, which were looked into
	found    func(file inspect.File, name string) // for each, with a name by which it is one
	dangling func(link inspect.File)              // for each link in the place of one that leads nowhere
}

func newSeeker(img *inspect.Image) *seeker {
	return &seeker{root: img.Root(), listed: make(map[string]bool), dangling: func(inspect.File) {}}
}

// maxWanted bounds the bytes of metadata that have other names.
const maxWanted = 16 << 20

// Wanted returns the files that describe a package and whose contents were not
// kept, since it is a link that has the name by which they do: see
// [inspect.Complete].
func Wanted(img *inspect.Image) []inspect.File {
	var wanted []inspect.File
	room := int64(maxWanted)
	s := newSeeker(img)
	s.found = func(file inspect.File, _ string) {
		_, _, kept := s.root.Content(file.Path)
		if kept || file.Inode.Type != '0' || Keep(file.Inode.Entry.Path) || file.Inode.Size > min(maxMetadata, room) {
			return
		}
		room -= file.Inode.Size
		wanted = append(wanted, file)
	}
	s.seek()
	return wanted
}

func (s *seeker) seek() {
	for file := range s.root.Files() {
		switch file.Inode.Type {
		case '0', '1':
			if describes(file.Path) {
				s.found(file, file.Path)
			}
		case '2':
			s.link(file)
		}
	}
}

// describes says whether a file at this path describes a package.
func describes(p string) bool { return isPython(p) || isR(p) || isNpm(p) }

// link looks at what a symbolic link leads to: metadata, the folder of one
// package, or a folder of packages. What lies there under a name by which it is
// found anyway is left to that.
func (s *seeker) link(link inspect.File) {
	if !isPackageName(link.Path) {
		return
	}
	folder, names, isFolder := s.root.Folder(link.Path)
	_, isFile := s.root.Lookup(link.Path)
	switch {
	case isFolder && !isLibrary(link.Path):
		s.linkedPackage(link.Path)
	case isFolder && !s.listed[folder]:
		s.listed[folder] = true
		s.linkedLibrary(link.Path, names)
	case isFolder:
	case isFile:
		s.linked(link.Path)
	case describes(link.Path):
		s.dangling(link)
	}
}

// isPackageName says whether a link of this path can stand for metadata, for a
// package or for a folder of packages.
func isPackageName(p string) bool {
	parent := path.Base(path.Dir(p))
	return isLibrary(p) || isLibrary(path.Dir(p)) || strings.HasPrefix(parent, "@") ||
		isMetadataFolder(p) || isMetadataFolder(path.Dir(p)) || describes(p)
}

// isLibrary says whether a folder of this path has packages of a language whose
// own names do not show it.
func isLibrary(p string) bool {
	switch path.Base(p) {
	case "node_modules", "library", "site-library":
		return true
	}
	return false
}

func isMetadataFolder(p string) bool {
	switch path.Ext(p) {
	case ".dist-info", ".egg-info", ".egg":
		return true
	}
	return path.Base(p) == "EGG-INFO"
}

// linkedLibrary looks at the packages of these names in a folder behind a link.
func (s *seeker) linkedLibrary(at string, names []string) {
	for _, name := range names {
		s.linkedPackage(path.Join(at, name))
		if !strings.HasPrefix(name, "@") {
			continue
		}
		folder, scoped, _ := s.root.Folder(path.Join(at, name))
		if s.listed[folder] {
			continue
		}
		s.listed[folder] = true
		for _, one := range scoped {
			s.linkedPackage(path.Join(at, name, one))
		}
	}
}

// linkedPackage looks at the metadata of a package at a path that a link is part of.
func (s *seeker) linkedPackage(at string) {
	for _, name := range []string{"METADATA", "PKG-INFO", "EGG-INFO/PKG-INFO", "DESCRIPTION", "package.json"} {
		s.linked(path.Join(at, name))
	}
}

// linked finds metadata at a path that a link is part of, where they are not to be
// found under their own path.
func (s *seeker) linked(at string) {
	if !describes(at) {
		return
	}
	if target, ok := s.root.Lookup(at); ok && target.Inode.Type == '0' && !describes(target.Path) {
		s.found(target, at)
	}
}

// metadata reads all that describes a package.
func (f *finder) metadata() {
	s := newSeeker(f.img)
	s.found = f.describe
	s.dangling = func(link inspect.File) { f.gap(link, check.Say("packages/dangling-link", "target", link.Linkname)) }
	s.seek()
}

// describe reads a file that describes a package by this name.
func (f *finder) describe(file inspect.File, name string) {
	read := f.npm
	switch {
	case isPython(name):
		read = f.python
	case isR(name):
		read = f.r
	}
	body, problem := f.body(file)
	if !problem.IsZero() {
		f.gap(file, problem)
		return
	}
	p, err := read(body)
	if err != nil {
		f.gap(file, check.Say("sbom/metadata-unread", "error", err))
		return
	}
	p.In = f.container(file.Path)
	p.Evidence = []Place{{file.Layer, file.Path}}
	f.add(p)
}

// body returns the content of a file.
func (f *finder) body(file inspect.File) ([]byte, check.Message) {
	body, _, ok := f.img.Root().Content(file.Path)
	switch {
	case !ok:
		return nil, check.Say("packages/content-not-kept")
	case len(body) > maxMetadata:
		return nil, check.Say("sbom/metadata-too-long", "bytes", len(body))
	}
	return body, check.Message{}
}

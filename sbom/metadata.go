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

// reads returns what reads the metadata of a package that a file at this path has;
// nil when it has none.
func (f *finder) reads(p string) func(body []byte) (Part, error) {
	switch {
	case isPython(p):
		return f.python
	case isR(p):
		return f.r
	case isNpm(p):
		return f.npm
	}
	return nil
}

// file looks at a file that may describe a package, or be a link to one that does
// under another name.
func (f *finder) file(file inspect.File) {
	switch file.Inode.Type {
	case '0', '1':
		f.metadata(file, file.Path)
	case '2':
		f.link(file)
	}
}

// link looks at what a symbolic link leads to: metadata, the folder of one
// package, or a folder of packages. What lies there under a name by which it is
// found anyway is left to that.
func (f *finder) link(link inspect.File) {
	if !isPackageName(link.Path) {
		return
	}
	folder, names, isFolder := f.img.Root().Folder(link.Path)
	_, isFile := f.img.Root().Lookup(link.Path)
	switch {
	case isFolder && !isLibrary(link.Path):
		f.linkedPackage(link.Path)
	case isFolder && !f.listed[folder]:
		f.listed[folder] = true
		f.linkedLibrary(link.Path, names)
	case isFolder:
	case isFile:
		f.linked(link.Path)
	case f.reads(link.Path) != nil:
		f.gap(link, check.Say("packages/dangling-link", "target", link.Linkname))
	}
}

// isPackageName says whether a link of this path can stand for metadata, for a
// package or for a folder of packages.
func isPackageName(p string) bool {
	parent := path.Base(path.Dir(p))
	return isLibrary(p) || isLibrary(path.Dir(p)) || strings.HasPrefix(parent, "@") ||
		isMetadataFolder(p) || isMetadataFolder(path.Dir(p)) || isPython(p) || isR(p) || isNpm(p)
}

// isLibrary says whether a folder of this path holds packages of a language whose
// names tell nothing.
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
func (f *finder) linkedLibrary(at string, names []string) {
	for _, name := range names {
		f.linkedPackage(path.Join(at, name))
		if !strings.HasPrefix(name, "@") {
			continue
		}
		folder, scoped, _ := f.img.Root().Folder(path.Join(at, name))
		if f.listed[folder] {
			continue
		}
		f.listed[folder] = true
		for _, one := range scoped {
			f.linkedPackage(path.Join(at, name, one))
		}
	}
}

// linkedPackage looks at the metadata of a package at a path that a link is part of.
func (f *finder) linkedPackage(at string) {
	for _, name := range []string{"METADATA", "PKG-INFO", "EGG-INFO/PKG-INFO", "DESCRIPTION", "package.json"} {
		f.linked(path.Join(at, name))
	}
}

// linked reads metadata at a path that a link is part of, where they are not to be
// found under their own path.
func (f *finder) linked(at string) {
	if f.reads(at) == nil {
		return
	}
	if target, ok := f.img.Root().Lookup(at); ok && target.Inode.Type == '0' && f.reads(target.Path) == nil {
		f.metadata(target, at)
	}
}

// metadata reads a file when its name says that it describes a package.
func (f *finder) metadata(file inspect.File, name string) {
	read := f.reads(name)
	if read == nil {
		return
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

package guix

import (
	"fmt"
	"path"
	"strings"

	"audit/inspect"
	"audit/provenance"
)

// A laid entry is one that the packer makes beside the store items.
type laid struct {
	kind   byte   // the tar type flag
	mode   int64  // of a file or folder
	target string // of a symlink
}

// A layout holds all that a packer lays, by path without leading slash.
type layout map[string]laid

// tarballStoreMode is the mode of /gnu/store in tarballs.
const tarballStoreMode = 0o1775

// newLayout returns what guix pack makes for a call (Guix 1.0 to 1.5, modules
// (guix scripts pack), docker-image, (guix build pack), populate-profile-root,
// and (gnu build install), install-database-and-gc-roots). An era may make less
// of it.
func newLayout(p provenance.Pack) layout {
	l := make(layout)
	l.folder("gnu/store")
	relative := p.Format == formatTarball
	if relative {
		l["."] = laid{kind: '5', mode: 0o755}
		l["gnu/store"] = laid{kind: '5', mode: tarballStoreMode}
	} else {
		l["tmp"] = laid{kind: '5', mode: 0o1777}
	}
	for _, link := range p.Symlinks {
		source := strings.TrimPrefix(link.Source, "/")
		l.folder(path.Dir(source))
		l[source] = laid{kind: '2', target: linkPrefix(source, p.Root, relative) + link.Target}
	}
	if p.Database {
		l.database(p.Root)
	}
	return l
}

// folder lays a folder and those above it.
func (l layout) folder(p string) {
	for ; p != "."; p = path.Dir(p) {
		if _, ok := l[p]; !ok {
			l[p] = laid{kind: '5', mode: 0o755}
		}
	}
}

func (l layout) database(root string) {
	l.folder(path.Dir(databasePath))
	l[databasePath] = laid{kind: '0', mode: 0o644}
	l.folder(path.Dir(profileLink))
	l[profileLink] = laid{kind: '2', target: path.Base(generationLink)}
	l[generationLink] = laid{kind: '2', target: root}
	l.folder("var/guix/gcroots")
	l["var/guix/gcroots/profiles"] = laid{kind: '2', target: "/var/guix/profiles"}
}

// differs says in what the entry is not the one laid, "" when it is the one.
func (l laid) differs(e *inspect.Entry) string {
	switch {
	case e.Type != l.kind:
		return fmt.Sprintf("it is %s, and guix pack lays %s", kindName(e.Type), kindName(l.kind))
	case l.kind == '2' && e.Linkname != l.target:
		return fmt.Sprintf("it leads to %s, and that of guix pack to %s", quote(e.Linkname), quote(l.target))
	case l.kind != '2' && e.Mode != l.mode:
		return fmt.Sprintf("its mode is %04o, and that of guix pack %04o", e.Mode, l.mode)
	}
	return ""
}

// kindName names a tar type flag in a sentence.
func kindName(kind byte) string {
	switch kind {
	case '0':
		return "a file"
	case '1':
		return "a hard link"
	case '2':
		return "a symlink"
	case '3':
		return "a character device"
	case '4':
		return "a block device"
	case '5':
		return "a folder"
	case '6':
		return "a named pipe"
	}
	return fmt.Sprintf("an entry of type %q", kind)
}

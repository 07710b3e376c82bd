package guix

import (
	"cmp"
	"path"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/store"
)

// A Made entry is one that a packer makes beside the store items.
type Made struct {
	Kind   byte   // the tar type flag
	Mode   uint16 // of a file or folder
	Target string // of a symlink
	Empty  bool   // the file has no content
}

// A Layout has all that a packer makes beside the store items, by path without leading slash. Where
// an entry can be one of several, the usual one comes first.
type Layout map[string][]Made

// The modes of what packers make.
const (
	plainMode  = 0o755
	stickyMode = 0o1777
	mountMode  = 0o555  // of the mount points in a squashfs
	openMode   = 0o777  // what mksquashfs gives to folders that it makes up
	storeMode  = 0o1775 // of /gnu/store, where (guix build store-copy) makes it
	baseMode   = 0o644
	engineMode = 0o755 // of the files too, though there is nothing to run in them
)

// NewLayout returns what the packer of a recipe makes. An era may make less of
// it. It follows Guix 1.0 to 1.5: (guix scripts pack), (guix docker),
// (guix build pack), and (gnu build install).
func NewLayout(p Pack) Layout {
	l := make(Layout)
	switch p.Format {
	case formatTarball:
		l.tarball(p)
	case formatSquashfs:
		l.squashfs(p)
	case formatSystem:
		l.system(p)
	case formatFiles:
		l.system(p)
		l.engine()
	case formatExport:
		l.docker(p)
		l.engine()
	case formatLayers, formatUnknown:
		l.tarball(p)
		l.docker(p)
	default:
		l.docker(p)
	}
	return l
}

// add adds an entry, or says what else it can be.
func (l Layout) add(p string, entries ...Made) { l[p] = append(l[p], entries...) }

// folder adds a folder and those above it.
func (l Layout) folder(p string) {
	for ; p != "." && p != "/"; p = path.Dir(p) {
		if _, ok := l[p]; !ok {
			l.add(p, folderOf(plainMode))
		}
	}
}

func folderOf(mode uint16) Made { return Made{Kind: '5', Mode: mode} }

func linkTo(target string) Made { return Made{Kind: '2', Target: target} }

func emptyFile(mode uint16) Made { return Made{Kind: '0', Mode: mode, Empty: true} }

func (l Layout) docker(p Pack) {
	l.folder("gnu")
	l.add("gnu/store", folderOf(plainMode))
	l.add("tmp", folderOf(stickyMode))
	l.links(p, false)
	l.database(p)
}

func (l Layout) tarball(p Pack) {
	l.folder("gnu")
	l.add(".", folderOf(plainMode))
	l.add("gnu/store", folderOf(storeMode))
	l.links(p, true)
	l.database(p)
}

// squashfs is what one run of mksquashfs after the other leaves. Each needs a
// file to add: an empty one, under the next free name.
func (l Layout) squashfs(p Pack) {
	for _, folder := range []string{".", "gnu", "gnu/store"} {
		l.add(folder, folderOf(openMode), folderOf(plainMode))
	}
	for _, file := range []string{".empty", ".empty_1", "gnu/.empty"} {
		l.add(file, emptyFile(baseMode))
	}
	for _, folder := range []string{"proc", "sys", "dev", "home", "tmp", ".singularity.d", ".singularity.d/env", ".singularity.d/actions"} {
		l.add(folder, folderOf(mountMode))
	}
	if len(p.EntryPoint) > 0 {
		program := p.Root + "/" + p.EntryPoint[0]
		l.add(".singularity.d/actions/run", linkTo(RelativeName("/.singularity.d/actions", program)))
		l.add(".singularity.d/runscript", linkTo(RelativeName("/.singularity.d", program)))
	}
	if !hasLink(p.Symlinks, binLink.Source) {
		p.Symlinks = append([]Symlink{binLink}, p.Symlinks...)
	}
	l.links(p, true)
	l.database(p)
}

// binLink is the link that Singularity needs and the packer adds by itself.
var binLink = Symlink{Source: "/bin", Target: "bin"}

func hasLink(links []Symlink, source string) bool {
	for _, link := range links {
		if link.Source == source {
			return true
		}
	}
	return false
}

// system is the root of a whole system before it has booted, as 1.5 makes it;
// 1.4 has /run and /var/run, too, and a folder for root.
func (l Layout) system(p Pack) {
	for _, folder := range []string{"etc", "var/log", "var/guix/gcroots", "var/empty", "var/db", "mnt", "var/guix/profiles/per-user/root", "bin", "home", "run", "var/run", "gnu"} {
		l.folder(folder)
	}
	for _, folder := range []string{"tmp", "var/tmp", "var/lock"} {
		l.folder(path.Dir(folder))
		l.add(folder, folderOf(stickyMode))
	}
	l.add("gnu/store", folderOf(storeMode))
	l.add("root", folderOf(0o700))
	l.add("var/guix/profiles/system", linkTo("system-1-link"))
	l.add(systemLink, linkTo(p.Root))
	l.add("var/guix/gcroots/booted-system", linkTo("/run/booted-system"))
	l.add("var/guix/gcroots/current-system", linkTo("/run/current-system"))
	l.add(profileRoots, linkTo(profilesFolder))
	if p.Database {
		l.folder(path.Dir(databasePath))
		l.add(databasePath, Made{Kind: '0', Mode: baseMode})
	}
}

// EngineLayout returns what container engines add to the file system of a
// container.
func EngineLayout() Layout {
	l := make(Layout)
	l.engine()
	return l
}

// exportedBy says what an engine added to the files of an image, beside what the
// packer itself has made.
func (v *view) exportedBy(p Pack) *Export {
	e := &Export{Files: []string{}}
	known := EngineLayout()
	p.Format = formatDocker
	for path := range NewLayout(p) {
		delete(known, path)
	}
	for f := range v.files.All() {
		e.OwnerNames = e.OwnerNames || f.Attr().Uname != ""
		if known.has(f.Entry) {
			e.Files = append(e.Files, f.Path)
		}
	}
	return e
}

// engine is what container engines add to the file system of a container to
// mount their own over it (Docker 28.2, daemon/initlayer/setup_unix.go; the
// folder run with its file is what Podman 4.3 leaves).
func (l Layout) engine() {
	for _, folder := range []string{"dev", "dev/pts", "dev/shm", "etc", "proc", "sys", "run"} {
		l.add(folder, folderOf(engineMode))
	}
	for _, file := range []string{".dockerenv", "run/.containerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"} {
		l.add(file, emptyFile(engineMode))
	}
	l.add("etc/mtab", linkTo("/proc/mounts"))
}

// links adds the symlinks that guix pack -S makes.
func (l Layout) links(p Pack, relative bool) {
	for _, link := range p.Symlinks {
		source := strings.TrimPrefix(link.Source, "/")
		l.folder(path.Dir(source))
		l.add(source, linkTo(linkText(p.Root, link, relative)))
	}
}

// linkText is the target of a link that guix pack -S makes.
func linkText(root string, link Symlink, relative bool) string {
	target := root + "/" + link.Target
	if relative {
		return RelativeName(path.Dir(link.Source), target)
	}
	return target
}

// RelativeName returns what leads from a folder to a file, both absolute, as
// Guix writes it (Guix 1.5, module (guix build union), relative-file-name).
func RelativeName(folder, file string) string {
	from, to := parts(folder), parts(file)
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	up := make([]string, len(from), len(from)+len(to))
	for i := range up {
		up[i] = ".."
	}
	return strings.Join(append(up, to...), "/")
}

func parts(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

const (
	profilesFolder = "/var/guix/profiles"
	profileRoots   = "var/guix/gcroots/profiles"
)

// database adds the store's database and what makes the profile a root of the
// garbage collector.
func (l Layout) database(p Pack) {
	if !p.Database || len(l[databasePath]) > 0 {
		return
	}
	l.folder(path.Dir(databasePath))
	l.add(databasePath, Made{Kind: '0', Mode: baseMode})
	l.folder(profileFolder)
	name := cmp.Or(p.ProfileName, usualName)
	l.add(path.Join(profileFolder, name), linkTo(name+generation))
	l.add(path.Join(profileFolder, name+generation), linkTo(p.Root))
	l.folder(path.Dir(profileRoots))
	l.add(profileRoots, linkTo(profilesFolder))
}

// has says whether a packer makes an entry as it is.
func (l Layout) has(e *inspect.Entry) bool {
	code, _ := differs(l[e.Path], e)
	return l[e.Path] != nil && code == ""
}

// differs returns the finding that an entry is none of those that the packer can
// make, as code and arguments; "" where it is one.
func differs(made []Made, e *inspect.Entry) (code string, args []any) {
	for i, m := range made {
		why, which := m.differs(e)
		if why == "" {
			return "", nil
		}
		if i == 0 {
			code, args = why, which
		}
	}
	return code, args
}

func (m Made) differs(e *inspect.Entry) (code string, args []any) {
	switch {
	case e.Type != m.Kind:
		return "closure/packer-entry-kind", []any{"got", provenance.KindOf(e), "want", provenance.KindOf(&inspect.Entry{Type: m.Kind})}
	case m.Kind == '2' && e.Linkname != m.Target:
		return "closure/packer-entry-target", []any{"got", e.Linkname, "want", m.Target}
	case m.Kind != '2' && e.Mode != m.Mode:
		return "closure/packer-entry-mode", []any{"got", store.Mode(e.Mode), "want", store.Mode(m.Mode)}
	case m.Empty && e.Size != 0:
		return "closure/packer-entry-content", []any{"bytes", e.Size}
	}
	return "", nil
}

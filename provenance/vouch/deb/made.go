package deb

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/inspect/paths"
	"audit/provenance/vouch"
)

// made applies the rules by which files come about that are in no package. Each gives a
// word only where it makes the very bytes again, or shows that each part of a file comes
// from something signed.
func (s *session) made() {
	for _, rule := range []func(*session){
		(*session).mergedFolders, (*session).certificates, (*session).alternatives, (*session).accounts, (*session).shells,
		(*session).copies, (*session).libraryCache, (*session).triggers, (*session).status, (*session).templates,
		(*session).units, (*session).initLinks, (*session).zone, (*session).pam, (*session).scriptLinks, (*session).empty, (*session).devices, (*session).compiled,
	} {
		rule(s)
	}
}

// expect adds a word on a file whose content has to be this; false when it is other, or
// has other rights than such files have.
func (s *session) expect(f inspect.File, content []byte, w vouch.Word) bool {
	if f.Inode.Type != '0' || f.Inode.Digest != digest.Of(content) {
		return false
	}
	if !s.isPlain(f) && !(isScript(f.Path) && s.isExecutable(f)) {
		return false
	}
	return s.table.Vouch(f.Path, w)
}

// isScript says whether a file of dpkg's folder info is run by dpkg.
func isScript(at string) bool {
	switch path.Ext(at) {
	case ".preinst", ".postinst", ".prerm", ".postrm", ".config":
		return path.Dir(at) == infoFolder
	}
	return false
}

// isExecutable says whether a file of root may be run by all, without more rights.
func (s *session) isExecutable(f inspect.File) bool {
	h := f.Inode.Header
	a := h.Attr()
	return h.Mode&07777&^0755 == 0 && len(a.Xattrs) == 0 && (s.flat || a.UID == 0 && a.GID == 0)
}

// nobodys says whether nobody has spoken for the file at a place.
func (s *session) nobodys(f inspect.File) bool {
	w, ok := s.table.Word(f.Path)
	return ok && w.Kind == vouch.Nobody
}

// ownAt returns what a signed package has at a path, through links, where the image has
// the same.
func (s *session) ownAt(at string) (claim, bool) {
	f, ok := s.root.Lookup(at)
	if !ok {
		return claim{}, false
	}
	c, ok := s.own[f.Path]
	return c, ok
}

// ownContent returns the content of a signed file that is kept.
func (s *session) ownContent(at string) ([]byte, *installed, bool) {
	c, ok := s.ownAt(at)
	if !ok {
		return nil, nil, false
	}
	content, ok := c.pkg.archive.Kept[c.sum.Path]
	return content, c.pkg, ok
}

// verified returns the installed package of a name that was read; nil when there is none.
func (s *session) verified(name string) *installed {
	if s.byName == nil {
		s.byName = make(map[string]*installed)
		for _, p := range s.installed {
			if p.archive != nil && s.byName[p.Package] == nil {
				s.byName[p.Package] = p
			}
		}
	}
	return s.byName[name]
}

// filesIn yields the files in a folder, not below.
func (s *session) filesIn(folder string) (files []inspect.File) {
	real, names, _ := s.root.Folder(folder)
	for _, name := range names {
		if f, ok := s.root.Name(path.Join(real, name)); ok && f.Inode.Type != '5' {
			files = append(files, f)
		}
	}
	return files
}

// fileList is the list of files that dpkg keeps of a package: the members of data.tar in
// their order (dpkg src/main/unpack.c).
func (s *session) fileList(p *installed) []byte {
	var b bytes.Buffer
	for i := range p.archive.Files {
		name := p.archive.Files[i].Path
		if name == "." {
			b.WriteString("/.\n")
			continue
		}
		fmt.Fprintf(&b, "/%s\n", name)
	}
	return b.Bytes()
}

// md5sums are those that dpkg writes of a package that has none; conffiles are not among
// them.
func md5sums(p *installed) []byte {
	var b bytes.Buffer
	for i := range p.archive.Files {
		f := &p.archive.Files[i]
		content, kept := p.archive.Kept[f.Path]
		if f.Type == '0' && kept && !p.isConfig(f.Path) {
			fmt.Fprintf(&b, "%x  %s\n", md5.Sum(content), f.Path)
		}
	}
	return b.Bytes()
}

// mergedFolders are the links from /bin and its like into /usr.
func (s *session) mergedFolders() {
	p := s.verified("base-files")
	if p == nil {
		return
	}
	for _, name := range mergedNames {
		if f, ok := s.root.Name(name); ok && f.Type == '2' && strings.TrimPrefix(f.Linkname, "/") == "usr/"+name {
			s.say(f, p.made("merged-usr"))
		}
	}
}

// copies are files that a script of a package makes from one that it has: the script
// names the folder of the one, and the other.
func (s *session) copies() {
	bySum := make(map[digest.Sum][]claim)
	for _, at := range sortedKeys(s.own) {
		c := s.own[at]
		if c.sum.Type == '0' && c.sum.Size > 0 && strings.HasPrefix(c.file.Path, "usr/share/") && c.pkg.contains("/"+path.Dir(c.file.Path)) {
			bySum[c.sum.Sum] = append(bySum[c.sum.Sum], c)
		}
	}
	for f := range s.root.Files() {
		if f.Inode.Type != '0' || !s.nobodys(f) {
			continue
		}
		for _, c := range bySum[f.Inode.Digest] {
			if c.pkg.names(f.Path) {
				s.say(f, c.pkg.made("copy"))
				break
			}
		}
	}
}

// scriptLinks are links that a script of a package makes: it names the link and where
// it leads, which is a file or folder of the package or of all.
func (s *session) scriptLinks() {
	for f := range s.root.Files() {
		if f.Type != '2' || !s.nobodys(f) {
			continue
		}
		to, ok := s.root.Lookup(f.Path)
		if !ok {
			continue
		}
		if _, isOwn := s.own[to.Path]; !isOwn && to.Inode.Type != '5' {
			continue
		}
		for _, p := range s.namedBy(f.Path) {
			if p.says(f.Linkname) {
				s.say(f, p.made("link"))
				break
			}
		}
	}
}

// empty are files without content that packages and tools leave: logs, locks, and those
// that a script names.
func (s *session) empty() {
	for f := range s.root.Files() {
		if f.Inode.Type != '0' || f.Inode.Size != 0 || !s.nobodys(f) || !s.isPlain(f) && !s.isLog(f) {
			continue
		}
		w := vouch.Word{Kind: vouch.Made, By: "empty file", Rule: "empty"}
		for _, folder := range []string{"var/log/", "var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/lib/systemd/deb-systemd-helper-enabled/"} {
			if strings.HasPrefix(f.Path, folder) {
				s.table.Vouch(f.Path, w)
			}
		}
		switch f.Path {
		case "etc/.pwd.lock", "etc/subuid", "etc/subgid", "etc/environment", "etc/security/opasswd":
			s.table.Vouch(f.Path, w)
			continue
		}
		if by := s.namedBy(f.Path); len(by) > 0 {
			s.table.Vouch(f.Path, by[0].made("empty"))
		}
	}
}

// Groups of base-passwd to which logs belong.
const (
	admGroup  = 4
	utmpGroup = 43
)

// isLog says whether a file has the mode and owner of a log: of root and the group adm or
// utmp, of which the latter may write.
func (s *session) isLog(f inspect.File) bool {
	h := f.Inode.Header
	a := h.Attr()
	if !strings.HasPrefix(f.Path, "var/log/") || len(a.Xattrs) > 0 || !s.flat && a.UID != 0 {
		return false
	}
	mode := h.Mode & 07777
	return (a.GID == admGroup || s.flat) && mode&^0644 == 0 || (a.GID == utmpGroup || s.flat) && mode&^0664 == 0
}

// devices are those that every container has, and the links beside them.
func (s *session) devices() {
	links := map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx", "core": "/proc/kcore"}
	for _, f := range s.filesIn("dev") {
		name, a := path.Base(f.Path), f.Inode.Header.Attr()
		switch {
		case vouch.IsDevice("dev/"+name, f.Inode.Type, a) && len(a.Xattrs) == 0,
			f.Type == '2' && strings.TrimPrefix(f.Linkname, "/") == strings.TrimPrefix(links[name], "/") && f.Linkname != "":
			s.table.Vouch(f.Path, vouch.Word{Kind: vouch.Made, By: "devices of every container", Rule: "device"})
		}
	}
}

// zone are the time zone by its link and by its name.
func (s *session) zone() {
	p := s.verified("tzdata")
	f, ok := s.root.Name("etc/localtime")
	if p == nil || !ok || f.Type != '2' {
		return
	}
	name, ok := strings.CutPrefix(f.Linkname, "/usr/share/zoneinfo/")
	if !ok {
		return
	}
	c, isOwn := s.ownAt("etc/localtime")
	if !isOwn || c.pkg != p {
		return
	}
	s.say(f, p.made("time-zone"))
	if f, ok := s.root.Name("etc/timezone"); ok {
		s.expect(f, []byte(name+"\n"), p.made("time-zone"))
	}
}

// initLinks are the links of System V init to scripts of packages.
func (s *session) initLinks() {
	for _, level := range []string{"0", "1", "2", "3", "4", "5", "6", "S"} {
		for _, f := range s.filesIn("etc/rc" + level + ".d") {
			base := path.Base(f.Path)
			if f.Type != '2' || len(base) < 4 || base[0] != 'S' && base[0] != 'K' || f.Linkname != "../init.d/"+base[3:] {
				continue
			}
			if c, ok := s.ownAt("etc/init.d/" + base[3:]); ok {
				s.say(f, c.pkg.made("init-link"))
			}
		}
	}
}

// units are the links by which systemd starts units of packages, and what its helper
// notes of them.
func (s *session) units() {
	const noted = "var/lib/systemd/deb-systemd-helper-enabled"
	for f := range s.root.Files() {
		if f.Type != '2' || !s.nobodys(f) || !strings.HasPrefix(f.Path, "etc/systemd/") {
			continue
		}
		at, isAbsolute := strings.CutPrefix(f.Linkname, "/")
		unit, p, ok := s.ownContent(at)
		if !ok || !isAbsolute || path.Base(f.Linkname) != path.Base(f.Path) && path.Dir(f.Path) != "etc/systemd/system" {
			continue
		}
		if target, kind, ok := strings.Cut(path.Base(path.Dir(f.Path)), ".target."); ok && installs(unit, kind, target+".target") || path.Dir(f.Path) == "etc/systemd/system" && installs(unit, "alias", path.Base(f.Path)) {
			s.say(f, p.made("systemd-unit"))
		}
	}
	for _, f := range s.filesIn(noted) {
		text, _, ok := s.root.Content(f.Path)
		if !ok || !strings.HasSuffix(f.Path, ".dsh-also") {
			continue
		}
		var by *installed
		whole := len(text) > 0
		for line := range strings.Lines(string(text)) {
			at := strings.TrimSuffix(line, "\n")
			link, ok := s.root.Name(paths.Clean(at))
			w, _ := s.table.Word(link.Path)
			c, isOwn := s.ownAt(strings.TrimPrefix(link.Linkname, "/"))
			if !ok || w.Rule != "systemd-unit" || !isOwn {
				whole = false
				break
			}
			by = c.pkg
		}
		if whole && by != nil {
			s.say(f, by.made("systemd-unit"))
		}
	}
}

// installs says whether the section Install of a unit names where it is to be linked
// (systemd.unit(5)).
func installs(unit []byte, kind, target string) bool {
	field := map[string]string{"wants": "WantedBy", "requires": "RequiredBy", "alias": "Alias"}[kind]
	for line := range strings.Lines(string(unit)) {
		name, rest, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(name) == field && slices.Contains(strings.Fields(rest), target) {
			return true
		}
	}
	return false
}

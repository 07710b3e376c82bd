package deb

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/paths"
	"audit/provenance/vouch"
)

// A claim is what a signed package has at a place in the root file system.
type claim struct {
	pkg      *installed
	file     *File
	sum      *File  // that has the content: of a hard link the file that it is to
	at       string // where it has to be
	diverted bool   // to there
}

// match compares each file of the signed packages with what the image has in its place.
// Where several packages have a file, as one that replaces another's, one that agrees is
// enough.
func (s *session) match() {
	s.claims, s.own, s.absent = make(map[string][]claim), make(map[string]claim), make(map[string]*installed)
	absent := make(map[*installed][]string)
	s.acceptDiversions()
	for _, p := range s.installed {
		if p.archive == nil {
			continue
		}
		byPath := make(map[string]*File, len(p.archive.Files))
		for i := range p.archive.Files {
			f := &p.archive.Files[i]
			at := s.placeOf(p, f.Path)
			c := claim{pkg: p, file: f, sum: f, at: at, diverted: at != f.Path}
			if f.Type == '1' {
				// deb(5) demands that the file comes first. It has no other links then.
				if c.sum = byPath[paths.Clean(f.Linkname)]; c.sum == nil {
					s.unclearLink(c)
					continue
				}
			}
			byPath[f.Path] = c.sum
			if f.Type == '5' {
				if !s.matchFolder(c, at) {
					s.folders = append(s.folders, c)
				}
				continue
			}
			here, ok := s.root.Name(at)
			if !ok {
				absent[p] = append(absent[p], at)
				s.absent[at] = p
				continue
			}
			s.claims[here.Path] = append(s.claims[here.Path], c)
		}
		s.info(p)
	}
	others := s.unverified()
	for _, at := range slices.Sorted(maps.Keys(s.claims)) {
		s.judge(at, s.claims[at], others[at])
	}
	for _, p := range s.installed {
		s.leftOut(p, absent[p])
	}
}

// unclearLink says that a hard link of a package leads to no file that comes before it.
func (s *session) unclearLink(c claim) {
	if here, ok := s.root.Name(c.at); ok {
		s.list.Undecided(here.Layer, here.Path, "signatures/deb-hard-link", "package", c.pkg.Package, "version", c.pkg.Version, "link", check.Clip(c.file.Linkname))
	}
}

// noFolders says where a link, or a file, stands and a package has a folder. Links are well
// that a package has, or a rule explains, such as those of merged folders and of scripts.
func (s *session) noFolders() {
	for _, c := range s.folders {
		here, _ := s.root.Name(c.at)
		if w, _ := s.table.Word(here.Path); here.Type == '2' && (w.Kind == vouch.Signed || w.Kind == vouch.Made) {
			continue
		}
		if here.Type == '2' && isMerged(here.Path) && strings.TrimPrefix(here.Linkname, "/") == "usr/"+here.Path {
			continue
		}
		s.list.Undecided(here.Layer, here.Path, "signatures/deb-no-folder", "package", c.pkg.Package, "version", c.pkg.Version, "computed", kindName(here.Inode.Type))
	}
}

// isFlat says whether all files have one owner, as in an image that was packed by
// somebody without rights.
func (s *session) isFlat() bool {
	first := true
	var uid, gid int
	for f := range s.root.Files() {
		a := f.Inode.Header.Attr()
		if first {
			uid, gid, first = a.UID, a.GID, false
		}
		if a.UID != uid || a.GID != gid {
			return false
		}
	}
	return true
}

// unverified are the files that packages without a signed archive have by the lists of
// the image: these may have replaced others.
func (s *session) unverified() map[string]*installed {
	all := make(map[string]*installed)
	for _, p := range s.installed {
		if p.archive != nil {
			continue
		}
		f, ok := s.infoName(p, "list")
		if !ok {
			continue
		}
		text, _, _ := s.root.Content(f.Path)
		for line := range strings.Lines(string(text)) {
			if here, ok := s.root.Name(s.placeOf(p, paths.Clean(strings.TrimSuffix(line, "\n")))); ok && here.Type != '5' {
				all[here.Path] = p
			}
		}
	}
	return all
}

// judge adds the word on a file that signed packages have, or says how it is other.
func (s *session) judge(at string, claims []claim, other *installed) {
	here, _ := s.root.Name(at)
	if slices.ContainsFunc(claims, func(c claim) bool { return !c.diverted }) { // a diversion does not outweigh it
		claims = slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.diverted })
	}
	best, worst := vouch.Best(claims, func(c claim) []check.Finding { return s.compare(here, c) }, weight)
	if by := s.refused[best.file.Path]; by != "" && !best.diverted {
		worst = excuse(worst, best, by)
	} else if other != nil {
		worst = excuse(worst, best, other.Package)
	}
	s.list.Append(worst...)
	switch {
	case isOwn(worst):
		s.own[at] = best
		word := best.pkg.signed()
		h := here.Inode.Header
		if here.Inode.Type != '2' && (int64(h.Mode&06000)&^best.sum.Mode != 0 || h.Attr().Xattrs[capabilityAttribute] != "") {
			word = best.pkg.made("mode-by-script")
		}
		s.table.Vouch(at, word)
	case weight(worst) == weightOf(check.Problem):
		s.table.Contradict(at, best.pkg.by())
	}
}

// isOwn says whether a file is the package's: nothing is other but what a script of it
// gives, or rights that were taken from it, as those who harden an image do.
func isOwn(found []check.Finding) bool {
	return !slices.ContainsFunc(found, func(f check.Finding) bool {
		return f.Code != "signatures/deb-mode-by-script" && (f.Code != "signatures/deb-mode-differs" || f.Level != check.Undecided)
	})
}

// excuse makes it undecided that a file has another content than its signed package where
// something that is not verified may have replaced it. That it has more rights stays.
func excuse(found []check.Finding, c claim, by string) (out []check.Finding) {
	replaced := slices.ContainsFunc(found, isContent)
	for _, f := range found {
		switch {
		case isContent(f):
			f = check.Find(check.Undecided, f.Layer, f.Path, "signatures/deb-file-replaced", "package", c.pkg.Package, "other", check.Brief(by))
		case replaced && f.Level == check.Problem && f.Code == "signatures/deb-mode-differs" && !addsRights(f):
			f.Level = check.Undecided
		}
		out = append(out, f)
	}
	return out
}

// isContent says whether a finding is that a file has another content, not that it is of
// another kind but for a link.
func isContent(f check.Finding) bool {
	switch f.Code {
	case "signatures/deb-file-differs", "signatures/deb-link-differs":
		return true
	}
	return f.Code == "signatures/deb-kind-differs" && (f.Args.String("computed") == "file" || f.Args.String("computed") == "link")
}

// addsRights says whether a mode that is other has bits that are dangerous.
func addsRights(f check.Finding) bool {
	var signed, mode int64
	fmt.Sscanf(f.Args.String("signed"), "%o", &signed)
	fmt.Sscanf(f.Args.String("computed"), "%o", &mode)
	return mode&^signed&dangerous != 0
}

// weight is larger for what is worse: 0 says that a file is the package's.
func weight(found []check.Finding) int {
	worst := 0
	for _, f := range found {
		if f.Code != "signatures/deb-mode-by-script" { // that a script makes it so is as good
			worst = max(worst, weightOf(f.Level))
		}
	}
	return worst
}

func weightOf(l check.Level) int { return 1 + int(l) }

// compare says how a file of the image is other than that of a package.
func (s *session) compare(here inspect.File, c claim) (found []check.Finding) {
	say := func(level check.Level, code string, args ...any) {
		found = append(found, check.Find(level, here.Layer, here.Path, code, args...))
	}
	config := c.pkg.isConfig(c.file.Path)
	level := check.Problem
	if config { // its content is the administrator's
		level = check.Note
	}
	switch {
	case kind(here.Inode.Type) != kind(c.sum.Type):
		level := check.Problem
		if config && here.Inode.Type == '2' {
			level = check.Undecided
		}
		say(level, "signatures/deb-kind-differs", "package", c.pkg.Package, "version", c.pkg.Version, "signed", kindName(c.sum.Type), "computed", kindName(here.Inode.Type))
		return found
	case c.sum.Type == '2':
		if here.Inode.Linkname != c.sum.Linkname {
			say(level, "signatures/deb-link-differs", "package", c.pkg.Package, "version", c.pkg.Version, "signed", check.Clip(c.sum.Linkname), "computed", check.Clip(here.Inode.Linkname))
		}
		return found
	case c.sum.Type == '3' || c.sum.Type == '4':
		if a := here.Inode.Header.Attr(); a.Devmajor != c.sum.Major || a.Devminor != c.sum.Minor {
			say(check.Problem, "signatures/deb-device-differs", "package", c.pkg.Package, "version", c.pkg.Version, "signed", owner(int(c.sum.Major), int(c.sum.Minor)), "computed", owner(int(a.Devmajor), int(a.Devminor)))
		}
	case c.sum.Type == '0' && here.Inode.Digest != c.sum.Sum:
		code := "signatures/deb-file-differs"
		if config {
			code = "signatures/deb-config-changed"
		}
		say(level, code, "package", c.pkg.Package, "version", c.pkg.Version, "signed", c.sum.Sum, "computed", here.Inode.Digest)
	}
	s.compareHeader(here, c, say)
	return found
}

func kind(t byte) byte {
	if t == '1' || t == '7' {
		return '0'
	}
	return t
}

func kindName(t byte) string {
	switch kind(t) {
	case '0':
		return "file"
	case '2':
		return "link"
	case '5':
		return "folder"
	}
	return fmt.Sprintf("type %q", t)
}

// compareHeader compares mode, owner and attributes. Scripts of packages may change them:
// it is a note where one makes the file what it is, and undecided where one may have.
func (s *session) compareHeader(here inspect.File, c claim, say func(check.Level, string, ...any)) {
	h := here.Inode.Header
	pkg, version := c.pkg.Package, c.pkg.Version
	if mode := int64(h.Mode & 07777); mode != c.sum.Mode {
		level, code := check.Problem, "signatures/deb-mode-differs"
		by := s.modeBy(c.file.Path, c.sum.Mode, mode)
		switch override, named := s.overrides[here.Path]; {
		case by == gives:
			level, code = check.Note, "signatures/deb-mode-by-script"
		case by == may:
			level, code = check.Undecided, "signatures/deb-mode-perhaps-script"
		case named && override == mode:
			level, code = check.Undecided, "signatures/deb-mode-overridden"
		case mode&^c.sum.Mode == 0:
			level = check.Undecided // it gives no more rights than the package does
		}
		say(level, code, "package", pkg, "version", version, "signed", octal(c.sum.Mode), "computed", octal(mode))
	}
	if a := h.Attr(); !s.flat && (a.UID != c.sum.UID || a.GID != c.sum.GID) {
		level, code := check.Problem, "signatures/deb-owner-differs"
		switch s.ownerBy(c.file.Path, a.UID == c.sum.UID, a.GID) {
		case gives:
			level, code = check.Note, "signatures/deb-mode-by-script"
		case may:
			level, code = check.Undecided, "signatures/deb-mode-perhaps-script"
		}
		say(level, code, "package", pkg, "version", version, "signed", owner(c.sum.UID, c.sum.GID), "computed", owner(a.UID, a.GID))
	}
	for _, name := range slices.Sorted(maps.Keys(h.Attr().Xattrs)) {
		by := none
		if name == capabilityAttribute {
			by = s.capabilityBy(c.file.Path, h.Attr().Xattrs[name])
		}
		switch {
		case name == "security.selinux":
		case by == gives:
			say(check.Note, "signatures/deb-mode-by-script", "package", pkg, "version", version, "signed", "", "computed", name)
		case by == may:
			say(check.Undecided, "signatures/deb-mode-perhaps-script", "package", pkg, "version", version, "signed", "none", "computed", name)
		default:
			say(attributeLevel(name), "signatures/deb-attribute-added", "package", pkg, "version", version, "attribute", check.Brief(name))
		}
	}
}

// attributeLevel is how much it weighs that a file has an attribute which no package has.
// Those for programs (xattr(7), "User extended attributes") and of overlays give no rights,
// and builders and file systems leave them.
func attributeLevel(name string) check.Level {
	for _, prefix := range []string{"user.", "trusted.overlay.", "com.apple."} {
		if strings.HasPrefix(name, prefix) {
			return check.Undecided
		}
	}
	return check.Problem
}

func octal(mode int64) string   { return fmt.Sprintf("%04o", mode) }
func owner(uid, gid int) string { return fmt.Sprintf("%d:%d", uid, gid) }

// isConfig says whether a package expects a file to be changed.
func (p *installed) isConfig(path string) bool {
	if p.config == nil {
		p.config = conffiles(p.archive.Info)
	}
	return p.config[path]
}

// matchFolder compares mode and owner of a folder, and returns false when something else
// is in its place. What has no entry of its own was made by an engine.
func (s *session) matchFolder(c claim, at string) bool {
	here, ok := s.root.Name(at)
	if !ok || here.Inode.Type != '5' {
		return !ok
	}
	h := here.Inode.Header
	a := h.Attr()
	mode := int64(h.Mode & 07777)
	switch {
	case mode == c.file.Mode && (s.flat || a.UID == c.file.UID && a.GID == c.file.GID) && len(a.Xattrs) == 0:
		return true
	case mode&^c.file.Mode == 0 && len(a.Xattrs) == 0 && (s.flat || a.UID == c.file.UID && a.GID == c.file.GID || s.isOfApt(at, a.UID)):
		return true // it gives no more rights than the package does
	case s.isFolderBy(here, c, mode):
		return true
	}
	s.list.Undecided(here.Layer, here.Path, "signatures/deb-folder-differs", "package", c.pkg.Package, "version", c.pkg.Version,
		"signed", octal(c.file.Mode)+" "+owner(c.file.UID, c.file.GID), "computed", octal(mode)+" "+owner(a.UID, a.GID))
	return true
}

// isFolderBy says whether a script, or an override, may give a folder its mode and owner.
func (s *session) isFolderBy(here inspect.File, c claim, mode int64) bool {
	if override, ok := s.overrides[here.Path]; ok && override == mode {
		return true
	}
	a := here.Inode.Header.Attr()
	if len(a.Xattrs) > 0 || mode != c.file.Mode && s.modeBy(c.file.Path, c.file.Mode, mode) == none {
		return false
	}
	return s.flat || a.UID == c.file.UID && a.GID == c.file.GID || s.ownerBy(c.file.Path, a.UID == c.file.UID, a.GID) != none
}

// isOfApt says whether a folder is one that apt gives to the user by which it fetches.
func (s *session) isOfApt(at string, uid int) bool {
	if at != aptLists+"/partial" && at != aptArchives+"/partial" && at != aptLists+"/auxfiles" {
		return false
	}
	text, _, _ := s.root.Content("etc/passwd")
	return strings.Contains("\n"+string(text), fmt.Sprintf("\n_apt:x:%d:", uid))
}

// leftOut notes the files of a package that the image does not have: documentation, what
// dpkg was told to leave out, and others, which were removed. No byte that is there is
// another than signed for that.
func (s *session) leftOut(p *installed, absent []string) {
	var told, removed []string
	for _, at := range absent {
		switch {
		case isDocumentation(at):
			s.docs++
		case s.isExcluded(at):
			told = append(told, at)
		default:
			removed = append(removed, at)
		}
	}
	if len(told) > 0 {
		s.list.Note(-1, told[0], "signatures/deb-left-out", "package", p.Package, "version", p.Version, "count", len(told))
	}
	if len(removed) > 0 {
		names, beyond := vouch.Some(removed)
		s.list.Note(-1, removed[0], "signatures/deb-removed", "package", p.Package, "version", p.Version, "count", len(removed), "names", names, "beyond", beyond)
	}
}

// A filter is a line of dpkg's configuration that leaves files out, or not (dpkg(1),
// --path-exclude).
type filter struct {
	pattern string
	exclude bool
}

// dpkgConfig is where the configuration is, beside a file of this name.
const dpkgConfig = "etc/dpkg/dpkg.cfg"

// isExcluded says whether dpkg was told to leave a path out: the last line that fits it
// decides.
func (s *session) isExcluded(at string) bool {
	if s.filters == nil {
		s.filters = s.readFilters()
	}
	for _, f := range slices.Backward(s.filters) {
		if matches(f.pattern, "/"+at) {
			return f.exclude
		}
	}
	return false
}

// maxFilters bounds the lines that filter paths.
const maxFilters = 200

func (s *session) readFilters() []filter {
	all := []filter{}
	texts := [][]byte{}
	folder, names, _ := s.root.Folder(dpkgConfig + ".d")
	for _, name := range names {
		text, _, _ := s.root.Content(path.Join(folder, name))
		texts = append(texts, text)
	}
	text, _, _ := s.root.Content(dpkgConfig)
	for _, text := range append(texts, text) {
		for line := range strings.Lines(string(text)) {
			name, pattern, ok := strings.Cut(strings.TrimSpace(line), "=")
			if !ok {
				name, pattern, _ = strings.Cut(strings.TrimSpace(line), " ")
			}
			name, pattern = strings.TrimSpace(name), strings.Trim(pattern, " \t\"'")
			if (name == "path-exclude" || name == "path-include") && len(all) < maxFilters && len(pattern) < 256 {
				all = append(all, filter{pattern, name == "path-exclude"})
			}
		}
	}
	return all
}

// matches says whether a pattern fits a whole path: a star and a question mark stand for
// slashes too.
func matches(pattern, at string) bool {
	star, from := -1, 0 // where to go on when what follows the last star does not fit
	i, j := 0, 0
	for j < len(at) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == at[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// isDocumentation says of a path whether slim images leave it out.
func isDocumentation(at string) bool {
	for _, folder := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/groff/", "usr/share/lintian/", "usr/share/linda/", "usr/share/doc-base/", "usr/share/help/", "usr/share/gnome/help/", "usr/share/omf/"} {
		if strings.HasPrefix(at, folder) {
			return true
		}
	}
	return false
}

// info says which files of dpkg's folder info are those of control.tar, and makes the
// list of files of a package again.
func (s *session) info(p *installed) {
	word := p.signed()
	for _, name := range slices.Sorted(maps.Keys(p.archive.Info)) {
		f, ok := s.infoName(p, name)
		if ok && name != "control" && !s.expect(f, p.archive.Info[name], word) && f.Inode.Digest != digest.Of(p.archive.Info[name]) {
			s.list.Problem(f.Layer, f.Path, "signatures/deb-info-differs", "package", p.Package, "version", p.Version)
			s.table.Contradict(f.Path, p.by())
		}
	}
	word.Kind = vouch.Made
	if f, ok := s.infoName(p, "list"); ok {
		word.Rule = "dpkg-list"
		s.expect(f, s.fileList(p), word)
	}
	if f, ok := s.infoName(p, "md5sums"); ok && p.archive.Info["md5sums"] == nil {
		word.Rule = "dpkg-md5sums"
		s.expect(f, md5sums(p), word)
	}
	for _, name := range []string{partFolder + "/" + p.Package, partFolder + "/" + path.Base(p.file.Path)} {
		if f, ok := s.root.Lookup(name + ".md5sums"); ok {
			s.expect(f, p.archive.Info["md5sums"], p.signed())
			break
		}
	}
}

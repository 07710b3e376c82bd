package deb

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
)

// madeFolders are those in no package that something of a signed one makes: a script names
// the folder, or it lies in a cache that a package has, whose content programs make as they
// need it. Over others engines mount something. A folder by itself holds nothing: of what
// is in it nothing is said here.
func (s *session) madeFolders() {
	makers := s.folderMakers()
	for f := range s.root.Files() { // by path: what is above comes first
		if f.Inode.Type == '5' && (s.isMountPoint(f) || s.isInCache(f) || s.isByCommand(f, makers[f.Path])) {
			s.table.Explain(f)
		}
	}
}

// isMountPoint says whether engines mount something over a folder, so that it is never seen
// (OCI runtime-spec v1.2, config-linux.md, "Default Filesystems").
func (s *session) isMountPoint(f inspect.File) bool {
	switch f.Path {
	case "dev", "dev/pts", "dev/shm", "dev/mqueue", "proc", "sys":
		return len(attributes(f)) == 0
	}
	return false
}

// isInCache says whether a folder in a cache has no other owner, and no more rights, than
// the one above, which a package has (Filesystem Hierarchy Standard 3.0, 5.5).
func (s *session) isInCache(f inspect.File) bool {
	above, ok := s.root.Name(path.Dir(f.Path))
	if !ok || !strings.HasPrefix(above.Path, "var/cache/") || !s.table.Explains(above) || len(attributes(f)) > 0 {
		return false
	}
	own, its := f.Inode.Header, above.Inode.Header
	return own.Mode&07777&^its.Mode == 0 && own.Attr().UID == its.Attr().UID && own.Attr().GID == its.Attr().GID
}

// folderMakers are the commands of scripts that make folders, by the paths among their
// words: what a function gets may lack the slash at the beginning.
func (s *session) folderMakers() map[string][][]string {
	all := make(map[string][][]string)
	for _, p := range s.installed {
		if !p.contains("mkdir") && !p.contains("install -d") {
			continue
		}
		commands := p.commands()
		vars := variables(commands)
		for _, words := range commands {
			for _, w := range words {
				values, _ := expand(w, vars, 4)
				for _, v := range values {
					if at := strings.Trim(v, "/"); at != "" {
						all[at] = append(all[at], words)
					}
				}
			}
		}
	}
	return all
}

// isByCommand says whether one of the commands makes a folder as it is: for all to read and
// root alone to write, or with the mode and owner that stand beside its name.
func (s *session) isByCommand(f inspect.File, commands [][]string) bool {
	h := f.Inode.Header
	a := h.Attr()
	mode := int64(h.Mode & 07777)
	return len(attributes(f)) == 0 && slices.ContainsFunc(commands, func(words []string) bool {
		plain := mode&^0755 == 0
		says := func(fits func(word string) bool) bool { return slices.ContainsFunc(words, fits) }
		return (plain || says(func(w string) bool { return strings.TrimLeft(w, "0") == fmt.Sprintf("%o", mode) })) &&
			(s.flat || a.UID == 0 || says(func(w string) bool { return s.isNumbered("etc/passwd", w, a.UID) })) &&
			(s.flat || a.GID == 0 || says(func(w string) bool { return s.isNumbered("etc/group", w, a.GID) }))
	})
}

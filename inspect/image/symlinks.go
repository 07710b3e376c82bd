package image

import (
	"iter"
	"path"
	"strings"

	"audit/inspect/paths"
)

// Symlinks are the symbolic links of a root file system, to find out which
// path a name means that leads through some of them: /bin/sh is /usr/bin/sh
// where /bin is a link to usr/bin.
type Symlinks struct {
	target map[string]string
	real   map[string]string // folders that were resolved before

	// The folder of the path before, which is nearly always that of the next too.
	recent, recentReal string
}

// NewSymlinks returns the symbolic links among files.
func NewSymlinks(files iter.Seq[File]) *Symlinks {
	s := &Symlinks{target: make(map[string]string), real: make(map[string]string)}
	for f := range files {
		if f.Type == '2' {
			s.target[f.Path] = f.Linkname
		}
	}
	return s
}

// Real returns the path that p means, both of the form of Entry.Path, once the
// links among the folders above it are followed; whether p itself is a link
// does not matter. Links that lead in a circle lead nowhere else.
func (s *Symlinks) Real(p string) string {
	dir, base := paths.Split(p)
	if dir == "." {
		return p
	}
	if dir != s.recent {
		s.recent, s.recentReal = dir, s.folder(dir)
	}
	if s.recentReal == dir {
		return p
	}
	return paths.Join(s.recentReal, base)
}

// folder returns the folder that dir is in the end. Each is resolved once; one
// that is being resolved, by a link that leads back to it, stands for itself.
func (s *Symlinks) folder(dir string) string {
	if dir == "." {
		return dir
	}
	if known, ok := s.real[dir]; ok {
		return known
	}
	above, base := paths.Split(dir)
	found := paths.Join(s.folder(above), base)
	if found == dir {
		found = dir // no copy is kept
	}
	s.real[dir] = found
	if target, ok := s.target[found]; ok {
		if !strings.HasPrefix(target, "/") {
			target = path.Dir("/"+found) + "/" + target
		}
		found = s.folder(paths.Clean(target))
		s.real[dir] = found
	}
	return found
}

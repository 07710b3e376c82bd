package deb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect/paths"
)

// cacheMagic begins etc/ld.so.cache (glibc sysdeps/generic/dl-cache.h, struct
// cache_file_new).
const cacheMagic = "glibc-ld.so.cache1.1"

const (
	cacheHeader    = 48
	cacheEntry     = 24
	extensionMagic = 0xeaa42174
	maxPath        = 4096 // bytes of a name (Linux PATH_MAX)
)

// libraryCache checks the cache of ldconfig(8): each name leads to the file of that name
// of a signed package in a folder of libraries, and no byte serves anything else.
func (s *session) libraryCache() {
	data, f, ok := s.root.Content("etc/ld.so.cache")
	p := s.verified("libc-bin")
	if !ok || p == nil {
		return
	}
	entries, ok := readCache(data)
	if !ok {
		return
	}
	folders := s.libraryFolders()
	for _, e := range entries {
		if path.Base(e.file) != e.name || !folders[path.Dir(e.file)] {
			return
		}
		if _, ok := s.ownAt(paths.Clean(e.file)); !ok {
			return
		}
	}
	s.say(f, p.made("ld.so.cache"))
}

// A cached library is a name and where it leads.
type cached struct{ name, file string }

// readCache reads a cache whose strings lie one after the other, each used, with nothing
// behind but what says who wrote it.
func readCache(data []byte) (entries []cached, ok bool) {
	if len(data) < cacheHeader || !bytes.HasPrefix(data, []byte(cacheMagic)) {
		return nil, false
	}
	count := binary.LittleEndian.Uint32(data[20:])
	size := binary.LittleEndian.Uint32(data[24:])
	extension := binary.LittleEndian.Uint32(data[32:])
	start := cacheHeader + uint64(count)*cacheEntry
	end := start + uint64(size)
	if end > uint64(len(data)) || !isZero(data[36:cacheHeader]) {
		return nil, false
	}
	used := make(map[[2]uint32]bool)
	text := func(at uint32) (string, bool) {
		if uint64(at) < start || uint64(at) >= end {
			return "", false
		}
		n := bytes.IndexByte(data[at:min(end, uint64(at)+maxPath)], 0)
		if n < 0 {
			return "", false
		}
		used[[2]uint32{at, at + uint32(n) + 1}] = true
		return string(data[at : int(at)+n]), true
	}
	for i := range count {
		e := data[cacheHeader+int(i)*cacheEntry:]
		name, ok := text(binary.LittleEndian.Uint32(e[4:]))
		file, also := text(binary.LittleEndian.Uint32(e[8:]))
		if !ok || !also || binary.LittleEndian.Uint64(e[16:]) != 0 { // no capabilities of hardware
			return nil, false
		}
		entries = append(entries, cached{name, file})
	}
	return entries, covers(used, uint32(start), uint32(end)) && isGenerator(data, uint32(end), extension)
}

// covers says whether strings lie from a start to an end without a gap; names are the
// ends of files, so that some lie in others.
func covers(used map[[2]uint32]bool, start, end uint32) bool {
	all := slices.SortedFunc(maps.Keys(used), func(a, b [2]uint32) int { return cmp.Compare(a[0], b[0]) })
	for _, u := range all {
		if u[0] > start {
			return false
		}
		start = max(start, u[1])
	}
	return start == end
}

// isGenerator says whether what follows the strings is the extension that names ldconfig,
// alone (glibc elf/cache.c, struct cache_extension).
func isGenerator(data []byte, end, extension uint32) bool {
	if extension == 0 {
		return int(end) == len(data)
	}
	if extension < end || extension > end+3 || int(extension)+24 > len(data) || !isZero(data[end:extension]) {
		return false
	}
	x := data[extension:]
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(x[4*i:]) }
	at, size := uint64(word(4)), uint64(word(5))
	if word(0) != extensionMagic || word(1) != 1 || word(2) != 0 || word(3) != 0 || at != uint64(extension)+24 || at+size != uint64(len(data)) {
		return false
	}
	return bytes.HasPrefix(data[at:], []byte("ldconfig ("))
}

func isZero(p []byte) bool { return len(bytes.Trim(p, "\x00")) == 0 }

// libraryFolders are those that ldconfig looks into: its own, and those in configuration
// of signed packages.
func (s *session) libraryFolders() map[string]bool {
	folders := map[string]bool{"/lib": true, "/usr/lib": true, "/lib64": true, "/usr/lib64": true, "/lib32": true, "/usr/lib32": true, "/libx32": true, "/usr/libx32": true}
	for _, f := range s.filesIn("etc/ld.so.conf.d") {
		text, _, ok := s.ownContent(f.Path)
		if !ok || path.Ext(f.Path) != ".conf" {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") {
				folders[line] = true
			}
		}
	}
	return folders
}

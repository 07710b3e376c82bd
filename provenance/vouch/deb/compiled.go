package deb

import (
	"encoding/binary"
	"path"
	"strings"

	"audit/inspect/check"
	"audit/provenance/vouch"
)

// compiled looks at the byte code that Python keeps of modules, which py3compile(1) makes
// when a package is installed. Its header names the source by time and size (PEP 552);
// that the code is what comes of the source is not shown here, though names that the source
// does not have are found, so that the word is that of something which explains the file
// and no more.
func (s *session) compiled() {
	count := 0
	for f := range s.root.Files() {
		if f.Inode.Type != '0' || path.Ext(f.Path) != ".pyc" || !s.nobodys(f) {
			continue
		}
		source, version, ok := sourceOf(f.Path)
		if !ok || pythonMagic[version] == 0 {
			continue
		}
		c, ok := s.ownAt(source)
		if !ok || c.sum.Type != '0' {
			continue
		}
		code, _, kept := s.root.Content(f.Path)
		if !kept || !s.isPlain(f) {
			continue
		}
		if !isCompiled(code, pythonMagic[version], c.sum, c.pkg.archive.Kept[c.sum.Path]) {
			s.list.Undecided(f.Layer, f.Path, "signatures/deb-compiled-differs", "source", source)
			continue
		}
		if name := foreignName(code[16:], pythonMagic[version], c.pkg.archive.Kept[c.sum.Path]); name != "" {
			s.list.Undecided(f.Layer, f.Path, "signatures/deb-compiled-foreign", "source", source, "name", check.Brief(name))
			continue
		}
		s.table.Vouch(f.Path, vouch.Word{Kind: vouch.Instruction, By: c.pkg.by(), Rule: "pyc-header"})
		count++
	}
	if count > 0 {
		s.list.Note(-1, "", "signatures/deb-compiled", "count", count)
	}
}

// foreignName returns a name that byte code has and its source has not, "" for none. Of
// code that is not read, as that of versions before 3.8, nothing is said.
func foreignName(code []byte, magic uint16, source []byte) string {
	if magic < pythonMagic["38"] || source == nil {
		return ""
	}
	b, err := readBytecode(code, magic)
	if err != nil {
		return err.Error()
	}
	return b.foreign(source)
}

// sourceOf returns where the source of byte code lies, and the version that it is for
// (PEP 3147).
func sourceOf(at string) (source, version string, ok bool) {
	dir, base := path.Split(at)
	stem, rest, ok := strings.Cut(base, ".cpython-")
	if !ok || path.Base(dir) != "__pycache__" {
		return "", "", false
	}
	version, _, _ = strings.Cut(rest, ".")
	return path.Join(path.Dir(path.Clean(dir)), stem+".py"), version, true
}

// pythonMagic begins the byte code of a version (CPython Lib/importlib/_bootstrap_external.py).
var pythonMagic = map[string]uint16{"37": 3394, "38": 3413, "39": 3425, "310": 3439, "311": 3495, "312": 3531, "313": 3571, "314": 3627}

// Flags of byte code that names its source by a hash of the content (PEP 552).
const (
	byHash  = 1
	checked = 2
)

// isCompiled says whether the header of byte code names the source: by its time and
// size, or by a hash of the content.
func isCompiled(code []byte, magic uint16, source *File, content []byte) bool {
	if len(code) < 17 || binary.LittleEndian.Uint16(code) != magic || string(code[2:4]) != "\r\n" {
		return false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(code[4*i:]) }
	switch word(1) {
	case 0:
		return word(2) == uint32(source.ModTime) && word(3) == uint32(source.Size)
	case byHash, byHash | checked:
		rounds := 2
		if magic >= pythonMagic["311"] {
			rounds = 1
		}
		return int64(len(content)) == source.Size && binary.LittleEndian.Uint64(code[8:]) == sipHash(uint64(word(0)), rounds, content)
	}
	return false
}

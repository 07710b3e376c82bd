package explain

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
)

// maxBuildID bounds the bytes of an identifier that is taken for a build-id.
const maxBuildID = 128

// buildIDNote returns the owner and the type of the note that a section of a build-id holds.
func buildIDNote(section string) (owner string, kind uint32) {
	switch section {
	case ".note.gnu.build-id":
		return "GNU\x00", 3
	case ".note.go.buildid":
		return "Go\x00\x00", 4
	}
	return "", 0
}

// isBuildID says whether a section has the identifier that a linker makes up of all
// else (ld(1), --build-id; cmd/internal/buildid of Go).
func (s elfSection) isBuildID() bool { return s.kind == elf.SHT_NOTE && !s.code && s.note() != nil }

// note returns the identifier in a section that is one note of a build-id (System V ABI,
// "Note Section"), else nil: the name of a section proves nothing of what it holds.
func (s elfSection) note() []byte {
	owner, kind := buildIDNote(s.name)
	if owner == "" || s.of == nil || len(s.data) < 16 {
		return nil
	}
	word := func(at int) uint32 { return s.of.order.Uint32(s.data[at:]) }
	id := s.data[16:]
	padding := int64(len(id)) - int64(word(4))
	if word(0) != uint32(len(owner)) || word(8) != kind || string(s.data[12:16]) != owner || len(id) > maxBuildID || padding < 0 || padding > 3 {
		return nil
	}
	return id
}

// buildID writes the identifier as it is usual: that of Go as its text.
func (s elfSection) buildID() string {
	if s.name == ".note.go.buildid" {
		return strings.TrimRight(string(s.note()), "\x00")
	}
	return fmt.Sprintf("%x", s.note())
}

// isAside says whether a section is neither code nor loaded into memory.
func (s elfSection) isAside() bool { return !s.code && !s.loaded }

// isDebug says whether a section is for debuggers alone: by its name, and in no case
// one that is loaded into memory.
func (s elfSection) isDebug() bool {
	name := strings.TrimPrefix(strings.TrimPrefix(s.name, ".rela"), ".rel")
	for _, prefix := range []string{".debug_", ".zdebug_", ".gnu_debug", ".stab", ".gdb_index"} {
		if strings.HasPrefix(name, prefix) {
			return !s.loaded
		}
	}
	return false
}

// partsOfELF are what sections are for, in the order in which they are listed.
func partsOfELF() []string {
	return []string{
		"value/elf-code", "value/elf-data", "value/elf-build-id", "value/elf-debug", "value/elf-compilers",
		"value/elf-symbols", "value/elf-other", "value/elf-headers",
	}
}

// part is the code of what a section is for.
func (s elfSection) part() string {
	switch {
	case s.isBuildID():
		return "value/elf-build-id"
	case s.isDebug():
		return "value/elf-debug"
	case s.code:
		return "value/elf-code"
	case s.loaded:
		return "value/elf-data"
	case s.name == ".comment":
		return "value/elf-compilers"
	case s.kind == elf.SHT_SYMTAB || s.kind == elf.SHT_STRTAB:
		return "value/elf-symbols"
	}
	return "value/elf-other"
}

// onlyAside says of two files that are the same in memory, and beside their sections, which
// of their parts differ.
func (d *diff) onlyAside(a, b *elfFile, differ map[string]bool) {
	if !bytes.Equal(a.rest, b.rest) && !moved(a, b) {
		differ["value/elf-headers"] = true
	}
	if !bytes.Equal(a.beside, b.beside) || !sameInMemory(a, b) && !sameObject(a, b, differ) {
		return
	}
	var parts []check.Message
	for _, code := range partsOfELF() {
		if differ[code] {
			parts = append(parts, check.Message{Code: code})
		}
	}
	if len(parts) > 0 {
		d.show(check.Say("difference/elf-only", "parts", parts))
	}
}

// sameInMemory says whether two programs are the same once they are loaded, but for
// their build-ids. It looks at the segments: the names of sections prove nothing.
func sameInMemory(a, b *elfFile) bool {
	was, segments := a.memory()
	now, others := b.memory()
	if len(segments) == 0 || !slices.Equal(segments, others) || !slices.Equal(a.places(), b.places()) {
		return false
	}
	for _, s := range append(segments, a.header()) {
		if !bytes.Equal(was[s.from:s.to], now[s.from:s.to]) {
			return false
		}
	}
	return true
}

// sameObject says whether two files that are yet to be linked differ in nothing that a
// linker puts into a program.
func sameObject(a, b *elfFile, differ map[string]bool) bool {
	for code := range differ {
		if code != "value/elf-debug" && code != "value/elf-compilers" {
			return false
		}
	}
	return a.file.Type == elf.ET_REL && b.file.Type == elf.ET_REL && a.kind == b.kind && len(a.sections) == len(b.sections)
}

// memory returns the file without build-ids and without the place and number of section
// headers, and which of its bytes are loaded: none when the same are over and over again.
func (f *elfFile) memory() (data []byte, segments []stretch) {
	data = slices.Clone(f.data)
	table, count := data[40:48], data[60:64]
	if f.class == elf.ELFCLASS32 {
		table, count = data[32:36], data[48:52]
	}
	clear(table)
	clear(count)
	for _, s := range f.sections {
		if s.isBuildID() {
			clear(data[s.offset : s.offset+len(s.data)])
		}
	}
	total, size := uint64(0), uint64(len(data))
	for _, p := range f.file.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if total += p.Filesz; p.Off > size || p.Filesz > size-p.Off || total > maxOverlap*size {
			return nil, nil
		}
		segments = append(segments, stretch{int64(p.Off), int64(p.Off + p.Filesz)})
	}
	return data, segments
}

// header is where the header of the file is (System V ABI, "ELF Header").
func (f *elfFile) header() stretch {
	if f.class == elf.ELFCLASS32 {
		return stretch{0, 52}
	}
	return stretch{0, 64}
}

// places are the program headers, and where the build-ids are.
func (f *elfFile) places() (all []string) {
	for _, p := range f.file.Progs {
		all = append(all, fmt.Sprint(p.ProgHeader))
	}
	for _, s := range f.sections {
		if s.isBuildID() {
			all = append(all, fmt.Sprint(s.offset, len(s.data)))
		}
	}
	return all
}

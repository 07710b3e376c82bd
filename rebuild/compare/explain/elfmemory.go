package explain

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
)

// maxBuildID bounds the bytes of a section that is taken for a build-id.
const maxBuildID = 256

// isBuildID says whether a section has the identifier that a linker makes up of all
// else (ld(1), --build-id; cmd/internal/buildid of Go).
func (s elfSection) isBuildID() bool {
	return (s.name == ".note.gnu.build-id" || s.name == ".note.go.buildid") && s.kind == elf.SHT_NOTE && !s.code && len(s.data) <= maxBuildID
}

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

// onlyAside says of two files that are the same in memory which of their parts differ.
func (d *diff) onlyAside(a, b *elfFile, differ map[string]bool) {
	if !bytes.Equal(a.rest, b.rest) && !moved(a, b) {
		differ["value/elf-headers"] = true
	}
	if !sameInMemory(a, b) && !sameObject(a, b, differ) {
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
	was := a.memory()
	return was != nil && bytes.Equal(was, b.memory())
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

// memory returns the header of the file, its program headers and all bytes that they
// load, without build-ids and without the place and number of section headers; nil
// when nothing is loaded, or the same bytes are over and over again.
func (f *elfFile) memory() []byte {
	data := slices.Clone(f.data)
	header, table, count := 64, data[40:48], data[60:64]
	if f.class == elf.ELFCLASS32 {
		header, table, count = 52, data[32:36], data[48:52]
	}
	clear(table)
	clear(count)
	var places bytes.Buffer
	for _, s := range f.sections {
		if s.isBuildID() {
			clear(data[s.offset : s.offset+len(s.data)])
			fmt.Fprintln(&places, s.offset, len(s.data))
		}
	}
	var loaded []byte
	for _, p := range f.file.Progs {
		fmt.Fprintln(&places, p.ProgHeader)
		if p.Type != elf.PT_LOAD {
			continue
		}
		size := uint64(len(data))
		if p.Off > size || p.Filesz > size-p.Off || uint64(len(loaded))+p.Filesz > maxOverlap*size {
			return nil
		}
		loaded = append(loaded, data[p.Off:p.Off+p.Filesz]...)
	}
	if len(loaded) == 0 {
		return nil
	}
	return slices.Concat(data[:header], places.Bytes(), loaded)
}

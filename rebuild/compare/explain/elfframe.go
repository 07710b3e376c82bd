package explain

import (
	"bytes"
	"debug/elf"
	"slices"
)

// elfFrame returns the headers of an ELF file, with zeros for the places and
// sizes of its sections, or else what there is beside headers and sections that is
// not zero.
func elfFrame(data []byte, f *elf.File, held []stretch) (frame, beside []byte) {
	header, entry, word, tableAt, placeAt := 64, 64, 8, 40, 24
	if f.Class == elf.ELFCLASS32 {
		header, entry, word, tableAt, placeAt = 52, 40, 4, 32, 16
	}
	data = slices.Clone(data)
	table := data[tableAt : tableAt+word]
	from := uint64(f.ByteOrder.Uint32(table))
	if word == 8 {
		from = f.ByteOrder.Uint64(table)
	}
	n := uint64(len(f.Sections) * entry)
	if from > uint64(len(data)) || n > uint64(len(data))-from {
		beside, _ = outside(data, held)
		return nil, beside
	}
	clear(table)
	sections := data[from : from+n]
	for at := placeAt; at < len(sections); at += entry {
		clear(sections[at : at+2*word])
	}
	programs := data[header:min(len(data), header+len(f.Progs)*programSize(f.Class))]
	frame = slices.Concat(data[:header], programs, sections)
	clear(data[:header+len(programs)])
	clear(sections)
	rest, _ := outside(data, held)
	if beside = bytes.TrimLeft(rest, "\x00"); len(beside) > 0 {
		return nil, beside
	}
	return frame, nil
}

// programSize is the length of a program header, which linkers write right
// after the header of the file.
func programSize(c elf.Class) int {
	if c == elf.ELFCLASS32 {
		return 32
	}
	return 56
}

// moved says whether the headers of two files differ only by where their
// sections are and how long, and some sections are not of the same length.
func moved(a, b *elfFile) bool {
	if a.frame == nil || !bytes.Equal(a.frame, b.frame) || len(a.sections) != len(b.sections) {
		return false
	}
	for i := range a.sections {
		if len(a.sections[i].data) != len(b.sections[i].data) {
			return true
		}
	}
	return false
}

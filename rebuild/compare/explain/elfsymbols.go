package explain

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"audit/inspect/check"
)

// An elfSymbol is a function or an object of a section (System V ABI, "Symbol Table").
type elfSymbol struct {
	name     string
	from, to int // its bytes in the section
}

// Bounds on symbols. Of a file with more of them none is named.
const (
	maxSymbols    = 200_000 // of one file
	maxSymbolName = 256     // bytes of a name
	maxNamed      = 8       // that are named of one section
)

// symbolsOf returns the symbols of a section in the order of their places, each with
// at least one byte; nil when they hold the bytes of the section over again.
func (f *elfFile) symbolsOf(section int) []elfSymbol {
	if f.symbols == nil {
		f.symbols = f.readSymbols()
	}
	all := f.symbols[section]
	total, last := 0, elfSymbol{}
	for _, s := range all {
		if s.from != last.from || s.to != last.to {
			total += s.to - s.from
		}
		last = s
	}
	if total > maxOverlap*len(f.sections[section].data) {
		return nil
	}
	return all
}

// readSymbols reads the full table of symbols, or else that of dynamic linking, by
// section.
func (f *elfFile) readSymbols() map[int][]elfSymbol {
	found := make(map[int][]elfSymbol)
	table := slices.IndexFunc(f.sections, func(s elfSection) bool { return s.kind == elf.SHT_SYMTAB })
	if table < 0 {
		table = slices.IndexFunc(f.sections, func(s elfSection) bool { return s.kind == elf.SHT_DYNSYM })
	}
	if table < 0 || f.sections[table].link >= len(f.sections) {
		return found
	}
	data, names := f.sections[table].data, f.sections[f.sections[table].link].data
	size := f.symbolSize()
	if len(data)/size > maxSymbols {
		return found
	}
	for ; len(data) >= size; data = data[size:] {
		if s, section, ok := f.symbol(data, names); ok {
			found[section] = append(found[section], s)
		}
	}
	for _, all := range found {
		slices.SortFunc(all, func(x, y elfSymbol) int {
			return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to), cmp.Compare(x.name, y.name))
		})
	}
	return found
}

func (f *elfFile) symbolSize() int {
	if f.class == elf.ELFCLASS32 {
		return elf.Sym32Size
	}
	return elf.Sym64Size
}

// symbol reads the entry that the table starts with; ok is false for what is no
// function and no object, and for one that does not lie in its section.
func (f *elfFile) symbol(entry, names []byte) (s elfSymbol, section int, ok bool) {
	order := f.order
	info, index, value, size := entry[4], order.Uint16(entry[6:]), uint64(0), uint64(0)
	if f.class == elf.ELFCLASS32 {
		info, index = entry[12], order.Uint16(entry[14:])
		value, size = uint64(order.Uint32(entry[4:])), uint64(order.Uint32(entry[8:]))
	} else {
		value, size = order.Uint64(entry[8:]), order.Uint64(entry[16:])
	}
	section = int(index)
	kind := elf.ST_TYPE(info)
	if kind != elf.STT_FUNC && kind != elf.STT_OBJECT && kind != elf.STT_GNU_IFUNC || section >= len(f.sections) || size == 0 {
		return s, 0, false
	}
	if f.machine == elf.EM_ARM && kind == elf.STT_FUNC {
		value &^= 1 // says that the function is in Thumb
	}
	in := f.sections[section]
	value -= in.address
	if n := uint64(len(in.data)); value > n || size > n-value {
		return s, 0, false
	}
	return elfSymbol{nameAt(names, order.Uint32(entry)), int(value), int(value + size)}, section, true
}

// nameAt is the text at an offset up to the next byte of zero, cut after 256 bytes.
func nameAt(names []byte, at uint32) string {
	if uint64(at) > uint64(len(names)) {
		return ""
	}
	name, _, _ := bytes.Cut(names[at:min(len(names), int(at)+maxSymbolName)], []byte{0})
	return string(name)
}

// differing names the symbols of a section whose bytes differ, then those that only one
// file has: the first of them, and how many there are in all. Where a file has no symbols
// of the section nothing is known of them.
func differing(a, b elfSection) (named []check.Message, count int) {
	was, now := a.symbols(), b.symbols()
	if len(was) == 0 || len(now) == 0 {
		return nil, 0
	}
	note := func(m check.Message) {
		if count++; len(named) < maxNamed {
			named = append(named, m)
		}
	}
	p, last := pair(symbolNames(was), symbolNames(now)), elfSymbol{}
	for _, both := range p.both {
		x, y := was[both[0]], now[both[1]]
		if x.from == last.from && x.to == last.to {
			continue // another name of the same
		}
		last = x
		if at := FirstDifference(a.data[x.from:x.to], b.data[y.from:y.to]); at >= 0 {
			note(check.Say("value/symbol", "symbol", shown(x.name), "offset", at, "at", a.offset+x.from+at))
		}
	}
	for _, i := range p.gone {
		note(check.Say("value/symbol-missing", "symbol", shown(was[i].name)))
	}
	for _, j := range p.come {
		note(check.Say("value/symbol-extra", "symbol", shown(now[j].name)))
	}
	return named, count
}

// outsideSymbols returns where in the file the first byte is that differs and is in no
// symbol; 0 when there is none, and for sections that are not of one length.
func outsideSymbols(a, b elfSection) int {
	if len(a.data) != len(b.data) {
		return 0
	}
	from := 0
	for _, s := range append(slices.Clone(a.symbols()), elfSymbol{from: len(a.data), to: len(a.data)}) {
		if s.from > from {
			if at := FirstDifference(a.data[from:s.from], b.data[from:s.from]); at >= 0 {
				return a.offset + from + at
			}
		}
		from = max(from, s.to)
	}
	return 0
}

// symbols are those of the section, none where its bytes are not those of the file.
func (s elfSection) symbols() []elfSymbol {
	if s.of == nil {
		return nil
	}
	return s.of.symbolsOf(s.index)
}

func symbolNames(all []elfSymbol) []string {
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.name)
	}
	return names
}

// sectionPlace says where in a section the bytes of two files differ: in which functions
// or objects, and where in none, else from which byte on.
func sectionPlace(name string, a, b elfSection) check.Message {
	named, count := differing(a, b)
	switch {
	case count > 0 && a.code:
		return check.Say("difference/functions", "section", name, "functions", count, "symbols", named, "beyond", count-len(named), "outside", outsideSymbols(a, b))
	case count > 0:
		return check.Say("difference/objects", "section", name, "objects", count, "symbols", named, "beyond", count-len(named), "outside", outsideSymbols(a, b))
	case a.of == nil:
		return check.Say("difference/section", "section", name)
	}
	at := FirstDifference(a.data, b.data)
	return check.Say("difference/section-from", "section", name, "offset", max(at, 0), "at", a.offset+max(at, 0))
}

// addPlace notes a part that is like another one only at the same place.
func (d *diff) addPlace(what check.Message, was, now string) {
	p := Part{What: d.at(what), Was: shown(was), Now: shown(now), Count: 1}
	d.out.addAs(likeness{was: p.Was, now: p.Now, what: fmt.Sprint(p.What)}, p)
}

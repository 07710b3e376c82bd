package explain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"audit/inspect/check"
)

// An elfDecoder explains ELF files section by section (System V ABI, chapter
// "Object Files"): the identifiers that a linker makes up, the names of
// compilers, and the dates, paths and strings inside of the others.
type elfDecoder struct{}

func (elfDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseELF(was)
	b, okB := parseELF(now)
	if !okA || !okB || len(a.sections) == 0 || len(b.sections) == 0 {
		return false
	}
	d.elfSections(a, b)
	return true
}

// An elfFile is an ELF file taken apart.
type elfFile struct {
	kind     string // what it is for: class, machine and type
	class    elf.Class
	machine  elf.Machine
	order    binary.ByteOrder
	file     *elf.File
	data     []byte
	sections []elfSection
	rest     []byte              // what is in no section: headers, padding
	frame    []byte              // the headers, but for where the sections are and how long; nil when something but zeros lies beside them
	beside   []byte              // what lies beside headers and sections, without zeros before it: often an archive that the program reads
	symbols  map[int][]elfSymbol // by section; nil when they were not read
}

type elfSection struct {
	name   string
	kind   elf.SectionType
	code   bool
	loaded bool
	packed int // bytes of the header of a compressed section, 0 for all others
	data   []byte

	of      *elfFile // nil when data is not as it is in the file
	index   int      // in the table of sections
	offset  int      // of data in the file
	address uint64   // that symbols start from
	link    int      // index of the section that it refers to
}

// maxSections bounds the sections of one file; compilers make one for each
// function where they are asked to.
const maxSections = 65_536

// maxOverlap bounds how often the sections may hold the bytes of the file over
// again, as no linker makes them.
const maxOverlap = 2

func parseELF(data []byte) (*elfFile, bool) {
	if !bytes.HasPrefix(data, []byte(elf.ELFMAG)) {
		return nil, false
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil || len(f.Sections) > maxSections {
		return nil, false
	}
	out := &elfFile{kind: fmt.Sprintf("%v %v %v %v", f.Class, f.Machine, f.Type, f.OSABI),
		class: f.Class, machine: f.Machine, order: f.ByteOrder, file: f, data: data}
	var held []stretch
	total := uint64(0)
	for i, s := range f.Sections {
		sec := elfSection{name: s.Name, kind: s.Type, code: s.Flags&elf.SHF_EXECINSTR != 0, loaded: s.Flags&elf.SHF_ALLOC != 0,
			of: out, index: i, link: int(s.Link)}
		if f.Type != elf.ET_REL {
			sec.address = s.Addr
		}
		if s.Flags&elf.SHF_COMPRESSED != 0 {
			sec.packed = map[elf.Class]int{elf.ELFCLASS32: 12, elf.ELFCLASS64: 24}[f.Class]
		}
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			total += s.FileSize
			if s.Offset > uint64(len(data)) || s.FileSize > uint64(len(data))-s.Offset || total > maxOverlap*uint64(len(data)) {
				return nil, false
			}
			sec.data, sec.offset = data[s.Offset:s.Offset+s.FileSize], int(s.Offset)
			held = append(held, stretch{int64(s.Offset), int64(s.Offset + s.FileSize)})
		}
		out.sections = append(out.sections, sec)
	}
	out.rest, _ = outside(data, held)
	out.frame, out.beside = elfFrame(data, f, held)
	return out, true
}

func (d *diff) elfSections(a, b *elfFile) {
	if a.kind != b.kind {
		d.add(check.Say("difference/elf-header"), Content, a.kind, b.kind)
	}
	names := func(sections []elfSection) (all []string) {
		for _, s := range sections {
			all = append(all, s.name)
		}
		return all
	}
	p := pair(names(a.sections), names(b.sections))
	differ := make(map[string]bool) // by the code of what sections are for
	for _, i := range p.gone {
		differ[a.sections[i].part()] = true
		d.only(check.Say("difference/section-missing", "section", shown(a.sections[i].name)))
	}
	for _, j := range p.come {
		differ[b.sections[j].part()] = true
		d.only(check.Say("difference/section-extra", "section", shown(b.sections[j].name)))
	}
	for _, both := range p.both {
		was, now := a.sections[both[0]], b.sections[both[1]]
		if bytes.Equal(was.data, now.data) && was.kind == now.kind {
			continue
		}
		differ[was.part()], differ[now.part()] = true, true
		d.elfSection(was, now)
	}
	switch {
	case !bytes.Equal(a.beside, b.beside):
		d.inside("what is in no section", "", a.beside, b.beside)
	case !bytes.Equal(a.rest, b.rest):
		reason := Content
		if d.out.Has(Content) || moved(a, b) {
			reason = Follows
		}
		d.add(check.Say("difference/elf-rest"), reason, sizeText(a.rest), sizeText(b.rest))
	}
	d.onlyAside(a, b, differ)
}

func (d *diff) elfSection(a, b elfSection) {
	name := shown(a.name)
	aside := a.isAside() && b.isAside()
	switch {
	case a.isBuildID() && b.isBuildID():
		d.add(check.Say("difference/build-id", "section", name), Follows, a.buildID(), b.buildID())
	case aside && a.name == ".gnu_debuglink":
		d.debugLink(name, a.data, b.data)
	case aside && a.name == ".comment":
		d.add(check.Say("difference/compilers", "section", name), Content, compilers(a.data), compilers(b.data))
	case aside && a.name == ".gnu_debugdata":
		d.inside(name, "", a.data, b.data)
	case a.packed > 0 && b.packed > 0:
		d.packedSection(name, a, b)
	case a.code || !d.explained(a.data, b.data, func(int) check.Message { return check.Say("difference/section", "section", name) }):
		d.section(name, a, b)
	}
}

// packedSection explains what a compressed section holds (System V ABI, "Section
// Compression"); only zlib is looked into.
func (d *diff) packedSection(name string, a, b elfSection) {
	x, errX := d.unzlib(a.data[min(a.packed, len(a.data)):])
	y, errY := d.unzlib(b.data[min(b.packed, len(b.data)):])
	switch {
	case errX != nil || errY != nil:
		d.add(check.Say("difference/compressed-section", "section", name), Content, sizeText(a.data), sizeText(b.data))
	case bytes.Equal(x, y):
		d.add(check.Say("difference/section", "section", name), Packing, packedText(a.data, x), packedText(b.data, y))
	case !d.explained(x, y, func(int) check.Message { return check.Say("difference/section", "section", name) }):
		a.data, b.data, a.of, b.of = x, y, nil, nil
		d.section(name, a, b)
	}
}

// section notes that a section differs, and shows the strings that do.
func (d *diff) section(name string, a, b elfSection) {
	was, now := sizeText(a.data), sizeText(b.data)
	if n, _ := countDifferent(a.data, b.data); len(a.data) == len(b.data) {
		now += fmt.Sprintf(", %d of them differ", n)
	}
	if a.isDebug() && b.isDebug() {
		d.add(check.Say("difference/debug-section", "section", name), Content, was, now)
	} else {
		d.addPlace(sectionPlace(name, a, b), was, now)
	}
	if a.code {
		return
	}
	if diff := d.stringsText(a.data, b.data); diff != "" {
		d.show(check.Say("difference/strings", "section", name, "diff", diff))
	}
}

// debugLink compares the names of two files of debugging symbols, and their
// checksums (the GDB manual, "Debugging Information in Separate Files").
func (d *diff) debugLink(name string, was, now []byte) {
	a, sumA, _ := bytes.Cut(was, []byte{0})
	b, sumB, _ := bytes.Cut(now, []byte{0})
	d.value(check.Say("difference/debug-link", "section", name), string(a), string(b))
	if !bytes.Equal(sumA, sumB) {
		d.add(check.Say("difference/debug-link-checksum", "section", name), Follows, fmt.Sprintf("%x", sumA), fmt.Sprintf("%x", sumB))
	}
}

// compilers lists the strings of a section, each once.
func compilers(data []byte) string {
	var all []string
	for s := range strings.SplitSeq(string(data), "\x00") {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, "; ")
}

// Bounds on the strings that are looked for.
const (
	minString  = 6
	maxStrings = 20_000
)

// stringsText shows which strings of two byte strings differ, as a diff; "" for
// none, or too many.
func (d *diff) stringsText(was, now []byte) string {
	l := newLineDiff(stringsOf(was), stringsOf(now))
	if len(l.was)+len(l.now) == 0 || len(l.was)+len(l.now) > maxStrings || l.work() > d.work {
		return ""
	}
	d.work -= l.work()
	text, _ := unified(l.edits(), l.skipped-len(l.before)+1)
	return text
}

// stringsOf returns the printable strings of data, a line each.
func stringsOf(data []byte) string {
	var b strings.Builder
	start := 0
	for i := 0; i <= len(data); i++ {
		if i < len(data) && ' ' <= data[i] && data[i] <= '~' {
			continue
		}
		if i-start >= minString {
			b.Write(data[start:i])
			b.WriteByte('\n')
		}
		start = i + 1
	}
	return b.String()
}

package explain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"regexp"
	"slices"
)

// programOf makes a program for x86-64 of sections "NAME", "content", of which later
// ones take the place of those before. What .text and .data have is "name=bytes" over
// and over, each with its symbol. All sections up to .data are loaded, and with
// "loaded", NAME all up to that one.
func programOf(base []string, more ...string) string {
	content, order, loaded := map[string]string{}, []string{}, ".data"
	all := append(slices.Clone(base), more...)
	for i := 0; i < len(all); i += 2 {
		if all[i] == "loaded" {
			loaded = all[i+1]
			continue
		}
		if _, known := content[all[i]]; !known {
			order = append(order, all[i])
		}
		content[all[i]] = all[i+1]
	}
	var body, names, table bytes.Buffer
	const start = uint64(64 + 56)
	le, texts, symbols, end := binary.LittleEndian, "\x00", make([]byte, elf.Sym64Size), uint64(0)
	names.WriteByte(0)
	binary.Write(&table, le, elf.Section64{})
	count := 1
	add := func(name, data string, kind elf.SectionType, flags elf.SectionFlag, link uint32) {
		binary.Write(&table, le, elf.Section64{Name: uint32(names.Len()), Type: uint32(kind), Flags: uint64(flags), Link: link,
			Addr: addressOf(flags, start+uint64(body.Len())), Off: start + uint64(body.Len()), Size: uint64(len(data))})
		names.WriteString(name + "\x00")
		body.WriteString(data)
		count++
	}
	for _, name := range order {
		data, kind, flags := content[name], elf.SHT_PROGBITS, elf.SHF_ALLOC
		if end > 0 {
			flags = 0
		}
		switch name {
		case ".note.gnu.build-id":
			kind = elf.SHT_NOTE
		case ".text", ".data":
			if name == ".text" {
				flags |= elf.SHF_EXECINSTR
			}
			data = symbolsIn(data, func(symbol string, from, size int) {
				symbols = append(symbols, symbolOf(uint32(len(texts)), uint16(count), start+uint64(body.Len()+from), uint64(size), name == ".text")...)
				texts += symbol + "\x00"
			})
		}
		add(name, data, kind, flags, 0)
		if name == loaded {
			end = start + uint64(body.Len())
		}
	}
	add(".symtab", string(symbols), elf.SHT_SYMTAB, 0, uint32(count+1))
	add(".strtab", texts, elf.SHT_STRTAB, 0, 0)
	add(".shstrtab", names.String()+".shstrtab\x00", elf.SHT_STRTAB, 0, 0)
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Shoff: start + uint64(body.Len()),
		Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: uint16(count), Shstrndx: uint16(count - 1)}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var out bytes.Buffer
	binary.Write(&out, le, h)
	binary.Write(&out, le, elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Filesz: end, Memsz: end})
	return out.String() + body.String() + table.String()
}

func addressOf(flags elf.SectionFlag, at uint64) uint64 {
	if flags&elf.SHF_ALLOC == 0 {
		return 0
	}
	return at
}

// symbolsIn returns the bytes of "name=bytes" over and over; names are of letters, and
// bytes of anything else or the letter x.
func symbolsIn(text string, note func(name string, from, size int)) (data string) {
	for _, m := range regexp.MustCompile(`([a-wyz]+)=([^a-wyz]*)`).FindAllStringSubmatch(text, -1) {
		note(m[1], len(data), len(m[2]))
		data += m[2]
	}
	return data
}

func symbolOf(name uint32, section uint16, value, size uint64, function bool) []byte {
	kind := elf.STT_OBJECT
	if function {
		kind = elf.STT_FUNC
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, elf.Sym64{Name: name, Info: byte(elf.STB_GLOBAL)<<4 | byte(kind), Shndx: section, Value: value, Size: size})
	return b.Bytes()
}

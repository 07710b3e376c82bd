package explain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The table of symbols is read in both classes and both orders of bytes.
func TestSymbol32(t *testing.T) {
	var b bytes.Buffer
	binary.Write(&b, binary.BigEndian, elf.Sym32{Name: 1, Info: byte(elf.STT_FUNC), Shndx: 1, Value: 0x1003, Size: 4})
	f := &elfFile{class: elf.ELFCLASS32, machine: elf.EM_ARM, order: binary.BigEndian,
		sections: []elfSection{{}, {data: make([]byte, 6), address: 0x1000}}}
	s, section, ok := f.symbol(b.Bytes(), []byte("\x00main\x00"))
	if want := (elfSymbol{"main", 2, 6}); s != want || section != 1 || !ok {
		t.Errorf("%v in section %d, %v, want %v", s, section, ok, want)
	}
	f.sections[1].data = make([]byte, 5)
	if s, _, ok := f.symbol(b.Bytes(), nil); ok {
		t.Errorf("%v ends after its section", s)
	}
}

// Of many functions that differ the first are named, and the others counted.
func TestManySymbols(t *testing.T) {
	text := func(content string) (all string) {
		for i := range 20 {
			all += fmt.Sprintf("f%s=%s", strings.Repeat("a", i+1), content)
		}
		return all
	}
	e := New(time.Time{}).Explain("x", []byte(programOf([]string{".text", text("....")})), []byte(programOf([]string{".text", text("..x.")})))
	args := e.Parts[0].What.Args
	if got := fmt.Sprint(args.Int("functions"), args.Int("beyond")); got != "20 12" || strings.Count(args.String("symbols"), "value/symbol") != maxNamed {
		t.Error(got, args.String("symbols"))
	}
}

// What differs in no function is not passed over where one differs.
func TestOutsideSymbols(t *testing.T) {
	was := programOf([]string{".text", "main=....=helper=..."})
	at := strings.Index(was, "=...") - 1
	now := []byte(was)
	now[at]++
	now[at+1]++
	f, _ := parseELF([]byte(was))
	g, _ := parseELF(now)
	all := f.symbols
	f.symbols, g.symbols = map[int][]elfSymbol{1: {{"main", 0, 4}, {"helper", 5, 8}}}, map[int][]elfSymbol{1: {{"main", 0, 4}, {"helper", 5, 8}}}
	if all != nil {
		t.Error("symbols are read before anything asks for them")
	}
	if got := place(sectionPlace(".text", f.sections[1], g.sections[1])); !strings.Contains(got, fmt.Sprint("outside=", at+1)) || !strings.Contains(got, `offset="3" symbol="main"`) {
		t.Error(got)
	}
}

// Symbols that hold the bytes of a section over and over, and names that do not end, name
// nothing and cost nothing.
func TestHostileSymbols(t *testing.T) {
	f := &elfFile{class: elf.ELFCLASS64, order: binary.LittleEndian}
	const n = 50_000
	var table bytes.Buffer
	for i := range n {
		table.Write(symbolOf(0, 1, uint64(i), n-uint64(i), true))
	}
	f.sections = []elfSection{{}, {data: make([]byte, n), of: f, index: 1}, {data: table.Bytes(), kind: elf.SHT_SYMTAB, link: 3}, {data: bytes.Repeat([]byte("a"), 1<<20)}}
	if all := f.sections[1].symbols(); all != nil {
		t.Errorf("%d symbols of %d bytes each", len(all), n)
	}
	if got := f.symbols[1][0].name; len(got) != maxSymbolName {
		t.Errorf("a name of %d bytes", len(got))
	}
}

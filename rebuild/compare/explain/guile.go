package explain

import (
	"encoding/binary"
	"fmt"

	"audit/inspect/check"
)

// A guileDecoder explains compiled Guile, which is ELF for a machine of its
// own: the version of the bytecode that it is for (Guile 3.0, libguile/loader.c,
// DT_GUILE_VM_VERSION), then its sections, of which .guile.docstrs and
// .debug_str hold what came from the source.
type guileDecoder struct{}

func (guileDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseELF(was)
	b, okB := parseELF(now)
	if !okA || !okB || !a.isGuile() || !b.isGuile() {
		return false
	}
	if x, y := a.bytecode(), b.bytecode(); x != y {
		d.add(check.Say("difference/guile-bytecode"), Content, x, y)
	}
	d.elfSections(a, b)
	return true
}

func (f *elfFile) section(name string) []byte {
	for _, s := range f.sections {
		if s.name == name {
			return s.data
		}
	}
	return nil
}

func (f *elfFile) isGuile() bool { return f.section(".rtl-text") != nil }

// bytecode returns the version of the bytecode, "" when the file does not say.
func (f *elfFile) bytecode() string {
	const version = 0x37146003
	const entry = 16 // bytes of a 64-bit entry: its tag and its value
	dynamic := f.section(".dynamic")
	for ; len(dynamic) >= entry; dynamic = dynamic[entry:] {
		if binary.LittleEndian.Uint64(dynamic) == version {
			v := binary.LittleEndian.Uint64(dynamic[8:])
			return fmt.Sprintf("%d.%d", v>>16, v&0xffff)
		}
	}
	return ""
}

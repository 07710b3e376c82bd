package inspect

import "encoding/binary"

// fields takes the little-endian numbers of a record one after the other. The
// caller has made sure that they are there.
type fields struct{ b []byte }

func (f *fields) u16() uint16 {
	n := binary.LittleEndian.Uint16(f.b)
	f.b = f.b[2:]
	return n
}

func (f *fields) u32() uint32 {
	n := binary.LittleEndian.Uint32(f.b)
	f.b = f.b[4:]
	return n
}

func (f *fields) u64() uint64 {
	n := binary.LittleEndian.Uint64(f.b)
	f.b = f.b[8:]
	return n
}

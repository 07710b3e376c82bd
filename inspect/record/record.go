package record

import "encoding/binary"

// Fields takes the little-endian numbers of a record one after the other. The
// caller has made sure that they are there.
type Fields struct{ B []byte }

// U16 takes two bytes.
func (f *Fields) U16() uint16 {
	n := binary.LittleEndian.Uint16(f.B)
	f.B = f.B[2:]
	return n
}

// U32 takes four bytes.
func (f *Fields) U32() uint32 {
	n := binary.LittleEndian.Uint32(f.B)
	f.B = f.B[4:]
	return n
}

// U64 takes eight bytes.
func (f *Fields) U64() uint64 {
	n := binary.LittleEndian.Uint64(f.B)
	f.B = f.B[8:]
	return n
}

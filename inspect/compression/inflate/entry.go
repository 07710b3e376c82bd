package inflate

// An entry of a table is what the next bits of the stream stand for. Bits 0 to
// 5 say how many bits are used up, extra bits included.
//
//	literals  bit 31; the bytes in bits 8-15 and 16-23; in bits 24-25 how many
//	          they are, 1 or 2; in bits 26-29 the bits of the first alone
//	length    in bits 8-11 the bits of the code; its base in bits 16-24
//	distance  in bits 8-11 the bits of the code; its base in bits 16-30
//	subtable  bits 31 and 30 are 0 and 1 (of distances 1 and 0), and bit 7;
//	          in bits 8-11 how many bits choose in it; where it starts in 16-29
//	end       bit 30, and bit 6
//	nothing   bit 30 (of distances 31)
type entry uint32

const (
	flagLiteral  entry = 1 << 31
	flagOdd      entry = 1 << 30 // in the table of literals and lengths
	flagFar      entry = 1 << 31 // in the table of distances
	flagEnd      entry = 1 << 6
	flagSubtable entry = 1 << 7
)

func (e entry) bits() uint     { return uint(e & 63) }
func (e entry) codeBits() uint { return uint(e >> 8 & 15) }
func (e entry) base() int      { return int(e >> 16) }

// The meaning of symbols 257 to 285 and of the distances (RFC 1951, 3.2.5).
var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthMore = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}

	distanceBase = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceMore = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

const endOfBlock = 256

// literalEntry returns the entry of a symbol whose code has n bits.
func literalEntry(symbol, n int) entry {
	switch i := symbol - endOfBlock - 1; {
	case symbol < endOfBlock:
		return flagLiteral | entry(n)<<26 | 1<<24 | entry(symbol)<<8 | entry(n)
	case symbol == endOfBlock:
		return flagOdd | flagEnd | entry(n)
	case i < len(lengthBase):
		return entry(lengthBase[i])<<16 | entry(n)<<8 | entry(n+int(lengthMore[i]))
	}
	return flagOdd | entry(n)
}

func distanceEntry(symbol, n int) entry {
	if symbol < len(distanceBase) {
		return entry(distanceBase[symbol])<<16 | entry(n)<<8 | entry(n+int(distanceMore[symbol]))
	}
	return flagFar | entry(n)
}

// codeEntry is for the code of code lengths: the symbol itself.
func codeEntry(symbol, n int) entry { return entry(symbol)<<16 | entry(n) }

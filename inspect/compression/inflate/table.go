package inflate

import "math/bits"

const maxCodeBits = 15

// A tableMaker builds the table of one Huffman code.
type tableMaker struct {
	table   []entry
	bits    int // of the stream that choose in the main table
	entryOf func(symbol, n int) entry
	nothing entry // for bits that no code starts with; also marks subtables

	counts [maxCodeBits + 1]int
	sorted [288]uint16 // symbols by the length of their code
	end    int         // of the subtables so far
}

// build fills the table of the code whose symbols have codes of these lengths,
// 0 for none. A code must be complete, but for one that has no symbol or a
// single one of one bit; false when it is not. It is as strict as zlib and as
// compress/flate.
func (m *tableMaker) build(lengths []uint8) bool {
	m.sort(lengths)
	switch used, symbols := m.space(); {
	case symbols == 0:
		m.fill(0, m.nothing)
		return true
	case symbols == 1 && m.counts[1] == 1:
		m.fill(0, m.nothing)
		for i := 0; i < 1<<m.bits; i += 2 {
			m.table[i] = m.entryOf(int(m.sorted[0]), 1)
		}
		return true
	case used != 1<<maxCodeBits:
		return false
	}
	m.complete()
	return true
}

func (m *tableMaker) fill(from int, e entry) {
	for i := from; i < 1<<m.bits; i++ {
		m.table[i] = e
	}
}

// sort counts the codes of each length and sorts their symbols.
func (m *tableMaker) sort(lengths []uint8) {
	m.counts = [maxCodeBits + 1]int{}
	for _, n := range lengths {
		m.counts[n&maxCodeBits]++
	}
	m.counts[0] = 0
	var next [maxCodeBits + 2]int
	for n := 1; n <= maxCodeBits; n++ {
		next[n+1] = next[n] + m.counts[n]
	}
	for symbol, n := range lengths {
		if n > 0 {
			m.sorted[next[n]] = uint16(symbol)
			next[n]++
		}
	}
}

// space returns how much of the space of codes is used, in codes of the
// greatest length, and how many codes there are.
func (m *tableMaker) space() (used, symbols int) {
	for n, count := range m.counts {
		used += count << (maxCodeBits - n)
		symbols += count
	}
	return used, symbols
}

// complete fills the table of a complete code. Codes come in the order of their
// lengths; those of n bits fill a table of 2^n entries, which is doubled for
// each bit more. The bits of a code are reversed: its first is the lowest.
func (m *tableMaker) complete() {
	code, i, n, size := 0, 0, 0, 1
	for n < m.bits {
		n++
		copy(m.table[size:2*size], m.table[:size])
		size *= 2
		for range m.counts[n] {
			m.table[code] = m.entryOf(int(m.sorted[i]), n)
			i++
			code = nextCode(code, n)
		}
	}
	m.end = size
	if code < 0 {
		return
	}
	m.long(code, i)
}

// nextCode returns the code of n bits after code, -1 after the last.
func nextCode(code, n int) int {
	zeros := code ^ (1<<n - 1)
	if zeros == 0 {
		return -1
	}
	bit := 1 << (bits.Len(uint(zeros)) - 1)
	return code&(bit-1) | bit
}

// long puts the codes that are too long for the main table into subtables, one
// for each start that they have in common.
func (m *tableMaker) long(code, i int) {
	mask, prefix, start, width := 1<<m.bits-1, -1, 0, 0
	for n := m.bits + 1; n <= maxCodeBits; n++ {
		for left := m.counts[n]; left > 0; left-- {
			if code&mask != prefix {
				prefix, start = code&mask, m.end
				width = m.width(n, left)
				m.end += 1 << width
				m.table[prefix] = m.nothing | flagSubtable | entry(start)<<16 | entry(width)<<8 | entry(m.bits)
			}
			e := m.entryOf(int(m.sorted[i]), n-m.bits)
			for j := start + code>>m.bits; j < m.end; j += 1 << (n - m.bits) {
				m.table[j] = e
			}
			i++
			code = nextCode(code, n)
		}
	}
}

// width returns how many bits choose in a subtable that starts with a code of n
// bits, of which there are left.
func (m *tableMaker) width(n, left int) int {
	width := n - m.bits
	for used := left; used < 1<<width; {
		width++
		used = used<<1 + m.counts[m.bits+width]
	}
	return width
}

// shortest returns the length of the shortest code among these; noise has none
// that is short enough to make pairs.
func shortest(lengths []uint8) int {
	least := maxCodeBits + 1
	for _, n := range lengths {
		if n > 0 {
			least = min(least, int(n))
		}
	}
	return least
}

// pair makes entries of two literals where both are in the bits that choose.
func pair(table []entry, bits int) {
	for i := len(table) - 1; i >= 0; i-- {
		e := table[i]
		if e&flagLiteral == 0 {
			continue
		}
		n := e.bits()
		if next := table[i>>n]; next&flagLiteral != 0 && int(n+next.bits()) <= bits && next>>24&3 == 1 {
			table[i] = e + 1<<24 + entry(next.bits()) | next<<8&(255<<16)
		}
	}
}

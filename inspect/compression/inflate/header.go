package inflate

// fixedCodes makes the tables of a block of fixed codes (RFC 1951, 3.2.6).
func (d *Reader) fixedCodes() {
	literals, distances := d.lengths[:maxLiterals], d.lengths[maxLiterals:]
	for i := range literals {
		switch {
		case i < 144:
			literals[i] = 8
		case i < 256:
			literals[i] = 9
		case i < 280:
			literals[i] = 7
		default:
			literals[i] = 8
		}
	}
	for i := range distances {
		distances[i] = 5
	}
	d.makeTables(literals, distances)
}

// makeTables makes the tables for codes of these lengths.
func (d *Reader) makeTables(literals, distances []uint8) bool {
	m := &d.maker
	m.table, m.bits, m.entryOf, m.nothing = d.literals[:], literalBits, literalEntry, flagOdd
	if !m.build(literals) {
		return false
	}
	if shortest(literals[:min(len(literals), endOfBlock)]) <= literalBits/2 {
		pair(d.literals[:1<<literalBits], literalBits)
	}
	m.table, m.bits, m.entryOf, m.nothing = d.distances[:], distanceBits, distanceEntry, flagFar
	return m.build(distances)
}

// codeBits is the length of the longest code of code lengths.
const codeBits = 7

// codeOrder is the order in which the lengths of those codes come.
var codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicCodes reads the codes at the start of a block (RFC 1951, 3.2.7).
func (d *Reader) dynamicCodes() error {
	head, err := d.take(5 + 5 + 4)
	if err != nil {
		return err
	}
	literals, distances, codes := head&31+257, head>>5&31+1, head>>10+4
	if literals > endOfBlock+1+len(lengthBase) || distances > len(distanceBase) {
		return ErrCorrupt
	}
	if err := d.codeLengthCode(codes); err != nil {
		return err
	}
	lengths := d.lengths[:literals+distances]
	if err := d.readLengths(lengths); err != nil {
		return err
	}
	if !d.makeTables(lengths[:literals], lengths[literals:]) {
		return ErrCorrupt
	}
	return nil
}

// codeLengthCode makes the table for the code of code lengths, in the place
// that is then that of distances.
func (d *Reader) codeLengthCode(n int) error {
	var lengths [len(codeOrder)]uint8
	for _, symbol := range codeOrder[:n] {
		length, err := d.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(length)
	}
	m := &d.maker
	m.table, m.bits, m.entryOf, m.nothing = d.distances[:1<<codeBits], codeBits, codeEntry, 0
	if !m.build(lengths[:]) {
		return ErrCorrupt
	}
	return nil
}

// readLengths reads the lengths of the codes of all symbols.
func (d *Reader) readLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		symbol, err := d.codeLength()
		if err != nil {
			return err
		}
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		value, n := uint8(0), 0
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value = lengths[i-1]
			n, err = d.take(2)
			n += 3
		case 17:
			n, err = d.take(3)
			n += 3
		default:
			n, err = d.take(7)
			n += 11
		}
		if err != nil {
			return err
		}
		if i+n > len(lengths) {
			return ErrCorrupt
		}
		for range n {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// codeLength decodes one symbol of the code of code lengths. Fewer bits than
// its longest code may be left of the stream.
func (d *Reader) codeLength() (int, error) {
	for {
		e := d.distances[d.word&(1<<codeBits-1)]
		if n := e.bits(); n > 0 && n <= d.count {
			d.word >>= n
			d.count -= n
			return e.base(), nil
		} else if n == 0 && d.count >= codeBits {
			return 0, ErrCorrupt
		}
		if err := d.need(d.count + 1); err != nil {
			return 0, err
		}
	}
}

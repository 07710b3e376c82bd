package inflate

import (
	"encoding/binary"
	"io"
)

// codes decodes a piece of a block with Huffman codes.
func (d *Reader) codes() error {
	src, err := d.src.Peek(2 * inSlack)
	if len(src) < 2*inSlack {
		if err != io.EOF {
			return err
		}
		return d.careful(src)
	}
	src, _ = d.src.Peek(d.src.Buffered())
	n, err := d.rounds(src)
	d.src.Discard(n)
	return err
}

// rounds decodes while there is much of src and much room in the output, or to
// the end of the block. It returns how many bytes of src are used up; fewer
// than eight bits stay in the word.
func (d *Reader) rounds(src []byte) (int, error) {
	if hasFast && !d.checked {
		return d.fast(src)
	}
	return d.safe(src)
}

// safe is rounds in plain Go, whose every index is checked.
func (d *Reader) safe(src []byte) (int, error) {
	var (
		literals  = &d.literals
		distances = &d.distances
		out       = d.out
		word      = d.word
		count     = d.count
		w         = d.w
		in        = 0
		err       error
	)
	for in <= len(src)-inSlack && w <= len(out)-outSlack {
		word |= binary.LittleEndian.Uint64(src[in:]) << (count & 63)
		in += int(63-count) >> 3
		count |= 56

		e := literals[word&(1<<literalBits-1)]
		if e&flagLiteral != 0 {
			binary.LittleEndian.PutUint16(out[w:], uint16(e>>8))
			w += int(e >> 24 & 3)
			word >>= e & 63
			count -= uint(e & 63)
			e = literals[word&(1<<literalBits-1)]
			if e&flagLiteral != 0 {
				binary.LittleEndian.PutUint16(out[w:], uint16(e>>8))
				w += int(e >> 24 & 3)
				word >>= e & 63
				count -= uint(e & 63)
				e = literals[word&(1<<literalBits-1)]
				if e&flagLiteral != 0 {
					binary.LittleEndian.PutUint16(out[w:], uint16(e>>8))
					w += int(e >> 24 & 3)
					word >>= e & 63
					count -= uint(e & 63)
					continue
				}
			}
			// A length and a distance take 48 bits at most.
			word |= binary.LittleEndian.Uint64(src[in:]) << (count & 63)
			in += int(63-count) >> 3
			count |= 56
		}
		if e&flagOdd != 0 {
			word >>= e & 63
			count -= uint(e & 63)
			if e&flagEnd != 0 {
				d.coded = false
				break
			}
			if e&flagSubtable == 0 {
				err = ErrCorrupt
				break
			}
			e = literals[uint(e>>16&0x3fff)+uint(word)&(1<<(e>>8&15)-1)]
			if e&flagLiteral != 0 {
				out[w] = byte(e >> 8)
				w++
				word >>= e & 63
				count -= uint(e & 63)
				continue
			}
			if e&flagOdd != 0 {
				word >>= e & 63
				count -= uint(e & 63)
				if e&flagEnd != 0 {
					d.coded = false
					break
				}
				err = ErrCorrupt
				break
			}
		}
		length := int(e>>16) + int(word&(1<<(e&63)-1)>>(e>>8&15))
		word >>= e & 63
		count -= uint(e & 63)

		e = distances[word&(1<<distanceBits-1)]
		if e&flagFar != 0 {
			if e&flagSubtable == 0 {
				err = ErrCorrupt
				break
			}
			word >>= distanceBits
			count -= distanceBits
			e = distances[uint(e>>16&0x3fff)+uint(word)&(1<<(e>>8&15)-1)]
			if e&flagFar != 0 {
				err = ErrCorrupt
				break
			}
		}
		distance := int(e>>16) + int(word&(1<<(e&63)-1)>>(e>>8&15))
		word >>= e & 63
		count -= uint(e & 63)
		if distance > w {
			err = ErrCorrupt
			break
		}
		copyMatch(out, w, distance, length)
		w += length
	}
	in -= int(count >> 3)
	count &= 7
	d.word, d.count, d.w = word&(1<<count-1), count, w
	return in, err
}

// copyMatch copies length bytes from distance before w. It may write up to
// seven bytes more.
func copyMatch(out []byte, w, distance, length int) {
	from, end := w-distance, w+length
	switch {
	case distance >= 8:
		for w < end {
			binary.LittleEndian.PutUint64(out[w:], binary.LittleEndian.Uint64(out[from:]))
			w += 8
			from += 8
		}
	case distance == 1:
		pattern := uint64(out[from]) * 0x0101010101010101
		for w < end {
			binary.LittleEndian.PutUint64(out[w:], pattern)
			w += 8
		}
	default:
		for w < end {
			out[w] = out[from]
			w++
			from++
		}
	}
}

// careful decodes the last bytes of the source, in which other things than the
// stream may follow, one symbol at a time. tail is all that is left.
func (d *Reader) careful(tail []byte) error {
	var padded [4 * inSlack]byte
	copy(padded[:], tail)
	c := cautious{Reader: d, src: padded[:], left: d.count + 8*uint(len(tail))}
	var err error
	for d.coded && d.w <= len(d.out)-outSlack && err == nil {
		err = c.symbol()
	}
	used := c.in - int(d.count>>3)
	d.count &= 7
	d.word &= 1<<d.count - 1
	d.src.Discard(min(used, len(tail)))
	return err
}

// A cautious reader knows how many bits are left.
type cautious struct {
	*Reader
	src  []byte
	in   int
	left uint
}

// refill has 56 bits or more in the word, zeros where the source has no more.
func (c *cautious) refill() {
	for c.count < 56 && c.in < len(c.src) {
		c.word |= uint64(c.src[c.in]) << c.count
		c.in++
		c.count += 8
	}
	if c.in == len(c.src) {
		c.count = max(c.count, 56)
	}
}

// use takes n bits away, if that many are left.
func (c *cautious) use(n uint) error {
	if n > c.left {
		return io.ErrUnexpectedEOF
	}
	c.left -= n
	c.word >>= n
	c.count -= n
	return nil
}

// symbol decodes a literal, a match or the end of the block.
func (c *cautious) symbol() error {
	c.refill()
	e := c.literals[c.word&(1<<literalBits-1)]
	if e&flagOdd != 0 && e&flagSubtable != 0 {
		if err := c.use(literalBits); err != nil {
			return err
		}
		e = c.literals[uint(e.base()&0x3fff)+uint(c.word)&(1<<e.codeBits()-1)]
	}
	switch {
	case e&flagLiteral != 0: // the first, even of two
		if err := c.use(uint(e >> 26 & 15)); err != nil {
			return err
		}
		c.out[c.w] = byte(e >> 8)
		c.w++
		return nil
	case e&flagOdd != 0 && e&flagEnd != 0:
		c.coded = false
		return c.use(e.bits())
	case e&flagOdd != 0:
		return ErrCorrupt
	}
	return c.match(e)
}

func (c *cautious) match(e entry) error {
	length, err := c.number(e)
	if err != nil {
		return err
	}
	e = c.distances[c.word&(1<<distanceBits-1)]
	if e&flagFar != 0 && e&flagSubtable != 0 {
		if err := c.use(distanceBits); err != nil {
			return err
		}
		e = c.distances[uint(e.base()&0x3fff)+uint(c.word)&(1<<e.codeBits()-1)]
	}
	if e&flagFar != 0 {
		return ErrCorrupt
	}
	distance, err := c.number(e)
	if err != nil {
		return err
	}
	if distance > c.w {
		return ErrCorrupt
	}
	copyMatch(c.out, c.w, distance, length)
	c.w += length
	return nil
}

// number takes a length or distance, whose code is next.
func (c *cautious) number(e entry) (int, error) {
	n := e.base() + int(c.word&(1<<e.bits()-1)>>e.codeBits())
	return n, c.use(e.bits())
}

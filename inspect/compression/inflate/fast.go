//go:build (amd64 || arm64) && !purego

package inflate

import "unsafe"

// hasFast says that fast can be used.
const hasFast = true

// load64 and the stores access a buffer at an offset that is not checked.
func load64(p unsafe.Pointer, i int) uint64     { return *(*uint64)(unsafe.Add(p, i)) }
func store64(p unsafe.Pointer, i int, v uint64) { *(*uint64)(unsafe.Add(p, i)) = v }
func store16(p unsafe.Pointer, i int, v uint16) { *(*uint16)(unsafe.Add(p, i)) = v }
func store8(p unsafe.Pointer, i int, v uint8)   { *(*uint8)(unsafe.Add(p, i)) = v }

// periods are how many of eight bytes are whole periods of a pattern; step 0 is that
// of no pattern.
var periods = [8]uint8{0, 8, 8, 6, 8, 5, 6, 7}

// fast is safe without checks of what it reads from src and from the output and
// writes there. The tables are Go arrays, and their indices are checked where a mask
// does not bound them.
//
// Why every access is in its buffer, whatever the bits are:
//
// A round begins with in <= len(src)-inSlack before its word is taken in, and
// w <= len(out)-outSlack. Both are checked before the first round and at the end of
// each.
//
// src is read eight bytes at a time, at in, which then grows by (63-count)>>3, at
// most 7. A round reads it at most twice: at its start, up to
// in+8 <= len(src)-8, and after a literal, up to in+7+8 <= len(src)-1. The read
// ahead at the end of a match is the first of the next round, behind the same check.
//
// The output is written at w and behind. A round adds at most 2+2 bytes of literals
// and then a match of at most maxMatch bytes, which is copied in steps of at most 16,
// so that it writes up to w+4+maxMatch+15 < w+outSlack <= len(out); or three
// entries of literals, up to w+6; or one and two bytes more where one of one byte is
// stored as two.
//
// The output is read for a match at back = w-distance, and distance <= w is checked,
// so back >= 0. A step reads behind where the one before did and no further than it
// writes; one of a distance below 8 reads 8 bytes from back < w once.
//
// Lengths are at most maxMatch because entries of lengths are made from lengthBase
// and lengthMore alone: the base and at most five extra bits.
//
// The bits suffice: the word has 56 at the start of a round. Three literals take
// at most 3*literalBits; after one or two the word is filled again. A length and a
// distance take at most 15+5+15+13 = 48.
func (d *Reader) fast(src []byte) (int, error) {
	var (
		literals  = &d.literals
		distances = &d.distances
		out       = unsafe.Pointer(unsafe.SliceData(d.out))
		from      = unsafe.Pointer(unsafe.SliceData(src))
		word      = d.word
		count     = d.count
		w         = d.w
		in        = 0
		inEnd     = len(src) - inSlack
		wEnd      = len(d.out) - outSlack
		err       error
	)
	if in > inEnd || w > wEnd {
		return 0, nil
	}
	word |= load64(from, in) << (count & 63)
	in += int(63-count) >> 3
	count |= 56
	e := literals[word&(1<<literalBits-1)]
	for {
		if e&flagLiteral != 0 {
			store16(out, w, uint16(e>>8))
			w += int(e >> 24 & 3)
			word >>= e & 63
			count -= uint(e & 63)
			e = literals[word&(1<<literalBits-1)]
			if e&flagLiteral != 0 {
				store16(out, w, uint16(e>>8))
				w += int(e >> 24 & 3)
				word >>= e & 63
				count -= uint(e & 63)
				e = literals[word&(1<<literalBits-1)]
				if e&flagLiteral != 0 {
					store16(out, w, uint16(e>>8))
					w += int(e >> 24 & 3)
					word >>= e & 63
					count -= uint(e & 63)
					goto next
				}
			}
			word |= load64(from, in) << (count & 63)
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
				store8(out, w, uint8(e>>8))
				w++
				word >>= e & 63
				count -= uint(e & 63)
				goto next
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
		{
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
			// The table is looked up before the copy, which takes as long.
			more := in <= inEnd
			if more {
				word |= load64(from, in) << (count & 63)
				in += int(63-count) >> 3
				count |= 56
				e = literals[word&(1<<literalBits-1)]
			}
			end := w + length
			switch back := w - distance; {
			case distance >= 16:
				for {
					a, b := load64(out, back), load64(out, back+8)
					store64(out, w, a)
					store64(out, w+8, b)
					if w += 16; w >= end {
						break
					}
					back += 16
				}
			case distance >= 8:
				for ; w < end; w += 8 {
					store64(out, w, load64(out, back))
					back += 8
				}
			default:
				n := uint(distance) * 8
				pattern := load64(out, back) & (1<<n - 1)
				pattern |= pattern << n
				pattern |= pattern << (2 * n)
				pattern |= pattern << (4 * n)
				for step := int(periods[distance&7]); w < end; w += step {
					store64(out, w, pattern)
				}
			}
			w = end
			if !more || w > wEnd {
				break
			}
			continue
		}
	next:
		if in > inEnd || w > wEnd {
			break
		}
		word |= load64(from, in) << (count & 63)
		in += int(63-count) >> 3
		count |= 56
		e = literals[word&(1<<literalBits-1)]
	}
	in -= int(count >> 3)
	count &= 7
	d.word, d.count, d.w = word&(1<<count-1), count, w
	return in, err
}

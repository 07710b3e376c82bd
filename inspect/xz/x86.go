package xz

import "encoding/binary"

// undoX86 undoes the x86 filter of xz (The .xz File Format 1.2.1, 5.3.2) on a
// whole block. Packing has turned the operand of each CALL (E8) and JMP (E9)
// into the address that it leads to, where that address looked like one: its
// highest byte 00 or FF. Whether an operand was turned depends on opcodes in
// the four bytes before it that were not, since theirs overlap with it.
func undoX86(p []byte) {
	var near uint // of the bytes before i that are opcodes left as they are: bit 0 is i-1, bit 1 i-2, bit 2 i-3
	for i := 0; i+5 <= len(p); i++ {
		if p[i]&0xfe != 0xe8 {
			near = near << 1 & 7
			continue
		}
		if !looksTurned(near, p[i+1:i+5]) {
			near = (near<<1 | 1) & 7
			continue
		}
		turnBack(near, uint32(i+5), p[i+1:i+5])
		near, i = 0, i+4
	}
}

// isSign says whether a byte can be the highest one of an address.
func isSign(b byte) bool { return b == 0x00 || b == 0xff }

// overlap is how many bytes of an operand belong to those of opcodes nearby
// that were left: it hangs on the farthest of them.
func overlap(near uint) int {
	switch {
	case near&4 != 0:
		return 3
	case near&2 != 0:
		return 2
	}
	return int(near)
}

// looksTurned says whether the packer has turned an operand.
func looksTurned(near uint, operand []byte) bool {
	switch near {
	case 0:
	case 1, 2, 4:
		if isSign(operand[3-overlap(near)]) {
			return false
		}
	default:
		return false
	}
	return isSign(operand[3])
}

// turnBack makes the address in an operand relative again to the place behind
// it. Where the part that overlaps with nothing would then look turned itself,
// the packer has turned it a second time, upside down.
func turnBack(near uint, behind uint32, operand []byte) {
	rel := binary.LittleEndian.Uint32(operand) - behind
	if n := 8 * overlap(near); n > 0 && isSign(byte(rel>>(24-n))) {
		rel = rel ^ (1<<(32-n) - 1) - behind
	}
	rel &= 0x1ffffff
	if rel&0x1000000 != 0 {
		rel |= 0xff000000
	}
	binary.LittleEndian.PutUint32(operand, rel)
}

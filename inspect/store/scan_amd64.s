//go:build !purego

#include "textflag.h"

// Which of the groups 0x30, 0x60 and 0x70 have a hash digit with the lower four bits
// that are the index, and which group the higher four bits are: a byte is a digit where
// the two meet. Each is there twice, for both halves of a vector.
DATA low<>+0x00(SB)/8, $0x0707010307070705
DATA low<>+0x08(SB)/8, $0x0002020202060707
DATA low<>+0x10(SB)/8, $0x0707010307070705
DATA low<>+0x18(SB)/8, $0x0002020202060707
GLOBL low<>(SB), RODATA|NOPTR, $32
DATA high<>+0x00(SB)/8, $0x0402000001000000
DATA high<>+0x08(SB)/8, $0x0000000000000000
DATA high<>+0x10(SB)/8, $0x0402000001000000
DATA high<>+0x18(SB)/8, $0x0000000000000000
GLOBL high<>(SB), RODATA|NOPTR, $32

// The lower four bits of each byte.
DATA four<>+0x00(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA four<>+0x08(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA four<>+0x10(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA four<>+0x18(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL four<>(SB), RODATA|NOPTR, $32

// func foreign(p *byte, n int) int
TEXT ·foreign(SB), NOSPLIT, $0-24
	MOVQ     p+0(FP), SI
	MOVQ     n+8(FP), CX
	XORQ     AX, AX
	VMOVDQU  low<>(SB), Y0
	VMOVDQU  high<>(SB), Y1
	VPXOR    Y2, Y2, Y2
	VMOVDQU  four<>(SB), Y3

next:
	VMOVDQU   (SI)(AX*1), Y4
	VPSRLW    $4, Y4, Y5
	VPAND     Y3, Y4, Y4
	VPAND     Y3, Y5, Y5
	VPSHUFB   Y4, Y0, Y4
	VPSHUFB   Y5, Y1, Y5
	VPAND     Y4, Y5, Y4
	VPCMPEQB  Y2, Y4, Y4
	VPMOVMSKB Y4, DX
	TESTL     $0xffff, DX
	JZ        done
	SHRL      $16, DX
	JZ        done
	ADDQ      $32, AX
	CMPQ      AX, CX
	JB        next

done:
	MOVQ AX, ret+16(FP)
	VZEROUPPER
	RET

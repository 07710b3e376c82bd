//go:build !purego

#include "textflag.h"

// The steps of a block (RFC 1321, 3.4). Of what they take, a to d are a word of the
// state of all lanes each; then follow the number of the step, that of the word of the
// message that it adds, and by how many bits it rotates.
#define STEPS(a, b, c, d) \
	STEPF(a, b, c, d, 0, 0, 7); \
	STEPF(d, a, b, c, 1, 1, 12); \
	STEPF(c, d, a, b, 2, 2, 17); \
	STEPF(b, c, d, a, 3, 3, 22); \
	STEPF(a, b, c, d, 4, 4, 7); \
	STEPF(d, a, b, c, 5, 5, 12); \
	STEPF(c, d, a, b, 6, 6, 17); \
	STEPF(b, c, d, a, 7, 7, 22); \
	STEPF(a, b, c, d, 8, 8, 7); \
	STEPF(d, a, b, c, 9, 9, 12); \
	STEPF(c, d, a, b, 10, 10, 17); \
	STEPF(b, c, d, a, 11, 11, 22); \
	STEPF(a, b, c, d, 12, 12, 7); \
	STEPF(d, a, b, c, 13, 13, 12); \
	STEPF(c, d, a, b, 14, 14, 17); \
	STEPF(b, c, d, a, 15, 15, 22); \
	STEPG(a, b, c, d, 16, 1, 5); \
	STEPG(d, a, b, c, 17, 6, 9); \
	STEPG(c, d, a, b, 18, 11, 14); \
	STEPG(b, c, d, a, 19, 0, 20); \
	STEPG(a, b, c, d, 20, 5, 5); \
	STEPG(d, a, b, c, 21, 10, 9); \
	STEPG(c, d, a, b, 22, 15, 14); \
	STEPG(b, c, d, a, 23, 4, 20); \
	STEPG(a, b, c, d, 24, 9, 5); \
	STEPG(d, a, b, c, 25, 14, 9); \
	STEPG(c, d, a, b, 26, 3, 14); \
	STEPG(b, c, d, a, 27, 8, 20); \
	STEPG(a, b, c, d, 28, 13, 5); \
	STEPG(d, a, b, c, 29, 2, 9); \
	STEPG(c, d, a, b, 30, 7, 14); \
	STEPG(b, c, d, a, 31, 12, 20); \
	STEPH(a, b, c, d, 32, 5, 4); \
	STEPH(d, a, b, c, 33, 8, 11); \
	STEPH(c, d, a, b, 34, 11, 16); \
	STEPH(b, c, d, a, 35, 14, 23); \
	STEPH(a, b, c, d, 36, 1, 4); \
	STEPH(d, a, b, c, 37, 4, 11); \
	STEPH(c, d, a, b, 38, 7, 16); \
	STEPH(b, c, d, a, 39, 10, 23); \
	STEPH(a, b, c, d, 40, 13, 4); \
	STEPH(d, a, b, c, 41, 0, 11); \
	STEPH(c, d, a, b, 42, 3, 16); \
	STEPH(b, c, d, a, 43, 6, 23); \
	STEPH(a, b, c, d, 44, 9, 4); \
	STEPH(d, a, b, c, 45, 12, 11); \
	STEPH(c, d, a, b, 46, 15, 16); \
	STEPH(b, c, d, a, 47, 2, 23); \
	STEPI(a, b, c, d, 48, 0, 6); \
	STEPI(d, a, b, c, 49, 7, 10); \
	STEPI(c, d, a, b, 50, 14, 15); \
	STEPI(b, c, d, a, 51, 5, 21); \
	STEPI(a, b, c, d, 52, 12, 6); \
	STEPI(d, a, b, c, 53, 3, 10); \
	STEPI(c, d, a, b, 54, 10, 15); \
	STEPI(b, c, d, a, 55, 1, 21); \
	STEPI(a, b, c, d, 56, 8, 6); \
	STEPI(d, a, b, c, 57, 15, 10); \
	STEPI(c, d, a, b, 58, 6, 15); \
	STEPI(b, c, d, a, 59, 13, 21); \
	STEPI(a, b, c, d, 60, 4, 6); \
	STEPI(d, a, b, c, 61, 11, 10); \
	STEPI(c, d, a, b, 62, 2, 15); \
	STEPI(b, c, d, a, 63, 9, 21)

// Half of the blocks of eight lanes, 32 bytes of each from off on behind DX, turned so
// that a row has one word of all lanes. The rows are size bytes each, the first of them
// is at the stack pointer plus at. Y4 to Y13 are clobbered.
#define TURN(off, at, size) \
	VMOVDQU     off(R8)(DX*1), Y4; \
	VMOVDQU     off(R9)(DX*1), Y5; \
	VMOVDQU     off(R10)(DX*1), Y6; \
	VMOVDQU     off(R11)(DX*1), Y7; \
	VMOVDQU     off(R12)(DX*1), Y8; \
	VMOVDQU     off(R13)(DX*1), Y9; \
	VMOVDQU     off(AX)(DX*1), Y10; \
	VMOVDQU     off(BX)(DX*1), Y11; \
	VPUNPCKHDQ  Y5, Y4, Y12; \
	VPUNPCKLDQ  Y5, Y4, Y4; \
	VPUNPCKHDQ  Y7, Y6, Y5; \
	VPUNPCKLDQ  Y7, Y6, Y6; \
	VPUNPCKHDQ  Y9, Y8, Y7; \
	VPUNPCKLDQ  Y9, Y8, Y8; \
	VPUNPCKHDQ  Y11, Y10, Y9; \
	VPUNPCKLDQ  Y11, Y10, Y10; \
	VPUNPCKLQDQ Y6, Y4, Y11; \
	VPUNPCKHQDQ Y6, Y4, Y4; \
	VPUNPCKLQDQ Y5, Y12, Y6; \
	VPUNPCKHQDQ Y5, Y12, Y12; \
	VPUNPCKLQDQ Y10, Y8, Y5; \
	VPUNPCKHQDQ Y10, Y8, Y8; \
	VPUNPCKLQDQ Y9, Y7, Y10; \
	VPUNPCKHQDQ Y9, Y7, Y7; \
	ROWS(at, size, Y11, Y5); \
	ROWS(at+size, size, Y4, Y8); \
	ROWS(at+2*size, size, Y6, Y10); \
	ROWS(at+3*size, size, Y12, Y7)

// The row with the low halves of x and y, and the fourth behind it with the high ones.
#define ROWS(at, size, x, y) \
	VPERM2I128 $0x20, y, x, Y13; \
	VMOVDQU    Y13, (at)(SP); \
	VPERM2I128 $0x31, y, x, Y13; \
	VMOVDQU    Y13, (at+4*size)(SP)

#define POINTERS(at, p) \
	MOVQ (at)(p), R8; \
	MOVQ (at+8)(p), R9; \
	MOVQ (at+16)(p), R10; \
	MOVQ (at+24)(p), R11; \
	MOVQ (at+32)(p), R12; \
	MOVQ (at+40)(p), R13; \
	MOVQ (at+48)(p), AX; \
	MOVQ (at+56)(p), BX

// Steps of eight lanes. SI points to k, Y15 has all bits set, Y4 and Y5 are clobbered.
// The words of the blocks are at the stack pointer, 32 bytes each.

#define STEP(a, b, i, g, s) \
	VPADDD       (32*g)(SP), a, a; \
	VPBROADCASTD (4*i)(SI), Y5; \
	VPADDD       Y5, a, a; \
	VPADDD       Y4, a, a; \
	VPSLLD       $s, a, Y5; \
	VPSRLD       $(32-s), a, a; \
	VPOR         Y5, a, a; \
	VPADDD       b, a, a

#define STEPF(a, b, c, d, i, g, s) \
	VPXOR c, d, Y4; \
	VPAND b, Y4, Y4; \
	VPXOR d, Y4, Y4; \
	STEP(a, b, i, g, s)

#define STEPG(a, b, c, d, i, g, s) \
	VPANDN c, d, Y4; \
	VPADDD Y4, a, a; \
	VPAND  b, d, Y4; \
	STEP(a, b, i, g, s)

#define STEPH(a, b, c, d, i, g, s) \
	VPXOR c, d, Y4; \
	VPXOR b, Y4, Y4; \
	STEP(a, b, i, g, s)

#define STEPI(a, b, c, d, i, g, s) \
	VPXOR Y15, d, Y4; \
	VPOR  b, Y4, Y4; \
	VPXOR c, Y4, Y4; \
	STEP(a, b, i, g, s)

#define ADDSTATE(at, x) \
	VPADDD  at(DI), x, x; \
	VMOVDQU x, at(DI)

// func blocks8(h *state, p *[16]*byte, n int, k *[64]uint32)
TEXT ·blocks8(SB), NOSPLIT, $512-32
	MOVQ     h+0(FP), DI
	MOVQ     p+8(FP), DX
	MOVQ     n+16(FP), CX
	MOVQ     k+24(FP), SI
	POINTERS(0, DX)
	XORQ     DX, DX
	VMOVDQU  0(DI), Y0
	VMOVDQU  64(DI), Y1
	VMOVDQU  128(DI), Y2
	VMOVDQU  192(DI), Y3
	VPCMPEQD Y15, Y15, Y15

next:
	TURN(0, 0, 32)
	TURN(32, 256, 32)
	STEPS(Y0, Y1, Y2, Y3)
	ADDSTATE(0, Y0)
	ADDSTATE(64, Y1)
	ADDSTATE(128, Y2)
	ADDSTATE(192, Y3)
	ADDQ $64, DX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// The same of sixteen lanes (AVX-512). A function of three words is the number that has
// its values for all their bits (VPTERNLOGD; Intel SDM, volume 2).

#undef STEP
#undef STEPF
#undef STEPG
#undef STEPH
#undef STEPI
#undef ADDSTATE

#define STEP(f, a, b, c, d, i, g, s) \
	VMOVDQA64   d, Z4; \
	VPTERNLOGD  $f, b, c, Z4; \
	VPADDD      (64*g)(SP), a, a; \
	VPADDD.BCST (4*i)(SI), a, a; \
	VPADDD      Z4, a, a; \
	VPROLD      $s, a, a; \
	VPADDD      b, a, a

#define STEPF(a, b, c, d, i, g, s) STEP(0xd8, a, b, c, d, i, g, s)
#define STEPG(a, b, c, d, i, g, s) STEP(0xac, a, b, c, d, i, g, s)
#define STEPH(a, b, c, d, i, g, s) STEP(0x96, a, b, c, d, i, g, s)
#define STEPI(a, b, c, d, i, g, s) STEP(0x63, a, b, c, d, i, g, s)

#define ADDSTATE(at, x) \
	VPADDD    at(DI), x, x; \
	VMOVDQU64 x, at(DI)

// func blocks16(h *state, p *[16]*byte, n int, k *[64]uint32)
TEXT ·blocks16(SB), 0, $1024-32
	MOVQ      h+0(FP), DI
	MOVQ      p+8(FP), R15
	MOVQ      n+16(FP), CX
	MOVQ      k+24(FP), SI
	XORQ      DX, DX
	VMOVDQU64 0(DI), Z0
	VMOVDQU64 64(DI), Z1
	VMOVDQU64 128(DI), Z2
	VMOVDQU64 192(DI), Z3

next:
	POINTERS(0, R15)
	TURN(0, 0, 64)
	TURN(32, 512, 64)
	POINTERS(64, R15)
	TURN(0, 32, 64)
	TURN(32, 544, 64)
	STEPS(Z0, Z1, Z2, Z3)
	ADDSTATE(0, Z0)
	ADDSTATE(64, Z1)
	ADDSTATE(128, Z2)
	ADDSTATE(192, Z3)
	ADDQ $64, DX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

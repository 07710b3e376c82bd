//go:build !purego

#include "textflag.h"

// What the macros take: a to d are a word of the state of all lanes each; i is the
// number of the step, g that of the word of the message that it adds, s by how many
// bits it rotates (RFC 1321, 3.4). SI points to k, Y15 has all bits set, Y4 and Y5 are
// clobbered. The words of the blocks are at the stack pointer, 32 bytes each.

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

// Half of the blocks, 32 bytes of each lane from off on, turned so that a row has one
// word of all lanes. Y4 to Y13 are clobbered.
#define TURN(off) \
	VMOVDQU     off(R8), Y4; \
	VMOVDQU     off(R9), Y5; \
	VMOVDQU     off(R10), Y6; \
	VMOVDQU     off(R11), Y7; \
	VMOVDQU     off(R12), Y8; \
	VMOVDQU     off(R13), Y9; \
	VMOVDQU     off(AX), Y10; \
	VMOVDQU     off(BX), Y11; \
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
	ROWS(8*off, Y11, Y5); \
	ROWS(8*off+32, Y4, Y8); \
	ROWS(8*off+64, Y6, Y10); \
	ROWS(8*off+96, Y12, Y7)

// The rows with the low halves of x and y, and with the high ones.
#define ROWS(at, x, y) \
	VPERM2I128 $0x20, y, x, Y13; \
	VMOVDQU    Y13, (at)(SP); \
	VPERM2I128 $0x31, y, x, Y13; \
	VMOVDQU    Y13, (at+128)(SP)

#define ADDSTATE(at, x) \
	VPADDD  at(DI), x, x; \
	VMOVDQU x, at(DI)

// func blocks8(h *state, p *[8]*byte, n int, k *[64]uint32)
TEXT ·blocks8(SB), NOSPLIT, $512-32
	MOVQ     h+0(FP), DI
	MOVQ     p+8(FP), DX
	MOVQ     n+16(FP), CX
	MOVQ     k+24(FP), SI
	MOVQ     0(DX), R8
	MOVQ     8(DX), R9
	MOVQ     16(DX), R10
	MOVQ     24(DX), R11
	MOVQ     32(DX), R12
	MOVQ     40(DX), R13
	MOVQ     48(DX), AX
	MOVQ     56(DX), BX
	VMOVDQU  0(DI), Y0
	VMOVDQU  32(DI), Y1
	VMOVDQU  64(DI), Y2
	VMOVDQU  96(DI), Y3
	VPCMPEQD Y15, Y15, Y15

next:
	TURN(0)
	TURN(32)
	STEPF(Y0, Y1, Y2, Y3, 0, 0, 7)
	STEPF(Y3, Y0, Y1, Y2, 1, 1, 12)
	STEPF(Y2, Y3, Y0, Y1, 2, 2, 17)
	STEPF(Y1, Y2, Y3, Y0, 3, 3, 22)
	STEPF(Y0, Y1, Y2, Y3, 4, 4, 7)
	STEPF(Y3, Y0, Y1, Y2, 5, 5, 12)
	STEPF(Y2, Y3, Y0, Y1, 6, 6, 17)
	STEPF(Y1, Y2, Y3, Y0, 7, 7, 22)
	STEPF(Y0, Y1, Y2, Y3, 8, 8, 7)
	STEPF(Y3, Y0, Y1, Y2, 9, 9, 12)
	STEPF(Y2, Y3, Y0, Y1, 10, 10, 17)
	STEPF(Y1, Y2, Y3, Y0, 11, 11, 22)
	STEPF(Y0, Y1, Y2, Y3, 12, 12, 7)
	STEPF(Y3, Y0, Y1, Y2, 13, 13, 12)
	STEPF(Y2, Y3, Y0, Y1, 14, 14, 17)
	STEPF(Y1, Y2, Y3, Y0, 15, 15, 22)
	STEPG(Y0, Y1, Y2, Y3, 16, 1, 5)
	STEPG(Y3, Y0, Y1, Y2, 17, 6, 9)
	STEPG(Y2, Y3, Y0, Y1, 18, 11, 14)
	STEPG(Y1, Y2, Y3, Y0, 19, 0, 20)
	STEPG(Y0, Y1, Y2, Y3, 20, 5, 5)
	STEPG(Y3, Y0, Y1, Y2, 21, 10, 9)
	STEPG(Y2, Y3, Y0, Y1, 22, 15, 14)
	STEPG(Y1, Y2, Y3, Y0, 23, 4, 20)
	STEPG(Y0, Y1, Y2, Y3, 24, 9, 5)
	STEPG(Y3, Y0, Y1, Y2, 25, 14, 9)
	STEPG(Y2, Y3, Y0, Y1, 26, 3, 14)
	STEPG(Y1, Y2, Y3, Y0, 27, 8, 20)
	STEPG(Y0, Y1, Y2, Y3, 28, 13, 5)
	STEPG(Y3, Y0, Y1, Y2, 29, 2, 9)
	STEPG(Y2, Y3, Y0, Y1, 30, 7, 14)
	STEPG(Y1, Y2, Y3, Y0, 31, 12, 20)
	STEPH(Y0, Y1, Y2, Y3, 32, 5, 4)
	STEPH(Y3, Y0, Y1, Y2, 33, 8, 11)
	STEPH(Y2, Y3, Y0, Y1, 34, 11, 16)
	STEPH(Y1, Y2, Y3, Y0, 35, 14, 23)
	STEPH(Y0, Y1, Y2, Y3, 36, 1, 4)
	STEPH(Y3, Y0, Y1, Y2, 37, 4, 11)
	STEPH(Y2, Y3, Y0, Y1, 38, 7, 16)
	STEPH(Y1, Y2, Y3, Y0, 39, 10, 23)
	STEPH(Y0, Y1, Y2, Y3, 40, 13, 4)
	STEPH(Y3, Y0, Y1, Y2, 41, 0, 11)
	STEPH(Y2, Y3, Y0, Y1, 42, 3, 16)
	STEPH(Y1, Y2, Y3, Y0, 43, 6, 23)
	STEPH(Y0, Y1, Y2, Y3, 44, 9, 4)
	STEPH(Y3, Y0, Y1, Y2, 45, 12, 11)
	STEPH(Y2, Y3, Y0, Y1, 46, 15, 16)
	STEPH(Y1, Y2, Y3, Y0, 47, 2, 23)
	STEPI(Y0, Y1, Y2, Y3, 48, 0, 6)
	STEPI(Y3, Y0, Y1, Y2, 49, 7, 10)
	STEPI(Y2, Y3, Y0, Y1, 50, 14, 15)
	STEPI(Y1, Y2, Y3, Y0, 51, 5, 21)
	STEPI(Y0, Y1, Y2, Y3, 52, 12, 6)
	STEPI(Y3, Y0, Y1, Y2, 53, 3, 10)
	STEPI(Y2, Y3, Y0, Y1, 54, 10, 15)
	STEPI(Y1, Y2, Y3, Y0, 55, 1, 21)
	STEPI(Y0, Y1, Y2, Y3, 56, 8, 6)
	STEPI(Y3, Y0, Y1, Y2, 57, 15, 10)
	STEPI(Y2, Y3, Y0, Y1, 58, 6, 15)
	STEPI(Y1, Y2, Y3, Y0, 59, 13, 21)
	STEPI(Y0, Y1, Y2, Y3, 60, 4, 6)
	STEPI(Y3, Y0, Y1, Y2, 61, 11, 10)
	STEPI(Y2, Y3, Y0, Y1, 62, 2, 15)
	STEPI(Y1, Y2, Y3, Y0, 63, 9, 21)
	ADDSTATE(0, Y0)
	ADDSTATE(32, Y1)
	ADDSTATE(64, Y2)
	ADDSTATE(96, Y3)
	ADDQ $64, R8
	ADDQ $64, R9
	ADDQ $64, R10
	ADDQ $64, R11
	ADDQ $64, R12
	ADDQ $64, R13
	ADDQ $64, AX
	ADDQ $64, BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

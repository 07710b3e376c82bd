//go:build !purego

#include "textflag.h"

// The first 32 bits of the fractional parts of the cube roots of the first 64
// primes (FIPS 180-4, 4.2.2).
DATA k<>+0x00(SB)/8, $0x71374491428a2f98
DATA k<>+0x08(SB)/8, $0xe9b5dba5b5c0fbcf
DATA k<>+0x10(SB)/8, $0x59f111f13956c25b
DATA k<>+0x18(SB)/8, $0xab1c5ed5923f82a4
DATA k<>+0x20(SB)/8, $0x12835b01d807aa98
DATA k<>+0x28(SB)/8, $0x550c7dc3243185be
DATA k<>+0x30(SB)/8, $0x80deb1fe72be5d74
DATA k<>+0x38(SB)/8, $0xc19bf1749bdc06a7
DATA k<>+0x40(SB)/8, $0xefbe4786e49b69c1
DATA k<>+0x48(SB)/8, $0x240ca1cc0fc19dc6
DATA k<>+0x50(SB)/8, $0x4a7484aa2de92c6f
DATA k<>+0x58(SB)/8, $0x76f988da5cb0a9dc
DATA k<>+0x60(SB)/8, $0xa831c66d983e5152
DATA k<>+0x68(SB)/8, $0xbf597fc7b00327c8
DATA k<>+0x70(SB)/8, $0xd5a79147c6e00bf3
DATA k<>+0x78(SB)/8, $0x1429296706ca6351
DATA k<>+0x80(SB)/8, $0x2e1b213827b70a85
DATA k<>+0x88(SB)/8, $0x53380d134d2c6dfc
DATA k<>+0x90(SB)/8, $0x766a0abb650a7354
DATA k<>+0x98(SB)/8, $0x92722c8581c2c92e
DATA k<>+0xa0(SB)/8, $0xa81a664ba2bfe8a1
DATA k<>+0xa8(SB)/8, $0xc76c51a3c24b8b70
DATA k<>+0xb0(SB)/8, $0xd6990624d192e819
DATA k<>+0xb8(SB)/8, $0x106aa070f40e3585
DATA k<>+0xc0(SB)/8, $0x1e376c0819a4c116
DATA k<>+0xc8(SB)/8, $0x34b0bcb52748774c
DATA k<>+0xd0(SB)/8, $0x4ed8aa4a391c0cb3
DATA k<>+0xd8(SB)/8, $0x682e6ff35b9cca4f
DATA k<>+0xe0(SB)/8, $0x78a5636f748f82ee
DATA k<>+0xe8(SB)/8, $0x8cc7020884c87814
DATA k<>+0xf0(SB)/8, $0xa4506ceb90befffa
DATA k<>+0xf8(SB)/8, $0xc67178f2bef9a3f7
GLOBL k<>(SB), RODATA|NOPTR, $256

// The words of a message are big endian.
DATA flip<>+0x00(SB)/8, $0x0405060700010203
DATA flip<>+0x08(SB)/8, $0x0c0d0e0f08090a0b
GLOBL flip<>(SB), RODATA|NOPTR, $16

// What the macros take: a and b are the state of a lane, {a,b,e,f} and {c,d,g,h}
// from the highest word down, h where it lies in memory; p points to the block;
// w0 to w3 are the last 16 words of the message schedule, the oldest first. AX
// points to k, X0 is clobbered.

#define LOADSTATE(h, a, b) \
	MOVOU (h), a; \
	MOVOU 16(h), b

#define ADDSTATE(h, a, b, t) \
	MOVOU (h), t; \
	PADDD t, a; \
	MOVOU 16(h), t; \
	PADDD t, b; \
	MOVOU a, (h); \
	MOVOU b, 16(h)

#define LOADBLOCK(p, w0, w1, w2, w3) \
	MOVOU  flip<>(SB), X0; \
	MOVOU  (p), w0; \
	PSHUFB X0, w0; \
	MOVOU  16(p), w1; \
	PSHUFB X0, w1; \
	MOVOU  32(p), w2; \
	PSHUFB X0, w2; \
	MOVOU  48(p), w3; \
	PSHUFB X0, w3; \
	ADDQ   $64, p

// Four rounds, from the one with number i/4 on.
#define ROUNDS(i, a, b, w0) \
	MOVOU       i(AX), X0; \
	PADDD       w0, X0; \
	SHA256RNDS2 X0, a, b; \
	PSHUFD      $14, X0, X0; \
	SHA256RNDS2 X0, b, a

// Four rounds, and the next four words of the schedule in place of w0; t is
// clobbered.
#define SCHEDULE(i, a, b, w0, w1, w2, w3, t) \
	ROUNDS(i, a, b, w0); \
	MOVOA      w3, t; \
	PALIGNR    $4, w2, t; \
	SHA256MSG1 w1, w0; \
	PADDD      t, w0; \
	SHA256MSG2 w3, w0

// LOADBLOCK and SCHEDULE where w0 to w3 lie in memory, aligned; X1 is clobbered.
#define LOADWORDS(p, off, w) \
	MOVOU  off(p), X1; \
	PSHUFB X0, X1; \
	MOVOA  X1, w

#define LOADBLOCKM(p, w0, w1, w2, w3) \
	MOVOU flip<>(SB), X0; \
	LOADWORDS(p, 0, w0); \
	LOADWORDS(p, 16, w1); \
	LOADWORDS(p, 32, w2); \
	LOADWORDS(p, 48, w3); \
	ADDQ  $64, p

#define SCHEDULEM(i, a, b, w0, w1, w2, w3) \
	MOVOA       w0, X1; \
	ROUNDS(i, a, b, X1); \
	MOVOA       w3, X0; \
	PALIGNR     $4, w2, X0; \
	SHA256MSG1  w1, X1; \
	PADDD       X0, X1; \
	SHA256MSG2  w3, X1; \
	MOVOA       X1, w0

// func blocks1(h0 *state, p0 *byte, n int)
TEXT ·blocks1(SB), NOSPLIT, $0-24
	MOVQ h0+0(FP), R8
	MOVQ p0+8(FP), SI
	MOVQ n+16(FP), CX
	LEAQ k<>(SB), AX
	LOADSTATE(R8, X2, X3)

#define ONE(i, w0, w1, w2, w3) SCHEDULE(i, X2, X3, w0, w1, w2, w3, X1)

loop:
	LOADBLOCK(SI, X4, X5, X6, X7)
	ONE(0, X4, X5, X6, X7)
	ONE(16, X5, X6, X7, X4)
	ONE(32, X6, X7, X4, X5)
	ONE(48, X7, X4, X5, X6)
	ONE(64, X4, X5, X6, X7)
	ONE(80, X5, X6, X7, X4)
	ONE(96, X6, X7, X4, X5)
	ONE(112, X7, X4, X5, X6)
	ONE(128, X4, X5, X6, X7)
	ONE(144, X5, X6, X7, X4)
	ONE(160, X6, X7, X4, X5)
	ONE(176, X7, X4, X5, X6)
	ROUNDS(192, X2, X3, X4)
	ROUNDS(208, X2, X3, X5)
	ROUNDS(224, X2, X3, X6)
	ROUNDS(240, X2, X3, X7)
	ADDSTATE(R8, X2, X3, X1)
	SUBQ $1, CX
	JNZ  loop
	RET

// func blocks2(h0, h1 *state, p0, p1 *byte, n int)
TEXT ·blocks2(SB), NOSPLIT, $0-40
	MOVQ h0+0(FP), R8
	MOVQ h1+8(FP), R9
	MOVQ p0+16(FP), SI
	MOVQ p1+24(FP), DI
	MOVQ n+32(FP), CX
	LEAQ k<>(SB), AX
	LOADSTATE(R8, X2, X3)
	LOADSTATE(R9, X8, X9)

// SCHEDULE of both lanes, whose rounds take turns: on Zen 5 that takes a tenth less than
// one lane after the other. X1, X14 and X15 are clobbered.
#define TWO(i, w0, w1, w2, w3, v0, v1, v2, v3) \
	MOVOA       w3, X15; \
	PALIGNR     $4, w2, X15; \
	MOVOU       i(AX), X1; \
	PADDD       w0, X1; \
	SHA256MSG1  w1, w0; \
	PADDD       X15, w0; \
	MOVOU       i(AX), X14; \
	MOVOA       v3, X15; \
	PADDD       v0, X14; \
	MOVOA       X1, X0; \
	SHA256RNDS2 X0, X2, X3; \
	SHA256MSG1  v1, v0; \
	MOVOA       X14, X0; \
	PALIGNR     $4, v2, X15; \
	SHA256RNDS2 X0, X8, X9; \
	PADDD       X15, v0; \
	SHA256MSG2  w3, w0; \
	PSHUFD      $14, X1, X0; \
	SHA256MSG2  v3, v0; \
	SHA256RNDS2 X0, X3, X2; \
	PSHUFD      $14, X14, X0; \
	SHA256RNDS2 X0, X9, X8

loop:
	LOADBLOCK(SI, X4, X5, X6, X7)
	LOADBLOCK(DI, X10, X11, X12, X13)
	TWO(0, X4, X5, X6, X7, X10, X11, X12, X13)
	TWO(16, X5, X6, X7, X4, X11, X12, X13, X10)
	TWO(32, X6, X7, X4, X5, X12, X13, X10, X11)
	TWO(48, X7, X4, X5, X6, X13, X10, X11, X12)
	TWO(64, X4, X5, X6, X7, X10, X11, X12, X13)
	TWO(80, X5, X6, X7, X4, X11, X12, X13, X10)
	TWO(96, X6, X7, X4, X5, X12, X13, X10, X11)
	TWO(112, X7, X4, X5, X6, X13, X10, X11, X12)
	TWO(128, X4, X5, X6, X7, X10, X11, X12, X13)
	TWO(144, X5, X6, X7, X4, X11, X12, X13, X10)
	TWO(160, X6, X7, X4, X5, X12, X13, X10, X11)
	TWO(176, X7, X4, X5, X6, X13, X10, X11, X12)
	ROUNDS(192, X2, X3, X4)
	ROUNDS(192, X8, X9, X10)
	ROUNDS(208, X2, X3, X5)
	ROUNDS(208, X8, X9, X11)
	ROUNDS(224, X2, X3, X6)
	ROUNDS(224, X8, X9, X12)
	ROUNDS(240, X2, X3, X7)
	ROUNDS(240, X8, X9, X13)
	ADDSTATE(R8, X2, X3, X1)
	ADDSTATE(R9, X8, X9, X14)
	SUBQ $1, CX
	JNZ  loop
	RET

// func blocks3(h0, h1, h2 *state, p0, p1, p2 *byte, n int)
//
// There are registers for the schedules of two lanes; that of the third lies on
// the stack, from DX on.
TEXT ·blocks3(SB), NOSPLIT, $80-56
	MOVQ h0+0(FP), R8
	MOVQ h1+8(FP), R9
	MOVQ h2+16(FP), R10
	MOVQ p0+24(FP), SI
	MOVQ p1+32(FP), DI
	MOVQ p2+40(FP), R11
	MOVQ n+48(FP), CX
	LEAQ k<>(SB), AX
	LEAQ 15(SP), DX
	ANDQ $~15, DX
	LOADSTATE(R8, X2, X3)
	LOADSTATE(R9, X4, X5)
	LOADSTATE(R10, X6, X7)

#define THREE(i, w0, w1, w2, w3, v0, v1, v2, v3, m0, m1, m2, m3) \
	SCHEDULE(i, X2, X3, w0, w1, w2, w3, X1); \
	SCHEDULE(i, X4, X5, v0, v1, v2, v3, X1); \
	SCHEDULEM(i, X6, X7, m0(DX), m1(DX), m2(DX), m3(DX))

#define LAST(i, w0, v0, m0) \
	ROUNDS(i, X2, X3, w0); \
	ROUNDS(i, X4, X5, v0); \
	ROUNDS(i, X6, X7, m0(DX))

loop:
	LOADBLOCKM(R11, (DX), 16(DX), 32(DX), 48(DX))
	LOADBLOCK(SI, X8, X9, X10, X11)
	LOADBLOCK(DI, X12, X13, X14, X15)
	THREE(0, X8, X9, X10, X11, X12, X13, X14, X15, 0, 16, 32, 48)
	THREE(16, X9, X10, X11, X8, X13, X14, X15, X12, 16, 32, 48, 0)
	THREE(32, X10, X11, X8, X9, X14, X15, X12, X13, 32, 48, 0, 16)
	THREE(48, X11, X8, X9, X10, X15, X12, X13, X14, 48, 0, 16, 32)
	THREE(64, X8, X9, X10, X11, X12, X13, X14, X15, 0, 16, 32, 48)
	THREE(80, X9, X10, X11, X8, X13, X14, X15, X12, 16, 32, 48, 0)
	THREE(96, X10, X11, X8, X9, X14, X15, X12, X13, 32, 48, 0, 16)
	THREE(112, X11, X8, X9, X10, X15, X12, X13, X14, 48, 0, 16, 32)
	THREE(128, X8, X9, X10, X11, X12, X13, X14, X15, 0, 16, 32, 48)
	THREE(144, X9, X10, X11, X8, X13, X14, X15, X12, 16, 32, 48, 0)
	THREE(160, X10, X11, X8, X9, X14, X15, X12, X13, 32, 48, 0, 16)
	THREE(176, X11, X8, X9, X10, X15, X12, X13, X14, 48, 0, 16, 32)
	LAST(192, X8, X12, 0)
	LAST(208, X9, X13, 16)
	LAST(224, X10, X14, 32)
	LAST(240, X11, X15, 48)
	ADDSTATE(R8, X2, X3, X1)
	ADDSTATE(R9, X4, X5, X1)
	ADDSTATE(R10, X6, X7, X1)
	SUBQ $1, CX
	JNZ  loop
	RET

// func cpuid(leaf, subleaf uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

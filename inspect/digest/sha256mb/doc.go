// Package sha256mb computes several SHA-256 digests at a time, of messages that
// arrive in pieces of any size: "multi-buffer" hashing.
//
// A round of SHA-256 (FIPS 180-4, 6.2.2) waits for the one before, so one message
// leaves half of a processor's SHA unit idle. The rounds of two or three messages,
// in turn, fill it: two take as long as one. The instructions are SHA256RNDS2,
// SHA256MSG1 and SHA256MSG2 (Intel SHA Extensions; Intel SDM, volume 2).
//
// A [Group] has a [Lane] for each message. What is written to a lane waits until
// others have as much, for a while: a lane keeps at most 128 KiB.
//
//	g := sha256mb.NewGroup()
//	whole, part := g.NewLane(), g.NewLane()
//	whole.Lend(p) // p stays as it is until g.Run
//	part.Lend(p[512:])
//	g.Run() // both at once
//	sum := part.Finish()
//
// Where the processor has no such instructions, on other architectures, and when
// built with the tag purego, each lane is a digest of crypto/sha256.
package sha256mb

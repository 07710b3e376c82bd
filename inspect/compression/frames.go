package compression

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// A SkippedFrame is a skippable frame of zstd (RFC 8878, 3.1.2), of which nothing comes
// out: zstd:chunked keeps its table of contents in such frames.
type SkippedFrame struct {
	Offset int64    // of its data in the stream
	Size   int64    // of its data
	Sum    [32]byte // SHA-256 of its data
	Footer bool     // its data ends in the magic number of zstd:chunked
}

// A FrameScanner finds the skippable frames in a zstd stream that is written to it. What
// is no zstd ends the scan.
type FrameScanner struct {
	Frames []SkippedFrame // the first of them
	More   int            // how many others there are

	at      int64
	need    int                   // bytes of the part being gathered
	part    []byte                // of it
	next    func(s *FrameScanner) // what the part is
	skip    int64                 // bytes before the next part
	sum     hash.Hash             // of what is skipped; nil when it is no frame of its own
	tail    []byte                // its last bytes
	checked bool                  // a checksum ends the frame
	done    bool
}

// maxFrames bounds the skippable frames that are kept; pzstd writes one for each block.
const maxFrames = 64

// These end the last frame of zstd:chunked (containers/storage
// pkg/chunked/internal/minimal/compression.go, ZstdChunkedFrameMagic), the second as it
// was first and as stargz-snapshotter writes it (estargz/zstdchunked).
const (
	chunkedMagic = "GNUlInUx"
	earlierMagic = "GnUlInUx"
)

// skippableMagic begins a frame that is skipped, but for its last four bits (RFC 8878,
// 3.1.2).
const skippableMagic = 0x184d2a50

// NewFrameScanner returns a scanner at the start of a stream.
func NewFrameScanner() *FrameScanner {
	s := new(FrameScanner)
	s.want(4, (*FrameScanner).magic)
	return s
}

// want says what comes next: a part of n bytes.
func (s *FrameScanner) want(n int, next func(*FrameScanner)) {
	s.need, s.part, s.next = n, s.part[:0], next
}

// Write never fails.
func (s *FrameScanner) Write(p []byte) (int, error) {
	n := len(p)
	for !s.done && (len(p) > 0 || s.skip == 0 && s.sum != nil) {
		switch {
		case s.skip > 0:
			k := int(min(s.skip, int64(len(p))))
			s.pass(p[:k])
			p = p[k:]
		case s.sum != nil:
			s.endFrame()
		default:
			k := min(s.need-len(s.part), len(p))
			s.part = append(s.part, p[:k]...)
			s.at += int64(k)
			if p = p[k:]; len(s.part) == s.need {
				s.next(s)
			}
		}
	}
	return n, nil
}

// pass takes bytes that are no part.
func (s *FrameScanner) pass(p []byte) {
	s.skip -= int64(len(p))
	s.at += int64(len(p))
	if s.sum != nil {
		s.sum.Write(p)
		s.tail = append(s.tail, p[max(0, len(p)-len(chunkedMagic)):]...)
		s.tail = s.tail[max(0, len(s.tail)-len(chunkedMagic)):]
	}
}

func (s *FrameScanner) endFrame() {
	f := &s.Frames[len(s.Frames)-1]
	s.sum.Sum(f.Sum[:0])
	f.Footer = string(s.tail) == chunkedMagic || string(s.tail) == earlierMagic
	s.sum = nil
}

func (s *FrameScanner) magic() {
	switch m := binary.LittleEndian.Uint32(s.part); {
	case m == 0xfd2fb528:
		s.want(1, (*FrameScanner).header)
	case m&^0xf == skippableMagic:
		s.want(4, (*FrameScanner).skippable)
	default:
		s.done = true
	}
}

func (s *FrameScanner) skippable() {
	s.skip = int64(binary.LittleEndian.Uint32(s.part))
	if len(s.Frames) < maxFrames {
		s.Frames = append(s.Frames, SkippedFrame{Offset: s.at, Size: s.skip})
		s.sum, s.tail = sha256.New(), nil
	} else {
		s.More++
	}
	s.want(4, (*FrameScanner).magic)
}

// header takes the descriptor of a frame header (RFC 8878, 3.1.1.1).
func (s *FrameScanner) header() {
	d := s.part[0]
	single := d >> 5 & 1
	s.checked = d>>2&1 == 1
	s.skip = int64(1-single) + int64([]int{0, 1, 2, 4}[d&3]) + int64([]int{int(single), 2, 4, 8}[d>>6])
	s.want(3, (*FrameScanner).block)
}

// block takes the header of a block (RFC 8878, 3.1.1.2).
func (s *FrameScanner) block() {
	h := int64(s.part[0]) | int64(s.part[1])<<8 | int64(s.part[2])<<16
	if s.skip = h >> 3; h>>1&3 == 1 {
		s.skip = 1 // one byte that is repeated
	}
	if h&1 == 0 {
		s.want(3, (*FrameScanner).block)
		return
	}
	if s.checked {
		s.skip += 4
	}
	s.want(4, (*FrameScanner).magic)
}

package squashfs

import (
	"encoding/binary"
	"errors"
	"io"

	"audit/inspect/xz"
)

var errLZ4Offset = errors.New("a match of LZ4 begins before the block")

// unpackLZ4 unpacks a block of LZ4 (lz4, doc/lz4_Block_format.md): sequences of literals, each
// but the last followed by a match, which copies what came out before.
func unpackLZ4(dst, src []byte) (n int, err error) {
	const minMatch = 4
	for len(src) > 0 {
		token := src[0]
		literals, rest, ok := lz4Length(int(token>>4), src[1:])
		switch {
		case !ok || literals > len(rest):
			return n, io.ErrUnexpectedEOF
		case literals > len(dst)-n:
			return n, xz.ErrTooLong
		}
		n += copy(dst[n:], rest[:literals])
		if src = rest[literals:]; len(src) == 0 {
			return n, nil
		}
		if len(src) < 2 {
			return n, io.ErrUnexpectedEOF
		}
		offset := int(binary.LittleEndian.Uint16(src))
		length, rest, ok := lz4Length(int(token&15), src[2:])
		length += minMatch
		switch {
		case !ok:
			return n, io.ErrUnexpectedEOF
		case offset == 0 || offset > n:
			return n, errLZ4Offset
		case length > len(dst)-n:
			return n, xz.ErrTooLong
		}
		for i := range length { // byte by byte: a match may reach into itself
			dst[n+i] = dst[n+i-offset]
		}
		n, src = n+length, rest
	}
	return n, io.ErrUnexpectedEOF
}

// lz4Length adds to a length of 15 the bytes that follow, to the first that is not 255.
func lz4Length(n int, src []byte) (length int, rest []byte, ok bool) {
	if n < 15 {
		return n, src, true
	}
	for i, b := range src {
		if n += int(b); b != 255 {
			return n, src[i+1:], true
		}
	}
	return 0, nil, false
}

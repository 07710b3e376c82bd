package gnutar

import (
	"fmt"
	"io"
)

// A Rest is what follows the last content of an archive.
type Rest struct {
	Size  int64
	First int64 // place of the first byte that is not zero, -1 for none
	Value byte  // of that one
}

// ReadRest reads r to its end.
func ReadRest(r io.Reader) (Rest, error) {
	rest := Rest{First: -1}
	buf := make([]byte, 32<<10)
	for {
		k, err := r.Read(buf)
		if at := FirstNonZero(buf[:k]); at >= 0 && rest.First < 0 {
			rest.First, rest.Value = rest.Size+int64(at), buf[at]
		}
		rest.Size += int64(k)
		if err == io.EOF {
			return rest, nil
		}
		if err != nil {
			return rest, err
		}
	}
}

// FirstNonZero returns the place of the first byte that is not zero, -1 for none.
func FirstNonZero(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}

// HexByte writes the value of a byte: "0x0a".
func HexByte(b byte) string { return fmt.Sprintf("%#02x", b) }

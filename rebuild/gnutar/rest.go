package gnutar

import (
	"fmt"
	"io"
	"slices"
)

// A Rest is what follows the last member of an archive, which ought to be zero
// bytes.
type Rest struct {
	Size  int64
	First int64 // place of the first byte that is not zero, -1 for none
	Value byte  // of that one
}

// ReadRest reads r to its end.
func ReadRest(r io.Reader) (Rest, error) {
	rest := Rest{First: -1}
	buf := make([]byte, RecordSize)
	for {
		k, err := r.Read(buf)
		if at := NonZero(buf[:k]); at >= 0 && rest.First < 0 {
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

// NonZero returns the place of the first byte that is not zero, -1 for none.
func NonZero(p []byte) int { return slices.IndexFunc(p, func(b byte) bool { return b != 0 }) }

// Byte writes the value of a byte as findings have it: "0x2a".
func Byte(b byte) string { return fmt.Sprintf("%#02x", b) }

package form

import (
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// digest returns the SHA-256 digest of the file or stream as it was given. What no
// form had to read of a stream is read here, so that the digest is that of all of it.
func (in *Input) digest() (v1.Hash, error) {
	c := in.content
	if c.source.Given != nil {
		return c.source.Given.Digest()
	}
	if c.given == nil {
		return v1.Hash{}, nil
	}
	c.ahead.Close() // now c.rest is read here
	if _, err := io.Copy(io.Discard, c.rest); err != nil {
		return v1.Hash{}, fmt.Errorf("reading the file to its end: %w", err)
	}
	return c.given.Sum().Hash(), nil
}

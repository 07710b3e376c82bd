package xz

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// A byteCounter reads bytes, counts them and may copy them.
type byteCounter struct {
	r   *bufio.Reader
	n   int64
	tee io.Writer
}

func (c *byteCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.tee != nil {
		c.tee.Write(p[:n])
	}
	return n, err
}

func (c *byteCounter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err != nil {
		return 0, err
	}
	c.n++
	if c.tee != nil {
		c.tee.Write([]byte{b})
	}
	return b, nil
}

// bytes returns the next n bytes.
func (c *byteCounter) bytes(n int) ([]byte, error) {
	p := make([]byte, n)
	_, err := io.ReadFull(c, p)
	return p, err
}

// varint reads a number of up to 63 bits in its shortest form.
func (c *byteCounter) varint() (uint64, error) {
	n, err := binary.ReadUvarint(c)
	if err != nil {
		return 0, NoEOF(err)
	}
	if n > 1<<63-1 {
		return 0, errXZ
	}
	return n, nil
}

// NoEOF turns the end of the input into an error, where more has to come.
func NoEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func cmpErr(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}

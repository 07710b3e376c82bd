package deb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"audit/inspect/limit"
)

// arMagic begins an archive, and each header of a member has headerBytes and ends in
// headerEnd (deb(5), ar(5)).
const (
	arMagic     = "!<arch>\n"
	headerBytes = 60
	headerEnd   = "`\n"
)

// maxMembers bounds the members of a package: honest ones have three, or four where a
// signature is among them.
const maxMembers = 16

// An arReader reads the members of an archive one after the other.
type arReader struct {
	r       *bufio.Reader
	left    int64 // of the member, with its padding
	members int
}

func newArReader(r io.Reader) (*arReader, error) {
	a := &arReader{r: bufio.NewReaderSize(r, 64<<10)}
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(a.r, magic); err != nil || string(magic) != arMagic {
		return nil, errors.New("it is no ar archive")
	}
	return a, nil
}

// next returns the name and the content of the next member; io.EOF after the last. What
// was not read of the one before is skipped.
func (a *arReader) next() (name string, content *io.LimitedReader, err error) {
	if _, err := io.CopyN(io.Discard, a.r, a.left); err != nil {
		return "", nil, fmt.Errorf("skipping a member: %w", unexpected(err))
	}
	a.left = 0
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(a.r, header); err == io.EOF {
		return "", nil, io.EOF
	} else if err != nil {
		return "", nil, fmt.Errorf("reading the header of a member: %w", err)
	}
	if a.members++; a.members > maxMembers {
		return "", nil, &limit.Error{Name: "members of a package", Limit: maxMembers, Where: "ar"}
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
	if string(header[58:]) != headerEnd || err != nil || size < 0 {
		return "", nil, fmt.Errorf("the header of member %d is none", a.members)
	}
	name = strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
	a.left = size + size&1
	return name, &io.LimitedReader{R: arContent{a}, N: size}, nil
}

// arContent counts what is read of a member.
type arContent struct{ a *arReader }

func (c arContent) Read(p []byte) (int, error) {
	n, err := c.a.r.Read(p)
	c.a.left -= int64(n)
	return n, unexpected(err)
}

// unexpected turns the end of the input into an error, where more has to come.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

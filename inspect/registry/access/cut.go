package access

import (
	"errors"
	"io"
)

// A CutError is a connection that ended before all was sent: before the answer began, or
// in the words of HTTP/2. It is an [io.ErrUnexpectedEOF], as it is in an answer of HTTP/1.
type CutError struct{ Err error }

func (e *CutError) Error() string { return "the connection was cut" }

func (e *CutError) Unwrap() []error { return []error{e.Err, io.ErrUnexpectedEOF} }

// A streamError has the fields by which net/http lets its own error of a stream that was
// reset be known (RFC 9113, section 5.4.2).
type streamError struct {
	StreamID, Code uint32
	Cause          error
}

func (e streamError) Error() string { return "the stream was reset" }

// cut is an error in the words of a person who knows no protocol.
func cut(err error) error {
	if _, isReset := errors.AsType[streamError](err); isReset || errors.Is(err, io.EOF) {
		return &CutError{err}
	}
	return err
}

package limit

import (
	"fmt"
	"time"
)

// Limits bound what an image may cost to read. Each fails loudly, with an
// [Error] that names it.
type Limits struct {
	Entries       int           // tar entries in all layers
	PathBytes     int           // bytes of one entry's name or link target
	Members       int           // members of the archive
	JSONBytes     int64         // bytes of a config, manifest or index
	TextBytes     int64         // bytes of all names, link targets, owners and extended attributes
	FrameBytes    int64         // compressed bytes of the tar headers of all layers
	KeptBytes     int64         // bytes of all the bodies that Options.Keep asks for
	OptionalBytes int64         // bytes of the bodies among them that one can do without
	NoteBytes     int64         // bytes of what Options.Watch notes; past that there are no notes
	CopyBytes     int64         // bytes of layers that came as a stream and are copied for inspect.Contents; 0 for none
	Bytes         int64         // uncompressed bytes of the whole image
	Ratio         int64         // uncompressed bytes for each byte read, beyond the first GiB
	Idle          time.Duration // without a byte from a registry that was asked for something
	Hashes        int           // strings of the shape of a store hash that may have to be remembered
}

// DefaultLimits are far above any image seen in the wild.
func DefaultLimits() Limits {
	return Limits{
		Entries:       2 << 20,
		PathBytes:     32 << 10,
		Members:       100_000,
		JSONBytes:     16 << 20,
		TextBytes:     128 << 20,
		FrameBytes:    128 << 20,
		KeptBytes:     128 << 20,
		OptionalBytes: 128 << 20,
		NoteBytes:     64 << 20,
		CopyBytes:     4 << 30,
		Bytes:         1 << 40,
		Ratio:         200, // deflate can reach 1032, honest images have 2 to 5
		Idle:          time.Minute,
		Hashes:        2 << 20,
	}
}

// IdleSeconds is the Name of the errors that are of Limits.Idle.
const IdleSeconds = "seconds without an answer"

// JSONBytes is the Name of the errors that are of Limits.JSONBytes.
const JSONBytes = "JSON bytes"

// An Error reports that an image goes past one of the [Limits].
type Error struct {
	Name  string // of the field of Limits, in words: "entries", "path bytes", …
	Limit int64
	Where string // the archive member, layer or entry
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: more than %d %s (a limit that protects against hostile images)", e.Where, e.Limit, e.Name)
}

// A FormatError reports bytes that are not what their form demands.
type FormatError struct {
	Where string // the archive member, layer or entry, with the offset when known
	Err   error
}

func (e *FormatError) Error() string { return e.Where + ": " + e.Err.Error() }

func (e *FormatError) Unwrap() error { return e.Err }

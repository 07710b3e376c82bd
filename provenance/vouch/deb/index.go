package deb

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/limit"
)

// A Name is what dpkg installs: a version of a package for an architecture.
type Name struct{ Package, Version, Arch string }

func (n Name) String() string { return n.Package + " " + n.Version }

// An offer is a package that a signed index names.
type offer struct {
	Listed
	release *Release
}

// maxIndex bounds the uncompressed bytes of an index; that of Debian has 50 MB.
const maxIndex = 4 << 30

// scanned is what reading an index gave.
type scanned struct {
	stored digest.Sum        // of the bytes as they are stored
	plain  digest.Sum        // of what they unpack to
	size   int64             // uncompressed
	found  map[Name][]Listed // of an archive that has several under one name, each
}

// scanIndex reads an index in any compression, and finds the packages that are wanted by
// their names. With an error it returns the size of what it unpacked.
func scanIndex(r io.Reader, wanted map[string]bool, most int64) (scanned, error) {
	stored := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(r, stored), 256<<10)
	head, _ := in.Peek(6)
	var plain io.Reader
	if isLZ4(head) {
		plain = newLZ4(in)
	} else {
		x, err := compression.Expand(in, compression.Sniff(head), func(int64) error { return nil })
		if err != nil {
			return scanned{}, err
		}
		defer x.Close()
		plain = x
	}
	sum := sha256.New()
	out := scanned{found: make(map[Name][]Listed)}
	bounded := &io.LimitedReader{R: io.TeeReader(plain, sum), N: most + 1}
	err := scanParagraphs(bufio.NewReaderSize(bounded, 256<<10), wanted, out.found)
	if bounded.N == 0 {
		err = &limit.Error{Name: "bytes of an index", Limit: most, Where: "Packages"}
	}
	out.size = most + 1 - bounded.N
	if err != nil {
		return scanned{size: out.size}, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return scanned{size: out.size}, err
	}
	stored.Sum(out.stored[:0])
	sum.Sum(out.plain[:0])
	return out, nil
}

// The fields of an index that matter here.
var (
	fieldPackage  = []byte("Package:")
	fieldVersion  = []byte("Version:")
	fieldArch     = []byte("Architecture:")
	fieldFilename = []byte("Filename:")
	fieldSize     = []byte("Size:")
	fieldSum      = []byte("SHA256:")
	fieldSection  = []byte("Section:")
	fieldPriority = []byte("Priority:")
)

// scanParagraphs goes through the lines of an index. It holds no more than one line.
func scanParagraphs(r *bufio.Reader, wanted map[string]bool, found map[Name][]Listed) error {
	var name Name
	var at Listed
	end := func() {
		if listed := found[name]; wanted[name.Package] && !at.Sum.IsZero() && (len(listed) == 0 || listed[len(listed)-1] != at) {
			found[name] = append(listed, at)
		}
		name, at = Name{}, Listed{}
	}
	for {
		line, err := r.ReadSlice('\n')
		if err == bufio.ErrBufferFull { // a line of a description, or a hostile one
			if err := skipLine(r); err != nil {
				return err
			}
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		switch {
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			end()
		case bytes.HasPrefix(line, fieldPackage):
			name.Package = value(line[len(fieldPackage):])
		case name.Package != "" && !wanted[name.Package]:
		case bytes.HasPrefix(line, fieldVersion):
			name.Version = value(line[len(fieldVersion):])
		case bytes.HasPrefix(line, fieldArch):
			name.Arch = value(line[len(fieldArch):])
		case bytes.HasPrefix(line, fieldFilename):
			at.Path = value(line[len(fieldFilename):])
		case bytes.HasPrefix(line, fieldSection):
			at.Section = value(line[len(fieldSection):])
		case bytes.HasPrefix(line, fieldPriority):
			at.Priority = value(line[len(fieldPriority):])
		case bytes.HasPrefix(line, fieldSize):
			at.Size, _ = strconv.ParseInt(value(line[len(fieldSize):]), 10, 64)
		case bytes.HasPrefix(line, fieldSum):
			if raw, e := hex.DecodeString(value(line[len(fieldSum):])); e == nil && len(raw) == len(at.Sum) {
				at.Sum = digest.Sum(raw)
			}
		}
		if err == io.EOF {
			end()
			return nil
		}
	}
}

func value(line []byte) string { return string(bytes.TrimSpace(line)) }

// skipLine skips the rest of a line that is longer than the buffer.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		switch err {
		case nil, io.EOF:
			return nil
		case bufio.ErrBufferFull:
		default:
			return fmt.Errorf("skipping a line: %w", err)
		}
	}
}

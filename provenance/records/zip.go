package records

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
)

// errZip says that bytes are no zip archive, or no whole one.
var errZip = errors.New("it is no whole zip archive")

// A zipEntry is an entry of the central directory of a zip archive (PKWARE's
// APPNOTE.TXT 6.3.10, section 4.3.12).
type zipEntry struct {
	name   string
	method uint16
	packed int // bytes as stored
	size   int // bytes of the content, as promised
	offset int // of its local header
}

// Bounds of an archive.
const (
	maxDirectory = 32 << 20 // bytes of the central directory; that of a jar with 100,000 classes has some 12
	endSize      = 22       // bytes of the end of the central directory, without its comment
	zip64Size    = 56       // of its other form
	max16        = 1<<16 - 1
	max32        = 1<<32 - 1
	tooLong      = 1 << 40 // bytes, more than any archive has
)

// zipEntries visits the entries of an archive in the order of its directory, which it
// reads where it lies.
func zipEntries(data []byte, visit func(zipEntry)) error {
	directory, base, err := zipDirectory(data)
	if err != nil {
		return err
	}
	for len(directory) >= 46 && bytes.HasPrefix(directory, []byte("PK\x01\x02")) {
		u16 := func(at int) int { return int(binary.LittleEndian.Uint16(directory[at:])) }
		u32 := func(at int) int { return int(binary.LittleEndian.Uint32(directory[at:])) }
		end := 46 + u16(28)
		extra := end + u16(30)
		next := extra + u16(32)
		if next > len(directory) {
			return errZip
		}
		e := zipEntry{name: string(directory[46:end]), method: uint16(u16(10)), packed: u32(20), size: u32(24), offset: u32(42)}
		e.widen(directory[end:extra])
		e.offset += base
		visit(e)
		directory = directory[next:]
	}
	if len(directory) > 0 {
		return errZip
	}
	return nil
}

// widen takes the numbers that an entry has in 64 bits from its extra fields (APPNOTE.TXT,
// section 4.5.3): those that are all ones in 32.
func (e *zipEntry) widen(extra []byte) {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, number := range []*int{&e.size, &e.packed, &e.offset} {
			if *number == max32 && len(field) >= 8 {
				*number = int(min(binary.LittleEndian.Uint64(field), tooLong))
				field = field[8:]
			}
		}
		return
	}
}

// zipDirectory finds the central directory, and by how much its offsets are off where
// something stands before the archive. Its end is the last in the data that is one: the
// comment after it fills the rest, or a directory stands before it where it says, as Java
// asks (ZipFile.Source.findEND of Java 21).
func zipDirectory(data []byte) (directory []byte, base int, err error) {
	from := max(0, len(data)-endSize-max16)
	for rest := data[from:]; ; {
		at := bytes.LastIndex(rest, []byte("PK\x05\x06"))
		if at < 0 {
			return nil, 0, errZip
		}
		rest = rest[:at]
		end := from + at
		if len(data)-end < endSize {
			continue
		}
		directory, base, err = directoryAt(data, end)
		comment := int(binary.LittleEndian.Uint16(data[end+20:]))
		if end+endSize+comment == len(data) || err == nil && bytes.HasPrefix(directory, []byte("PK\x01\x02")) {
			return directory, base, err
		}
	}
}

// directoryAt reads the end of a central directory, and returns the directory before it.
func directoryAt(data []byte, end int) (directory []byte, base int, err error) {
	count := binary.LittleEndian.Uint16(data[end+10:])
	size, offset := uint64(binary.LittleEndian.Uint32(data[end+12:])), uint64(binary.LittleEndian.Uint32(data[end+16:]))
	if at := end - 20 - zip64Size; at >= 0 && bytes.HasPrefix(data[at:], []byte("PK\x06\x06")) && (count == max16 || size == max32 || offset == max32) {
		size64, offset64 := binary.LittleEndian.Uint64(data[at+40:]), binary.LittleEndian.Uint64(data[at+48:])
		if (size == max32 || size == size64) && (offset == max32 || offset == offset64) {
			size, offset, end = size64, offset64, at
		}
	}
	if size > uint64(end) || offset > uint64(end)-size {
		return nil, 0, errZip
	}
	if size > maxDirectory {
		return nil, 0, errors.New("its directory is larger than that of an archive")
	}
	begin := end - int(size)
	return data[begin:end], begin - int(offset), nil
}

// open returns the content of an entry, of which not more than so many bytes are read:
// then it is false.
func (e zipEntry) open(data []byte, most int) ([]byte, bool) {
	if e.offset < 0 || e.offset+30 > len(data) || !bytes.HasPrefix(data[e.offset:], []byte("PK\x03\x04")) {
		return nil, false
	}
	head := data[e.offset:]
	begin := 30 + int(binary.LittleEndian.Uint16(head[26:])) + int(binary.LittleEndian.Uint16(head[28:]))
	if begin > len(head) || e.packed < 0 || e.packed > len(head)-begin {
		return nil, false
	}
	packed := head[begin : begin+e.packed]
	switch e.method {
	case 0:
		return packed, len(packed) <= most
	case 8:
		var content bytes.Buffer
		content.Grow(min(e.size, most) + bytes.MinRead)
		_, err := content.ReadFrom(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), int64(most)+1))
		return content.Bytes(), err == nil && content.Len() <= most
	}
	return nil, false
}

package explain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"

	"audit/inspect/check"
)

// A gzipDecoder explains gzip files by RFC 1952: the fields of the header of
// each member, and what is inside of all of them.
type gzipDecoder struct{}

func (gzipDecoder) decode(d *diff, was, now []byte) bool {
	a, errA := d.gunzip(was)
	b, errB := d.gunzip(now)
	switch {
	case errors.Is(errA, errNotMine) || errors.Is(errB, errNotMine):
		return false
	case errA != nil || errB != nil:
		d.tooLarge("gzip")
		return true
	}
	d.number(check.Say("difference/gzip-members"), Packing, uint64(len(a.members)), uint64(len(b.members)))
	for i := range min(len(a.members), len(b.members)) {
		d.gzipHeaders(a.members[i], b.members[i])
	}
	d.value(check.Say("difference/after-gzip"), string(a.junk), string(b.junk))
	d.inside(d.step("gzip", ".gz"), strings.TrimSuffix(d.path, ".gz"), a.data, b.data)
	d.packing("gzip", a.data, b.data, a.packed, b.packed)
	return true
}

// packing notes that the same is inside of something that is named, packed in another
// way.
func (d *diff) packing(name string, was, now, packedWas, packedNow []byte) {
	if bytes.Equal(was, now) && !bytes.Equal(packedWas, packedNow) {
		d.add(check.Say("difference/packed-data", "name", name), Packing, packedText(packedWas, was), packedText(packedNow, now))
	}
}

func packedText(packed, data []byte) string {
	return fmt.Sprintf("%d bytes packed into %d", len(data), len(packed))
}

func (d *diff) gzipHeaders(a, b gzipMember) {
	if a.time != b.time {
		d.add(gzipField("time"), Date, unixTime(int64(a.time)), unixTime(int64(b.time)))
	}
	name := gzipField("name")
	if a.name != b.name && !d.explained([]byte(a.name), []byte(b.name), func(int) check.Message { return name }) {
		d.add(name, Packing, a.name, b.name)
	}
	d.value(gzipField("comment"), a.comment, b.comment)
	d.value(gzipField("extra field"), a.extra, b.extra)
	d.number(gzipField("flags"), Packing, uint64(a.flags), uint64(b.flags))
	d.number(gzipField("level"), Packing, uint64(a.level), uint64(b.level))
	d.number(gzipField("operating system"), Packing, uint64(a.system), uint64(b.system))
}

func gzipField(name string) check.Message { return check.Say("difference/gzip-header", "field", name) }

// A gzipFile is a gzip file taken apart.
type gzipFile struct {
	members []gzipMember
	data    []byte // of all members
	packed  []byte // likewise
	junk    []byte // after the last member
}

// A gzipMember is the header of a member.
type gzipMember struct {
	flags, level, system byte
	time                 uint32
	extra, name, comment string
}

// errNotMine says that bytes are not of the format; errTooLarge that they are,
// but go past a bound.
var (
	errNotMine  = errors.New("not of this format")
	errTooLarge = errors.New("too large when unpacked")
)

func (d *diff) gunzip(data []byte) (*gzipFile, error) {
	f := new(gzipFile)
	for {
		m, n, ok := gzipHeader(data)
		if !ok && len(f.members) == 0 {
			return nil, errNotMine
		}
		if !ok {
			f.junk = data
			return f, nil
		}
		f.members = append(f.members, m)
		used, err := d.inflate(f, data[n:])
		if err != nil {
			return nil, err
		}
		data = data[n+used:]
	}
}

// inflate unpacks the data of one member and returns how many bytes it takes,
// with the checksum and size that follow it.
func (d *diff) inflate(f *gzipFile, data []byte) (int, error) {
	r := bytes.NewReader(data)
	body, err := d.readAll(flate.NewReader(r), len(f.data))
	if err != nil {
		return 0, err
	}
	used := len(data) - r.Len()
	if r.Len() < 8 {
		return 0, errNotMine
	}
	f.data, f.packed = append(f.data, body...), append(f.packed, data[:used]...)
	return used + 8, nil
}

// readAll unpacks a stream, of which some bytes were unpacked before, within
// the bounds.
func (d *diff) readAll(r io.Reader, before int) ([]byte, error) {
	limit := min(maxExpandFile-int64(before), d.expand)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	d.expand -= min(int64(len(data)), d.expand)
	switch {
	case int64(len(data)) > limit:
		return nil, errTooLarge
	case err != nil:
		return nil, errNotMine
	}
	return data, nil
}

// gzipHeader reads the header of a member and returns its length.
func gzipHeader(data []byte) (m gzipMember, n int, ok bool) {
	const start = 10
	if len(data) < start || string(data[:3]) != "\x1f\x8b\x08" {
		return m, 0, false
	}
	m = gzipMember{flags: data[3], time: binary.LittleEndian.Uint32(data[4:]), level: data[8], system: data[9]}
	rest := data[start:]
	const hcrc, extra, name, comment = 2, 4, 8, 16
	if m.flags&extra != 0 {
		if len(rest) < 2 || len(rest)-2 < int(binary.LittleEndian.Uint16(rest)) {
			return m, 0, false
		}
		m.extra, rest = string(rest[2:2+binary.LittleEndian.Uint16(rest)]), rest[2+binary.LittleEndian.Uint16(rest):]
	}
	for _, text := range []struct {
		flag byte
		into *string
	}{{name, &m.name}, {comment, &m.comment}} {
		if m.flags&text.flag == 0 {
			continue
		}
		before, after, found := bytes.Cut(rest, []byte{0})
		if !found {
			return m, 0, false
		}
		*text.into, rest = string(before), after
	}
	if m.flags&hcrc != 0 {
		if len(rest) < 2 {
			return m, 0, false
		}
		rest = rest[2:]
	}
	return m, len(data) - len(rest), true
}

// unixTime writes seconds since 1970 by RFC 3339.
func unixTime(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

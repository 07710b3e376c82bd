package explain

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/klauspost/compress/flate"

	"audit/inspect/check"
)

// A zipDecoder explains zip files, and so jar, whl and odt, by PKWARE's
// APPNOTE.TXT 6.3.10. The names and order of members are those of the central
// directory; the headers beside the members are compared as well.
type zipDecoder struct{}

func (zipDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseZip(was)
	b, okB := parseZip(now)
	if !okA || !okB {
		return false
	}
	for _, p := range d.members(a.names(), b.names()) {
		d.zipMember(a.members[p[0]], b.members[p[1]])
	}
	d.value(check.Say("difference/zip-comment"), a.comment, b.comment)
	if !bytes.Equal(a.rest, b.rest) {
		d.add(check.Say("difference/between-members"), Content, sizeText(a.rest), sizeText(b.rest))
	}
	return true
}

func (d *diff) zipMember(a, b zipMember) {
	name := shown(a.name)
	field := func(field string) check.Message {
		return check.Say("difference/member-field", "member", name, "field", field)
	}
	d.zipHeader(field, a.central, b.central)
	d.zipHeader(field, a.local, b.local)
	d.value(field("name beside the member"), a.localName, b.localName)
	d.value(field("comment"), a.comment, b.comment)
	if x, y := a.attributesText(), b.attributesText(); x != y {
		d.add(field("attributes"), Content, x, y)
	}
	d.number(field("internal attributes"), Packing, uint64(a.internal), uint64(b.internal))
	if a.madeBy != b.madeBy {
		d.add(field("written by"), Packing, a.madeByText(), b.madeByText())
	}
	x, errX := d.zipContent(a)
	y, errY := d.zipContent(b)
	switch {
	case errors.Is(errX, errTooLarge) || errors.Is(errY, errTooLarge):
		d.tooLarge(name)
	case errX != nil || errY != nil:
		d.inside(name+" (packed)", "", a.data, b.data)
	default:
		d.inside(name, a.name, x, y)
		d.packing(name, x, y, a.data, b.data)
	}
}

// zipUnix is the host whose attributes are the mode of a file.
const zipUnix = 3

// attributesText writes the external attributes as their host has them.
func (m *zipMember) attributesText() string {
	if m.madeBy>>8 != zipUnix {
		return fmt.Sprintf("0x%08x", m.attributes)
	}
	text := fmt.Sprintf("mode %06o", m.attributes>>16)
	if dos := m.attributes & 0xffff; dos != 0 {
		text += fmt.Sprintf(", DOS 0x%04x", dos)
	}
	return text
}

// madeByText names the host that a member was written on, and the version of
// the format that its writer knows.
func (m *zipMember) madeByText() string {
	host := m.madeBy >> 8
	name, ok := map[uint16]string{0: "DOS", zipUnix: "Unix", 10: "Windows", 19: "macOS"}[host]
	if !ok {
		name = fmt.Sprintf("host %d", host)
	}
	return fmt.Sprintf("%s, version %d.%d", name, m.madeBy&0xff/10, m.madeBy&0xff%10)
}

// zipContent unpacks a member.
func (d *diff) zipContent(m zipMember) ([]byte, error) {
	const stored, deflated = 0, 8
	switch m.central.method {
	case stored:
		return m.data, nil
	case deflated:
		return d.readAll(flate.NewReader(bytes.NewReader(m.data)), 0)
	}
	return nil, errNotMine
}

func (d *diff) zipHeader(field func(string) check.Message, a, b zipHeader) {
	if a.time != b.time {
		d.add(field("time"), Date, dosTime(a.time), dosTime(b.time))
	}
	d.number(field("version needed"), Packing, uint64(a.version), uint64(b.version))
	d.number(field("flags"), Packing, uint64(a.flags), uint64(b.flags))
	d.number(field("method"), Packing, uint64(a.method), uint64(b.method))
	x, y := extraFields(a.extra), extraFields(b.extra)
	ids := slices.AppendSeq(slices.Collect(maps.Keys(x)), maps.Keys(y))
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if x[id] != y[id] {
			name, reason := extraField(id)
			d.add(field("extra field "+name), reason, extraText(id, x[id]), extraText(id, y[id]))
		}
	}
}

// extraField names an extra field, and says why one differs.
func extraField(id uint16) (string, Reason) {
	switch id {
	case 0x5455:
		return "UT (times)", Date
	case 0x000a:
		return "NTFS (times)", Date
	case 0x7875:
		return "ux (owner)", Content
	}
	return fmt.Sprintf("0x%04x", id), Content
}

// extraText writes the value of an extra field: the first time of those that
// hold times, all else in hexadecimal.
func extraText(id uint16, value string) string {
	const flags = 1 // bytes before the times of UT
	if id == 0x5455 && len(value) >= flags+4 {
		return unixTime(int64(int32(binary.LittleEndian.Uint32([]byte(value[flags:])))))
	}
	return fmt.Sprintf("%x", value)
}

// extraFields splits the extra field of a header by id; what cannot be split
// is under 0.
func extraFields(extra []byte) map[uint16]string {
	fields := make(map[uint16]string)
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if 4+n > len(extra) {
			break
		}
		fields[id] += string(extra[4 : 4+n])
		extra = extra[4+n:]
	}
	if len(extra) > 0 {
		fields[0] += string(extra)
	}
	return fields
}

// dosTime writes the time of a header, a date in the upper half and a time of
// day in units of two seconds in the lower.
func dosTime(t uint32) string {
	date, clock := t>>16, t&0xffff
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 1980+date>>9, date>>5&15, date&31, clock>>11, clock>>5&63, clock&31*2)
}

// A zipFile is a zip file taken apart.
type zipFile struct {
	members []zipMember
	comment string
	rest    []byte // all bytes that are in no member and in no header
}

func (z *zipFile) names() []string {
	names := make([]string, 0, len(z.members))
	for _, m := range z.members {
		names = append(names, m.name)
	}
	return names
}

type zipMember struct {
	name, comment, localName string
	central, local           zipHeader
	madeBy, internal         uint16
	attributes               uint32
	data                     []byte // packed
}

// A zipHeader is what the two headers of a member share; sizes and checksum
// follow from its content.
type zipHeader struct {
	version, flags, method uint16
	time                   uint32
	extra                  []byte
}

const (
	zipLocal   = "PK\x03\x04"
	zipCentral = "PK\x01\x02"
	zipEnd     = "PK\x05\x06"
)

// parseZip takes a zip file apart. Those of more than 4 GiB or 65,535 members
// have another form, and are not understood.
func parseZip(data []byte) (*zipFile, bool) {
	const size = 22
	at := bytes.LastIndex(data, []byte(zipEnd))
	if at < 0 || at+size > len(data) || !bytes.HasPrefix(data, []byte("PK")) {
		return nil, false
	}
	le := binary.LittleEndian
	end := data[at:]
	n, start, comment := int(le.Uint16(end[10:])), int64(le.Uint32(end[16:])), int(le.Uint16(end[20:]))
	if start > int64(at) || size+comment != len(end) {
		return nil, false
	}
	z := &zipFile{comment: string(end[size:])}
	held := []stretch{{int64(at), int64(len(data))}}
	directory := data[start:at]
	for range n {
		m, from, rest, ok := parseZipMember(data, directory)
		if !ok {
			return nil, false
		}
		z.members, held, directory = append(z.members, m), append(held, from), rest
	}
	held = append(held, stretch{start, int64(at - len(directory))})
	var ok bool
	z.rest, ok = outside(data, held)
	return z, ok
}

// parseZipMember reads the member that the directory lists first, and where
// in data it is.
func parseZipMember(data, directory []byte) (m zipMember, held stretch, rest []byte, ok bool) {
	const size = 46
	le := binary.LittleEndian
	if len(directory) < size || string(directory[:4]) != zipCentral {
		return m, held, nil, false
	}
	h := directory
	name, extra, comment := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	if size+name+extra+comment > len(h) {
		return m, held, nil, false
	}
	m = zipMember{madeBy: le.Uint16(h[4:]), internal: le.Uint16(h[36:]), attributes: le.Uint32(h[38:]),
		central: zipHeader{le.Uint16(h[6:]), le.Uint16(h[8:]), le.Uint16(h[10:]), zipTime(h[12:]), h[size+name : size+name+extra]}}
	m.name, m.comment = string(h[size:size+name]), string(h[size+name+extra:size+name+extra+comment])
	held, ok = m.parseLocal(data, int64(le.Uint32(h[42:])), int64(le.Uint32(h[20:])))
	return m, held, h[size+name+extra+comment:], ok
}

func zipTime(h []byte) uint32 {
	return uint32(binary.LittleEndian.Uint16(h[2:]))<<16 | uint32(binary.LittleEndian.Uint16(h))
}

// parseLocal reads the header beside the content of a member, and what may
// follow it: its sizes once more.
func (m *zipMember) parseLocal(data []byte, at, packed int64) (held stretch, ok bool) {
	const size = 30
	le := binary.LittleEndian
	if at+size > int64(len(data)) || string(data[at:at+4]) != zipLocal {
		return held, false
	}
	h := data[at:]
	name, extra := int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	from := size + name + extra
	if from+packed > int64(len(h)) {
		return held, false
	}
	m.local = zipHeader{le.Uint16(h[4:]), le.Uint16(h[6:]), le.Uint16(h[8:]), zipTime(h[10:]), h[size+name : from]}
	m.localName, m.data = string(h[size:size+name]), h[from:from+packed]
	end := from + packed
	const descriptor = 8 // the flag
	if m.local.flags&descriptor != 0 {
		end += 12
		if bytes.HasPrefix(h[from+packed:], []byte("PK\x07\x08")) {
			end += 4
		}
	}
	return stretch{at, min(at+end, int64(len(data)))}, true
}

// A stretch is the bytes of a content from one offset to another.
type stretch struct{ from, to int64 }

// outside returns the bytes of data that no stretch holds, and whether no two
// stretches overlap.
func outside(data []byte, held []stretch) (rest []byte, apart bool) {
	slices.SortFunc(held, func(x, y stretch) int { return cmp.Compare(x.from, y.from) })
	at := int64(0)
	apart = true
	for _, s := range held {
		if s.from > at {
			rest = append(rest, data[at:s.from]...)
		}
		apart = apart && s.from >= at
		at = max(at, s.to)
	}
	return append(rest, data[at:]...), apart
}

package explain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"audit/inspect/check"
)

// A pycDecoder explains compiled Python: its header (PEP 3147 and PEP 552;
// importlib/_bootstrap_external.py of CPython 3.13 lists the magic numbers),
// and where the code parts.
type pycDecoder struct{}

func (pycDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parsePyc(was)
	b, okB := parsePyc(now)
	if !okA || !okB {
		return false
	}
	if a.magic != b.magic {
		d.add(pycField("magic number"), Content, a.version(), b.version())
	}
	if a.time != b.time {
		d.add(pycField("time of the source"), Date, unixTime(int64(a.time)), unixTime(int64(b.time)))
	}
	d.number(pycField("flags"), Content, uint64(a.flags), uint64(b.flags))
	d.number(pycField("size of the source"), Content, uint64(a.size), uint64(b.size))
	if a.hash != b.hash {
		d.add(pycField("hash of the source"), Content, fmt.Sprintf("%016x", a.hash), fmt.Sprintf("%016x", b.hash))
	}
	if !bytes.Equal(a.code, b.code) {
		d.pycCode(a, b)
	}
	return true
}

func (d *diff) pycCode(a, b *pyc) {
	was, now := sizeText(a.code), sizeText(b.code)
	x, okX := canonicalCode(a.code, a.magic)
	y, okY := canonicalCode(b.code, b.magic)
	alike := okX && okY && a.magic == b.magic && bytes.Equal(x.objects, y.objects) && len(x.texts) == len(y.texts)
	switch {
	case alike && !slices.Equal(x.texts, y.texts):
		for i := range x.texts {
			d.value(check.Say("difference/pyc-code"), x.texts[i], y.texts[i])
		}
	case alike:
		d.add(check.Say("difference/pyc-references"), Packing, was, now)
	case !d.explained(a.code, b.code, func(int) check.Message { return check.Say("difference/pyc-code") }):
		d.add(check.Say("difference/pyc-code"), Content, was, now)
		d.show(Bytes(a.code, b.code))
	}
}

func pycField(name string) check.Message { return check.Say("difference/pyc-header", "field", name) }

type pyc struct {
	magic, flags, time, size uint32
	hash                     uint64
	code                     []byte
}

// Magic numbers from which on the header changed. The ones of Python 2 lie
// above all of Python 3.
const (
	python3     = 3000
	python33    = 3190 // the size was added
	python37    = 3392 // the flags were added
	python2     = 50823
	endOfPython = 62300
)

func parsePyc(data []byte) (*pyc, bool) {
	if len(data) < 16 || data[2] != '\r' || data[3] != '\n' {
		return nil, false
	}
	le := binary.LittleEndian
	p := &pyc{magic: uint32(le.Uint16(data))}
	switch m := p.magic; {
	case m >= python37 && m < python2:
		p.flags, p.code = le.Uint32(data[4:]), data[16:]
		if p.flags&1 != 0 {
			p.hash = le.Uint64(data[8:])
		} else {
			p.time, p.size = le.Uint32(data[8:]), le.Uint32(data[12:])
		}
	case m >= python33 && m < python37:
		p.time, p.size, p.code = le.Uint32(data[4:]), le.Uint32(data[8:]), data[12:]
	case m >= python3 && m < python33 || m >= python2 && m < endOfPython:
		p.time, p.code = le.Uint32(data[4:]), data[8:]
	default:
		return nil, false
	}
	return p, true
}

// version names the releases of Python that have a magic number.
func (p *pyc) version() string {
	for _, v := range []struct {
		from uint32
		name string
	}{
		{python2, "Python 2"}, {3600, "Python 3.14 or later"}, {3550, "Python 3.13"}, {3500, "Python 3.12"}, {3450, "Python 3.11"},
		{3430, "Python 3.10"}, {3420, "Python 3.9"}, {3400, "Python 3.8"}, {python37, "Python 3.7"}, {3360, "Python 3.6"},
		{3320, "Python 3.5"}, {3250, "Python 3.4"}, {python33, "Python 3.3"}, {python3, "Python 3.0 to 3.2"},
	} {
		if p.magic >= v.from {
			return fmt.Sprintf("%d (%s)", p.magic, v.name)
		}
	}
	return fmt.Sprint(p.magic)
}

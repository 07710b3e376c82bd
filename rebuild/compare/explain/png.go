package explain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zlib"

	"audit/inspect/check"
)

// A pngDecoder explains PNG pictures chunk by chunk (PNG Third Edition): the
// time and the texts that programs leave in them, and the packed pixels.
type pngDecoder struct{}

const pngMagic = "\x89PNG\r\n\x1a\n"

// A chunk is a part of a picture; its checksum follows from it.
type chunk struct {
	kind string
	data []byte
}

func (pngDecoder) decode(d *diff, was, now []byte) bool {
	a, pixelsA, okA := parsePNG(was)
	b, pixelsB, okB := parsePNG(now)
	if !okA || !okB {
		return false
	}
	noted := d.out.total()
	for _, p := range d.members(chunkNames(a), chunkNames(b)) {
		d.chunk(a[p[0]], b[p[1]])
	}
	d.pixels(pixelsA, pixelsB)
	if d.out.total() == noted {
		d.add(check.Say("difference/png-chunks"), Packing, sizeText(was), sizeText(now))
	}
	return true
}

// parsePNG returns the chunks of a picture but those of pixels, which it joins:
// where one ends and the next starts means nothing.
func parsePNG(data []byte) (chunks []chunk, pixels []byte, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(pngMagic))
	const around = 12 // length, kind and checksum
	for ok && len(rest) > 0 {
		if len(rest) < around || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-around) {
			return nil, nil, false
		}
		n := int(binary.BigEndian.Uint32(rest))
		c := chunk{string(rest[4:8]), rest[8 : 8+n]}
		if c.kind == "IDAT" {
			pixels = append(pixels, c.data...)
		} else {
			chunks = append(chunks, c)
		}
		rest = rest[around+n:]
	}
	return chunks, pixels, ok && len(chunks) > 0
}

// chunkNames names chunks; those of texts by their keyword too.
func chunkNames(chunks []chunk) []string {
	names := make([]string, 0, len(chunks))
	for _, c := range chunks {
		names = append(names, strings.TrimSpace(c.kind+" "+c.keyword()))
	}
	return names
}

func (c chunk) keyword() string {
	if !strings.HasSuffix(c.kind, "Xt") {
		return ""
	}
	word, _, _ := bytes.Cut(c.data, []byte{0})
	return string(word)
}

func (d *diff) chunk(a, b chunk) {
	name := strings.TrimSpace(shown(a.kind) + " " + shown(a.keyword()))
	what := check.Say("difference/png-chunk", "chunk", name)
	switch {
	case bytes.Equal(a.data, b.data):
	case a.kind == "tIME" && len(a.data) == 7 && len(b.data) == 7:
		d.add(what, Date, pngTime(a.data), pngTime(b.data))
	case a.kind == "zTXt":
		x, errX := d.zlibText(a)
		y, errY := d.zlibText(b)
		if errX != nil || errY != nil {
			d.value(what, string(a.data), string(b.data))
			return
		}
		d.inside(name, "", x, y)
		d.packing(name, x, y, a.data, b.data)
	default:
		d.value(what, string(a.data), string(b.data))
	}
}

func pngTime(t []byte) string {
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", binary.BigEndian.Uint16(t), t[2], t[3], t[4], t[5], t[6])
}

// zlibText unpacks the text of a zTXt chunk: a keyword, NUL, the method, zlib.
func (d *diff) zlibText(c chunk) ([]byte, error) {
	_, packed, _ := bytes.Cut(c.data, []byte{0})
	if len(packed) < 1 {
		return nil, errNotMine
	}
	return d.unzlib(packed[1:])
}

func (d *diff) unzlib(data []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, errNotMine
	}
	return d.readAll(z, 0)
}

func (d *diff) pixels(was, now []byte) {
	if bytes.Equal(was, now) {
		return
	}
	x, errX := d.unzlib(was)
	y, errY := d.unzlib(now)
	switch {
	case errors.Is(errX, errTooLarge) || errors.Is(errY, errTooLarge):
		d.tooLarge("PNG")
	case errX != nil || errY != nil || !bytes.Equal(x, y):
		n, _ := countDifferent(x, y)
		d.add(check.Say("difference/pixels", "differ", n), Content, sizeText(x), sizeText(y))
	default:
		d.add(check.Say("difference/pixels"), Packing, packedText(was, x), packedText(now, y))
	}
}

package explain

import (
	"bytes"
	"regexp"

	"audit/inspect/check"
)

// A pdfDecoder explains PDF documents (ISO 32000-1): the dates and the
// identifier that writers leave in them, and what their packed streams hold.
type pdfDecoder struct{}

func (pdfDecoder) decode(d *diff, was, now []byte) bool {
	const magic = "%PDF-"
	if !bytes.HasPrefix(was, []byte(magic)) || !bytes.HasPrefix(now, []byte(magic)) {
		return false
	}
	in := *d
	in.finders = append(d.finders[:len(d.finders):len(d.finders)], pdfFinders()...)
	a, b := splitPDF(was), splitPDF(now)
	if len(a) != len(b) {
		d.number(check.Say("difference/pdf-streams"), Content, uint64(len(a)/2), uint64(len(b)/2))
		d.show(Bytes(was, now))
		return true
	}
	whole := true
	for i := range a {
		if i%2 == 1 {
			in.pdfStream(a[i], b[i])
		} else if !bytes.Equal(a[i], b[i]) && !in.tokens(a[i], b[i], pdfLabel(a[i])) {
			whole = false
		}
	}
	if !whole {
		d.add(check.Message{}, Content, "", "")
		d.show(Bytes(was, now))
	}
	return true
}

// pdfFinders find what PDF has beside dates: the identifier, which is made of
// the date and other things, and the ones of its metadata.
func pdfFinders() []finder {
	return []finder{
		{Follows, regexp.MustCompile(`/ID ?\[ ?(<[0-9A-Fa-f]*> ?<[0-9A-Fa-f]*>) ?\]`), "", pathSight, nil},
		{Follows, regexp.MustCompile(`uuid:([0-9a-fA-F-]{36})`), "", pathSight, nil},
		{Date, regexp.MustCompile(`\(D:(\d{4,14}(?:Z|[+-]\d\d(?:'\d\d'?)?)?)\)`), "", pathSight, nil},
	}
}

// pdfLabel labels a place by the key of a dictionary that stands before it.
func pdfLabel(data []byte) func(at int) check.Message {
	return func(at int) check.Message {
		line := data[max(0, at-40):at]
		if i := bytes.LastIndexByte(line, '/'); i >= 0 {
			key := line[i+1:]
			if n := bytes.IndexAny(key, " (<[\r\n"); n >= 0 {
				key = key[:n]
			}
			return check.Say("difference/pdf-key", "key", shown(string(key)))
		}
		return byteAt(at)
	}
}

// splitPDF splits a document into what is outside of its streams and what is
// inside, in turn. A document whose streams do not end is one part.
func splitPDF(data []byte) [][]byte {
	var parts [][]byte
	for {
		outside, rest, ok := bytes.Cut(data, []byte("stream\n"))
		if crlf, after, found := bytes.Cut(data, []byte("stream\r\n")); found && len(crlf) < len(outside) {
			outside, rest, ok = crlf, after, true
		}
		if !ok {
			return append(parts, data)
		}
		inside, rest, ok := bytes.Cut(rest, []byte("endstream"))
		if !ok {
			return append(parts, data)
		}
		parts, data = append(parts, outside, inside), rest
	}
}

// pdfStream explains a stream; most are packed by zlib.
func (d *diff) pdfStream(was, now []byte) {
	if bytes.Equal(was, now) {
		return
	}
	x, errX := d.unzlib(was)
	y, errY := d.unzlib(now)
	if errX != nil || errY != nil {
		x, y = was, now
	}
	switch {
	case bytes.Equal(x, y):
		d.add(check.Say("difference/pdf-stream"), Packing, packedText(was, x), packedText(now, y))
	case !d.explained(x, y, pdfLabel(x)):
		d.add(check.Say("difference/pdf-stream"), Content, sizeText(x), sizeText(y))
	}
}

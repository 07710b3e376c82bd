package gnutar

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strconv"
)

// A Field is a part of a header block (struct posix_header and struct
// oldgnu_header).
type Field struct {
	Name     string
	From, To int
}

// Fields lists the fields of a header block, the type first: another type
// explains all other differences. The checksum follows from the others and comes
// last.
func Fields() []Field {
	return []Field{
		{"typeflag", 156, 157},
		{"name", 0, 100}, {"mode", 100, 108}, {"uid", 108, 116}, {"gid", 116, 124},
		{"size", 124, 136}, {"mtime", 136, 148}, {"linkname", 157, 257}, {"magic", 257, 265},
		{"uname", 265, 297}, {"gname", 297, 329}, {"devmajor", 329, 337}, {"devminor", 337, 345},
		{"header padding", 345, 512}, {"checksum", 148, 156},
	}
}

// A Difference is a field that was read and is not as it was expected.
type Difference struct {
	Field string // of the header; "content" for the blocks that carry a long name
	// Of says which header it is: "long name" or "long link target" for one that
	// carries such a text, "" for the member's own.
	Of string
	// At is the byte of the field at which the two part, where the field has
	// text after its end; else 0. Got and Want begin there.
	At        int
	Got, Want string // quoted, without the zero bytes at the end, shortened
}

// Differences returns the fields in which got, header blocks as they were read,
// differ from want, those of the first header block that does; none where they
// agree as far as they go.
func Differences(got, want []byte) []Difference {
	for at := 0; at < min(len(got), len(want)); {
		kind, size := want[at+156], longSize(want[at:])
		if found := blockDifferences(slice(got, at, BlockSize), want[at:at+BlockSize], longName(kind)); found != nil {
			return found
		}
		at += BlockSize
		if text, due := slice(got, at, size), want[at:at+size]; !bytes.Equal(text, due[:len(text)]) {
			return []Difference{{Field: "content", Of: longName(kind), Got: Quote(text), Want: Quote(due)}}
		}
		at += size
	}
	return nil
}

// Arguments are those of the finding that headers differ, "repack/header-differs": the first field,
// with both values, and the names of the others.
func Arguments(found []Difference) []any {
	d := found[0]
	args := []any{"field", d.Field, "got", d.Got, "want", d.Want}
	if d.Of != "" {
		args = append(args, "header", d.Of)
	}
	if d.At > 0 {
		args = append(args, "byte", d.At)
	}
	if d.Field == "typeflag" && (d.Got == `"x"` || d.Got == `"g"`) {
		args = append(args, "format", "PAX")
	}
	var others []string
	for _, other := range found[1:] {
		others = append(others, other.Field)
	}
	return append(args, "others", others)
}

// slice returns n bytes of p from at on, or as many as there are.
func slice(p []byte, at, n int) []byte { return p[min(at, len(p)):min(at+n, len(p))] }

// longSize returns how many bytes of blocks follow a header that Append wrote,
// because it carries a long name.
func longSize(block []byte) int {
	if longName(block[156]) == "" {
		return 0
	}
	size, _ := strconv.ParseInt(string(block[124:135]), 8, 64)
	return int(size + Padding(size))
}

func longName(kind byte) string {
	switch kind {
	case tar.TypeGNULongName:
		return "long name"
	case tar.TypeGNULongLink:
		return "long link target"
	}
	return ""
}

func blockDifferences(got, want []byte, of string) []Difference {
	var found []Difference
	for _, f := range Fields() {
		g, w := slice(got, f.From, f.To-f.From), want[f.From:f.To]
		if bytes.Equal(g, w) || f.Name == "checksum" && found != nil {
			continue
		}
		d := Compare(f.Name, g, w)
		d.Of = of
		found = append(found, d)
		if f.Name == "typeflag" {
			return found
		}
	}
	return found
}

// Compare returns the difference of one field. Text after the end of a field
// would not show among its zero bytes, so only that is returned, with its place.
func Compare(field string, got, want []byte) Difference {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	if at < len(got) && at > 0 && want[at-1] == 0 && len(want) > 12 {
		return Difference{Field: field, At: at, Got: fmt.Sprintf("%#02x", got[at]), Want: fmt.Sprintf("%#02x", want[at])}
	}
	return Difference{Field: field, Got: Quote(got), Want: Quote(want)}
}

// Quote writes a field for people: quoted, without the zero bytes at its end,
// and no more than its first 120 bytes.
func Quote(field []byte) string {
	const most = 120
	field = bytes.TrimRight(field, "\x00")
	if len(field) > most {
		return fmt.Sprintf("%q…", field[:most])
	}
	return fmt.Sprintf("%q", field)
}

package gnutar

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		width int
		value int64
		want  string
	}{
		{8, 0, "0000000\x00"},
		{8, 0o555, "0000555\x00"},
		{8, 0o7777777, "7777777\x00"},
		{8, 0o10000000, "\x80\x00\x00\x00\x00\x20\x00\x00"},
		{8, -1, "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{12, 1, "00000000001\x00"},
		{12, 8<<30 - 1, "77777777777\x00"},
		{12, 8 << 30, "\x80\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"},
		{7, 0o10307, "010307\x00"},
	} {
		field := make([]byte, c.width)
		putNumber(field, c.value)
		if string(field) != c.want {
			t.Errorf("%d in %d bytes: %q, want %q", c.value, c.width, field, c.want)
		}
	}
}

func TestEndOfArchive(t *testing.T) {
	for _, c := range [][2]int64{{0, 10240}, {512, 9728}, {9216, 1024}, {9728, 10752}, {10240, 10240}, {18944, 1536}} {
		if got := EndOfArchive(c[0]); got != c[1] {
			t.Errorf("after %d bytes: %d, want %d", c[0], got, c[1])
		}
	}
}

// What GNU tar writes for a long name in a long link, in either order; the
// name of exactly 100 bytes still fits into its field.
func TestLongNames(t *testing.T) {
	long, fits := strings.Repeat("l", 101), strings.Repeat("f", 100)
	for _, c := range []struct {
		dialect    Dialect
		name, link string
		want       string
	}{
		{Dialect{}, long, long, "KL2"},
		{Dialect{NameFirst: true}, long, long, "LK2"},
		{Dialect{}, long, "x", "L2"},
		{Dialect{}, fits, long, "K2"},
		{Dialect{}, fits, fits, "2"},
	} {
		b := c.dialect.Append(nil, Header{Name: c.name, Link: c.link, Kind: '2'})
		var kinds string
		for at := 0; at < len(b); at += BlockSize + longSize(b[at:]) {
			kinds += string(b[at+156])
		}
		if kinds != c.want {
			t.Errorf("%q, want %q", kinds, c.want)
		}
	}
}

// Whatever we write, archive/tar reads as what was meant.
func FuzzHeader(f *testing.F) {
	f.Add("gnu/store/x", "", int64(0o555), int64(0), int64(1), byte('0'), false)
	f.Add(strings.Repeat("n", 100), strings.Repeat("l", 300), int64(0o777), int64(0), int64(1), byte('2'), true)
	f.Add("big", "", int64(0o444), int64(1)<<40, int64(1), byte('0'), false)
	f.Fuzz(func(t *testing.T, name, link string, mode, size, mtime int64, kind byte, nameFirst bool) {
		if name == "" || strings.ContainsRune(name+link, 0) || strings.HasSuffix(name, "/") {
			t.Skip("no name that a file can have")
		}
		h := Header{Name: name, Mode: mode & 0o7777, Time: mtime & (1<<33 - 1), Kind: '0' + kind%3}
		switch h.Kind {
		case tar.TypeReg:
			h.Size = size & (1<<62 - 1)
		default:
			h.Link = link
		}
		b := Dialect{NameFirst: nameFirst}.Append(nil, h)
		if len(b)%BlockSize != 0 {
			t.Fatalf("%d bytes are no whole blocks", len(b))
		}
		got, err := tar.NewReader(bytes.NewReader(b)).Next()
		if err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		back := Header{Name: got.Name, Mode: got.Mode, Time: got.ModTime.Unix(), Kind: got.Typeflag, Size: got.Size, Link: got.Linkname}
		if back != h {
			t.Errorf("wrote %+v, read %+v", h, back)
		}
	})
}

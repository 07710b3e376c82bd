package repack

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"

	"audit/rebuild/gnutar"
)

// What Python 3.11 writes: the number of blocks, and what a reader gets back.
func TestPythonHeaders(t *testing.T) {
	long := strings.Repeat("long/", 30)
	for _, tc := range []struct {
		name   string
		h      gnutar.Header
		blocks int
	}{
		{"plain", gnutar.Header{Name: "/nix/store/x", Kind: tar.TypeReg, Mode: 0o444, Size: 5, Time: 1, Uname: "root", Gname: "root"}, 1},
		{"a hundred bytes", gnutar.Header{Name: strings.Repeat("x", 100), Kind: tar.TypeReg}, 1},
		{"a long name", gnutar.Header{Name: long, Kind: tar.TypeDir}, 3},
		{"a long link", gnutar.Header{Name: "x", Link: long + "é", Kind: tar.TypeSymlink}, 3},
		{"not ASCII", gnutar.Header{Name: "été", Kind: tar.TypeReg}, 3},
		{"not even text", gnutar.Header{Name: "\xff", Kind: tar.TypeReg}, 3},
		{"big numbers", gnutar.Header{Name: "x", Kind: tar.TypeReg, Size: 1 << 33, UID: 1 << 21, GID: 1 << 21, Time: 1 << 33}, 3},
		{"before 1970", gnutar.Header{Name: "x", Kind: tar.TypeReg, Time: -1}, 3},
	} {
		b := pythonDialect{}.append(nil, tc.h)
		if len(b) != 512*tc.blocks {
			t.Errorf("%s: %d bytes", tc.name, len(b))
		}
		got, err := tar.NewReader(bytes.NewReader(b)).Next()
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		back := gnutar.Header{Name: got.Name, Link: got.Linkname, Kind: got.Typeflag, Mode: got.Mode, Size: got.Size, UID: int64(got.Uid), GID: int64(got.Gid), Time: got.ModTime.Unix(), Uname: got.Uname, Gname: got.Gname}
		if back != tc.h {
			t.Errorf("%s: %+v, want %+v", tc.name, back, tc.h)
		}
	}
}

// A record's length counts its own digits.
func TestRecord(t *testing.T) {
	for value, want := range map[string]string{
		"":                       "8 path=\n",
		"a":                      "9 path=a\n",
		"ab":                     "11 path=ab\n",
		strings.Repeat("x", 90):  "99 path=" + strings.Repeat("x", 90) + "\n",
		strings.Repeat("x", 91):  "101 path=" + strings.Repeat("x", 91) + "\n",
		strings.Repeat("x", 989): "999 path=" + strings.Repeat("x", 989) + "\n",
		strings.Repeat("x", 990): "1001 path=" + strings.Repeat("x", 990) + "\n",
	} {
		if got := record("path", value); got != want || len(got) != atoi(got) {
			t.Errorf("%.20q…, want %.20q…", got, want)
		}
	}
}

func atoi(s string) (n int) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return n
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// Whatever a header holds, a reader gets back what was written.
func FuzzPythonHeaders(f *testing.F) {
	f.Add("/nix/store/x", "", int64(1), int64(5))
	f.Add(strings.Repeat("é", 60), strings.Repeat("l", 120), int64(1)<<40, int64(0))
	f.Fuzz(func(t *testing.T, name, link string, mtime, size int64) {
		if name == "" || strings.ContainsRune(name+link, 0) || size < 0 || mtime < 0 || len(name)+len(link) > 10000 {
			return
		}
		for _, d := range []pythonDialect{{}, {zeroDevices: true}} {
			b := d.append(nil, gnutar.Header{Name: name, Link: link, Kind: tar.TypeSymlink, Time: mtime, Mode: 0o777})
			if len(b)%512 != 0 {
				t.Fatalf("%d bytes", len(b))
			}
			got, err := tar.NewReader(bytes.NewReader(b)).Next()
			if err != nil || got.Name != name || got.Linkname != link || got.ModTime.Unix() != mtime {
				t.Errorf("%q → %q, %d: %+v, %v", name, link, mtime, got, err)
			}
		}
	})
}

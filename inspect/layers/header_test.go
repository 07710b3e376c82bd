package layers

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// headers returns a tar with entries of all kinds and formats.
func headers(t testing.TB, rng *rand.Rand) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	kinds := []byte{tar.TypeReg, tar.TypeReg, tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo}
	for i := range 1 + rng.Intn(12) {
		h := &tar.Header{Name: fmt.Sprintf("folder/file-%d", i), Typeflag: kinds[rng.Intn(len(kinds))], Mode: rng.Int63n(1 << 12),
			Uid: rng.Intn(1 << 20), Gid: rng.Intn(3), ModTime: time.Unix(rng.Int63n(1<<33), 0), Uname: "root"[:rng.Intn(5)], Gname: "staff"}
		h.Format = []tar.Format{tar.FormatUSTAR, tar.FormatUSTAR, tar.FormatGNU, tar.FormatPAX}[rng.Intn(4)]
		switch rng.Intn(6) {
		case 0:
			h.Name = strings.Repeat("long/", 10+rng.Intn(20)) + "name"
		case 1:
			h.Name = "näme"
		case 2:
			h.Uid = 1 << 24
		}
		switch h.Typeflag {
		case tar.TypeReg:
			h.Size = rng.Int63n(3000) >> rng.Intn(12)
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = "folder/target"
		case tar.TypeChar, tar.TypeBlock:
			h.Devmajor, h.Devminor = 8, rng.Int63n(300)
		}
		if w.WriteHeader(h) != nil {
			h.Format = tar.FormatUnknown
			if w.WriteHeader(h) != nil {
				continue // what no format has
			}
		}
		io.CopyN(w, rng, h.Size)
	}
	if rng.Intn(4) > 0 {
		w.Close()
	}
	return buf.Bytes()
}

// changed returns data with a few bytes of its headers changed, whose checksums are
// mended now and then.
func changed(data []byte, rng *rand.Rand) []byte {
	data = bytes.Clone(data)
	for range rng.Intn(4) {
		if len(data) < TarBlock {
			break
		}
		block := data[rng.Intn(len(data)/TarBlock)*TarBlock:][:TarBlock]
		at := []int{rng.Intn(TarBlock), 100 + rng.Intn(57), 257 + rng.Intn(8), 329 + rng.Intn(20), 508}[rng.Intn(5)]
		copy(block[at:], []string{"\x00", " ", "7", "8", "x", "S", "L", "\x80", "\xff", "tar\x00", "12 3", " 1", "\x0012"}[rng.Intn(13)])
		if rng.Intn(3) > 0 {
			copy(block[148:], fmt.Sprintf("%06o\x00 ", checksum(block)))
		}
	}
	if rng.Intn(4) == 0 {
		data = data[:rng.Intn(len(data)+1)]
	}
	return data
}

// A next reads a tar.
type next interface {
	io.Reader
	Next() (*tar.Header, error)
}

// seen returns all that is read of a tar, and from how many of its bytes.
func seen(tr next, left *bytes.Reader) string {
	var s strings.Builder
	for {
		h, err := tr.Next()
		if err != nil {
			fmt.Fprintln(&s, err, left.Len())
			return s.String()
		}
		content, err := io.ReadAll(iotest.OneByteReader(tr))
		fmt.Fprintf(&s, "%q %q %c %o %d %d %q %q %d %d %d %v %v %x %v %d\n", h.Name, h.Linkname, h.Typeflag, h.Mode, h.Uid, h.Gid, h.Uname, h.Gname,
			h.Size, h.Devmajor, h.Devminor, h.ModTime.UnixNano(), h.PAXRecords, content, err, left.Len())
		if err != nil {
			return s.String()
		}
	}
}

func checkSeen(t *testing.T, data []byte) (entries int) {
	t.Helper()
	std, own := bytes.NewReader(data), bytes.NewReader(data)
	want := seen(tar.NewReader(struct{ io.Reader }{std}), std)
	if got := seen(&headerReader{r: own}, own); got != want {
		t.Fatalf("read\n%s\nwant\n%s\nof %q", got, want, data)
	}
	return strings.Count(want, "\n")
}

func TestHeaderReader(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	entries := 0
	for range 4000 {
		data := headers(t, rng)
		entries += checkSeen(t, data)
		entries += checkSeen(t, changed(data, rng))
	}
	if entries < 20000 {
		t.Errorf("only %d entries were read", entries)
	}
}

func TestPlain(t *testing.T) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatGNU} {
		buf.Reset()
		if err := w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644, Format: format}); err != nil {
			t.Fatal(err)
		}
		if !plain(buf.Bytes()[:TarBlock], new(tar.Header)) {
			t.Errorf("a header of %v is not plain", format)
		}
	}
}

func FuzzHeaderReader(f *testing.F) {
	rng := rand.New(rand.NewSource(2))
	for range 20 {
		f.Add(changed(headers(f, rng), rng))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkSeen(t, data) })
}

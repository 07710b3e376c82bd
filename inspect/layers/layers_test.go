package layers

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/klauspost/compress/zstd"

	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// blobs are one tar of about 1.5 MB, packed in each way: files of two store items, of
// which one is not in the order of a NAR and has a hard link, and files outside.
func blobs(t *testing.T) map[string][]byte {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 6))
	var plain, packed, frames bytes.Buffer
	w := tar.NewWriter(&plain)
	add := func(hdr tar.Header, n int) {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(rnd.Uint32() & 0x1f)
		}
		hdr.Size, hdr.Mode = int64(n), 0o644
		if err := w.WriteHeader(&hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, item := range []string{"gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a", "gnu/store/1123456789abcdfghijklmnpqrsvwxyz-b"} {
		add(tar.Header{Name: item + "/", Typeflag: tar.TypeDir}, 0)
		for i := range 20 {
			if item[10] == '1' {
				i = 99 - i
			}
			add(tar.Header{Name: fmt.Sprintf("%s/f%02d", item, i), Typeflag: tar.TypeReg}, rnd.IntN(70_000))
		}
	}
	add(tar.Header{Name: "gnu/store/1123456789abcdfghijklmnpqrsvwxyz-b/link", Typeflag: tar.TypeLink, Linkname: "gnu/store/1123456789abcdfghijklmnpqrsvwxyz-b/f90"}, 0)
	for i := range 20 {
		add(tar.Header{Name: fmt.Sprintf("etc/f%02d", i), Typeflag: tar.TypeReg}, rnd.IntN(9_000))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&packed)
	f, err := zstd.NewWriter(&frames)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{z, f} {
		if _, err := w.Write(plain.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]byte{"plain": plain.Bytes(), "gzip": packed.Bytes(), "zstd": frames.Bytes()}
}

// errDisk is a fault of the source.
var errDisk = errors.New("the disk is broken")

// How a blob ends that is not read to its end.
var ends = map[string]func(blob []byte, n int, cancel func()) io.Reader{
	"whole": func(blob []byte, _ int, _ func()) io.Reader { return bytes.NewReader(blob) },
	"cut":   func(blob []byte, n int, _ func()) io.Reader { return bytes.NewReader(blob[:n]) },
	"damaged": func(blob []byte, n int, _ func()) io.Reader {
		blob = bytes.Clone(blob)
		blob[n] ^= 0x55
		return bytes.NewReader(blob)
	},
	"broken": func(blob []byte, n int, _ func()) io.Reader {
		return io.MultiReader(bytes.NewReader(blob[:n]), iotest.ErrReader(errDisk))
	},
	"cancelled": func(blob []byte, n int, cancel func()) io.Reader {
		return io.MultiReader(bytes.NewReader(blob[:n]), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, nil
		}), bytes.NewReader(blob[n:]))
	},
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Wherever a layer is cut or damaged, its source fails, the reading is cancelled or a
// limit is reached: what is found is what is found without a goroutine that reads
// ahead, and no goroutine and no core is left.
func TestEnds(t *testing.T) {
	for packing, blob := range blobs(t) {
		for how, end := range ends {
			for seed := range uint64(12) {
				rnd := rand.New(rand.NewPCG(seed, 7))
				n := rnd.IntN(len(blob))
				limits := limit.DefaultLimits()
				if seed%4 == 3 {
					limits.Bytes = int64(1 + rnd.IntN(2<<20))
				}
				if seed%4 == 2 {
					limits.Entries = 1 + rnd.IntN(70)
				}
				want := outcome(t, end, blob, n, limits, 0)
				if got := outcome(t, end, blob, n, limits, 1+int(seed%2)); got != want {
					t.Errorf("%s, %s at %d of %d: %s\nwant %s", packing, how, n, len(blob), got, want)
				}
			}
		}
	}
}

// outcome reads a layer when so many cores are spare, and returns what came of it.
func outcome(t *testing.T, end func([]byte, int, func()) io.Reader, blob []byte, n int, limits limit.Limits, spare int) (found string) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := pass.New(ctx, pass.Options{Limits: &limits, TempDir: t.TempDir()})
		busy := max(0, runtime.GOMAXPROCS(0)-spare)
		for range busy {
			p.Take()
		}
		src := &pass.Stream{Pass: p, R: end(blob, n, cancel)}
		layer, err := Read(p, "layer", bufio.NewReaderSize(src, 128<<10), nil)
		found = fmt.Sprintln(p.Fatal(err), err)
		if err == nil {
			found += summary(layer)
		}
		for range busy {
			p.Release()
		}
		for range runtime.GOMAXPROCS(0) {
			if !p.Spare() {
				t.Error("a core is not free")
			}
		}
	})
	return found
}

// summary is what is computed of a layer.
func summary(l *image.Layer) string {
	var b strings.Builder
	fmt.Fprintln(&b, l.Digest, l.Size, l.DiffID, l.UncompressedSize, l.Broken, l.Notes, l.Skipped, l.Unended)
	for _, e := range l.Entries {
		fmt.Fprintln(&b, e.Path, e.Size, e.Digest, e.FrameSize)
	}
	for _, item := range l.Stores.Items {
		fmt.Fprintln(&b, item.Path, item.NarHash, item.NarSize, item.Problem)
	}
	return b.String()
}

// TestNars holds the NAR hashes of items in any order against each other: those that
// are hashed as the bytes go by, and those of an image that can be read again.
func TestNars(t *testing.T) {
	blob := blobs(t)["plain"]
	read := func(at io.ReaderAt, once bool) string {
		p := pass.New(t.Context(), pass.Options{TempDir: t.TempDir()})
		p.Once = once
		layer, err := Read(p, "layer", bufio.NewReader(bytes.NewReader(blob)), at)
		if err != nil || layer.Broken != nil {
			t.Fatal(err, layer)
		}
		return summary(layer)
	}
	dropped, once, again := read(nil, false), read(nil, true), read(bytes.NewReader(blob), false)
	if dropped != once || dropped != again || strings.Count(dropped, "sha256:") < 60 {
		t.Errorf("with a spool for one item\n%s\nfor all\n%s\nread again\n%s", dropped, once, again)
	}
}

package inspect

import (
	"audit/fixtures"
	"audit/inspect/digest"
	"audit/inspect/layers"
	"audit/inspect/pass"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// benchLayer is a layer of 32 MiB in 2,000 files of a store, of which about
// half cannot be compressed.
func benchLayer(b *testing.B) []byte {
	b.Helper()
	return benchFiles(b, "gnu/store/"+hashA+"-bench")
}

func benchFiles(b *testing.B, dir string) []byte {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	members := []archiveMember{folder(dir + "/")}
	for i := range 2000 {
		data := make([]byte, 16<<10)
		for j := 0; j < len(data)/2; j++ {
			data[j] = byte(rnd.Uint32())
		}
		members = append(members, regular(fmt.Sprintf("%s/f%04d", dir, i), string(data)))
	}
	return tarOf(b, members...)
}

// BenchmarkLayer reads one uncompressed layer: two digests of its bytes, every
// entry with its own, the NAR hash and the store references.
func BenchmarkLayer(b *testing.B) {
	layer := benchLayer(b)
	b.SetBytes(int64(len(layer)))
	for b.Loop() {
		readBench(b, layer)
	}
}

// BenchmarkGzipLayer does the same when the layer has to be inflated first;
// the MB/s are of uncompressed bytes.
func BenchmarkGzipLayer(b *testing.B) {
	layer := benchLayer(b)
	packed := gzipped(b, layer)
	b.SetBytes(int64(len(layer)))
	for b.Loop() {
		readBench(b, packed)
	}
}

// BenchmarkFloor is the least that any reader must do, in the same run:
// inflate and hash once.
func BenchmarkFloor(b *testing.B) {
	layer := benchLayer(b)
	packed := gzipped(b, layer)
	b.SetBytes(int64(len(layer)))
	for b.Loop() {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(sha256.New(), z); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPassMD5 reads a layer of ordinary files of 32 MiB: with SHA-256 alone,
// and with the digests that package databases record beside it.
func BenchmarkPassMD5(b *testing.B) {
	layer := benchFiles(b, "usr/share/bench")
	for _, bench := range []struct {
		name  string
		kinds digest.Kinds
	}{{"SHA256", 0}, {"MD5", digest.MD5}, {"SHA1", digest.SHA1}, {"both", digest.MD5 | digest.SHA1}} {
		b.Run(bench.name, func(b *testing.B) {
			opt := pass.Options{Stores: fixtures.Stores(), Weak: func() func(string) digest.Kinds { return func(string) digest.Kinds { return bench.kinds } }}
			b.SetBytes(int64(len(layer)))
			for b.Loop() {
				p := pass.New(context.Background(), opt)
				src := &pass.Source{Pass: p, R: bytes.NewReader(layer)}
				l, err := layers.Read(p, "layer", bufio.NewReaderSize(src, 128<<10), nil)
				if err != nil || len(l.Entries) != 2001 || l.Weak(2000).Kinds != bench.kinds {
					b.Fatal(err, len(l.Entries))
				}
			}
		})
	}
}

func readBench(b *testing.B, blob []byte) {
	b.Helper()
	p := pass.New(context.Background(), pass.Options{Stores: fixtures.Stores(), TempDir: b.TempDir()})
	src := &pass.Source{Pass: p, R: bytes.NewReader(blob)}
	l, err := layers.Read(p, "layer", bufio.NewReaderSize(src, 128<<10), nil)
	if err != nil || l.Broken != nil || len(l.Stores.Items) != 1 || l.Stores.Items[0].NarHash.Hex == "" {
		b.Fatal(err, l)
	}
}

// BenchmarkGrowth reads what once cost the square of its size, at n and 2n: it
// doubles.
func BenchmarkGrowth(b *testing.B) {
	deep := "gnu/store/" + hashA + "-x/" + strings.Repeat("d/", 16_000)
	for name, entry := range map[string]func(i int) archiveMember{
		"deep in a store item": func(i int) archiveMember { return regular(fmt.Sprintf("%s%d", deep, i*7919%1000), "") },
		"one path":             func(i int) archiveMember { return regular("gnu/store/"+hashA+"-x/a", "") },
	} {
		for _, n := range []int{250, 500, 1000} {
			var members []archiveMember
			for i := range n {
				members = append(members, entry(i))
			}
			archive := tarOf(b, imageOf(b, tarOf(b, members...))...)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := openBytes(b, archive, Options{Stores: fixtures.Stores()}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

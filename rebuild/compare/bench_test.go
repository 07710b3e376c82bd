package compare

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"audit/inspect"
)

// benchEntries is how many entries each image of a bench has.
const benchEntries = 1_000_000

// benchImage is an image with that many entries, in memory alone, of which one
// in every has another time, and one in every has another content.
func benchImage(diffID byte, every int) *inspect.Image {
	l := &inspect.Layer{DiffID: inspect.Sum{diffID}.Hash(), Entries: make([]*inspect.Entry, benchEntries)}
	for i := range l.Entries {
		path := fmt.Sprintf("usr/share/d%03d/e%03d/file-%07d", i/10000, i/100%100, i)
		e := &inspect.Entry{Path: path, Type: '0', Mode: 0o644, Size: 100, Digest: inspect.Sum{1, byte(i), byte(i >> 8)}, ModTime: 1}
		if every > 0 && i%every == 0 {
			e.ModTime, e.Digest[0] = 2, 2
		}
		l.Entries[i] = e
	}
	return &inspect.Image{Layers: []*inspect.Layer{l}}
}

// BenchmarkImages compares two images of a million entries, of which one in a
// thousand differs by time and content. The memory is that of the comparison
// alone.
func BenchmarkImages(b *testing.B) {
	was, now := benchImage(1, 0), benchImage(2, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if c := Images(was, now, nil); len(c.Differences) != 2*benchEntries/1000 {
			b.Fatal(len(c.Differences))
		}
	}
	b.ReportMetric(float64(benchEntries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkEqual compares two images with the same layers: nothing is looked
// at twice.
func BenchmarkEqual(b *testing.B) {
	was, now := benchImage(1, 0), benchImage(1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if !Images(was, now, nil).Identical() {
			b.Fatal("not identical")
		}
	}
}

// BenchmarkExplain explains texts of 1 MiB in which one line in a hundred has
// another date.
func BenchmarkExplain(b *testing.B) {
	text := func(year int) []byte {
		var t bytes.Buffer
		for i := 0; t.Len() < 1<<20; i++ {
			fmt.Fprintf(&t, "line %d of a text that is much the same\n", i)
			if i%100 == 0 {
				fmt.Fprintf(&t, "built %d-01-02\n", year)
			}
		}
		return t.Bytes()
	}
	was, now := layer(b, f("a", string(text(2024)))), layer(b, f("a", string(text(2025))))
	keep := func(string) bool { return true }
	a, z := archive(b, config("", was), was), archive(b, config("", now), now)
	wholeWas, wholeNow, keptWas, keptNow := open(b, a, nil), open(b, z, nil), open(b, a, keep), open(b, z, keep)
	b.SetBytes(2 << 20)
	for b.Loop() {
		c := Images(wholeWas, wholeNow, nil)
		c.Explain(keptWas, keptNow, time.Time{})
		if c.Differences[0].Cause != EmbeddedDate {
			b.Fatal(show(c))
		}
	}
}

// BenchmarkLinks compares images of one file with many names, of which each is given
// to somebody else, at n and at 2n names.
func BenchmarkLinks(b *testing.B) {
	for _, n := range []int{16_000, 32_000} {
		of := func(uid int) *inspect.Image {
			items := []item{f("t", "1")}
			for i := range n {
				link := h(fmt.Sprintf("l%06d", i), "t")
				link.Uid = uid
				items = append(items, link)
			}
			return imageOf(b, layer(b, items...))
		}
		was, now := of(0), of(5)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if c := Images(was, now, nil); len(c.Differences) != n {
					b.Fatal(len(c.Differences))
				}
			}
		})
	}
}

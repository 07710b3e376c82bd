package ospackages

import (
	"fmt"
	"strings"
	"testing"

	"audit/fixtures"
)

// BenchmarkCompare reads the database of dpkg for so many files in each of three
// layers, at one size and at twice that, and compares each file with its record.
func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{5_000, 10_000} {
		var sums, list strings.Builder
		var files []fixtures.File
		for i := range n {
			fmt.Fprintf(&sums, "%s  usr/share/tiny/%d\n", md5Of("x"), i)
			fmt.Fprintf(&list, "/usr/share/tiny/%d\n", i)
			files = append(files, fixtures.File{Name: fmt.Sprintf("usr/share/tiny/%d", i), Body: "x"})
		}
		files = append(files, fixtures.File{Name: "var/lib/dpkg/status", Body: tinyStatus},
			fixtures.File{Name: "var/lib/dpkg/info/tiny.md5sums", Body: sums.String()}, fixtures.File{Name: "var/lib/dpkg/info/tiny.list", Body: list.String()})
		img := open(b, files, files, files)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := Read(img)
				for _, l := range img.Layers {
					for i := range l.Entries {
						if c := in.Compare(l.Index, i); c.Standing != OwnRecord && i < n {
							b.Fatal(c)
						}
					}
				}
			}
		})
	}
}

package sbom

import (
	"fmt"
	"strings"
	"testing"

	"audit/fixtures"
)

// hostileStatus are databases of about so many bytes that want a bill which grows
// faster than they do.
func hostileStatus() map[string]func(size int) []fixtures.File {
	const paragraph = "Package: %s\nStatus: install ok installed\nVersion: %d\n%s\n"
	many := func(size int, first, each string) string {
		var b strings.Builder
		b.WriteString(first)
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, paragraph, fmt.Sprintf("p%d", i), 1, each)
		}
		return b.String()
	}
	status := func(text string) fixtures.File { return fixtures.File{Name: "var/lib/dpkg/status", Body: text} }
	return map[string]func(size int) []fixtures.File{
		"a long name that all need": func(size int) []fixtures.File {
			return []fixtures.File{status(many(size, fmt.Sprintf(paragraph, strings.Repeat("x", size/2), 1, "Provides: a\n"), "Depends: a\n"))}
		},
		"all need all": func(size int) []fixtures.File {
			var needs strings.Builder
			for i := range size / 200 {
				fmt.Fprintf(&needs, "p%d,", i)
			}
			return []fixtures.File{status(many(size, fmt.Sprintf(paragraph, "first", 1, "Depends: "+needs.String()+"\n"), "Provides: x\nDepends: x,x,x\n"))}
		},
		"a long path": func(size int) []fixtures.File {
			dir := "srv/" + strings.Repeat("d/", 1900) + "dpkg"
			return []fixtures.File{{Name: dir + "/status", Body: many(size, "", "")}, {Name: "var/lib/dpkg", Link: "/" + dir}}
		},
		"a copyright that all share": func(size int) []fixtures.File {
			files := []fixtures.File{status(many(size, "", "")), {Name: "usr/share/doc/p0/copyright", Body: "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n" +
				strings.Repeat("Files: *\nCopyright: me\nLicense: Expat\n\n", size/40)}}
			for i := range size / 55 {
				files = append(files, fixtures.File{Name: fmt.Sprintf("usr/share/doc/p%d", i+1), Link: "p0"})
			}
			return files
		},
	}
}

// TestBillsAreLinear: twice the database makes no more than about twice the bill,
// and none is out of proportion to it.
func TestBillsAreLinear(t *testing.T) {
	const n = 50_000
	for name, make := range hostileStatus() {
		t.Run(name, func(t *testing.T) {
			sizes := [2]int{}
			for i, size := range []int{n, 2 * n} {
				b := collect(t, docker(t, [][]fixtures.File{make(size)}), Options{})
				if len(b.Parts) < 100 {
					t.Fatalf("%d packages: the input is not what it should be", len(b.Parts))
				}
				sizes[i] = len(writeSPDX(t, b)) + len(writeCycloneDX(t, b))
			}
			if sizes[1] > sizes[0]*23/10 || sizes[1] > 200*n {
				t.Errorf("%d bytes make a bill of %d, twice as many one of %d", n, sizes[0], sizes[1])
			}
		})
	}
}

// BenchmarkBill makes both documents of these databases, at one size and at twice
// that.
func BenchmarkBill(b *testing.B) {
	for name, make := range hostileStatus() {
		for _, size := range []int{50_000, 100_000} {
			file := docker(b, [][]fixtures.File{make(size)})
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "-"), size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					bill := collect(b, file, Options{})
					written := len(writeSPDX(b, bill)) + len(writeCycloneDX(b, bill))
					b.ReportMetric(float64(written), "bytes-written")
				}
			})
		}
	}
}

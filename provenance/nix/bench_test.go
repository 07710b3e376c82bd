package nix

import (
	"fmt"
	"testing"
)

// Copies at the root of files that many store items have at the same place, and one
// path again and again: the time for an entry is the same for n and for 2n.
func BenchmarkClosure(b *testing.B) {
	for _, n := range []int{2_000, 4_000} {
		entries := toTool()[:3]
		link := ""
		for i := range n {
			item := fmt.Sprintf("/nix/store/%032d-tool-1", i)
			entries = append(entries, entry{name: item, mode: 0o555}, entry{name: item + "/bin", mode: 0o555}, entry{name: item + "/bin/tool", mode: 0o555, body: fmt.Sprint("#!", link, i)})
			link = item
		}
		for i := range n {
			entries = append(entries, entry{name: "/bin/tool", mode: 0o555, body: fmt.Sprint("#!", i)})
		}
		img := open(b, ofNix2container(entries).write(b))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := (System{}).Recover(img, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entries)), "ns/entry")
		})
	}
}

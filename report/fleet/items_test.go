package fleet

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"runtime"
	"testing"
)

// Contents keep their form, and are the same only where all of it is.
func TestItems(t *testing.T) {
	s := newItems()
	usual := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("aa")))
	var rows []Row
	for i, narHash := range []string{"aa", usual, "aa", "SHA256:" + usual[7:]} {
		rows = append(rows, Row{Reference: fmt.Sprint(i), items: s.numbers([]item{{"/gnu/store/x", narHash}, {"/gnu/store/y", usual}})})
	}
	want := []Contents{{"/gnu/store/x", []Content{
		{"aa", []string{"0", "2"}, 2}, {"SHA256:" + usual[7:], []string{"3"}, 1}, {usual, []string{"1"}, 1},
	}}}
	if got := s.contents(rows); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// A store item takes less memory than its name is long.
func TestItemsAreSmall(t *testing.T) {
	const n = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := newItems()
	for i := range n {
		s.numbers([]item{{fmt.Sprintf("/gnu/store/%032d-package-1.2.3", i), fmt.Sprintf("sha256:%064d", i)}})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := int(after.HeapAlloc-before.HeapAlloc) / n; each > 130 {
		t.Errorf("%d bytes for each item", each)
	}
	runtime.KeepAlive(s)
}

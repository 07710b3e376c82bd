package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/inspect/store"
	"audit/provenance/signatures"
)

func storePath(n int, name string) string {
	return fmt.Sprintf("/gnu/store/%032d-%s", n, name)
}

func TestSignedItems(t *testing.T) {
	items := []inspect.StoreItem{{Path: storePath(1, "a"), Bytes: 5, Files: 2}, {Path: storePath(2, "b")}}
	got := newStoreItems(items, []signatures.Outcome{
		{Path: storePath(1, "a"), Word: signatures.Signed, Agree: 2},
		{Path: storePath(2, "b"), Word: signatures.Differs, Agree: 1},
	}, nil)
	if got[0].Signed != 2 || got[1].Signed != 0 || got[0].Bytes != 5 || got[0].Files != 2 {
		t.Errorf("the items are %+v", got)
	}
}

func TestFolders(t *testing.T) {
	file := func(path string, size int64) *inspect.Entry { return &inspect.Entry{Path: path, Type: '0', Size: size} }
	layers := []*inspect.Layer{
		{Entries: []*inspect.Entry{file("usr/lib/a/b.so", 7), file("top", 1), file(storePath(1, "x")[1:]+"/x", 99), {Path: "usr", Type: '5', FrameSize: 512}}},
		{Entries: []*inspect.Entry{file("usr/lib/c.so", 3), file("etc/passwd", 5), file("usr/readme", 5)}},
	}
	want := []Folder{{".", 2, 513}, {"usr/lib", 2, 10}, {"etc", 1, 5}, {"usr", 1, 5}}
	if diff := cmp.Diff(want, newFolders(&inspect.Image{Layers: layers, Stores: store.Dirs{"/gnu/store"}})); diff != "" {
		t.Error(diff)
	}
	var many inspect.Layer
	for i := range maxFolders + 50 {
		many.Entries = append(many.Entries, file(fmt.Sprintf("d%04d/x", i), 2))
	}
	got := newFolders(&inspect.Image{Layers: []*inspect.Layer{&many}})
	if last := got[len(got)-1]; len(got) != maxFolders+1 || last != (Folder{"", 50, 100}) || !strings.HasPrefix(string(got[0].Path), "d0000") {
		t.Errorf("%d folders, the last %+v", len(got), last)
	}
}

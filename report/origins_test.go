package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/signatures"
	"audit/rebuild"
	"audit/rebuild/compare"
)

func storePath(n int, name string) string {
	return fmt.Sprintf("/gnu/store/%032d-%s", n, name)
}

// originsInput is an image of five files of ten bytes in store items, one that
// the packer lays and one that nothing explains.
func originsInput() Input {
	layer := &inspect.Layer{UncompressedSize: 70}
	for i, name := range []string{"built", "served", "known", "again", "other"} {
		layer.Entries = append(layer.Entries, &inspect.Entry{Path: storePath(i, name)[1:] + "/bin/x", Type: '0', Size: 10})
	}
	layer.Entries = append(layer.Entries,
		&inspect.Entry{Path: "bin", Type: '2'},
		&inspect.Entry{Path: "var/guix/db.sqlite", Type: '0', Size: 10},
		&inspect.Entry{Path: "etc/cron.d/job", Type: '0', Size: 10})
	return Input{
		Systems:  testSystems(),
		Image:    &inspect.Image{Stores: store.Dirs{"/gnu/store"}, Layers: []*inspect.Layer{layer}},
		Evidence: &provenance.Evidence{Recipe: provenance.Recipe{System: "guix"}},
		Checks: []check.Check{{ID: check.Closure, Status: check.Fail, Bytes: 60, Findings: []check.Finding{
			{Level: check.Problem, Path: "etc/cron.d/job"}, {Level: check.Note, Path: "bin"},
		}}},
	}
}

func rebuilt(in *Input) {
	in.Comparison = &compare.Comparison{Differences: []compare.Difference{
		{Path: storePath(4, "other")[1:] + "/bin/x", Cause: compare.Content},
		{Path: storePath(0, "built")[1:] + "/bin/x", Cause: compare.Timestamp},
	}}
	in.Result = &rebuild.Result{
		Items: []rebuild.Item{
			{Path: storePath(0, "built"), How: rebuild.Built}, {Path: storePath(1, "served"), How: rebuild.Substituted},
			{Path: storePath(2, "known"), How: rebuild.Reused}, {Path: storePath(3, "again"), How: rebuild.Reused},
			{Path: storePath(4, "other"), How: rebuild.Built},
		},
		Fresh: []rebuild.Fresh{{Items: []string{storePath(3, "again")}, Same: true}},
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Input)
		want map[Origin]int64
	}{
		{"the image alone", func(*Input) {}, map[Origin]int64{Claimed: 50, Packer: 10, Unexplained: 10}},
		{"rebuilt", rebuilt, map[Origin]int64{Traced: 20, Substituted: 10, Claimed: 10, Packer: 10, Differs: 10, Unexplained: 10}},
		{"given, made elsewhere", func(in *Input) { rebuilt(in); in.Result = nil }, map[Origin]int64{Claimed: 40, Packer: 10, Differs: 10, Unexplained: 10}},
		{"built, but nothing to compare", func(in *Input) { rebuilt(in); in.Comparison = nil; in.Result.Fresh = nil }, map[Origin]int64{Claimed: 50, Packer: 10, Unexplained: 10}},
		{"the second build differs", func(in *Input) { rebuilt(in); in.Result.Fresh[0].Same = false }, map[Origin]int64{Traced: 10, Substituted: 10, Claimed: 20, Packer: 10, Differs: 10, Unexplained: 10}},
		{"signed", func(in *Input) {
			in.Signed = []signatures.Outcome{
				{Path: storePath(0, "built"), Word: signatures.Signed, Agree: 2}, {Path: storePath(0, "built"), Word: signatures.Unknown, Agree: 2},
				{Path: storePath(1, "served"), Word: signatures.Signed, Agree: 1}, {Path: storePath(1, "served"), Word: signatures.Differs, Agree: 1},
				{Path: storePath(2, "known"), Word: signatures.Unknown},
			}
		}, map[Origin]int64{Substituted: 10, Claimed: 30, Packer: 10, Differs: 10, Unexplained: 10}},
		{"an item that nothing leads to", func(in *Input) {
			rebuilt(in)
			in.Checks[0].Bytes = 50
			in.Checks[0].Findings = append(in.Checks[0].Findings, check.Finding{Level: check.Problem, Path: storePath(0, "built")})
		}, map[Origin]int64{Traced: 10, Substituted: 10, Claimed: 10, Packer: 10, Differs: 10, Unexplained: 20}},
		{"the closure says less than its findings", func(in *Input) { rebuilt(in); in.Checks[0].Bytes = 25 }, map[Origin]int64{Traced: 15, Differs: 10, Unexplained: 45}},
		{"no closure", func(in *Input) { in.Checks = nil }, map[Origin]int64{Unexplained: 70}},
		{"a Dockerfile has no packer", func(in *Input) { in.Evidence.Recipe.System = "docker" }, map[Origin]int64{Claimed: 60, Unexplained: 10}},
	} {
		in := originsInput()
		c.edit(&in)
		shares := newOrigins(in, 70)
		got, sum := map[Origin]int64{}, int64(0)
		for i, s := range shares {
			sum += s.Bytes
			if s.Origin != Origins()[i] || s.Share != share(s.Bytes, 70) {
				t.Errorf("%s: share %d is %+v", c.name, i, s)
			}
			if s.Bytes > 0 {
				got[s.Origin] = s.Bytes
			}
		}
		if sum != 70 {
			t.Errorf("%s: the origins add up to %d", c.name, sum)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	in := originsInput()
	in.Evidence = nil
	if shares := newOrigins(in, 70); shares != nil {
		t.Errorf("without evidence: %v", shares)
	}
}

// TestOriginsCountEveryByte: headers and padding too, and never more than there
// are, whatever sizes the entries claim.
func TestOriginsCountEveryByte(t *testing.T) {
	in := originsInput()
	in.Checks[0] = check.Check{ID: check.Closure, Status: check.Pass, Bytes: 2000}
	for i := range in.Image.Layers[0].Entries {
		in.Image.Layers[0].Entries[i].FrameSize = 100
	}
	got := newOrigins(in, 2000)
	if got[2].Bytes != 5*110 || got[3].Bytes != 2000-5*110 {
		t.Errorf("the origins are %+v", got)
	}
	in.Image.Layers[0].Entries[0].Size = 1 << 62
	in.Image.Layers[0].Entries[1].Size, in.Image.Layers[0].Entries[1].Sparse = 1<<62, true
	for _, s := range newOrigins(in, 2000) {
		if s.Bytes < 0 || s.Bytes > 2000 || s.Share > 1 {
			t.Errorf("a share of %+v", s)
		}
	}
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

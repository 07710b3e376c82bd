package vouch

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/inspect/check"
)

// image has two names of one file, another file and a link.
func testImage() *inspect.Image {
	return &inspect.Image{Layers: []*inspect.Layer{{Entries: []*inspect.Entry{
		{Path: "a", Type: '0', Size: 10}, {Path: "b", Type: '1', Linkname: "a"}, {Path: "c", Type: '0', Size: 5},
		{Path: "d", Type: '5'}, {Path: "d/e", Type: '2', Linkname: "../c"},
	}}}}
}

func TestStrongestWordStays(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []Kind
		want  Kind
	}{
		{"none", nil, Nobody},
		{"weak, then strong", []Kind{Packaged, Signed}, Signed},
		{"strong, then weak", []Kind{Signed, Packaged}, Signed},
		{"contradicted, then strong", []Kind{Differs, Signed}, Differs},
		{"strong, then contradicted", []Kind{Rebuilt, Differs}, Differs},
	} {
		table := New(testImage())
		for _, k := range c.words {
			if k == Differs {
				table.Contradict("c", "x")
				continue
			}
			table.Vouch("c", Word{Kind: k, By: "x"})
		}
		if got, ok := table.Word("c"); !ok || got.Kind != c.want {
			t.Errorf("%s: %v, %v; want %s", c.name, got, ok, c.want)
		}
	}
}

func TestFoldersAndWhatIsNotThereHaveNoWord(t *testing.T) {
	table := New(testImage())
	if table.Vouch("d", Word{Kind: Signed}) || table.Vouch("x", Word{Kind: Signed}) {
		t.Error("vouched for a folder, or for nothing")
	}
	if !table.Vouch("d/e", Word{Kind: Signed}) {
		t.Error("no word on a link")
	}
}

// A file that is signed by one name and by another is not counts as the other does.
func TestSharesTakeTheWeakestName(t *testing.T) {
	table := New(testImage())
	table.Vouch("a", Word{Kind: Signed, By: "p 1"})
	got := map[Kind][2]int64{}
	for _, s := range table.Shares() {
		if s.Files > 0 {
			got[s.Word.Kind] = [2]int64{int64(s.Files), s.Bytes}
		}
	}
	if want := map[Kind][2]int64{Signed: {1, 0}, Nobody: {3, 15}}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	table.Vouch("b", Word{Kind: Signed, By: "p 1"})
	if s := table.ByWord(); len(s) != 2 || s[0].Bytes != 10 || s[0].Files != 2 {
		t.Errorf("%+v", s)
	}
}

func TestConclude(t *testing.T) {
	none := check.Check{ID: check.Signatures, Reasons: []check.Message{check.Say("signatures/no-items")}}
	for _, c := range []struct {
		name    string
		results []Result
		want    check.Status
		code    string
	}{
		{"no packages", []Result{{}}, check.Unknown, "signatures/no-items"},
		{"no keys", []Result{{Packages: 3, Reason: check.Say("signatures/no-key")}}, check.Skipped, "signatures/no-key"},
		{"verified", []Result{{Packages: 3, Verified: 3}}, check.Pass, "signatures/packages"},
		{"one without", []Result{{Packages: 3, Verified: 2, Findings: []check.Finding{check.Find(check.Undecided, -1, "", "x/y")}}}, check.Unknown, "signatures/packages"},
		{"changed", []Result{{Packages: 3, Verified: 3, Findings: []check.Finding{check.Find(check.Problem, -1, "", "x/y")}}}, check.Fail, "signatures/packages-differ"},
		{"two formats, one without keys", []Result{{Packages: 3, Verified: 3}, {Packages: 1, Reason: check.Say("signatures/no-key")}}, check.Unknown, "signatures/packages"},
	} {
		got := Conclude(none, c.results, New(testImage()))
		if got.Status != c.want || got.Reasons[0].Code != c.code {
			t.Errorf("%s: %s, %v; want %s, %s", c.name, got.Status, got.Reasons, c.want, c.code)
		}
	}
}

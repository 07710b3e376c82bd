package signatures

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// One store path with several contents is evidence that one image alone cannot give.
func TestCompared(t *testing.T) {
	hash := func(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }
	item := func(letter byte, digit string) inspect.StoreItem {
		return inspect.StoreItem{Path: storePath(letter, "pack-1"), NarHash: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(digit, 64)}}
	}
	items := []inspect.StoreItem{item('b', "1"), item('c', "2"), {Path: storePath('d', "unread"), Problem: check.Say("item/layer-broken")}}
	same := Elsewhere{storePath('b', "pack-1"), hash("1"), "a.tar"}
	other := Elsewhere{storePath('c', "pack-1"), hash("3"), "b.tar"}
	for _, tt := range []struct {
		name      string
		status    check.Status
		others    []Elsewhere
		operators map[string][]string
		want      check.Status
		open      string
		notes     string
	}{
		{"no others", check.Skipped, nil, nil, check.Skipped, "", ""},
		{"the same", check.Pass, []Elsewhere{same}, nil, check.Pass, "", ""},
		{"of other paths", check.Pass, []Elsewhere{{storePath('e', "pack-1"), hash("9"), "a.tar"}, {storePath('d', "unread"), hash("9"), "a.tar"}, {storePath('b', "pack-1"), "", "a.tar"}}, nil, check.Pass, "", ""},
		{"one differs", check.Skipped, []Elsewhere{same, other}, nil, check.Unknown, "other-image-differs", ""},
		{"it differs, and passed", check.Pass, []Elsewhere{other}, nil, check.Unknown, "other-image-differs", ""},
		{"it differs, and failed", check.Fail, []Elsewhere{other}, nil, check.Fail, "other-image-differs", ""},
		{"what is here is signed", check.Pass, []Elsewhere{other}, map[string][]string{other.Path: {"farm"}}, check.Pass, "", "other-image-differs"},
	} {
		c := Compared(check.Check{ID: check.Signatures, Status: tt.status}, items, tt.others, 0, tt.operators)
		if c.Status != tt.want || rules(c, check.Undecided) != tt.open || rules(c, check.Note) != tt.notes || reasonsOf(c) == "" {
			t.Errorf("%s: %v, %q, %q, %s", tt.name, c.Status, rules(c, check.Undecided), rules(c, check.Note), reasonsOf(c))
		}
	}
	many := []Elsewhere{{other.Path, hash("4"), "z"}, {other.Path, hash("3"), "a"}, {other.Path, hash("3"), "c"}, {other.Path, hash("3"), "b"}, {other.Path, hash("3"), "d"}, {other.Path, hash("3"), "a"}}
	f := Compared(check.Check{}, items, many, 2, nil).Findings[0]
	if got := strings.Join(f.Args["others"].([]string), "; "); got != hash("3")+" in a, b, c, …; "+hash("4")+" in z" || f.Path != other.Path {
		t.Errorf("%+v", f)
	}
}

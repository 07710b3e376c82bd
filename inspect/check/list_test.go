package check

import (
	"slices"
	"testing"
)

func TestListKeepsSoManyAlike(t *testing.T) {
	l := List{Max: 2}
	for range 5 {
		l.Problem(0, "bin/sh", "closure/unexplained-file")
	}
	l.Problem(1, "bin/sh", "closure/unexplained-file", "size", 3)
	l.Note(0, "", "closure/docker-api")
	found := l.All()
	if len(found) != 4 {
		t.Fatalf("%d findings are kept, want 4: %v", len(found), found)
	}
	if more := found[1].Args.Int("more"); more != 3 {
		t.Errorf("the last one kept has more = %d, want 3", more)
	}
	if found[0].Args.Int("more") != 0 || found[2].Args.Int("more") != 0 || found[2].Args.Int("size") != 3 {
		t.Errorf("others have other arguments than their own: %v", found)
	}
	if n := l.Count(Problem); n != 6 {
		t.Errorf("Count(Problem) = %d, want 6", n)
	}
	want := []Tally{{"closure/unexplained-file", 6}}
	if got := l.Tally(Problem); !slices.Equal(got, want) || got[0].Name() != "unexplained-file" {
		t.Errorf("Tally(Problem) = %v, want %v", got, want)
	}
	if l.Status() != Fail {
		t.Errorf("Status() = %v, want fail", l.Status())
	}
}

func TestListIsNotChangedByReadingIt(t *testing.T) {
	l := List{Max: 1}
	args := []any{"size", 3}
	l.Undecided(-1, "a", "closure/whiteout", args...)
	l.Undecided(-1, "b", "closure/whiteout", args...)
	first := l.All()
	l.Undecided(-1, "c", "closure/whiteout", args...)
	if a, b := first[0].Args.Int("more"), l.All()[0].Args.Int("more"); a != 1 || b != 2 {
		t.Errorf("more = %d, then %d; want 1, then 2", a, b)
	}
	if l.Status() != Unknown {
		t.Errorf("Status() = %v, want unknown", l.Status())
	}
}

func TestListAppendKeepsWhatItIsGiven(t *testing.T) {
	l := List{Max: 1}
	a := Finding{Message: Say("closure/whiteout", "size", 1), Level: Note, Layer: 2, Path: "a"}
	b := Finding{Message: Say("closure/device", "size", 1), Level: Note, Layer: 1, Path: "b"}
	l.Append(a, a, b)
	found := l.Sorted()
	if len(found) != 2 || found[0].Compare(b) != 0 || found[1].Path != "a" || found[1].Args.Int("more") != 1 {
		t.Errorf("Sorted() = %v", found)
	}
	if a.Args.Int("more") != 0 {
		t.Error("the arguments of the finding that was given have changed")
	}
}

func TestListKeepsOneNoteOfALayer(t *testing.T) {
	var l List
	for _, path := range []string{"a", "b", "c"} {
		l.Note(0, path, "integrity/absolute-name")
		l.Note(1, path, "integrity/absolute-name")
		l.Note(-1, path, "integrity/absolute-name")
	}
	found := l.All()
	if len(found) != 5 || found[0].Path != "a" || found[0].Args.Int("more") != 2 || found[1].Args.Int("more") != 2 || found[2].Args.Int("more") != 0 {
		t.Errorf("%v: want one note of each layer, with the number of the others, and all that are of none", found)
	}
	l = List{Notes: 2}
	l.Note(0, "a", "integrity/absolute-name")
	l.Note(0, "b", "integrity/absolute-name")
	if found := l.All(); len(found) != 2 {
		t.Errorf("%v: want both", found)
	}
}

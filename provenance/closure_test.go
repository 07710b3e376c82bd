package provenance

import (
	"audit/inspect/check"
	"testing"
)

// What is wrong outweighs what is undecided, and a note decides nothing.
func TestClosureFindings(t *testing.T) {
	var f ClosureFindings
	f.Note("n", -1, "", "one")
	for _, step := range []struct {
		add     func()
		status  check.Status
		summary string
	}{
		{func() {}, check.Pass, "all explained"},
		{func() { f.Doubt("d", 1, "b", "a %s", "doubt") }, check.Unknown, "undecided: 1 finding (1 d); all explained"},
		{func() { f.Doubt("c", 1, "a", "another") }, check.Unknown, "undecided: 2 findings (1 c, 1 d); all explained"},
		{func() { f.Fail("w", 0, "z", "wrong") }, check.Fail, "1 finding (1 w); all explained"},
	} {
		step.add()
		c := f.Check("all explained", 7)
		if c.ID != check.Closure || c.Status != step.status || c.Summary != step.summary || c.Bytes != 7 {
			t.Errorf("%+v, want %v %q", c, step.status, step.summary)
		}
	}
	got := ""
	for _, finding := range f.Check("", 0).Findings {
		got += finding.Rule
	}
	if got != "nwcd" {
		t.Errorf("order %q, want that of layer and path", got)
	}
}

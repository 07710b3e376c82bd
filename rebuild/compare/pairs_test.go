package compare

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"audit/fixtures"
)

// TestPairs compares the pairs of the fixtures: what differs is found, at its
// place, by its cause and nothing else, both ways round; and the identical pair
// is silent.
func TestPairs(t *testing.T) {
	pairs, err := fixtures.Pairs()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		t.Run(p.Name, func(t *testing.T) {
			was, now := filepath.Join(t.TempDir(), "was.tar"), filepath.Join(t.TempDir(), "now.tar")
			for name, data := range map[string][]byte{was: p.Was, now: p.Now} {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, pair := range [][2]string{{was, now}, {now, was}} {
				checkFixture(t, files(t, pair[0], pair[1]), p)
			}
		})
	}
}

func checkFixture(t *testing.T, c *Comparison, p fixtures.Pair) {
	t.Helper()
	if c.Identical() != (len(p.Causes) == 0) || c.Equivalent() != p.Equivalent {
		t.Errorf("identical %v, equivalent %v\n%s", c.Identical(), c.Equivalent(), show(c))
	}
	var got []string
	for _, n := range c.Causes() {
		got = append(got, string(turned(n.Cause, p)))
	}
	slices.Sort(got)
	if !slices.Equal(got, p.Causes) {
		t.Errorf("causes %q, want %q\n%s", got, p.Causes, show(c))
	}
	inConfig := len(c.Differences) == 0 && len(c.Config) == 1 && p.Path == ""
	atPath := slices.ContainsFunc(c.Differences, func(d Difference) bool { return d.Path == p.Path })
	if len(p.Causes) > 0 && !inConfig && !atPath {
		t.Errorf("nothing is at %q\n%s", p.Path, show(c))
	}
}

// turned names what is missing one way round and extra the other.
func turned(c Cause, p fixtures.Pair) Cause {
	if c == Missing && !slices.Contains(p.Causes, "missing") {
		return Extra
	}
	if c == Extra && !slices.Contains(p.Causes, "extra") {
		return Missing
	}
	return c
}

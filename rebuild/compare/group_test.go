package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// groupText writes groups, a line each, with their folders.
func groupText(groups []Group) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%s %d", g.Cause, g.Count)
		for range g.Fields {
			b.WriteString(" field")
		}
		for _, f := range g.Folders {
			fmt.Fprintf(&b, " %q:%d", f.Path, len(f.Differences))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestGroups(t *testing.T) {
	c := &Comparison{Config: []FieldDifference{
		{Field: "created", Cause: Timestamp}, {Field: "rootfs.diff_ids[0]", Cause: Derived}, {Field: "config.Env[0]", Cause: Extra},
	}}
	add := func(cause Cause, paths ...string) {
		for _, p := range paths {
			c.Differences = append(c.Differences, Difference{Path: p, Cause: cause})
		}
	}
	for i := range 1182 {
		add(Timestamp, fmt.Sprintf("usr/share/locale/l%d/x.mo", i%40))
	}
	add(Timestamp, "usr/lib/a", "usr/lib/b/c", "etc/x")
	add(Content, itemA+"/bin/a", itemA+"/share/b", itemB+"/c")
	add(Mode, "a")
	add(Order, "", "gnu/store")
	add(Missing, "usr-merge/x", "usr/x", "usr/y/z")
	const want = `content 3 "` + itemA + `":2 "` + itemB + `":1
extra 1 field
missing 3 "usr":2 "usr-merge":1
mode 1 "":1
timestamp 1186 field "etc":1 "usr/lib":2 "usr/share/locale":1182
order 2 "":1 "gnu":1
`
	if got := groupText(c.Groups()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestGroupsAreComplete holds that each difference is in one group, once, and
// the same groups come of the same differences.
func TestGroupsAreComplete(t *testing.T) {
	c := files(t, "../../fixtures/guix/images/tiny.tar.gz", "../../fixtures/guix/images/hello.tar.gz")
	var all []int
	fields := 0
	for _, g := range c.Groups() {
		n := len(g.Fields)
		fields += n
		for _, f := range g.Folders {
			n += len(f.Differences)
			all = append(all, f.Differences...)
			for _, i := range f.Differences {
				if d := c.Differences[i]; d.Cause != g.Cause || f.Path != "" && !strings.HasPrefix(d.Path, f.Path+"/") {
					t.Errorf("%s in the folder %q of %s", d.Path, f.Path, g.Cause)
				}
			}
		}
		if n != g.Count {
			t.Errorf("%s: %d of %d", g.Cause, n, g.Count)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != len(c.Differences) || len(all) != len(c.Differences) {
		t.Errorf("%d of %d differences", len(all), len(c.Differences))
	}
	if one, two := groupText(c.Groups()), groupText(c.Groups()); one != two {
		t.Errorf("first\n%s\nthen\n%s", one, two)
	}
}

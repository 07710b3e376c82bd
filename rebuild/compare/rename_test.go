package compare

import (
	"fmt"
	"strings"
	"testing"
)

// A file under another name is one difference; what is not the same file is two.
func TestRenames(t *testing.T) {
	executable := f("c", "2")
	executable.Mode = 0o755
	for _, c := range []struct {
		was, now []item
		want     string
	}{
		{[]item{f("a", "1"), f("b", "2")}, []item{f("a", "1"), f("c", "2")}, "missing b to c"},
		{[]item{f("b", "2")}, []item{f("c", "3")}, "missing b; extra c"},
		{[]item{f("b", "2")}, []item{executable}, "missing b; extra c"},
		{[]item{f("b", "")}, []item{f("c", "")}, "missing b; extra c"},
		{[]item{f("b", "2"), f("c", "2")}, []item{f("d", "2"), f("e", "2")}, "missing b to d; missing c to e"},
		{[]item{f("b", "2"), f("c", "2")}, []item{f("d", "2")}, "missing b to d; missing c"},
		{[]item{f("b", "2")}, []item{f("c", "2"), f("d", "2")}, "missing b to c; extra d"},
		{[]item{f(".wh.b", "2")}, []item{f(".wh.c", "2")}, "missing .wh.b; extra .wh.c"},
	} {
		var got []string
		comparison := Images(imageOf(t, layer(t, c.was...)), imageOf(t, layer(t, c.now...)), nil)
		for _, d := range comparison.Differences {
			one := fmt.Sprint(d.Cause, " ", d.Path)
			if to := d.RenamedTo(); to != "" {
				one += " to " + to
			}
			got = append(got, one)
		}
		if got := strings.Join(got, "; "); got != c.want || comparison.Equivalent() {
			t.Errorf("got %s, want %s, equivalent %v", got, c.want, comparison.Equivalent())
		}
	}
}

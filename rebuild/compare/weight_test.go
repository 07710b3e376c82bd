package compare

import (
	"slices"
	"testing"
)

// What lends rights comes before all else, then what decides who has them, then causes in
// their order, in which programs come first and what is explained last.
func TestWeight(t *testing.T) {
	want := []Difference{
		{Path: "opt/su", Cause: Content, Privileged: true},
		{Path: "opt/su", Cause: EmbeddedDate, Privileged: true, Known: "known/x"},
		{Path: "etc/cron.d/x", Cause: Extra},
		{Path: "srv/x", Cause: Renamed, Evidence: evidence(renamedFile, "to", "root/.ssh/authorized_keys")},
		{Path: "usr/local/bin/x", Cause: Content},
		{Path: "srv/x", Cause: Content},
		{Path: "etc/shadow", Cause: Content, Known: "known/x"},
		{Path: "usr/bin/x", Cause: Extra},
		{Path: "binary", Cause: Extra},
		{Path: "srv/x", Cause: Renamed},
		{Path: "srv/x", Cause: "new"},
		{Path: "srv/x", Cause: Timestamp},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, func(x, y Difference) int { return x.Weight() - y.Weight() })
	for i := range want {
		if got[i].Path != want[i].Path {
			t.Errorf("%d: %s %s, want %s %s", i, got[i].Path, got[i].Cause, want[i].Path, want[i].Cause)
		}
	}
	for i, cause := range AllCauses()[1:] {
		if before := AllCauses()[i]; Weight(before, "", false, false, "x") >= Weight(cause, "", false, false, "x") {
			t.Errorf("%s does not come before %s", before, cause)
		}
	}
}

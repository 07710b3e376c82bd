package report

import (
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
)

// TestRightsComeFirst: of an image that nothing speaks against, files that lend rights and
// that nobody explains are the reason and the next step before that it was not built again.
func TestRightsComeFirst(t *testing.T) {
	of := func(findings ...check.Finding) *Report {
		return New(Input{Image: &inspect.Image{}, Checks: []check.Check{{ID: check.Closure, Status: check.Unknown, Findings: findings}}})
	}
	file := check.Find(check.Undecided, 0, "etc/unexplained", "closure/unexplained-file", "kind", "file")
	su := check.Find(check.Undecided, 0, "usr/bin/su", "closure/setuid-file", "kind", "file", "mode", "4755", "more", 6)
	device := check.Find(check.Undecided, 0, "dev/sda", "closure/device", "kind", "block device", "mode", "0600")
	for _, c := range []struct {
		r           *Report
		meaning, to string
	}{
		{of(file, su), "7 files lend rights, and neither a package nor a recipe has them; the first is usr/bin/su. N", "Find the step"},
		{of(device), "A device that neither a package nor a recipe has: dev/sda. N", "Find the step that made it, and leave it out"},
	} {
		if got := c.r.meaning(); !strings.HasPrefix(got, c.meaning) {
			t.Errorf("the reason is %q", got)
		}
		if got := c.r.next(); len(got) == 0 || !strings.HasPrefix(got[0], c.to) {
			t.Errorf("the next steps are %q", got)
		}
	}
	if r := of(file); r.rights()+r.lookFirst() != "" {
		t.Errorf("of a file that lends no rights: %q, %q", r.rights(), r.lookFirst())
	}
}

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
	changed := check.Find(check.Undecided, 0, "bin/mount", "closure/setuid-file", "kind", "file", "mode", "4755", "why", "rights/changed", "package", "mount")
	key := check.Find(check.Undecided, 0, "root/.ssh/id_rsa", "closure/private-key", "kind", "file", "mode", "0600")
	other := check.Find(check.Undecided, 0, "srv/key.pem", "closure/private-key", "kind", "file", "mode", "0600")
	set := check.Find(check.Undecided, 0, "bin/ping", "closure/setuid-file", "kind", "file", "mode", "4755", "why", "rights/recipe", "sets", "RUN chmod u+s /bin/ping")
	for _, c := range []struct {
		r           *Report
		meaning, to string
	}{
		{of(file, su), "No package answers for 7 setuid files; the first is usr/bin/su. N", "Find the step"},
		{of(device), "A device that no package answers for: dev/sda. N", "Find the step that made it, and leave it out: no image needs one."},
		{of(device, su), "No package answers for 1 device and 7 setuid files; the first is dev/sda. N",
			"Find the step that made it, and leave it out: no image needs one. Look at 7 setuid files too"},
		{of(device, changed), "No package answers for 1 setuid file and 1 device; the first is bin/mount (its bytes are not those that package mount has installed). N",
			"Compare the file with that of the package"},
		{of(key, other), "No package answers for 2 private keys; the first is root/.ssh/id_rsa. N", "Take the key for known: "},
		{of(key, su), "No package answers for 1 private key and 7 setuid files; the first is root/.ssh/id_rsa. N", "Take the key for known: "},
		{of(set, su), "No package answers for 8 setuid files; the first is usr/bin/su. N", "Find the step that made it: "},
		{of(set), "A setuid file that no package answers for: bin/ping (no package has it, and the recipe can have made it). N",
			"See whether bin/ping needs the rights that the recipe gives it (RUN chmod u+s /bin/ping)."},
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

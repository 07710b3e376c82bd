package locks

import (
	"strings"
	"testing"

	"audit/fixtures"
	"audit/provenance/vouch"
)

// What signed packages explain stands apart from what nobody vouches for, and is none of
// one's own.
func TestHear(t *testing.T) {
	s := sourceOf(t,
		fixtures.File{Name: "var/lib/dpkg/status", Body: "Package: tiny\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"},
		fixtures.File{Name: "var/lib/dpkg/info/tiny.list", Body: "/usr/bin/tiny\n"},
		fixtures.File{Name: "usr/bin/tiny", Body: "1"}, fixtures.File{Name: "etc/made", Body: "22"}, fixtures.File{Name: "lib/a.pyc", Body: "333"},
		fixtures.File{Name: "opt/app", Body: "4444"}, fixtures.File{Name: "opt/other", Body: "55555"}, fixtures.File{Name: "etc/signed", Body: "666666"},
	)
	r := Read(s)
	if r.Share.Own != 5 {
		t.Errorf("%d files are one's own", r.Share.Own)
	}
	words := vouch.New(s.Image)
	for path, w := range map[string]vouch.Word{
		"usr/bin/tiny": {Kind: vouch.Signed, By: "deb tiny 1"}, "etc/signed": {Kind: vouch.Signed, By: "deb tiny 1"}, "etc/made": {Kind: vouch.Made, By: "deb tiny 1", Rule: "copy"},
		"lib/a.pyc": {Kind: vouch.Instruction, By: "deb tiny 1", Rule: "pyc-header"}, "var/lib/dpkg/status": {Kind: vouch.Made, By: "dpkg", Rule: "dpkg-status"},
	} {
		words.Vouch(path, w)
	}
	words.Contradict("opt/other", "deb tiny 1")
	r.Hear(words)
	if r.Share.Own != 3 || r.Share.OwnBytes != 9+int64(len("/usr/bin/tiny\n")) {
		t.Errorf("%d files of one's own, %d bytes", r.Share.Own, r.Share.OwnBytes)
	}
	if n := r.Findings[len(r.Findings)-1].Args["own"]; n != int64(3) && n != 3 {
		t.Errorf("the finding counts %v", n)
	}
	text := string(r.ownFiles().Text)
	own, made, ok := strings.Cut(text, "# What follows")
	if !ok || strings.Contains(text, "etc/signed") || strings.Contains(text, "usr/bin/tiny\n") {
		t.Error(text)
	}
	for _, path := range []string{"opt/app", "opt/other"} {
		if !strings.Contains(own, path) || strings.Contains(made, path) {
			t.Errorf("%s stands with what packages make:\n%s", path, text)
		}
	}
	for _, line := range []string{"etc/made # deb tiny 1, made again by the rule copy\n", "lib/a.pyc # deb tiny 1, by the rule pyc-header, which proves nothing of its content\n"} {
		if !strings.Contains(made, line) || strings.Contains(own, line) {
			t.Errorf("%q is missing:\n%s", line, text)
		}
	}
}

package report

import (
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/vouch"
)

// TestStandsOut: of the files that nobody vouches for the first to look at decides who may
// do what, and only then is the largest, which stands out where others have a voucher.
func TestStandsOut(t *testing.T) {
	file := func(path string, size int64) *inspect.Entry {
		return &inspect.Entry{Path: path, Type: '0', Mode: 0o644, Size: size}
	}
	big, app, preload, passwd := file("opt/big", 1000), file("srv/app", 100), file("etc/ld.so.preload", 7), file("etc/passwd", 500)
	for name, c := range map[string]struct {
		files   []*inspect.Entry
		vouched string
		want    string
	}{
		"the largest":                  {[]*inspect.Entry{app, big}, "srv/app", "opt/big"},
		"what decides":                 {[]*inspect.Entry{app, big, passwd}, "srv/app", "etc/passwd"},
		"what few have":                {[]*inspect.Entry{app, big, passwd, preload}, "srv/app", "etc/ld.so.preload"},
		"what runs by itself":          {[]*inspect.Entry{app, big, passwd, file("etc/cron.daily/x", 5)}, "srv/app", "etc/cron.daily/x"},
		"what each SIF has":            {[]*inspect.Entry{app, file(".singularity.d/runscript", 50)}, "", ""},
		"nothing vouched for":          {[]*inspect.Entry{app, big}, "", ""},
		"nothing vouched for, decides": {[]*inspect.Entry{app, big, preload}, "", "etc/ld.so.preload"},
	} {
		img := &inspect.Image{Layers: []*inspect.Layer{{Entries: c.files}}}
		table := vouch.New(img)
		table.Vouch(c.vouched, vouch.Word{Kind: vouch.Instruction, By: "COPY"})
		got := New(Input{Image: img, Vouched: table, Checks: []check.Check{{ID: check.Closure, Status: check.Unknown}}}).standsOut()
		want := ""
		if c.want != "" {
			want = fmt.Sprintf(" First to look at: %s: ", c.want)
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

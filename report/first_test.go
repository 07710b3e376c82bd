package report

import (
	"testing"

	"audit/inspect/check"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// TestFirst: what stands out in a report is what its page says first, and of all others
// nothing is said.
func TestFirst(t *testing.T) {
	closure := func(code, path string, args ...any) Report {
		f := Finding{Code: code, Args: check.Say(code, args...).Args, Level: check.Undecided, Path: path}
		return Report{
			Verdict: rebuild.Unverified, Checks: []Check{{ID: check.Closure, Status: check.Unknown, Findings: []Finding{f}}},
			Vouchers: Vouchers{Nobody: []UnvouchedFile{{Path: path, Kind: vouch.Nobody}}},
			Coverage: Coverage{Vouchers: []VoucherShare{{Kind: vouch.Packaged, Files: 1}, {Kind: vouch.Nobody, Files: 1}}},
		}
	}
	contradicted := closure("closure/setuid-file", "bin/x", "mode", "4755", "kind", "file")
	contradicted.Verdict, contradicted.Checks[0].Status, contradicted.Checks[0].Findings[0].Level = rebuild.Contradicted, check.Fail, check.Problem
	different := Report{Verdict: rebuild.Different, Comparison: &Comparison{
		Config:      []FieldDifference{{Field: "config.User", Was: `"1"`, Now: `"0"`, Cause: compare.Content}},
		Differences: []Difference{{Path: "srv/x", Cause: compare.Content}},
	}}
	first := First()
	for name, c := range map[string]struct {
		r    Report
		want string
	}{
		"rights":       {closure("closure/setuid-file", "bin/x", "mode", "4755", "kind", "file", "why", "rights/nobodys"), "A setuid file that no package answers for: bin/x (neither a package nor a recipe has it)."},
		"changed":      {closure("closure/package-file-changed", "bin/mount", "package", "mount", "digest", "d"), "First to look at: bin/mount: its bytes are not those that package mount has installed (d is recorded)."},
		"access":       {closure("closure/unexplained-file", "etc/cron.d/x", "kind", "file"), "First to look at: etc/cron.d/x: a file: nothing that built or packed the image explains it."},
		"ordinary":     {closure("closure/unexplained-file", "opt/big", "kind", "file"), ""},
		"contradicted": {contradicted, "The image is not what it claims to be: the check closure says no. The problem: bin/x: a file of mode 4755 that runs with the rights of its owner."},
		"different":    {different, `Look first at config.User ("1" → "0"), which decides what runs and as whom.`},
		"same":         {Report{Verdict: rebuild.Reproducible}, ""},
	} {
		if got := first(&c.r); got != c.want {
			t.Errorf("%s: %q\nwant %q", name, got, c.want)
		}
	}
}

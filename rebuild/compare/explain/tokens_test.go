package explain

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// reasonOf explains two texts that stand amid others.
func reasonOf(was, now string) string {
	e := New(time.Time{}).Explain("", []byte("\x00before "+was+" after"), []byte("\x00before "+now+" after"))
	var all []string
	for r := range reasons {
		if e.Has(r) {
			all = append(all, r.String())
		}
	}
	return strings.Join(all, ", ")
}

// TestForms holds how dates, folders of builds, hosts and store paths are
// written, and that what only looks like them is none.
func TestForms(t *testing.T) {
	for _, tc := range []struct{ was, now, want string }{
		{"2024-01-02", "2025-03-04", "date"},
		{"2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z", "date"},
		{"2024-01-02 03:04:05.123456789 +0100", "2024-01-02 03:04:05.123456780 +0200", "date"},
		{"2024/01/02 03:04", "2024/01/02 03:05", "date"},
		{"20240102T030405Z", "20240102T030406Z", "date"},
		{"Tue, 02 Jan 2024 03:04:05 +0000", "Wed, 03 Jan 2024 03:04:05 +0000", "date"},
		{"Tue, 02 Jan 2024 03:04:05 GMT", "Tue, 02 Jan 2024 03:04:05 UTC", "date"},
		{"Tue Jan  2 03:04:05 UTC 2024", "Wed Jan 13 03:04:05 UTC 2024", "date"},
		{"Tue Jan  2 03:04:05 2024", "Tue Jan  2 03:04:05 2025", "date"},
		{"Tue 02 Jan 2024 03:04:05 AM UTC", "Tue 02 Jan 2024 03:04:05 PM CET", "date"},
		{"Jan  2 2024", "Dec 31 2024", "date"},
		{"January 2, 2024", "March 12, 2025", "date"},
		{"January 2024", "May 2025", "date"},
		{"1/2/2024", "12/31/2024", "date"},
		{"03:04:05", "13:04:05", "date"},
		{"Jan 2, 2024, 3:04:05 AM", "Mar 12, 2024, 11:04:05 PM", "date"},
		{"Jan  2 03:04:05 kernel:", "Mar 12 13:04:05 kernel:", "date"},
		{"2.1.2024", "31.12.2025", "date"},
		{"Copyright 2024 Someone", "Copyright 2025 Someone", "date"},
		{"Copyright © 2019-2024, Someone", "Copyright © 2019-2025, Someone", "date"},
		{"SOURCE_DATE_EPOCH=1700000000", "SOURCE_DATE_EPOCH=1700000500", "date"},
		{"built 2024-01-02 at 03:04:05", "built 2025-01-02 at 03:04:06", "date"},
		{"/build/a/b.c", "/build/x/b.c", "path"},
		{"-I/build/a", "-I/tmp/guix-build-a-1.0.drv-0/a", "path"},
		{"/home/alice/src", "/home/bob/src", "path"},
		{"root@host1", "root@host2.example.org", "path"},
		{"Build host: alpha", "Build host: beta", "path"},
		{"uname -n = alpha", "uname -n = beta", "path"},
		{"Linux alpha 5.10.0-9-amd64 #1", "Linux beta.example 5.10.0-9-amd64 #1", "path"},
		{"file:///build/a/b", "file:///build/x/b", "path"},
		{store1, store2, "store path"},
		{store1[11:], store2[11:], "store path"},
		{store1, strings.Replace(store1, "5.1", "5.2", 1), "store path"},
		{"2024-01-02 in /build/a", "2024-01-03 in /build/b", "date, path"},

		{"20240102", "20250102", "content"},
		{"20240102030405", "20240102030406", "content"},
		{"1700000000", "1700000500", "content"},
		{"SOURCE_DATE_EPOCH=1700000000", "SOURCE_DATE_EPOCH=3700000000", "content"},
		{"hostname=alpha", "hostname=beta", "content"},
		{"/tmp/a", "/tmp/b", "content"},
		{"/tmp/x/good.sh", "/tmp/y/evil.sh", "content"},
		{"/home/alice", "/home/bob", "content"},
		{store1, strings.Replace(store1, "-bash-", "-evil-", 1), "content"},
		{"2024-01-02", "2024-13-02", "content"},
		{"2024-01-02", "yesterday", "content"},
		{"2024-01-02", "Jan  2 2024", "content"},
		{"03:04:05", "03:04:61", "content"},
		{"02:42:ac:11:00:02", "02:42:ac:11:00:03", "content"},
		{"1700000000", "170000000", "content"},
		{"1700000000", "3700000000", "content"},
		{"x1700000000", "x1700000001", "content"},
		{"1.1700000000", "1.1700000001", "content"},
		{"version 1.2.3", "version 1.2.4", "content"},
		{"version 2024", "version 2025", "content"},
		{"1.2.1.2024", "1.2.1.2025", "content"},
		{"Linux kernel 5.10.0", "Linux kernel 5.10.1", "content"},
		{"https:///build/a", "https:///build/b", "content"},
		{"/usr/bin/a", "/usr/bin/b", "content"},
		{"/usr/build/a", "/usr/build/b", "content"},
		{"alice@example.org", "bob@example.org", "content"},
		{"/gnu/store/short-x", "/gnu/store/shirt-x", "content"},
		{"2024-01-02 one", "2024-01-03 two", "date, content"},
	} {
		if tc.want == "date, content" {
			tc.want = "content, date"
		}
		if got := reasonOf(tc.was, tc.now); got != tc.want {
			t.Errorf("%s → %s: %s, want %s", tc.was, tc.now, got, tc.want)
		}
		if got := reasonOf(tc.now, tc.was); got != tc.want {
			t.Errorf("%s → %s: %s, want %s", tc.now, tc.was, got, tc.want)
		}
	}
}

// TestOnlyDates holds, with texts drawn from a seed, that texts which differ by
// dates alone are explained in full, and that one other byte is never passed
// over.
func TestOnlyDates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"\x00\x01", " x=", "\xff\x00", "\x00-- ", "; ", "\x7f (", ") "}
	date := func() string {
		return []string{
			fmt.Sprintf("20%02d-%02d-%02dT10:00:00Z", r.IntN(100), 1+r.IntN(12), 1+r.IntN(28)),
			fmt.Sprintf("/tmp/build-%d/src.c", r.IntN(1000)),
		}[r.IntN(2)]
	}
	for range 300 {
		var was, now, other strings.Builder
		for range 1 + r.IntN(6) {
			piece, x, y := pieces[r.IntN(len(pieces))], date(), ""
			for y = date(); x[0] != y[0]; y = date() {
			}
			was.WriteString(piece + x)
			now.WriteString(piece + y)
			other.WriteString(piece + y)
		}
		was.WriteString("\x00end")
		now.WriteString("\x00end")
		other.WriteString("\x00eNd")
		x, y, z := []byte(was.String()), []byte(now.String()), []byte(other.String())
		if e := New(time.Time{}).Explain("", x, y); string(x) != string(y) && e.Has(Content) {
			t.Fatalf("%q, %q:\n%s", x, y, show(e))
		}
		if e := New(time.Time{}).Explain("", x, z); !e.Has(Content) {
			t.Fatalf("%q, %q: the end differs\n%s", x, z, show(e))
		}
	}
}

// TestBounds holds that what goes past a bound is said, and is never a reason.
func TestBounds(t *testing.T) {
	bomb := strings.Repeat("\x00", maxExpandFile+1)
	huge := gzipped(t, day1, "", 9, bomb)
	e := New(time.Time{}).Explain("a.gz", []byte(huge), []byte(gzipped(t, day2, "", 9, bomb)))
	if !e.Has(Content) || e.Has(Packing) || !strings.Contains(shownText(e), "too-large-unpacked limit=67108864 limit-all=536870912 what=gzip") {
		t.Errorf("a bomb:\n%s%s", show(e), shownText(e))
	}
	x := New(time.Time{})
	x.expand = 10
	e = x.Explain("a.gz", []byte(gzipped(t, day1, "", 9, "less than 20 bytes")), []byte(gzipped(t, day1, "", 9, "fewer than 20 bytes")))
	if !e.Has(Content) || x.expand != 0 {
		t.Errorf("nothing may be unpacked any more:\n%s%s", show(e), shownText(e))
	}
	x = New(time.Time{})
	x.lookups = 0
	if e := x.Explain("", []byte("\x002024-01-02"), []byte("\x002024-01-03")); !e.Has(Content) {
		t.Errorf("no date may be looked for any more:\n%s", show(e))
	}
	var was, now strings.Builder
	for i := range maxParts + 50 {
		fmt.Fprintf(&was, "\x00%d 2024-01-02T03:04:%02d.%dZ", i, i%60, i)
		fmt.Fprintf(&now, "\x00%d 2025-01-02T03:04:%02d.%dZ", i, i%60, i)
	}
	if e := New(time.Time{}).Explain("", []byte(was.String()), []byte(now.String())); len(e.Parts) != maxParts || e.More != 50 || e.Has(Content) {
		t.Errorf("%d parts and %d more", len(e.Parts), e.More)
	}
	line := strings.Repeat("y", 1000)
	e = New(time.Time{}).Explain("", []byte("\x002024-01-02"+line), []byte("\x00"+line+line))
	for _, p := range e.Parts {
		if len(p.Was) > maxValue || len(p.Now) > maxValue {
			t.Errorf("values of %d and %d bytes", len(p.Was), len(p.Now))
		}
	}
}

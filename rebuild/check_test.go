package rebuild

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare"
)

// sample compares two of the images that a real Guix packed.
func sample(t *testing.T, was, now string) *compare.Comparison {
	t.Helper()
	var images []*inspect.Image
	for _, name := range []string{was, now} {
		img, err := inspect.Open(context.Background(), "../fixtures/guix/images/"+name, inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	return compare.Images(images[0], images[1], nil)
}

func TestCheckOfSamples(t *testing.T) {
	items := []Item{
		{Path: "/gnu/store/a", How: Reused}, {Path: "/gnu/store/b", How: Built},
		{Path: "/gnu/store/c", How: Substituted, Source: "https://y"}, {Path: "/gnu/store/d", How: Substituted, Source: "https://x"},
		{Path: "/gnu/store/e", How: Substituted, Source: "https://y"},
	}
	for _, tc := range []struct {
		was, now string
		items    []Item
		result   compare.Result
		status   check.Status
		bytes    int64
		reasons  string
		findings []string
	}{
		{"tiny.tar.gz", "tiny.tar.gz", items, compare.Identical, check.Pass, 20480,
			"identical; layers equal=1 layers=1; no-differences; store-items built=1 items=5 pinned=0 reused=1; substituted items=1 server=https://x; substituted items=2 server=https://y", nil},
		{"tiny.tar.gz", "tiny.tar.gz", items[:1], compare.Identical, check.Pass, 20480,
			"identical; layers equal=1 layers=1; no-differences; store-items built=0 items=1 pinned=0 reused=1",
			[]string{"note rebuild/nothing-built -1 items=1"}},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", items[:2], compare.Equivalent, check.Pass, 40960,
			"equivalent; layers equal=3 layers=4; causes causes=3 order; store-items built=1 items=2 pinned=0 reused=1",
			[]string{`note rebuild/harmless 0 cause=order differences=3 field= now=value/layer layer="1" was=value/layer layer="0"`,
				"note known/other-layering -1 differences=3"}},
		{"tiny.tar.gz", "tiny.tar.gz", []Item{{Path: "1/3 FROM x", How: Reused}, {Path: "2/3 RUN y", How: Built}, {Path: "3/3 RUN z", How: Built}}, compare.Identical, check.Pass, 20480,
			"identical; layers equal=1 layers=1; no-differences; instructions built=2 items=3 pinned=0 reused=1", nil},
		{"tiny.tar.gz", "tiny.tar.gz", []Item{{Path: "1/1 FROM x", How: Reused}}, compare.Identical, check.Pass, 20480,
			"identical; layers equal=1 layers=1; no-differences; instructions built=0 items=1 pinned=0 reused=1",
			[]string{"note rebuild/nothing-built -1 items=1"}},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", nil, compare.Different, check.Fail, 0,
			"different; layers equal=0 layers=1; causes causes=1 content; items-unknown",
			[]string{`problem rebuild/difference 0 gnu/store/vfjsxncgarfsyg7nlv1l6ivaiidprd2g-tiny-stamp-0.1/share/built-at cause=content evidence=difference/change now=value/file digest="sha256:`}},
		{"hello.tar.gz", "hello-opt2.tar.gz", nil, compare.Different, check.Fail, 20480,
			"different; layers equal=1 layers=1; causes causes=1 extra; items-unknown",
			[]string{"problem rebuild/config-difference -1 cause=extra field=config.entrypoint now=[\"/gnu/store/"}},
	} {
		t.Run(tc.was+" "+tc.now, func(t *testing.T) {
			c := sample(t, tc.was, tc.now)
			got := Check(c, false, tc.items)
			if c.Result() != tc.result || got.ID != check.Rebuild || got.Status != tc.status || got.Bytes != tc.bytes {
				t.Errorf("%s, %v, %d bytes", c.Result(), got.Status, got.Bytes)
			}
			checkReasons(t, got, tc.reasons)
			checkFindings(t, got.Findings, tc.findings)
		})
	}
}

// argsText writes arguments by name.
func argsText(args check.Args) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		all = append(all, name+"="+args.String(name))
	}
	return strings.Join(all, " ")
}

// checkReasons holds the reasons of a check against the text that they make.
func checkReasons(t *testing.T, c check.Check, want string) {
	t.Helper()
	var all []string
	for _, m := range c.Reasons {
		all = append(all, strings.TrimSpace(strings.TrimPrefix(m.Code, "rebuild/")+" "+argsText(m.Args)))
	}
	if got := strings.Join(all, "; "); got != want {
		t.Errorf("reasons\n%s, want\n%s", got, want)
	}
}

// checkFindings holds findings against the starts of their texts.
func checkFindings(t *testing.T, findings []check.Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, want %d: %v", len(findings), len(want), findings)
	}
	for i, f := range findings {
		text := fmt.Sprintf("%v %s %d %s", f.Level, f.Code, f.Layer, strings.TrimSpace(f.Path+" "+argsText(f.Args)))
		if !strings.HasPrefix(text, want[i]) {
			t.Errorf("finding %d: %s\nwant %s", i, text, want[i])
		}
	}
}

// TestWorstFirst holds that what weighs most is named, and how much is not.
func TestWorstFirst(t *testing.T) {
	c := &compare.Comparison{
		Config: []compare.FieldDifference{{Field: "created", Was: "1", Now: "2", Cause: compare.Timestamp}, {Field: "config.Env[0]", Now: `"` + strings.Repeat("x", 300) + `"`, Cause: compare.Extra}},
		Layers: []compare.LayerPair{{Original: "sha256:a", Rebuilt: "sha256:b", Size: 7}},
	}
	for i := range 30 {
		c.Differences = append(c.Differences, compare.Difference{Path: fmt.Sprintf("o%02d", i), Cause: compare.Owner, Was: compare.TextValue("0:0"), Now: compare.TextValue("1:1")})
	}
	c.Differences = append(c.Differences,
		compare.Difference{Path: "p", Layer: 2, Cause: compare.Packaging},
		compare.Difference{Path: "s", Cause: compare.Mode, Was: compare.TextValue("0755"), Now: compare.TextValue("4755 setuid")},
		compare.Difference{Path: "x", Cause: compare.Content, Was: compare.TextValue("a"), Now: compare.TextValue("b")})
	got := Check(c, false, nil)
	if got.Status != check.Fail || got.Bytes != 0 {
		t.Errorf("%v, %d bytes", got.Status, got.Bytes)
	}
	want := []string{
		`problem rebuild/config-difference -1 cause=extra field=config.Env[0] now="xxx`,
		"problem rebuild/difference 0 x cause=content evidence=difference/change now=b was=a",
		"problem rebuild/difference 0 s cause=mode evidence=difference/change now=4755 setuid was=0755",
	}
	for i := range 17 {
		want = append(want, fmt.Sprintf("problem rebuild/difference 0 o%02d cause=owner evidence=difference/change now=1:1 was=0:0", i))
	}
	want = append(want, "problem rebuild/more-differences -1 differences=13",
		"note rebuild/harmless 2 p cause=packaging differences=1 field= now= was=",
		"note rebuild/harmless -1 cause=timestamp differences=1 field=created now=2 was=1")
	checkFindings(t, got.Findings, want)
	if n := len(argsText(got.Findings[0].Args)); n > 300 {
		t.Errorf("a message of %d bytes", n)
	}
}

// TestCheckOfWhatIsInside holds that the finding of a file says where inside of
// it the difference is, and that what lies outside of the layers is named.
func TestCheckOfWhatIsInside(t *testing.T) {
	say := check.Say
	c := &compare.Comparison{
		Config: []compare.FieldDifference{{Field: "config.Labels.n", Was: "1", Now: "2", Cause: compare.Content}},
		Layers: []compare.LayerPair{{Index: 0, Original: "sha256:a", Rebuilt: "sha256:b", Size: 7}, {Index: 1, Original: "sha256:c", Rebuilt: "sha256:d", Size: 5}, {Index: 2, Equal: true, Size: 3}},
		Differences: []compare.Difference{
			{Path: "a/x.pyc", Cause: compare.EmbeddedDate, Was: compare.TextValue("2024"), Now: compare.TextValue("2025"), Evidence: []check.Message{say("difference/pyc-header", "field", "time of the source", "was", "2024", "now", "2025")}},
			{Path: "a/y", Layer: 1, Cause: compare.Timestamp},
			{Path: "a/z", Layer: 1, Cause: compare.Extra, Now: compare.TextValue("folder")},
		},
		Blobs:    []compare.Difference{{Layer: 2, Cause: compare.Compression, Was: compare.TextValue("gzip"), Now: compare.TextValue("zstd")}},
		Manifest: []compare.FieldDifference{{Field: "layers[2].digest", Was: "1", Now: "2", Cause: compare.Compression}},
	}
	got := Check(c, false, nil)
	if got.Status != check.Fail || got.Bytes != 3 {
		t.Errorf("%v, %d bytes", got.Status, got.Bytes)
	}
	checkReasons(t, got, "different; layers equal=1 layers=3; causes causes=1 content, 1 embedded-date, 1 extra, 1 timestamp; items-unknown")
	checkFindings(t, got.Findings, []string{
		"problem rebuild/config-difference -1 cause=content field=config.Labels.n now=2 was=1",
		"problem rebuild/difference 1 a/z cause=extra evidence=difference/change now=folder was=",
		"problem rebuild/difference 0 a/x.pyc cause=embedded-date evidence=difference/pyc-header field=time of the source now=2025 was=2024",
		"note rebuild/harmless 1 a/y cause=timestamp differences=1 field= now= was=",
		"note rebuild/blob-compression 2 layers=1 now=zstd was=gzip",
		"note rebuild/manifest-differs -1 cause=compression field=layers[2].digest fields=1 now=2 was=1",
	})
	if given := Check(c, true, nil); given.Status != check.Unknown || len(given.Findings) != len(got.Findings) {
		t.Errorf("an image that was given and differs: %v, %d findings", given.Status, len(given.Findings))
	} else {
		checkReasons(t, given, "given-differs; layers equal=1 layers=3; causes causes=1 content, 1 embedded-date, 1 extra, 1 timestamp; given")
	}
}

// TestGravestFirst holds that what lends rights comes first in the findings, and says so.
func TestGravestFirst(t *testing.T) {
	c := Check(&compare.Comparison{Layers: []compare.LayerPair{{}}, Differences: []compare.Difference{
		{Path: "a", Cause: compare.Content}, {Path: "su", Cause: compare.Extra, Privileged: true},
	}}, false, nil)
	if f := c.Findings[0]; f.Path != "su" || f.Args["privileged"] == nil || c.Findings[1].Args["privileged"] != nil {
		t.Errorf("%+v", c.Findings)
	}
}

// TestDecidingFirst: however many fields of the config differ, what decides what runs and
// files that lend rights are named before them.
func TestDecidingFirst(t *testing.T) {
	c := &compare.Comparison{Layers: []compare.LayerPair{{}}, Differences: []compare.Difference{
		{Path: "a", Cause: compare.Content}, {Path: "su", Cause: compare.Extra, Privileged: true}, {Path: "etc/crontab", Cause: compare.Extra},
	}}
	for i := range 30 {
		c.Config = append(c.Config, compare.FieldDifference{Field: fmt.Sprintf("config.Labels.a%d", i), Was: "1", Now: "2", Cause: compare.Content})
	}
	c.Config = append(c.Config, compare.FieldDifference{Field: "config.User", Was: `"1"`, Now: `"0"`, Cause: compare.Content})
	found := Check(c, false, nil).Findings
	if len(found) != maxWorst+1 || found[0].Args.String("field") != "config.User" || found[1].Path != "su" || found[2].Path != "etc/crontab" || found[maxWorst].Args.Int("differences") != 14 {
		t.Errorf("%d: %+v", len(found), found[:3])
	}
}

// TestNoComparison holds that a check without a comparison is no success.
func TestNoComparison(t *testing.T) {
	for _, c := range []*compare.Comparison{nil, {}} {
		if got := Check(c, false, nil); got.Status != check.Unknown || c.Result() != "" {
			t.Errorf("%v, result %q", got, c.Result())
		}
	}
	got := FailedCheck("guix exited with 1\nits last words")
	if got.ID != check.Rebuild || got.Status != check.Unknown || len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
	checkReasons(t, got, "build-failed error=guix exited with 1")
	checkFindings(t, got.Findings, []string{"problem rebuild/build-failed -1 error=guix exited with 1\nits last words"})
}

// Where the builds ran is named when one ran elsewhere.
func TestWithSteps(t *testing.T) {
	here := []Step{{Derivation: "/gnu/store/a.drv"}, {Derivation: "/gnu/store/b.drv"}}
	for _, tc := range []struct {
		steps []Step
		want  []string
	}{
		{nil, nil},
		{here, nil},
		{append(here, Step{"/gnu/store/c.drv", "ssh-ng://two"}, Step{"/gnu/store/d.drv", "ssh-ng://one"}, Step{"/gnu/store/e.drv", "ssh-ng://two"}),
			[]string{"note rebuild/built-here -1 derivations=2", "note rebuild/built-elsewhere -1 derivations=1 machine=ssh-ng://one", "note rebuild/built-elsewhere -1 derivations=2 machine=ssh-ng://two"}},
	} {
		checkFindings(t, WithSteps(check.Check{}, tc.steps).Findings, tc.want)
	}
}

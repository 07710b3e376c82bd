package rebuild

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare"
)

// sample compares two of the images that a real Guix packed.
func sample(t *testing.T, was, now string) *compare.Comparison {
	t.Helper()
	var images []*inspect.Image
	for _, name := range []string{was, now} {
		img, err := inspect.Open(context.Background(), "../fixtures/guix/images/"+name, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	return compare.Images(images[0], images[1])
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
		outcome  Outcome
		status   check.Status
		bytes    int64
		summary  string
		findings []string
	}{
		{"tiny.tar.gz", "tiny.tar.gz", items, RebuiltIdentical, check.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 5 store items: 1 built now, 1 reused, 1 substituted from https://x, 2 substituted from https://y", nil},
		{"tiny.tar.gz", "tiny.tar.gz", items[:1], RebuiltIdentical, check.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 1 store item: 0 built now, 1 reused, 0 substituted",
			[]string{"note nothing-built -1 "}},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", items[:2], RebuiltEquivalent, check.Pass, 40960,
			"equivalent: a container sees the same; 3 of 4 layers equal; differences: 3 order; 2 store items: 1 built now, 1 reused, 0 substituted",
			[]string{"note harmless-order 0 3 differences of cause order, which is harmless; the first: layer 0 → layer 1",
				"note known-guix-layer-sizes -1 3 differences explained: guix pack -f docker --max-layers of 1.5 puts store items into layers by their sizes"}},
		{"tiny.tar.gz", "tiny.tar.gz", []Item{{Path: "1/3 FROM x", How: Reused}, {Path: "2/3 RUN y", How: Built}, {Path: "3/3 RUN z", How: Built}}, RebuiltIdentical, check.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 3 instructions: 2 built now, 1 reused", nil},
		{"tiny.tar.gz", "tiny.tar.gz", []Item{{Path: "1/1 FROM x", How: Reused}}, RebuiltIdentical, check.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 1 instruction: 0 built now, 1 reused",
			[]string{"note nothing-built -1 no instruction was built in this run"}},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", nil, RebuiltDifferent, check.Fail, 0,
			"not the same; 0 of 1 layer equal; differences: 1 content; where its parts came from is not known here",
			[]string{"problem difference-content 0 gnu/store/vfjsxncgarfsyg7nlv1l6ivaiidprd2g-tiny-stamp-0.1/share/built-at content: file of 11 bytes, sha256:97786"}},
		{"hello.tar.gz", "hello-opt2.tar.gz", nil, RebuiltDifferent, check.Fail, 20480,
			"not the same; 1 of 1 layer equal; differences: 1 extra; where its parts came from is not known here",
			[]string{"problem difference-config -1 config field config.entrypoint (extra): nothing → [\"/gnu/store/"}},
	} {
		t.Run(tc.was+" "+tc.now, func(t *testing.T) {
			c := sample(t, tc.was, tc.now)
			got := Check(c, tc.items)
			if OutcomeOf(c) != tc.outcome || got.ID != check.Rebuild || got.Status != tc.status || got.Bytes != tc.bytes || got.Summary != tc.summary {
				t.Errorf("outcome %d, %v, %d bytes\n%s", OutcomeOf(c), got.Status, got.Bytes, got.Summary)
			}
			checkFindings(t, got.Findings, tc.findings)
		})
	}
}

// checkFindings holds findings against the starts of their texts.
func checkFindings(t *testing.T, findings []check.Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, want %d: %v", len(findings), len(want), findings)
	}
	for i, f := range findings {
		text := fmt.Sprintf("%v %s %d %s", f.Level, f.Rule, f.Layer, strings.TrimSpace(f.Path+" "+f.Words))
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
		c.Differences = append(c.Differences, compare.Difference{Path: fmt.Sprintf("o%02d", i), Cause: compare.Owner, Was: "0:0", Now: "1:1"})
	}
	c.Differences = append(c.Differences,
		compare.Difference{Path: "p", Layer: 2, Cause: compare.Packaging},
		compare.Difference{Path: "s", Cause: compare.Mode, Was: "0755", Now: "4755 setuid"},
		compare.Difference{Path: "x", Cause: compare.Content, Was: "a", Now: "b"})
	got := Check(c, nil)
	if got.Status != check.Fail || got.Bytes != 0 {
		t.Errorf("%v, %d bytes", got.Status, got.Bytes)
	}
	want := []string{
		`problem difference-config -1 config field config.Env[0] (extra): nothing → "xxx`,
		"problem difference-content 0 x content: a → b",
		"problem difference-mode 0 s mode: 0755 → 4755 setuid",
	}
	for i := range 17 {
		want = append(want, fmt.Sprintf("problem difference-owner 0 o%02d owner: 0:0 → 1:1", i))
	}
	want = append(want, "problem more-differences -1 13 more are in the comparison",
		"note harmless-packaging 2 p 1 difference of cause packaging, which is harmless; the first: nothing → nothing",
		"note harmless-timestamp -1 1 difference of cause timestamp, which is harmless; the first: config field created: 1 → 2")
	checkFindings(t, got.Findings, want)
	if n := len(got.Findings[0].Words); n > 300 {
		t.Errorf("a message of %d bytes", n)
	}
}

// TestCheckAllowed holds that allowed differences make an image equivalent at
// most, that every rule which was used is named, and that the bytes of a layer
// in which something was allowed are not vouched for.
func TestCheckAllowed(t *testing.T) {
	day := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	made := func() *compare.Comparison {
		return &compare.Comparison{
			Config: []compare.FieldDifference{{Field: "config.Labels.n", Was: "1", Now: "2", Cause: compare.Content}},
			Layers: []compare.LayerPair{{Index: 0, Original: "sha256:a", Rebuilt: "sha256:b", Size: 7}, {Index: 1, Original: "sha256:c", Rebuilt: "sha256:d", Size: 5}, {Index: 2, Equal: true, Size: 3}},
			Differences: []compare.Difference{
				{Path: "a/x.pyc", Cause: compare.EmbeddedDate, Was: "2024", Now: "2025", Detail: "pyc header: time of the source: 2024 → 2025\nmore"},
				{Path: "a/y", Layer: 1, Cause: compare.Timestamp},
				{Path: "a/z", Layer: 1, Cause: compare.Extra, Now: "folder"},
			},
			Blobs:    []compare.Difference{{Layer: 2, Cause: compare.Compression, Was: "gzip", Now: "zstd", Detail: "the same tar"}},
			Manifest: []compare.FieldDifference{{Field: "layers[2].digest", Was: "1", Now: "2", Cause: compare.Compression}},
		}
	}
	rules := []compare.Rule{
		{Line: 1, Pattern: "a/*.pyc", Cause: compare.EmbeddedDate, Expires: day, Reason: "the time of the source"},
		{Line: 2, Pattern: "config:config.Labels.n", Cause: compare.Content, Expires: day, Reason: "the number of the build"},
		{Line: 3, Pattern: "a/z", Cause: compare.Extra, Expires: day, Reason: "a cache"},
		{Line: 4, Pattern: "b", Cause: compare.Mode, Expires: day, Reason: "x"},
	}
	outside := []string{
		"note harmless-timestamp 1 a/y 1 difference",
		"note blob-compression 2 1 layer is the same bytes in another blob; the first: the same tar (gzip → zstd)",
		"note manifest-differs -1 the image manifests differ in 1 field; the first: layers[2].digest (compression): 1 → 2",
	}
	for _, tc := range []struct {
		name     string
		rules    []compare.Rule
		today    time.Time
		outcome  Outcome
		status   check.Status
		bytes    int64
		summary  string
		findings []string
	}{
		{"all", rules, day, RebuiltEquivalent, check.Pass, 8,
			"equivalent but for what is allowed: 3 differences that a container sees; 1 of 3 layers equal; differences: 1 content, 1 embedded-date, 1 extra, 1 timestamp; " +
				"allowed: 1 embedded-date at a/*.pyc (the time of the source), 1 content at config:config.Labels.n (the number of the build), 1 extra at a/z (a cache); where its parts came from is not known here",
			[]string{
				"note allowed -1 1 difference of cause embedded-date at a/*.pyc allowed until 2026-12-31: the time of the source (line 1 of the rules)",
				"note allowed -1 1 difference of cause content at config:config.Labels.n allowed", "note allowed -1 1 difference of cause extra at a/z allowed",
				"note allow-unused -1 the rule for b of cause mode allows nothing here (line 4 of the rules)",
			}},
		{"some", rules[:2], day, RebuiltDifferent, check.Fail, 3,
			"not the same; 1 of 3 layers equal; differences: 1 content, 1 embedded-date, 1 extra, 1 timestamp; allowed: ",
			[]string{"problem difference-extra 1 a/z extra: nothing → folder", "note allowed -1 1 difference of cause embedded-date", "note allowed -1 1 difference of cause content"}},
		{"expired", rules[:3], day.AddDate(0, 0, 1), RebuiltDifferent, check.Fail, 3,
			"not the same; 1 of 3 layers equal; differences: 1 content, 1 embedded-date, 1 extra, 1 timestamp; where",
			[]string{"problem difference-config -1 config field config.Labels.n (content): 1 → 2", "problem difference-extra 1 a/z extra: nothing → folder",
				"problem difference-embedded-date 0 a/x.pyc embedded-date: pyc header: time of the source: 2024 → 2025",
				"problem allow-expired -1 the rule for a/*.pyc of cause embedded-date expired on 2026-12-31; it would allow 1 difference (line 1 of the rules)",
				"problem allow-expired -1 the rule for config:config.Labels.n", "problem allow-expired -1 the rule for a/z"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := made()
			c.Apply(tc.rules, tc.today)
			got := Check(c, nil)
			if OutcomeOf(c) != tc.outcome || got.Status != tc.status || got.Bytes != tc.bytes || !strings.HasPrefix(got.Summary, tc.summary) {
				t.Errorf("outcome %d, %v, %d bytes\n%s", OutcomeOf(c), got.Status, got.Bytes, got.Summary)
			}
			checkFindings(t, got.Findings, append(tc.findings, outside...))
			if v := Judge([]check.Check{got}, OutcomeOf(c)); v == Reproducible || (v == Equivalent) != (tc.status == check.Pass) {
				t.Errorf("verdict %v", v)
			}
		})
	}
}

// TestWeights holds that every cause has a place in the order.
func TestWeights(t *testing.T) {
	for i, c := range compare.AllCauses() {
		if weight(c) != i {
			t.Errorf("%s: %d, want %d", c, weight(c), i)
		}
	}
}

// TestNoComparison holds that a check without a comparison is no success.
func TestNoComparison(t *testing.T) {
	for _, c := range []*compare.Comparison{nil, {}} {
		if got := Check(c, nil); got.Status != check.Unknown || OutcomeOf(c) != NotTried {
			t.Errorf("%v, outcome %d", got, OutcomeOf(c))
		}
	}
	if got := SkippedCheck("no guix"); got.ID != check.Rebuild || got.Status != check.Skipped || got.Summary != "no guix" {
		t.Errorf("%+v", got)
	}
	got := FailedCheck("guix exited with 1\nits last words")
	if got.ID != check.Rebuild || got.Status != check.Unknown || got.Summary != "the build failed: guix exited with 1" || len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
}

// Where the builds ran is told when one ran elsewhere.
func TestWithSteps(t *testing.T) {
	here := []Step{{Derivation: "/gnu/store/a.drv"}, {Derivation: "/gnu/store/b.drv"}}
	for _, tc := range []struct {
		steps []Step
		want  []string
	}{
		{nil, nil},
		{here, nil},
		{append(here, Step{"/gnu/store/c.drv", "ssh-ng://two"}, Step{"/gnu/store/d.drv", "ssh-ng://one"}, Step{"/gnu/store/e.drv", "ssh-ng://two"}),
			[]string{"note built-elsewhere -1 5 derivations built in this run: 2 on this machine, 1 on ssh-ng://one, 2 on ssh-ng://two"}},
	} {
		checkFindings(t, WithSteps(check.Check{}, tc.steps).Findings, tc.want)
	}
}

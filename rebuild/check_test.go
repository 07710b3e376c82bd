package rebuild

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
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
		status   inspect.Status
		bytes    int64
		summary  string
		findings []string
	}{
		{"tiny.tar.gz", "tiny.tar.gz", items, RebuiltIdentical, inspect.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 5 store items: 1 built now, 1 reused, 1 substituted from https://x, 2 substituted from https://y", nil},
		{"tiny.tar.gz", "tiny.tar.gz", items[:1], RebuiltIdentical, inspect.Pass, 20480,
			"identical to the original; 1 of 1 layer equal; no differences; 1 store item: 0 built now, 1 reused, 0 substituted",
			[]string{"note nothing-built -1 "}},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", items[:2], RebuiltEquivalent, inspect.Pass, 40960,
			"equivalent: a container sees the same; 3 of 4 layers equal; differences: 3 order; 2 store items: 1 built now, 1 reused, 0 substituted",
			[]string{"note harmless-order 0 3 differences of cause order, which is harmless; the first: layer 0 → layer 1"}},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", nil, RebuiltDifferent, inspect.Fail, 0,
			"not the same; 0 of 1 layer equal; differences: 1 content; where its parts came from is not known here",
			[]string{"problem difference-content 0 gnu/store/vfjsxncgarfsyg7nlv1l6ivaiidprd2g-tiny-stamp-0.1/share/built-at content: file of 11 bytes, sha256:97786"}},
		{"hello.tar.gz", "hello-opt2.tar.gz", nil, RebuiltDifferent, inspect.Fail, 20480,
			"not the same; 1 of 1 layer equal; differences: 1 extra; where its parts came from is not known here",
			[]string{"problem difference-config -1 config field config.entrypoint (extra): nothing → [\"/gnu/store/"}},
	} {
		t.Run(tc.was+" "+tc.now, func(t *testing.T) {
			c := sample(t, tc.was, tc.now)
			got := Check(c, tc.items)
			if OutcomeOf(c) != tc.outcome || got.ID != inspect.Rebuild || got.Status != tc.status || got.Bytes != tc.bytes || got.Summary != tc.summary {
				t.Errorf("outcome %d, %v, %d bytes\n%s", OutcomeOf(c), got.Status, got.Bytes, got.Summary)
			}
			checkFindings(t, got.Findings, tc.findings)
		})
	}
}

// checkFindings holds findings against the starts of their texts.
func checkFindings(t *testing.T, findings []inspect.Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, want %d: %v", len(findings), len(want), findings)
	}
	for i, f := range findings {
		text := fmt.Sprintf("%v %s %d %s", f.Level, f.Rule, f.Layer, strings.TrimSpace(f.Path+" "+f.Message))
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
	if got.Status != inspect.Fail || got.Bytes != 0 {
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
	if n := len(got.Findings[0].Message); n > 300 {
		t.Errorf("a message of %d bytes", n)
	}
}

// TestNoComparison holds that a check without a comparison is no success.
func TestNoComparison(t *testing.T) {
	for _, c := range []*compare.Comparison{nil, {}} {
		if got := Check(c, nil); got.Status != inspect.Unknown || OutcomeOf(c) != NotTried {
			t.Errorf("%v, outcome %d", got, OutcomeOf(c))
		}
	}
	if got := SkippedCheck("no guix"); got.ID != inspect.Rebuild || got.Status != inspect.Skipped || got.Summary != "no guix" {
		t.Errorf("%+v", got)
	}
	got := FailedCheck("guix exited with 1\nits last words")
	if got.ID != inspect.Rebuild || got.Status != inspect.Unknown || got.Summary != "the build failed: guix exited with 1" || len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
}

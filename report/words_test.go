package report

import (
	"html"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

func TestMeaning(t *testing.T) {
	given := Input{Image: &inspect.Image{}, Rebuilt: &inspect.Image{}}
	failed := []check.Check{{ID: check.Closure, Status: check.Fail}, {ID: check.Integrity, Status: check.Fail}}
	for _, c := range []struct {
		name string
		in   Input
		want string
	}{
		{"nothing examined", Input{Verdict: rebuild.Unverified}, "No check passed, and nothing was rebuilt: nothing speaks for this image."},
		{"one check", Input{Checks: []check.Check{{ID: check.Integrity, Status: check.Pass}}}, "(1 of 8 checks passed), but it was not built again"},
		{"packed again", Input{Verdict: rebuild.Reproducible}, "each was signed by two operators or made again from the others"},
		{"rebuilt", Input{Verdict: rebuild.Reproducible, Comparison: &compare.Comparison{}, Result: &rebuild.Result{}}, "Building the recipe again gave the same image, byte for byte"},
		{"given", given, "The image that was given to compare with has the same bytes"},
		{"equivalent", Input{Verdict: rebuild.Equivalent}, "only the packaging differs"},
		{"differs", Input{Verdict: rebuild.Unreproducible}, "Building the recipe again gave something else."},
		{"contradicted", Input{Verdict: rebuild.Contradicted, Checks: failed}, "the checks integrity and closure say no."},
		{"failed", Input{Verdict: rebuild.BuildFailed}, "Building the recipe again failed"},
	} {
		if c.in.Image == nil {
			c.in.Image = &inspect.Image{}
		}
		if c.name == "given" {
			c.in.Verdict = rebuild.Reproducible
		}
		if r := New(c.in); !strings.Contains(r.meaning(), c.want) {
			t.Errorf("%s: %q does not say %q", c.name, r.meaning(), c.want)
		}
	}
}

// TestMeaningSaysWhy: the causes, and the first problem, in the sentence itself.
func TestMeaningSaysWhy(t *testing.T) {
	for _, c := range []struct {
		in   Input
		want string
	}{
		{unreproducibleInput(t, 3), "6 differences in files (1 content, 1 missing, 1 mode, 3 timestamp), 1 difference in the config."},
		{equivalentInput(t), "only the packaging differs (order), and each"},
		{contradictedInput(t), "the check closure says no. The problem: etc/cron.d/job: a file of 20 bytes: nothing that built or packed the image explains it."},
		{hostileInput(t), "The first of 8 problems: <script>alert(1)</script>\\x1b"},
	} {
		if r := New(c.in); !strings.Contains(r.meaning(), c.want) {
			t.Errorf("%q does not say %q", r.meaning(), c.want)
		}
	}
	pinless := reproducibleInput(t)
	pinless.Verdict = rebuild.Contradicted
	pinless.Checks[5] = check.Check{ID: check.Sources, Status: check.Fail, Findings: []check.Finding{check.Find(check.Problem, -1, "/gnu/store/x.drv", "sources/no-hash")}}
	if got := New(pinless).meaning(); !strings.HasPrefix(got, "Not everything that the image was made from can be known: the check sources says no.") {
		t.Error(got)
	}
	in := unreproducibleInput(t, 0)
	for i, cause := range compare.AllCauses() {
		in.Comparison.Differences = append(in.Comparison.Differences, compare.Difference{Path: string(rune('a' + i)), Cause: cause})
	}
	if r := New(in); !strings.Contains(r.meaning(), "(2 content, 1 type, 1 extra, 2 missing, and 16 causes more)") {
		t.Errorf("%q", r.meaning())
	}
}

// TestUnverifiedSaysItsLimit: in every form that a person or program reads.
func TestUnverifiedSaysItsLimit(t *testing.T) {
	r := New(unverifiedInput(t))
	squeeze := func(s string) string { return strings.Join(strings.Fields(html.UnescapeString(s)), " ") }
	for kind, write := range renderers() {
		if kind == "JSON" {
			continue // which holds facts, and no sentences
		}
		if got := squeeze(string(render(t, write, r))); !strings.Contains(got, insideLimit) {
			t.Errorf("the %s does not say the limit", kind)
		}
	}
}

func TestEveryVerdictHasLimits(t *testing.T) {
	for v := range rebuild.Verdict(6) {
		for name, in := range inputs(t) {
			in.Verdict = v
			if len(New(in).limits()) == 0 {
				t.Errorf("%s, %s: no limits", name, v)
			}
		}
	}
}

// TestGivenShowsNoSources: of an image that was made elsewhere nothing says that
// its bytes come from the sources.
func TestGivenShowsNoSources(t *testing.T) {
	for _, v := range []rebuild.Verdict{rebuild.Reproducible, rebuild.Equivalent} {
		in := givenInput(t)
		in.Verdict = v
		if got := strings.Join(New(in).limits(), " "); strings.Contains(got, "come from them") || !strings.Contains(got, "on the word of whoever gave it") {
			t.Errorf("%v: %s", v, got)
		}
	}
}

func TestTrustIsCounted(t *testing.T) {
	const want = "Of 6 store items: 4 built in this run, 1 already in the builder's store, 1 fetched from a server."
	in := reproducibleInput(t)
	if got := New(in).limits()[0]; !strings.Contains(got, want) {
		t.Errorf("the limits begin with %q", got)
	}
	for i := range in.Result.Items {
		in.Result.Items[i].How = rebuild.Built
	}
	if got := New(in).limits(); len(got) != 1 {
		t.Errorf("all was built, and yet: %q", got)
	}
}

func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		n, total int64
		share    float64
		words    string
	}{
		{0, 0, 0, "0%"},
		{0, 10, 0, "0%"},
		{10, 10, 1, "100%"},
		{9999999, 10000000, 0.9999, "99.9%"},
		{29, 100, 0.29, "29%"},
		{1, 3, 0.3333, "33.3%"},
		{5, 10000, 0.0005, "<0.1%"},
		{1, 1 << 40, 0, "0%"},
		{1<<62 - 1, 1 << 62, 0.9999, "99.9%"},
	} {
		got := share(c.n, c.total)
		if got != c.share || percent(got) != c.words {
			t.Errorf("%d of %d is %v, %s; want %v, %s", c.n, c.total, got, percent(got), c.share, c.words)
		}
	}
	img := &inspect.Image{Layers: []*inspect.Layer{{UncompressedSize: 60}, {UncompressedSize: 40}}}
	cov := newCoverage(Input{Image: img, Checks: []check.Check{{ID: check.Closure, Bytes: 25}, {ID: check.Repack, Bytes: 1000}}})
	if cov.Total != 100 || cov.Checks[2] != (Share{check.Closure, 25, 0.25}) || cov.Checks[3].Share != 1 || cov.Checks[0].Bytes != 0 {
		t.Errorf("the coverage is %+v", cov)
	}
}

func TestBytesWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 3 << 30: "3.0 GiB", 1<<63 - 1: "8.0 EiB"} {
		if got := bytesWords(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}

// TestEveryCheckHasAdvice: why it matters, and what to do, however it ended.
func TestEveryCheckHasAdvice(t *testing.T) {
	seen := map[string]string{}
	for _, id := range check.IDs() {
		if why(id) == "" || question(id) == "" {
			t.Errorf("%s: nothing says why", id)
		}
		for status := range check.Status(4) {
			words := (&Report{words: newWords(testSystems())}).advice(id, status)
			if len(words) < 20 || !strings.HasSuffix(words, ".") {
				t.Errorf("%s, %s: %q", id, status, words)
			}
			if other, ok := seen[words]; ok {
				t.Errorf("%s and %s %s have the same advice", other, id, status)
			}
			seen[words] = string(id)
		}
	}
}

func TestEveryCauseHasWords(t *testing.T) {
	for _, c := range allCauses() {
		if known := c != "something-new"; (causeWords(c) != "") != known || (causeAdvice(c) != "") != known {
			t.Errorf("%s: %q, %q", c, causeWords(c), causeAdvice(c))
		}
	}
	for _, o := range append(vouch.Kinds(), "something-new") {
		if w := voucherWords(o); w[0] == "" || (w[1] != "") != (o != "something-new") {
			t.Errorf("%s: %q", o, w)
		}
	}
}

// A file that is other than the package that was signed speaks against the image; an
// answer that nobody who is trusted signed speaks against the answer alone.
func TestWhatIsContradicted(t *testing.T) {
	const image, answers = "The image is not what it claims to be", "What was asked to vouch for the image cannot be believed"
	for _, c := range []struct {
		codes []string
		want  string
	}{
		{[]string{"signatures/bad-signature"}, answers},
		{[]string{"signatures/hash-differs"}, image},
		{[]string{"signatures/bad-signature", "signatures/hash-differs"}, image},
		{[]string{"signatures/deb-mode-differs"}, image},
		{[]string{"signatures/rpm-changed"}, image},
	} {
		var problems []Finding
		for _, code := range c.codes {
			problems = append(problems, Finding{Code: code, Level: check.Problem})
		}
		if got := contradicted([]string{"signatures"}, problems); got != c.want {
			t.Errorf("%q: %q, want %q", c.codes, got, c.want)
		}
	}
}

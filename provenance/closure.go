package provenance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// ClosureFindings gathers what the check named closure finds, for systems whose
// packers lay down nothing that they cannot account for.
type ClosureFindings struct {
	Wrong     []check.Finding // contradicts how the system packs
	Undecided []check.Finding // may be right, and the image does not tell
	Notes     []check.Finding // worth knowing
}

// Fail adds what contradicts how the system packs. The layer is -1 where there
// is none.
func (f *ClosureFindings) Fail(rule string, layer int, path, format string, args ...any) {
	f.Wrong = append(f.Wrong, newFinding(check.Problem, rule, layer, path, format, args...))
}

// Doubt adds what can be neither explained nor called wrong.
func (f *ClosureFindings) Doubt(rule string, layer int, path, format string, args ...any) {
	f.Undecided = append(f.Undecided, newFinding(check.Problem, rule, layer, path, format, args...))
}

// Note adds what is worth knowing and speaks for nothing.
func (f *ClosureFindings) Note(rule string, layer int, path, format string, args ...any) {
	f.Notes = append(f.Notes, newFinding(check.Note, rule, layer, path, format, args...))
}

func newFinding(level check.Level, rule string, layer int, path, format string, args ...any) check.Finding {
	return check.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Words: fmt.Sprintf(format, args...)}
}

// Check makes the check of what was gathered: a pass only where nothing is wrong
// and nothing undecided. Explained says in words how much is explained, bytes how
// many bytes that are.
func (f *ClosureFindings) Check(explained string, bytes int64) check.Check {
	out := check.Check{ID: check.Closure, Status: check.Pass, Summary: explained, Bytes: bytes}
	out.Findings = slices.Concat(f.Wrong, f.Undecided, f.Notes)
	slices.SortStableFunc(out.Findings, func(a, b check.Finding) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), inspect.ComparePaths(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Words, b.Words))
	})
	switch {
	case len(f.Wrong) > 0:
		out.Status = check.Fail
		out.Summary = tally(f.Wrong) + "; " + explained
	case len(f.Undecided) > 0:
		out.Status = check.Unknown
		out.Summary = "undecided: " + tally(f.Undecided) + "; " + explained
	}
	return out
}

// tally counts findings, and those of each rule: "3 findings (2
// unexplained-file, 1 whiteout)".
func tally(findings []check.Finding) string {
	counts := make(map[string]int)
	for _, f := range findings {
		counts[f.Rule]++
	}
	var parts []string
	for rule, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, rule))
	}
	slices.SortFunc(parts, func(a, b string) int {
		return strings.Compare(a[strings.IndexByte(a, ' '):], b[strings.IndexByte(b, ' '):])
	})
	plural := "s"
	if len(findings) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d finding%s (%s)", len(findings), plural, strings.Join(parts, ", "))
}

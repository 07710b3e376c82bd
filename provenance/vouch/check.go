package vouch

import (
	"cmp"
	"slices"

	"audit/inspect/check"
)

// Conclude makes the check named signatures of what families found, joined with that
// of store items: whichever ends worse decides, and one that had nothing to look at
// has no say. A family without packages in the image has none either.
func Conclude(items check.Check, results []Result, t *Table) check.Check {
	var own check.Check
	own.ID = check.Signatures
	var skipped []check.Message
	for _, r := range results {
		switch {
		case r.Packages == 0 && len(r.Findings) == 0:
		case r.Packages == 0: // how many there are is not known
			own.Reasons = append(own.Reasons, r.Findings[0].Message)
			own.Findings = append(own.Findings, r.Findings...)
		case !r.Reason.IsZero() && r.Verified == 0 && check.Worst(r.Findings) != check.Fail:
			skipped = append(skipped, r.Reason)
			own.Findings = append(own.Findings, r.Findings...)
		default:
			own.Because("signatures/packages", "verified", r.Verified, "packages", r.Packages)
			own.Findings = append(own.Findings, r.Findings...)
		}
	}
	switch {
	case len(own.Reasons) > 0:
		own.Status = check.Worst(own.Findings)
		if n := problems(own.Findings); n > 0 {
			own.Reasons = slices.Insert(own.Reasons, 0, check.Say("signatures/packages-differ", "count", n))
		}
		own.Reasons = append(own.Reasons, skipped...)
		if own.Status == check.Pass && len(skipped) > 0 {
			own.Status = check.Unknown
		}
	case len(skipped) > 0:
		own.Status, own.Reasons = check.Skipped, skipped
	default:
		return items
	}
	for _, s := range t.Shares() {
		if s.Word.Kind == Rebuilt || s.Word.Kind == Signed {
			own.Bytes += s.Bytes
		}
	}
	if len(t.Image().Items) == 0 {
		return own
	}
	return joined(items, own)
}

// Best returns which of the claims on a file, at least one, it differs from least, and how:
// packages may share a file, and one may replace that of another. The first of equals
// counts.
func Best[C, D any, W cmp.Ordered](claims []C, compare func(C) []D, weight func([]D) W) (best C, found []D) {
	best, found = claims[0], compare(claims[0])
	for _, c := range claims[1:] {
		if next := compare(c); weight(next) < weight(found) {
			best, found = c, next
		}
	}
	return best, found
}

// MaxNames is how many names stand in one finding.
const MaxNames = 10

// Some are the first of names, for a finding, and how many more there are.
func Some(names []string) (first []string, beyond int) {
	first = names[:min(len(names), MaxNames)]
	return first, len(names) - len(first)
}

// problems counts the findings of that level, those that are not listed too.
func problems(findings []check.Finding) (n int) {
	for _, f := range findings {
		if f.Level == check.Problem {
			n += 1 + int(f.Args.Int("more"))
		}
	}
	return n
}

// joined joins two checks of the same name over different files.
func joined(a, b check.Check) check.Check {
	weight := map[check.Status]int{check.Skipped: 0, check.Pass: 1, check.Unknown: 2, check.Fail: 3}
	if weight[b.Status] > weight[a.Status] {
		a, b = b, a
	}
	a.Reasons = append(a.Reasons, b.Reasons...)
	a.Findings = append(a.Findings, b.Findings...)
	a.Bytes += b.Bytes
	if a.Status == check.Pass && b.Status == check.Skipped {
		a.Status = check.Unknown // of what was skipped nothing is known
	}
	return a
}

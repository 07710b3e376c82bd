package rebuild

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/rebuild/compare"
)

// OutcomeOf returns what a comparison of the original with its rebuild shows.
// It is NotTried where there was nothing to compare.
func OutcomeOf(c *compare.Comparison) Outcome {
	switch {
	case c == nil || !examined(c):
		return NotTried
	case c.Identical():
		return RebuiltIdentical
	case c.Equivalent():
		return RebuiltEquivalent
	}
	return RebuiltDifferent
}

func examined(c *compare.Comparison) bool {
	return len(c.Layers)+len(c.Config)+len(c.Differences) > 0
}

// SkippedCheck is the check named rebuild where no build ran.
func SkippedCheck(reason string) inspect.Check {
	return inspect.Check{ID: inspect.Rebuild, Status: inspect.Skipped, Summary: reason}
}

// FailedCheck is the check named rebuild where a build ran and failed: it says
// nothing of the image, neither for it nor against it.
func FailedCheck(reason string) inspect.Check {
	return inspect.Check{
		ID: inspect.Rebuild, Status: inspect.Unknown, Summary: "the build failed: " + oneLine(reason),
		Findings: []inspect.Finding{{Rule: "build-failed", Level: inspect.Problem, Layer: -1, Message: reason}},
	}
}

// Check is the check named rebuild: a pass when the rebuild is identical or
// equivalent, where the findings name each harmless cause; else a fail, where
// they name the differences that weigh most. Items say where the store items of
// the rebuild came from; there are none when it was made elsewhere. The bytes
// vouched for are those of the equal layers, of all when it is equivalent.
func Check(c *compare.Comparison, items []Item) inspect.Check {
	check := inspect.Check{ID: inspect.Rebuild}
	var verdict string
	switch OutcomeOf(c) {
	case RebuiltIdentical:
		check.Status, verdict = inspect.Pass, "identical to the original"
	case RebuiltEquivalent:
		check.Status, verdict = inspect.Pass, "equivalent: a container sees the same"
	case RebuiltDifferent:
		check.Status, verdict = inspect.Fail, "not the same"
		check.Findings = worst(c)
	default:
		check.Summary = "there was nothing to compare"
		return check
	}
	check.Findings = append(check.Findings, harmless(c)...)
	check.Findings = append(check.Findings, unbuilt(items)...)
	check.Bytes = vouchedFor(c)
	check.Summary = strings.Join([]string{verdict, layersText(c), causesText(c), itemsText(items)}, "; ")
	return check
}

func vouchedFor(c *compare.Comparison) (n int64) {
	all := c.Equivalent()
	for _, l := range c.Layers {
		if all || l.Equal {
			n += l.Size
		}
	}
	return n
}

func layersText(c *compare.Comparison) string {
	equal := 0
	for _, l := range c.Layers {
		if l.Equal {
			equal++
		}
	}
	return fmt.Sprintf("%d of %s equal", equal, plural(len(c.Layers), "layer"))
}

func causesText(c *compare.Comparison) string {
	var all []string
	for _, n := range c.Causes() {
		all = append(all, fmt.Sprintf("%d %s", n.Count, n.Cause))
	}
	if len(all) == 0 {
		return "no differences"
	}
	return "differences: " + strings.Join(all, ", ")
}

// itemsText counts the store items by where they came from.
func itemsText(items []Item) string {
	if len(items) == 0 {
		return "where its parts came from is not known here"
	}
	count := make(map[Item]int)
	for _, it := range items {
		key := Item{How: it.How}
		if it.How == Substituted {
			key.Source = it.Source
		}
		count[key]++
	}
	text := fmt.Sprintf("%s: %d built now, %d reused", plural(len(items), "store item"), count[Item{How: Built}], count[Item{How: Reused}])
	var others []Item
	for it := range count {
		if it.How != Built && it.How != Reused {
			others = append(others, it)
		}
	}
	slices.SortFunc(others, func(x, y Item) int { return cmp.Or(cmp.Compare(x.How, y.How), cmp.Compare(x.Source, y.Source)) })
	for _, it := range others {
		text += fmt.Sprintf(", %d %s", count[it], it.How)
		if it.Source != "" {
			text += " from " + it.Source
		}
	}
	if len(others) == 0 {
		text += ", 0 substituted"
	}
	return text
}

// unbuilt notes when no store item was built in this run.
func unbuilt(items []Item) []inspect.Finding {
	built := slices.ContainsFunc(items, func(it Item) bool { return it.How == Built })
	if len(items) == 0 || built {
		return nil
	}
	return []inspect.Finding{{Rule: "nothing-built", Level: inspect.Note, Layer: -1,
		Message: "no store item was built in this run: only the image was put together again"}}
}

// maxWorst bounds the differences that the findings name; the comparison has
// them all.
const maxWorst = 20

// worst names the differences that are not harmless, the heaviest first.
func worst(c *compare.Comparison) []inspect.Finding {
	var found []inspect.Finding
	for _, f := range c.Config {
		if !f.Cause.Harmless() {
			found = append(found, finding("difference-config", -1, "", fmt.Sprintf("config field %s (%s): %s", clip(f.Field), f.Cause, change(f.Was, f.Now))))
		}
	}
	ds := slices.DeleteFunc(slices.Clone(c.Differences), func(d compare.Difference) bool { return d.Cause.Harmless() })
	slices.SortStableFunc(ds, func(x, y compare.Difference) int { return cmp.Compare(weight(x.Cause), weight(y.Cause)) })
	total := len(found) + len(ds)
	for _, d := range ds[:min(len(ds), maxWorst)] {
		found = append(found, finding("difference-"+string(d.Cause), d.Layer, d.Path, fmt.Sprintf("%s: %s", d.Cause, change(d.Was, d.Now))))
	}
	found = found[:min(len(found), maxWorst)]
	if more := total - len(found); more > 0 {
		found = append(found, finding("more-differences", -1, "", fmt.Sprintf("%d more are in the comparison", more)))
	}
	return found
}

func finding(rule string, layer int, path, message string) inspect.Finding {
	return inspect.Finding{Rule: rule, Level: inspect.Problem, Layer: layer, Path: path, Message: message}
}

// weight orders causes by how much they change for who runs the image.
func weight(cause compare.Cause) int {
	return slices.Index([]compare.Cause{
		compare.Content, compare.Type, compare.Extra, compare.Missing, compare.Link,
		compare.Xattr, compare.Device, compare.Mode, compare.Owner,
	}, cause)
}

// harmless names each harmless cause once, with its first difference.
func harmless(c *compare.Comparison) []inspect.Finding {
	var found []inspect.Finding
	first := make(map[compare.Cause]inspect.Finding)
	for _, f := range c.Config {
		if _, ok := first[f.Cause]; !ok {
			first[f.Cause] = finding("", -1, "", fmt.Sprintf("config field %s: %s", clip(f.Field), change(f.Was, f.Now)))
		}
	}
	for _, d := range c.Differences {
		if f, ok := first[d.Cause]; !ok || f.Layer < 0 {
			first[d.Cause] = finding("", d.Layer, d.Path, change(d.Was, d.Now))
		}
	}
	for _, n := range c.Causes() {
		if !n.Cause.Harmless() {
			continue
		}
		f := first[n.Cause]
		f.Rule, f.Level = "harmless-"+string(n.Cause), inspect.Note
		f.Message = fmt.Sprintf("%s of cause %s, which is harmless; the first: %s", plural(n.Count, "difference"), n.Cause, f.Message)
		found = append(found, f)
	}
	return found
}

// change writes what a value was and is now.
func change(was, now string) string { return orNothing(was) + " → " + orNothing(now) }

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return clip(s)
}

// clip shortens a value for a line.
func clip(s string) string {
	const limit = 200
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

func oneLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

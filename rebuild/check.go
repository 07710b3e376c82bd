package rebuild

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"audit/inspect/check"
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
func SkippedCheck(reason string) check.Check {
	return check.Check{ID: check.Rebuild, Status: check.Skipped, Summary: reason}
}

// FailedCheck is the check named rebuild where a build ran and failed: it says
// nothing of the image, neither for it nor against it.
func FailedCheck(reason string) check.Check {
	return check.Check{
		ID: check.Rebuild, Status: check.Unknown, Summary: "the build failed: " + oneLine(reason),
		Findings: []check.Finding{{Rule: "build-failed", Level: check.Problem, Layer: -1, Words: reason}},
	}
}

// Check is the check named rebuild: a pass when the rebuild is identical or
// equivalent, where the findings name each harmless cause; else a fail, where
// they name the differences that weigh most. In both cases they name every rule
// that allows a difference, the known freedoms of packers, and what differs
// outside of config and layers. Items say where the store items of the rebuild
// came from; there are none when it was made elsewhere. The bytes vouched for
// are those of the equal layers; when it is equivalent those of all layers in
// which no difference had to be allowed.
func Check(c *compare.Comparison, items []Item) check.Check {
	out := check.Check{ID: check.Rebuild}
	var verdict string
	switch OutcomeOf(c) {
	case RebuiltIdentical:
		out.Status, verdict = check.Pass, "identical to the original"
	case RebuiltEquivalent:
		out.Status, verdict = check.Pass, equivalentText(c)
	case RebuiltDifferent:
		out.Status, verdict = check.Fail, "not the same"
		out.Findings = worst(c)
	default:
		out.Summary = "there was nothing to compare"
		return out
	}
	out.Findings = slices.Concat(out.Findings, allowances(c), harmless(c), known(c), outside(c), unbuilt(items))
	out.Bytes = vouchedFor(c)
	texts := []string{verdict, layersText(c), causesText(c)}
	if text := rulesText(c); text != "" {
		texts = append(texts, text)
	}
	out.Summary = strings.Join(append(texts, itemsText(items)), "; ")
	return out
}

// equivalentText says why images are equivalent: because a container sees the
// same, or because what it sees otherwise is allowed.
func equivalentText(c *compare.Comparison) string {
	if n := allowedCount(c); n > 0 {
		return "equivalent but for what is allowed: " + plural(n, "difference") + " that a container sees"
	}
	return "equivalent: a container sees the same"
}

// allowedCount counts the differences that are not harmless and allowed.
func allowedCount(c *compare.Comparison) (n int) {
	for _, f := range c.Config {
		if f.Allowed != "" && !f.Cause.Harmless() {
			n++
		}
	}
	for _, d := range c.Differences {
		if d.Allowed != "" && !d.Cause.Harmless() {
			n++
		}
	}
	return n
}

func vouchedFor(c *compare.Comparison) (n int64) {
	all := c.Equivalent()
	withAllowed := make(map[int]bool)
	for _, d := range c.Differences {
		if !d.Cause.Harmless() && d.Cause != compare.Extra {
			withAllowed[d.Layer] = true
		}
	}
	for _, l := range c.Layers {
		if l.Equal || all && !withAllowed[l.Index] {
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

// itemsText counts the store items, or the instructions of a Dockerfile, by
// where they came from.
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
	kind := noun(items)
	text := fmt.Sprintf("%s: %d built now, %d reused", plural(len(items), kind), count[Item{How: Built}], count[Item{How: Reused}])
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
	if len(others) == 0 && kind == storeItem {
		text += ", 0 substituted"
	}
	return text
}

// What a rebuild is made of.
const (
	storeItem   = "store item"
	instruction = "instruction"
)

// noun names what items are: a path is that of a store item, and anything else
// an instruction of a Dockerfile.
func noun(items []Item) string {
	if strings.HasPrefix(items[0].Path, "/") {
		return storeItem
	}
	return instruction
}

// unbuilt notes when no store item, or no instruction, was built in this run.
func unbuilt(items []Item) []check.Finding {
	built := slices.ContainsFunc(items, func(it Item) bool { return it.How == Built })
	if len(items) == 0 || built {
		return nil
	}
	return []check.Finding{{Rule: "nothing-built", Level: check.Note, Layer: -1,
		Words: "no " + noun(items) + " was built in this run: only the image was put together again"}}
}

// WithSteps adds to the check named rebuild where the builds of this run ran, if
// any ran on another machine.
func WithSteps(c check.Check, steps []Step) check.Check {
	count := make(map[string]int)
	for _, s := range steps {
		count[s.Machine]++
	}
	if len(steps) == count[""] {
		return c
	}
	var all []string
	for _, machine := range slices.Sorted(maps.Keys(count)) {
		name := machine
		if name == "" {
			name = "this machine"
		}
		all = append(all, fmt.Sprintf("%d on %s", count[machine], clip(name)))
	}
	c.Findings = append(slices.Clone(c.Findings), check.Finding{Rule: "built-elsewhere", Level: check.Note, Layer: -1,
		Words: plural(len(steps), "derivation") + " built in this run: " + strings.Join(all, ", ")})
	return c
}

// maxWorst bounds the differences that the findings name; the comparison has
// them all.
const maxWorst = 20

// worst names the differences that are not tolerable, the heaviest first.
func worst(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	for _, f := range c.Config {
		if !f.Tolerable() {
			found = append(found, finding("difference-config", -1, "", fmt.Sprintf("%s (%s): %s", fieldText(f.Field), f.Cause, change(f.Was, f.Now))))
		}
	}
	ds := slices.DeleteFunc(slices.Clone(c.Differences), compare.Difference.Tolerable)
	slices.SortStableFunc(ds, func(x, y compare.Difference) int { return cmp.Compare(weight(x.Cause), weight(y.Cause)) })
	total := len(found) + len(ds)
	for _, d := range ds[:min(len(ds), maxWorst)] {
		found = append(found, finding("difference-"+string(d.Cause), d.Layer, d.Path, fmt.Sprintf("%s: %s", d.Cause, compare.Summary(d.Cause, d.Was, d.Now, d.Detail))))
	}
	found = found[:min(len(found), maxWorst)]
	if more := total - len(found); more > 0 {
		found = append(found, finding("more-differences", -1, "", fmt.Sprintf("%d more are in the comparison", more)))
	}
	return found
}

// fieldText names a field of the config; "" is all of it.
func fieldText(field string) string {
	if field == "" {
		return "the config as a whole"
	}
	return "config field " + clip(field)
}

func finding(rule string, layer int, path, message string) check.Finding {
	return check.Finding{Rule: rule, Level: check.Problem, Layer: layer, Path: path, Words: message}
}

// weight orders causes by how much they change for who runs the image.
func weight(cause compare.Cause) int { return slices.Index(compare.AllCauses(), cause) }

// allowances says what became of each rule that allows differences.
func allowances(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	for _, a := range c.Allowances {
		f := finding("allowed", -1, "", "")
		f.Level = check.Note
		until := a.Expires.Format(time.DateOnly)
		switch {
		case a.Expired && a.Count > 0:
			f.Rule, f.Level = "allow-expired", check.Problem
			f.Words = fmt.Sprintf("the rule for %s of cause %s expired on %s; it would allow %s", clip(a.Pattern), a.Cause, until, plural(a.Count, "difference"))
		case a.Count == 0:
			f.Rule = "allow-unused"
			f.Words = fmt.Sprintf("the rule for %s of cause %s allows nothing here", clip(a.Pattern), a.Cause)
		default:
			f.Words = fmt.Sprintf("%s of cause %s at %s allowed until %s: %s", plural(a.Count, "difference"), a.Cause, clip(a.Pattern), until, clip(a.Reason))
		}
		f.Words += fmt.Sprintf(" (line %d of the rules)", a.Line)
		found = append(found, f)
	}
	return found
}

// rulesText names the rules that allow something, for the summary.
func rulesText(c *compare.Comparison) string {
	var all []string
	for _, a := range c.Allowances {
		if a.Count > 0 && !a.Expired {
			all = append(all, fmt.Sprintf("%d %s at %s (%s)", a.Count, a.Cause, clip(a.Pattern), clip(a.Reason)))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "allowed: " + strings.Join(all, ", ")
}

// known names the freedoms of packers that explain differences.
func known(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	for _, k := range c.Known {
		f := finding("known-"+k.Name, -1, "", fmt.Sprintf("%s explained: %s", plural(k.Count, "difference"), k.Text))
		f.Level = check.Note
		found = append(found, f)
	}
	return found
}

// outside notes what differs in how the same layers are packed, and in the
// image manifests: no container sees it, but digests of these differ.
func outside(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	if n := len(c.Blobs); n > 0 {
		first := c.Blobs[0]
		found = append(found, finding("blob-compression", first.Layer, "", fmt.Sprintf("%s the same bytes in another blob; the first: %s (%s)", verb(n, "layer", "is", "are"), first.Detail, change(first.Was, first.Now))))
	}
	if n := len(c.Manifest); n > 0 {
		first := c.Manifest[0]
		found = append(found, finding("manifest-differs", -1, "", fmt.Sprintf("the image manifests differ in %s; the first: %s (%s): %s", plural(n, "field"), clip(first.Field), first.Cause, change(first.Was, first.Now))))
	}
	for i := range found {
		found[i].Level = check.Note
	}
	return found
}

func verb(n int, noun, one, many string) string {
	if n == 1 {
		return "1 " + noun + " " + one
	}
	return fmt.Sprintf("%d %ss %s", n, noun, many)
}

// harmless names each harmless cause once, with its first difference.
func harmless(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	first := make(map[compare.Cause]check.Finding)
	for _, f := range c.Config {
		if _, ok := first[f.Cause]; !ok {
			first[f.Cause] = finding("", -1, "", fmt.Sprintf("%s: %s", fieldText(f.Field), change(f.Was, f.Now)))
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
		f.Rule, f.Level = "harmless-"+string(n.Cause), check.Note
		f.Words = fmt.Sprintf("%s of cause %s, which is harmless; the first: %s", plural(n.Count, "difference"), n.Cause, f.Words)
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

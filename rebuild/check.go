package rebuild

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// FailedCheck is the check named rebuild where a build ran and failed: it says
// nothing of the image, neither for it nor against it.
func FailedCheck(reason string) check.Check {
	c := check.Check{ID: check.Rebuild, Status: check.Unknown}
	line, _, _ := strings.Cut(reason, "\n")
	c.Because("rebuild/build-failed", "error", line)
	c.Findings = []check.Finding{check.Find(check.Problem, -1, "", "rebuild/build-failed", "error", reason)}
	return c
}

// Check is the check named rebuild: a pass when the rebuild is identical or
// equivalent, where the findings name each harmless cause. When it is different,
// they name the differences that weigh most, and it is a fail, but for an image
// that was given, which accuses nobody: then it is unknown. In all cases they name
// the known freedoms that explain differences, and what differs outside of config
// and layers. Items say where the parts of the rebuild came from. The bytes
// vouched for are those of the equal layers; when it is equivalent those of all.
func Check(c *compare.Comparison, given bool, items []Item) check.Check {
	out := check.Check{ID: check.Rebuild}
	switch c.Result() {
	case compare.Identical:
		out.Status = check.Pass
		out.Because("rebuild/identical")
	case compare.Equivalent:
		out.Status = check.Pass
		out.Because("rebuild/equivalent")
	case compare.Different:
		out.Findings = worst(c)
		if given {
			out.Because("rebuild/given-differs")
		} else {
			out.Status = check.Fail
			out.Because("rebuild/different")
		}
	default:
		out.Because("rebuild/nothing-compared")
		return out
	}
	out.Findings = slices.Concat(out.Findings, harmless(c), hidden(c), known(c), outside(c), unbuilt(items))
	out.Bytes = vouchedFor(c)
	becauseOf(&out, c)
	becauseOfItems(&out, given, items)
	return out
}

// becauseOf adds as reasons how many layers are equal and how many differences
// there are of each cause.
func becauseOf(out *check.Check, c *compare.Comparison) {
	equal := 0
	for _, l := range c.Layers {
		if l.Equal {
			equal++
		}
	}
	out.Because("rebuild/layers", "equal", equal, "layers", len(c.Layers))
	var causes []string
	for _, n := range c.Causes() {
		causes = append(causes, fmt.Sprintf("%d %s", n.Count, n.Cause))
	}
	if len(causes) == 0 {
		out.Because("rebuild/no-differences")
	} else {
		out.Because("rebuild/causes", "causes", causes)
	}
}

// becauseOfItems adds as reasons how many store items, or instructions, came from
// where.
func becauseOfItems(out *check.Check, given bool, items []Item) {
	if len(items) == 0 {
		if given {
			out.Because("rebuild/given")
		} else {
			out.Because("rebuild/items-unknown")
		}
		return
	}
	count := make(map[Item]int)
	for _, it := range items {
		key := Item{How: it.How}
		if it.How == Substituted {
			key.Source = it.Source
		}
		count[key]++
	}
	code := "rebuild/instructions"
	if areStoreItems(items) {
		code = "rebuild/store-items"
	}
	out.Because(code, "items", len(items), "built", count[Item{How: Built}], "reused", count[Item{How: Reused}], "pinned", count[Item{How: Pinned}])
	for _, it := range slices.SortedFunc(maps.Keys(count), func(x, y Item) int { return cmp.Compare(x.Source, y.Source) }) {
		if it.How == Substituted {
			out.Because("rebuild/substituted", "items", count[it], "server", it.Source)
		}
	}
}

// areStoreItems says whether items are store items, which have a path, and not
// instructions of a Dockerfile.
func areStoreItems(items []Item) bool { return strings.HasPrefix(items[0].Path, "/") }

func vouchedFor(c *compare.Comparison) (n int64) {
	for _, l := range c.Layers {
		if l.Equal || c.Equivalent() {
			n += l.Size
		}
	}
	return n
}

// unbuilt notes when no store item, or no instruction, was built in this run.
func unbuilt(items []Item) []check.Finding {
	built := slices.ContainsFunc(items, func(it Item) bool { return it.How == Built })
	if len(items) == 0 || built {
		return nil
	}
	return []check.Finding{check.Find(check.Note, -1, "", "rebuild/nothing-built", "items", len(items))}
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
	c.Findings = slices.Clone(c.Findings)
	for _, machine := range slices.Sorted(maps.Keys(count)) {
		if machine == "" {
			c.Findings = append(c.Findings, check.Find(check.Note, -1, "", "rebuild/built-here", "derivations", count[machine]))
		} else {
			c.Findings = append(c.Findings, check.Find(check.Note, -1, "", "rebuild/built-elsewhere", "derivations", count[machine], "machine", machine))
		}
	}
	return c
}

// maxWorst bounds the differences that the findings name; the comparison has
// them all.
const maxWorst = 20

// worst names the differences that are not harmless, those first that decide what runs or
// who may do what, then the config, and of each the heaviest first.
func worst(c *compare.Comparison) []check.Finding {
	fields := slices.DeleteFunc(slices.Clone(c.Config), func(f compare.FieldDifference) bool { return f.Cause.Harmless() })
	slices.SortStableFunc(fields, func(x, y compare.FieldDifference) int { return x.Weight() - y.Weight() })
	ds := slices.DeleteFunc(slices.Clone(c.Differences), func(d compare.Difference) bool { return d.Cause.Harmless() })
	compare.SortByWeight(ds, (*compare.Difference).Weight)
	var first, rest []check.Finding
	for _, f := range fields {
		one := check.Finding{Level: check.Problem, Layer: -1, Message: f.Summary()}
		if f.Decides() {
			first = append(first, one)
		} else {
			rest = append(rest, one)
		}
	}
	for _, d := range ds[:min(len(ds), maxWorst)] {
		if d.Privileged || d.Decides() && d.Known == "" {
			first = append(first, differs(d))
		} else {
			rest = append(rest, differs(d))
		}
	}
	found := append(first, rest...)
	found = found[:min(len(found), maxWorst)]
	if more := len(fields) + len(ds) - len(found); more > 0 {
		found = append(found, check.Find(check.Problem, -1, "", "rebuild/more-differences", "differences", more))
	}
	return found
}

// differs is the finding of one difference: the arguments of its summary, whose
// code is the argument "evidence", and its cause.
func differs(d compare.Difference) check.Finding {
	summary := compare.Summary(d.Cause, d.Was, d.Now, d.Evidence)
	f := check.Find(check.Problem, d.Layer, d.Path, "rebuild/difference", "cause", string(d.Cause), "evidence", summary.Code)
	if d.Privileged {
		f.Args["privileged"] = check.Say("value/lends-rights")
	}
	maps.Copy(f.Args, summary.Args)
	return f
}

// known names the freedoms that explain differences.
func known(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	for _, k := range c.Known {
		found = append(found, check.Find(check.Note, -1, "", k.Code, "differences", k.Count))
	}
	return found
}

// hidden names the entries of layers that no container sees and in which the
// images differ: they may have what was meant to be removed.
func hidden(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	more := 0
	for _, d := range c.Differences {
		switch {
		case !d.Shows(compare.HiddenEntry):
		case len(found) == maxWorst:
			more++
		default:
			found = append(found, check.Find(check.Note, d.Layer, d.Path, "rebuild/hidden-entry", "was", compare.Argument(d.Was), "now", compare.Argument(d.Now)))
		}
	}
	if more > 0 {
		found = append(found, check.Find(check.Note, -1, "", "rebuild/more-hidden-entries", "differences", more))
	}
	return found
}

// outside notes what differs in how the same layers are packed, and in the
// image manifests: no container sees it, but digests of these differ.
func outside(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	if n := len(c.Blobs); n > 0 {
		first := c.Blobs[0]
		found = append(found, check.Find(check.Note, first.Layer, "", "rebuild/blob-compression", "layers", n, "was", compare.Argument(first.Was), "now", compare.Argument(first.Now)))
	}
	if n := len(c.Manifest); n > 0 {
		first := c.Manifest[0]
		found = append(found, check.Find(check.Note, -1, "", "rebuild/manifest-differs",
			"fields", n, "field", first.Field, "cause", string(first.Cause), "was", check.Clip(first.Was), "now", check.Clip(first.Now)))
	}
	return found
}

// harmless names each harmless cause once, with its first difference.
func harmless(c *compare.Comparison) []check.Finding {
	var found []check.Finding
	counts := make(map[compare.Cause]int)
	for _, n := range c.Causes() {
		counts[n.Cause] = n.Count
	}
	first := make(map[compare.Cause]check.Finding)
	note := func(cause compare.Cause, layer int, path, field string, was, now any) {
		first[cause] = check.Find(check.Note, layer, path, "rebuild/harmless",
			"differences", counts[cause], "cause", string(cause), "field", field, "was", was, "now", now)
	}
	for _, f := range c.Config {
		if _, ok := first[f.Cause]; !ok {
			note(f.Cause, -1, "", f.Field, check.Clip(f.Was), check.Clip(f.Now))
		}
	}
	for _, d := range c.Differences {
		if f, ok := first[d.Cause]; !ok || f.Layer < 0 {
			note(d.Cause, d.Layer, d.Path, "", compare.Argument(d.Was), compare.Argument(d.Now))
		}
	}
	for _, n := range c.Causes() {
		if n.Cause.Harmless() {
			found = append(found, first[n.Cause])
		}
	}
	return found
}

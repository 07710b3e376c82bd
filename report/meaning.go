package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// insideLimit is what no look at an image alone can show. Every report that
// rebuilt nothing, and has nothing that is signed, says so.
const insideLimit = "Bytes that were changed inside a store item or another file, with every digest made to fit afterwards, " +
	"cannot be told from the image alone: only a rebuild, a substitute signed by a build farm, or a trusted database can tell."

// meaning says the verdict in a sentence, in the words that the evidence bears.
func (r *Report) meaning() string {
	switch r.Verdict {
	case rebuild.Reproducible:
		if r.Comparison == nil && !given(r) {
			return packedAgain("two operators")
		}
		return rebuiltBy(r) + r.sameBytes()
	case rebuild.Equivalent:
		return rebuiltBy(r) + " the same files with the same modes, owners and links; only the packaging differs" + packagingCauses(r.Comparison) + ", and each difference has its cause."
	case rebuild.Vouched, rebuild.Matching:
		return r.sameAs()
	case rebuild.Unreproducible, rebuild.Different:
		switch count := differenceCount(r.Comparison) + "." + gravest(r.Comparison); {
		case r.compared():
			return "The two images are different" + count
		case given(r):
			return "The image that was given to compare with is different" + count
		default:
			return rebuiltBy(r) + " something else" + count
		}
	case rebuild.Contradicted:
		return r.contradiction()
	case rebuild.BuildFailed:
		if r.givenRecipe() {
			return "Building the recipe that was given, which is not the image's own, failed: there is nothing to compare the image with."
		}
		return "Building the recipe again failed: there is nothing to compare the image with."
	}
	if rights := r.rights(); rights != "" {
		return rights + r.unverifiedMeaning() + r.unreadMeaning() + r.signedShare()
	}
	return r.unverifiedMeaning() + r.unreadMeaning() + r.signedShare() + r.standsOut()
}

// standsOut names the first file that nobody vouches for: what lends rights before all
// others, then what decides who has them, then the largest. Where nobody vouches for any
// file none stands out but what decides that.
func (r *Report) standsOut() string {
	vouched := slices.ContainsFunc(r.Coverage.Vouchers, func(v VoucherShare) bool { return v.Kind != vouch.Nobody && v.Files > 0 })
	if len(r.Vouchers.Nobody) == 0 {
		return ""
	}
	path := r.Vouchers.Nobody[0].Path
	if !vouched && accessOrder(path) > 2 {
		return ""
	}
	why := "nobody vouches for it"
	for _, f := range r.byWeight() {
		if f.Level > check.Note && f.Path == path {
			why = r.reason(f.Finding)
			break
		}
	}
	return " First to look at: " + shortPath(Printable(path), reasonLength) + ": " + why + "."
}

// recorded says whether digests of files in the image are in records of its own.
func (r *Report) recorded() bool {
	return slices.ContainsFunc(r.Coverage.Vouchers, func(v VoucherShare) bool {
		return v.Files > 0 && (v.Kind == vouch.Packaged || v.Kind == vouch.Recorded)
	})
}

// signedShare says how much of the files an image has that is signed, where anything is.
func (r *Report) signedShare() string {
	n := r.signedBytes()
	if n == 0 {
		return ""
	}
	return " Of the bytes in its files" + r.ofRead() + " " + percent(share(n, r.Coverage.Contents)) + " lead back to what trusted keys signed."
}

// signedBytes are those in files that lead back to what trusted keys signed.
func (r *Report) signedBytes() (n int64) {
	for _, v := range r.Coverage.Vouchers {
		if v.Kind == vouch.Rebuilt || v.Kind == vouch.Signed || v.Kind == vouch.Made {
			n += v.Bytes
		}
	}
	return n
}

// sameAs says that an image is the same, and on what that rests.
func (r *Report) sameAs() string {
	same := r.sameBytes()
	if r.Comparison != nil && r.Comparison.Result == compare.Equivalent {
		same = " the same files with the same modes, owners and links; only the packaging differs" + packagingCauses(r.Comparison) + "."
	}
	rests := " Some of what it is made of was only fetched or reused: nobody is known to have built it twice."
	switch {
	case r.Comparison == nil:
		return packedAgain("a trusted party")
	case given(r):
		rests = " Where that one comes from is not known here."
	case r.Verdict == rebuild.Vouched:
		rests = " Each part was built in this run, or a trusted party signed it."
	}
	return rebuiltBy(r) + same + rests
}

// sameBytes says that two images are one.
func (r *Report) sameBytes() string {
	if given(r) {
		return " the same bytes: the config and every layer."
	}
	return " the same image, byte for byte: the config and every layer."
}

// packedAgain says what a verdict rests on that no builder had a part in.
func packedAgain(signers string) string {
	return "Packing its store items again gave the same layers, and of these items each was signed by " + signers +
		" or made again from the others."
}

// given says that the image was compared with one that was made elsewhere.
func given(r *Report) bool { return r.Rebuild != nil && r.Rebuild.Status == Given }

// compared says that two images were compared, and that nothing else was asked for.
func (r *Report) compared() bool { return r.check(check.Recipe).has("report/comparison-only") }

func rebuiltBy(r *Report) string {
	if r.compared() {
		return "The other image has"
	}
	if given(r) {
		return "The image that was given to compare with has"
	}
	if r.givenRecipe() {
		return "Building the recipe that was given, which is not the image's own, gave"
	}
	return "Building the recipe again gave"
}

// givenRecipe says that the image was built again from a recipe of the user's.
func (r *Report) givenRecipe() bool { return r.Rebuild != nil && r.Rebuild.Basis.GivenRecipe }

// differenceCount counts what differs, without the fields of the config that
// only follow from the layers.
func differenceCount(c *Comparison) string {
	if c == nil {
		return ""
	}
	own, _ := splitFields(c.Config)
	fields := len(own)
	switch {
	case fields > 0 && len(c.Differences) == 0:
		return fmt.Sprintf(": %s in the config, none in files", count(fields, "difference"))
	case fields > 0:
		return fmt.Sprintf(": %s in files%s, %s in the config", count(len(c.Differences), "difference"), causeCounts(c.Differences), count(fields, "difference"))
	case len(c.Differences) > 0:
		return fmt.Sprintf(": %s in files%s", count(len(c.Differences), "difference"), causeCounts(c.Differences))
	}
	return ""
}

// gravest names what to look at first: a file that lends rights, a field of the config that
// decides what runs, a file that decides who may do what.
func gravest(c *Comparison) string {
	if c == nil {
		return ""
	}
	file, privileged := gravestFile(c.Differences)
	all := []string{gravestField(c.Config), file}
	if privileged {
		slices.Reverse(all)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if len(all) == 0 {
		return ""
	}
	return " Look first at " + strings.Join(all, ", and at ") + "."
}

// gravestFile names the file that lends rights, or else decides who has them, and weighs
// most, and says which of the two; "" when there is none.
func gravestFile(all []Difference) (words string, privileged bool) {
	var of []*Difference // files that lend rights, else those that decide who has them
	for i := range all {
		d := &all[i]
		if !d.SaysFirst() {
			continue
		}
		if len(of) > 0 && d.Privileged && !of[0].Privileged {
			of = nil
		}
		if len(of) == 0 || d.Privileged == of[0].Privileged {
			of = append(of, d)
		}
	}
	if len(of) == 0 {
		return "", false
	}
	d := slices.MinFunc(of, func(x, y *Difference) int { return x.weight() - y.weight() })
	what := "decides who may do what"
	if d.Privileged {
		what = "lends rights (setuid, setgid, a capability or a device)"
	}
	return fmt.Sprintf("%s (%s), which %s%s", short(d.Path), Printable(string(d.Cause)), what, asMore(len(of)-1)), d.Privileged
}

// gravestField names the field of the config that decides most of what runs and as whom;
// "" when none that differs does.
func gravestField(all []FieldDifference) string {
	own, _ := splitFields(all)
	own = slices.DeleteFunc(own, func(f FieldDifference) bool { return !f.SaysFirst() })
	if len(own) == 0 {
		return ""
	}
	f := own[0]
	return fmt.Sprintf("%s (%s → %s), which decides what runs and as whom%s", short(cmp.Or(f.Field, "the config")),
		shortPath(Printable(orAbsent(f.Was)), fieldClip), shortPath(Printable(orAbsent(f.Now)), fieldClip), asMore(len(own)-1))
}

// fieldClip bounds the characters of a value of the config in the answer.
const fieldClip = 40

// asMore counts what else is of a kind.
func asMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", as %d more", n)
}

// shownCauses bounds the causes that a sentence names.
const shownCauses = 4

// causeCounts names the weightiest causes of what differs in files, in
// parentheses; the only one needs no number.
func causeCounts(ds []Difference) string {
	if len(ds) == 0 {
		return ""
	}
	groups := byCause(ds)
	if len(groups) == 1 {
		return " (" + Printable(string(groups[0].Cause)) + ")"
	}
	var words []string
	for _, g := range groups[:min(len(groups), shownCauses)] {
		words = append(words, fmt.Sprintf("%d %s", len(g.Differences), Printable(string(g.Cause))))
	}
	if rest := len(groups) - len(words); rest > 0 {
		words = append(words, "and "+count(rest, "cause")+" more")
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// packagingCauses names the causes of what no container sees, which is all that
// equivalent images differ by.
func packagingCauses(c *Comparison) string {
	if c == nil {
		return ""
	}
	var harmless []Difference
	only := true
	for _, d := range c.Differences {
		if d.Cause.Harmless() {
			harmless = append(harmless, d)
			only = only && d.Cause == compare.Packaging
		}
	}
	if only { // the sentence says so
		return ""
	}
	return causeCounts(harmless)
}

// longDigest is one in hexadecimal digits, of which a sentence has the first.
var longDigest = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{20,}\b`)

// reason is what a finding says, in few words.
func (r *Report) reason(f Finding) string {
	return briefly(longDigest.ReplaceAllString(Printable(r.Words(f)), "$1…"), reasonLength)
}

const reasonLength = 160 // runes of a path, and of the words on it

func (r *Report) contradiction() string {
	var failed []string
	var problems []Finding
	for _, c := range r.Checks {
		if c.Status != check.Fail {
			continue
		}
		failed = append(failed, string(c.ID))
		for _, f := range c.Findings {
			if f.Level == check.Problem {
				problems = append(problems, f)
			}
		}
	}
	switch {
	case len(failed) == 0:
		return "The image is not what it claims to be."
	case r.givenRecipe() && len(failed) == 1 && failed[0] == string(check.Derivation):
		return "The recipe that was given is not the one that this image was made of: the check derivation says no." + r.firstProblem(problems)
	}
	return contradicted(failed, problems) + ": " + plural(len(failed), "the check ", "the checks ") +
		enumerate(failed) + plural(len(failed), " says no.", " say no.") + r.firstProblem(problems)
}

// contradicted says what is contradicted: the image, or no more than what was
// said of it in answers that are not what their key signed, or that all that it was
// made from is known.
func contradicted(failed []string, problems []Finding) string {
	ofImage := slices.ContainsFunc(problems, func(f Finding) bool { return f.Code != "signatures/bad-signature" })
	if len(failed) == 1 && failed[0] == string(check.Signatures) && !ofImage {
		return "What was asked to vouch for the image cannot be believed"
	}
	if len(failed) == 1 && failed[0] == string(check.Sources) {
		return "Not everything that the image was made from can be known"
	}
	return "The image is not what it claims to be"
}

// firstProblem is a sentence with the first of some findings.
func (r *Report) firstProblem(problems []Finding) string {
	if len(problems) == 0 {
		return ""
	}
	where := shortPath(Printable(problems[0].Path), reasonLength)
	if where != "" {
		where += ": "
	}
	return fmt.Sprintf(" The %s: %s%s.", plural(len(problems), "problem", fmt.Sprintf("first of %d problems", len(problems))),
		where, r.reason(problems[0]))
}

func (r *Report) unverifiedMeaning() string {
	var passed int
	for _, c := range r.Checks {
		if c.Status == check.Pass {
			passed++
		}
	}
	if passed == 0 {
		if r.recorded() {
			return "No check passed, and nothing was rebuilt: only records of the image's own, which nobody signed, speak for files in it."
		}
		return "No check passed, and nothing was rebuilt: nothing speaks for this image."
	}
	known := "that it comes from its recipe is not shown"
	switch r.Recipe.Status {
	case provenance.Partial:
		known = "how it was built is known in part"
	case provenance.None:
		known = "it has no recipe that is known here"
	}
	return fmt.Sprintf("Nothing that was examined contradicts this image (%d of %d checks passed), but it was not built again: %s.",
		passed, len(r.Checks), known)
}

// limits say what the verdict does not say.
func (r *Report) limits() []string {
	switch r.Verdict {
	case rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched, rebuild.Matching:
		if r.compared() {
			return trustLimits(r)
		}
		if given(r) {
			return append(trustLimits(r), "It does not say that the sources are free of faults or of malice.")
		}
		return append(trustLimits(r), "It does not say that the sources are free of faults or of malice: only that these bytes come from them.")
	case rebuild.Unreproducible, rebuild.Different:
		return append(trustLimits(r), "It does not say that anyone tampered: a build that records its time, its machine or its order of work differs too. The causes are where to look.")
	case rebuild.Contradicted:
		return []string{
			"It does not say why: damage, a faulty tool and tampering look alike. The findings name what does not fit, and where.",
			"A check that passes vouches for its own question only: it does not outweigh one that fails.",
		}
	case rebuild.BuildFailed:
		return []string{"It does not say that the image is wrong: sources vanish, and old builds fail on new machines.", insideLimit}
	}
	if r.signedBytes() > 0 {
		return r.signedLimits()
	}
	return []string{insideLimit}
}

// signedLimits say what signatures of what is in an image do not show.
func (r *Report) signedLimits() (limits []string) {
	if left := r.Coverage.Contents - r.signedBytes(); left > 0 {
		limits = append(limits, fmt.Sprintf("The other %s in its files lead back to no trusted key: where they were changed, and every digest "+
			"was made to fit afterwards, the image alone does not show it.", bytesWords(left)))
	}
	return append(limits, "A signature says who packed the files, and not that they are good or come from their sources.")
}

// trustLimits say what a rebuild took on trust.
func trustLimits(r *Report) (limits []string) {
	if r.Rebuild == nil {
		return nil
	}
	if r.compared() {
		return []string{"How either of them was made was not looked at: audit IMAGE does that for one."}
	}
	if given(r) {
		return []string{"How the other image was made is not known here: that it was built from the recipe rests on the word of whoever gave it."}
	}
	if r.givenRecipe() {
		limits = append(limits, "The recipe was given from outside: the image itself does not say that it was built from it.")
	}
	it := r.Rebuild.Items
	all := len(it.Built) + len(it.Reused) + len(it.Substituted)
	switch {
	case all == 0 && slices.ContainsFunc(r.Rebuild.Basis.Items, func(p rebuild.Part) bool { return len(p.Operators) > 1 }):
		return append(limits, "That several operators have built what they signed is their word: a build farm also signs what it fetched from another.")
	case all == len(it.Built):
		return limits
	case it.piece() == instruction:
		return append(limits, fmt.Sprintf("Of %s: %d built in this run. What the build started from, such as a base image, was taken as it is.", count(all, instruction), len(it.Built)))
	}
	return append(limits, fmt.Sprintf("Of %s: %d built in this run, %d already in the builder's store, %d fetched from a server. "+
		"What was not built now was taken on trust.",
		count(all, storeItem), len(it.Built), len(it.Reused), len(it.Substituted)))
}

// What a rebuild is made of.
const (
	storeItem   = "store item"
	instruction = "instruction"
)

// piece names what items are: a path is that of a store item, and anything else
// an instruction of a Dockerfile.
func (it Items) piece() string {
	paths := slices.Clone(it.Reused)
	for _, b := range it.Built {
		paths = append(paths, b.Path)
	}
	if slices.ContainsFunc(paths, func(p string) bool { return !strings.HasPrefix(string(p), "/") }) {
		return instruction
	}
	return storeItem
}

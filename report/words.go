package report

import (
	"fmt"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// insideLimit is what no look at an image alone can tell. Every report that
// rebuilt nothing says so.
const insideLimit = "Bytes that were changed inside a store item or another file, with every digest made to fit afterwards, " +
	"cannot be told from the image alone: only a rebuild, a substitute signed by a build farm, or a trusted database can tell."

// meaning says the verdict in a sentence, in the words that the evidence bears.
func meaning(r *Report) string {
	switch r.Verdict {
	case rebuild.Reproducible:
		return rebuiltBy(r) + " the same image, byte for byte: the config and every layer."
	case rebuild.Equivalent:
		return rebuiltBy(r) + " the same files with the same modes, owners and links; only the packaging differs, and each difference has its cause." + allowedWords(r.Comparison)
	case rebuild.Unreproducible:
		return rebuiltBy(r) + " something else" + differenceCount(r.Comparison) + "."
	case rebuild.Contradicted:
		return contradiction(r.Checks)
	case rebuild.BuildFailed:
		return "Building the recipe again failed: there is nothing to hold the image against."
	}
	return unverifiedMeaning(r.Checks)
}

// given says that the image was compared with one that was made elsewhere.
func given(r *Report) bool { return r.Rebuild != nil && r.Rebuild.Status == Given }

func rebuiltBy(r *Report) string {
	if given(r) {
		return "Comparing it with the image that was given shows"
	}
	return "Building the recipe again gave"
}

// differenceCount counts what differs, without the fields of the config that
// only follow from the layers.
func differenceCount(c *Comparison) string {
	if c == nil {
		return ""
	}
	own, _ := splitFields(c.Config)
	fields := len(own)
	switch {
	case fields > 0:
		return fmt.Sprintf(": %s in files, %s in the config", count(len(c.Differences), "difference"), count(fields, "difference"))
	case len(c.Differences) > 0:
		return fmt.Sprintf(": %s in files", count(len(c.Differences), "difference"))
	}
	return ""
}

// allowedWords name the differences that rules allow, by their reasons.
func allowedWords(c *Comparison) string {
	if c == nil {
		return ""
	}
	n := 0
	var reasons []string
	for _, a := range c.Allowances {
		if a.Count > 0 && !a.Expired {
			n += a.Count
			reasons = append(reasons, Printable(clip(string(a.Reason), reasonLength)))
		}
	}
	if n == 0 {
		return ""
	}
	if len(reasons) > shownReasons {
		reasons = append(reasons[:shownReasons], fmt.Sprintf("%d more", len(reasons)-shownReasons))
	}
	return fmt.Sprintf(" That holds but for %s that %s: %s.", count(n, "difference"), plural(len(reasons), "a rule allows", "rules allow"), strings.Join(reasons, "; "))
}

const (
	shownReasons = 3
	reasonLength = 120 // bytes
)

func contradiction(checks []Check) string {
	var failed []string
	for _, c := range checks {
		if c.Status == inspect.Fail {
			failed = append(failed, string(c.ID))
		}
	}
	if len(failed) == 0 {
		return "The image is not what it claims to be."
	}
	return "The image is not what it claims to be: " + plural(len(failed), "the check ", "the checks ") +
		enumerate(failed) + plural(len(failed), " says no.", " say no.")
}

func unverifiedMeaning(checks []Check) string {
	var passed int
	for _, c := range checks {
		if c.Status == inspect.Pass {
			passed++
		}
	}
	if passed == 0 {
		return "No check passed, and nothing was rebuilt: nothing speaks for this image."
	}
	return fmt.Sprintf("Nothing that was examined contradicts this image (%d of %d checks pass), but it was not built again: "+
		"that it comes from its recipe is not shown.", passed, len(checks))
}

// limits say what the verdict does not say.
func limits(r *Report) []string {
	switch r.Verdict {
	case rebuild.Reproducible, rebuild.Equivalent:
		return append(trustLimits(r), "It does not say that the sources are free of faults or of malice: only that these bytes come from them.")
	case rebuild.Unreproducible:
		return append(trustLimits(r), "It does not say that anyone tampered: a build that records its time, its machine or its order of work differs too. The causes are where to look.")
	case rebuild.Contradicted:
		return []string{
			"It does not say why: damage, a faulty tool and tampering look alike. The findings name what does not fit, and where.",
			"A check that passes vouches for its own question only: it does not outweigh one that fails.",
		}
	case rebuild.BuildFailed:
		return []string{"It does not say that the image is wrong: sources vanish, and old builds fail on new machines.", insideLimit}
	}
	return []string{insideLimit}
}

// trustLimits say what a rebuild took on trust.
func trustLimits(r *Report) []string {
	if r.Rebuild == nil {
		return nil
	}
	if given(r) {
		return []string{"How the other image was made is not known here: that it was built from the recipe rests on the word of whoever gave it."}
	}
	it := r.Rebuild.Items
	all := len(it.Built) + len(it.Reused) + len(it.Substituted)
	switch {
	case all == len(it.Built):
		return nil
	case it.piece() == instruction:
		return []string{fmt.Sprintf("Of %s: %d built in this run. What the build started from, such as a base image, was taken as it is.", count(all, instruction), len(it.Built))}
	}
	return []string{fmt.Sprintf("Of %s: %d built in this run, %d already in the builder's store, %d fetched from a server. "+
		"What was not built now was taken on trust.",
		count(all, storeItem), len(it.Built), len(it.Reused), len(it.Substituted))}
}

// What a rebuild is made of.
const (
	storeItem   = "store item"
	instruction = "instruction"
)

// piece names what items are: a path is that of a store item, and anything else
// an instruction of a Dockerfile.
func (it Items) piece() string {
	for _, paths := range [][]Text{it.Built, it.Reused} {
		if len(paths) > 0 && !strings.HasPrefix(string(paths[0]), "/") {
			return instruction
		}
	}
	return storeItem
}

// question is what a check asks.
func question(id inspect.CheckID) string {
	switch id {
	case inspect.Integrity:
		return "Are the bytes what the image's own descriptors say? Every digest, size and diffID is computed again."
	case inspect.Recipe:
		return "Does the image carry, or reveal, how it was built?"
	case inspect.Closure:
		return "Is every file explained, by a store item of the recipe or by the packer itself, and is every store reference present? What is left over is where things hide."
	case inspect.Repack:
		return "Does packing those store items again, by the packer's own rules of that era, give the same layers?"
	case inspect.Substitutes:
		return "Does each store item have the NAR hash that independent build farms have signed?"
	case inspect.Derivation:
		return "Does evaluating the recipe give the very store paths that are in the image?"
	case inspect.Rebuild:
		return "Does building the recipe again give the same layers, digest by digest?"
	}
	return ""
}

// causeWords explain a cause of differences.
func causeWords(c compare.Cause) string {
	switch c {
	case compare.Order:
		return "the same entries in another order, or in another layer"
	case compare.Timestamp:
		return "modification times"
	case compare.Mode:
		return "permissions, setuid, setgid, sticky"
	case compare.Owner:
		return "user or group"
	case compare.Link:
		return "targets of links, or a hard link against a file"
	case compare.Xattr:
		return "extended attributes, capabilities among them"
	case compare.Device:
		return "device numbers"
	case compare.Missing:
		return "only in the original"
	case compare.Extra:
		return "only in the rebuild"
	case compare.Type:
		return "a file here, a folder there"
	case compare.Content:
		return "the bytes of files"
	case compare.Packaging:
		return "tar format, PAX records, padding: nothing that a container sees"
	case compare.EmbeddedDate:
		return "a date or a time inside of files"
	case compare.EmbeddedPath:
		return "a folder or a host of the build inside of files"
	case compare.EmbeddedStorePath:
		return "the path of a store item inside of files"
	case compare.EmbeddedOrder:
		return "the same parts of a file in another order"
	case compare.Compression:
		return "the same bytes, packed otherwise"
	case compare.Derived:
		return "follows from the layers"
	}
	return ""
}

// originWords name an origin and say what it means.
func originWords(o Origin) [2]string {
	switch o {
	case Traced:
		return [2]string{"traced", "built from the recipe in this run, with the same bytes"}
	case Substituted:
		return [2]string{"substituted", "signed by a build farm, or fetched from one for the rebuild: its word is taken"}
	case Claimed:
		return [2]string{"claimed", "the recipe leads to it; nothing but the image vouches for its bytes"}
	case Packer:
		return [2]string{"packer's own", "laid by the packer itself, outside of store items"}
	case Differs:
		return [2]string{"differs", "a rebuild, or what a build farm signed, has other bytes"}
	case Unexplained:
		return [2]string{"unexplained", "no recipe leads to it"}
	}
	return [2]string{string(o), ""}
}

// recipeCounts counts what a recipe is made of, in the words of its system.
func recipeCounts(r Recipe) string {
	noun := "source"
	if r.System == provenance.Guix {
		noun = "channel"
	}
	return count(len(r.Channels), noun) + ", " + count(len(r.Packages), "package")
}

// count writes "1 layer", "2 layers".
func count(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, plural(n, noun, noun+"s"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// enumerate writes "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
}

// bytesWords writes a size for people, in powers of 1024.
func bytesWords(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, next
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

// percent writes a share, rounded down: 100% means every byte.
func percent(share float64) string {
	tenths := int(share*1000 + 1e-9)
	switch {
	case tenths == 0 && share > 0:
		return "<0.1%"
	case tenths%10 == 0:
		return fmt.Sprintf("%d%%", tenths/10)
	}
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

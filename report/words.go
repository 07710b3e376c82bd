package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// question is what a check asks.
func question(id check.ID) string {
	switch id {
	case check.Integrity:
		return "Are the bytes what the image's own descriptors say? Every digest, size and diffID is computed again."
	case check.Recipe:
		return "Does the image carry, or reveal, how it was built?"
	case check.Closure:
		return "Is every file explained, by a store item of the recipe, a package or the packer itself, and is every store reference present? What is left over is where things hide."
	case check.Repack:
		return "Does packing those store items again, by the packer's own rules of that era, give the same layers?"
	case check.Signatures:
		return "Did parties that are trusted sign these bytes: build farms, a vendor, the archive of a distribution?"
	case check.Sources:
		return "Does every input lead back to a source with a hash, or to a known seed?"
	case check.Derivation:
		return "Does evaluating the recipe give the very store paths that are in the image?"
	case check.Rebuild:
		return "Does building the recipe again give the same layers, digest by digest?"
	}
	return ""
}

// summary says in one message what a difference is: of what lies inside of a file, where.
func (d *Difference) summary() check.Message {
	return compare.Summary(d.Cause, compare.TextValue(d.Was), compare.TextValue(d.Now), d.messages())
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
		return "targets of links, or a hard link against another file"
	case compare.HardLink:
		return "the same bytes under each name: one file with several names here, several files there"
	case compare.Xattr:
		return "extended attributes, capabilities among them"
	case compare.Device:
		return "device numbers"
	case compare.Missing:
		return "only in the original"
	case compare.Extra:
		return "only in the rebuild"
	case compare.Renamed:
		return "the same file or folder, under another name"
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

// voucherWords name a kind of voucher and say what it means.
func voucherWords(k vouch.Kind) [2]string {
	switch k {
	case vouch.Rebuilt:
		return [2]string{"rebuilt", "made again from its source, by this run or by others who signed that, with the same bytes"}
	case vouch.Signed:
		return [2]string{"signed", "in a package or store item that a trusted key signed"}
	case vouch.Made:
		return [2]string{"made from signed files", "by a rule that was applied again and gave the same bytes"}
	case vouch.Matched:
		return [2]string{"served to the builder", "the builder had or fetched the same bytes, by its own trust"}
	case vouch.Recorded:
		return [2]string{"recorded by a language's tool", "the digest is in an unsigned record beside the files"}
	case vouch.Packaged:
		return [2]string{"the image's own record", "the digest is in the image's package database, which nobody signed"}
	case vouch.Instruction:
		return [2]string{"instruction or recipe only", "it is explained that they are there, and nobody says what is in them"}
	case vouch.Differs:
		return [2]string{"differs", "a rebuild, or what is signed, has other bytes"}
	case vouch.Nobody:
		return [2]string{"nobody", "no digest of a package or a record says what is in them, and no recipe or instruction explains them"}
	}
	return [2]string{string(k), ""}
}

// words are what build systems are spoken of with, and the sentences of all codes.
type words struct {
	systems   []rebuild.About
	sentences Sentences
}

func newWords(systems []rebuild.About) words { return words{systems, SentencesOf(systems)} }

// SentencesOf is the table of all sentences: those of build systems, too.
func SentencesOf(systems []rebuild.About) Sentences {
	var tables []map[string]string
	for _, s := range systems {
		tables = append(tables, s.Sentences)
	}
	return AllSentences(tables...)
}

// of are the words of a build system, none for one that is not known.
func (w words) of(name provenance.SystemName) rebuild.About {
	i := slices.IndexFunc(w.systems, func(s rebuild.About) bool { return s.Name == name })
	if i < 0 {
		return rebuild.About{}
	}
	return w.systems[i]
}

// recipeCounts counts what a recipe is made of, in the words of its system; "" where it
// has neither sources nor packages of its own.
func (r *Report) recipeCounts() string {
	var parts []string
	if n := len(r.Recipe.Channels); n > 0 {
		parts = append(parts, count(n, cmp.Or(r.words.of(r.Recipe.System).Sources, "source")))
	}
	if n := len(r.Recipe.Packages); n > 0 {
		parts = append(parts, count(n, "package"))
	}
	return strings.Join(parts, ", ")
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
func enumerate(words []string) string { return joined(words, " and ") }

// oneOf writes "a", "a or b", "a, b or c".
func oneOf(words []string) string { return joined(words, " or ") }

func joined(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + last + words[n-1]
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

// secondsWords writes how long something took.
func secondsWords(seconds float64) string {
	switch {
	case seconds < 0.01:
		return "under 0.01 s"
	case seconds < 1:
		return fmt.Sprintf("%.2f s", seconds)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// vouchless says why a check vouches for no bytes.
func vouchless(s check.Status) string {
	switch s {
	case check.Skipped:
		return "skipped"
	case check.Pass:
		return "says nothing of bytes"
	}
	return "none"
}

// percentOf writes the share of what has bytes: never as none of them.
func percentOf(share float64, bytes int64) string {
	if share == 0 && bytes > 0 {
		return "<0.1%"
	}
	return percent(share)
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

package signatures

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// A standing is what all servers together say about an item.
type standing struct {
	item     inspect.StoreItem
	outcomes []Outcome // one a server
	agree    []Key     // independent, that signed the NAR hash found here
	differs  bool      // a trusted key signed another one
	forged   bool      // an answer bears no signature that can be trusted
}

// isProven says that what was signed is what was found.
func (s standing) isProven() bool { return len(s.agree) > 0 && !s.differs }

// isLocal says that no farm can know the item, and none does.
func (s standing) isLocal() bool {
	return isLocal(s.item.Path) && len(s.agree) == 0 && !s.differs && !s.forged
}

// isOpen says that nobody who is trusted has spoken of the item, and someone
// could have.
func (s standing) isOpen() bool { return !s.differs && !s.isProven() && !s.isLocal() }

// stand sums up the outcomes of one item and tells each how many keys agree.
func stand(item inspect.StoreItem, outcomes []Outcome) standing {
	s := standing{item: item, outcomes: outcomes}
	for _, o := range outcomes {
		s.differs = s.differs || o.Word == Differs
		s.forged = s.forged || o.Word == BadSignature
		if o.Word == Signed {
			s.agree = append(s.agree, o.Keys...)
		}
	}
	s.agree = independent(s.agree)
	for i := range outcomes {
		outcomes[i].Agree = len(s.agree)
	}
	return s
}

// independent drops keys that are there already, whatever they are called, and
// sorts by name.
func independent(keys []Key) []Key {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int { return strings.Compare(a.Fingerprint(), b.Fingerprint()) })
	keys = slices.CompactFunc(keys, func(a, b Key) bool { return a.Fingerprint() == b.Fingerprint() })
	slices.SortStableFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return keys
}

// conclude makes the check of all outcomes, those of each item side by side.
func conclude(items []inspect.StoreItem, outcomes []Outcome, cacheErr error) check.Check {
	c := check.Check{ID: check.Signatures}
	if len(items) == 0 {
		c.Summary = "the image holds no store item that a build farm could know"
		return c
	}
	n := len(outcomes) / len(items)
	all := make([]standing, len(items))
	for i, item := range items {
		all[i] = stand(item, outcomes[i*n:(i+1)*n])
		if all[i].isProven() {
			c.Bytes += item.Bytes
		}
	}
	c.Status = status(all)
	c.Summary = summary(all)
	c.Findings = findings(all)
	if cacheErr != nil {
		c.Findings = append(c.Findings, check.Finding{Rule: "cache", Layer: -1, Words: "answers are not kept for the next run: " + plain(cacheErr).Error()})
	}
	return c
}

// status fails where a farm contradicts, and where all that there is for an item
// is an answer that nobody who is trusted signed: a server that was asked gave
// what it must not give.
func status(all []standing) check.Status {
	proven, open := 0, 0
	for _, s := range all {
		switch {
		case s.differs, s.isOpen() && s.forged:
			return check.Fail
		case s.isProven():
			proven++
		case s.isOpen():
			open++
		}
	}
	if proven > 0 && open == 0 {
		return check.Pass
	}
	return check.Unknown
}

// pick returns the standings for which is holds.
func pick(all []standing, is func(standing) bool) []standing {
	var picked []standing
	for _, s := range all {
		if is(s) {
			picked = append(picked, s)
		}
	}
	return picked
}

// summary is one line: what is signed, by whom, and what is left.
func summary(all []standing) string {
	differing := pick(all, func(s standing) bool { return s.differs })
	proven := pick(all, standing.isProven)
	open := pick(all, standing.isOpen)
	local := pick(all, standing.isLocal)
	var parts []string
	if n := len(differing); n > 0 {
		parts = append(parts, fmt.Sprintf("build farms signed another NAR hash of %s: %s", provenance.Count(n, "store item"), listed(differing)))
	}
	parts = append(parts, fmt.Sprintf("%s of %d signed with the NAR hash found here%s", provenance.Count(len(proven), "store item"), len(all), by(proven)))
	if n := len(open); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not covered (%s): %s", n, reasons(open), listed(open)))
	}
	if n := len(local); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not covered that no farm has, since farms build packages and not profiles: %s", n, listed(local)))
	}
	return strings.Join(append(parts, troubles(all)...), "; ")
}

// by says who signed, and how far the signers agree when there are several.
func by(proven []standing) string {
	var keys []Key
	for _, s := range proven {
		keys = append(keys, s.agree...)
	}
	keys = independent(keys)
	if len(keys) < 2 {
		if len(keys) == 1 {
			return " by " + keys[0].Name
		}
		return ""
	}
	var counts []string
	for k := len(keys); k > 0; k-- {
		if n := len(pick(proven, func(s standing) bool { return len(s.agree) == k })); n > 0 {
			counts = append(counts, fmt.Sprintf("%d by %d", n, k))
		}
	}
	return fmt.Sprintf(" (%s of the keys %s)", strings.Join(counts, ", "), names(keys))
}

// reasons counts why items are open: the word of each that says most.
func reasons(open []standing) string {
	var counts []string
	for _, w := range []Word{BadSignature, Unreachable, Unknown} {
		if n := len(pick(open, func(s standing) bool { return s.gravest() == w })); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, w))
		}
	}
	return strings.Join(counts, ", ")
}

// gravest returns the word of an open item that weighs most.
func (s standing) gravest() Word {
	w := Unknown
	for _, o := range s.outcomes {
		if o.Word == BadSignature || w == Unknown {
			w = o.Word
		}
	}
	return w
}

// troubles counts answers that came to nothing for items that are settled
// without them, which else nobody would see.
func troubles(all []standing) []string {
	bad, silent := 0, 0
	for _, s := range all {
		if s.isOpen() {
			continue
		}
		for _, o := range s.outcomes {
			switch o.Word {
			case BadSignature:
				bad++
			case Unreachable:
				silent++
			}
		}
	}
	var parts []string
	if bad > 0 {
		parts = append(parts, provenance.Count(bad, "other answer")+" not signed as it should be")
	}
	if silent > 0 {
		parts = append(parts, provenance.Count(silent, "other question")+" without an answer")
	}
	return parts
}

// listedNames bounds how many items a line names.
const listedNames = 3

func listed(all []standing) string {
	var some []string
	for _, s := range all[:min(len(all), listedNames)] {
		some = append(some, s.item.Path[strings.LastIndexByte(s.item.Path, '/')+1:])
	}
	text := strings.Join(some, ", ")
	if more := len(all) - len(some); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

package signatures

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// Terms are what answers are judged by.
type Terms struct {
	// AtLeast is how many operators must have signed an item; 0 means one.
	AtLeast int
	// Follows are the store items of which was proved that their content follows
	// from other items. They need no signature: no farm has them.
	Follows map[string]bool
	// Unstable are the store items of which two builds in this run differ from each
	// other: another hash that is signed then contradicts nothing.
	Unstable map[string]bool
}

// A standing is what all servers together say about an item.
type standing struct {
	item     inspect.StoreItem
	outcomes []Outcome // one a server
	agree    []Key     // independent, that signed the NAR hash found here
	differs  bool      // a trusted key signed another one
	forged   bool      // an answer bears no signature that can be trusted
	follows  bool      // its content was proved to follow from other items
	unstable bool      // two builds in this run differ
	atLeast  int       // operators that must have signed
}

// isProven says that what enough operators signed is what was found.
func (s standing) isProven() bool { return !s.differs && len(operators(s.agree)) >= s.atLeast }

// isFollowing says that the item needs no signature and has none.
func (s standing) isFollowing() bool {
	return s.follows && len(s.agree) == 0 && !s.differs && !s.forged
}

// isOpen says that not enough of those who are trusted have spoken of the item, and
// none has signed another hash.
func (s standing) isOpen() bool { return !s.differs && !s.isProven() && !s.isFollowing() }

// disagree says that trusted keys signed different hashes of the item: the package does
// not come out the same twice, or one of them signed other bytes than were built.
func (s standing) disagree() bool { return len(s.signed()) > 1 }

// signed lists each NAR hash that trusted keys signed of the item, that of the image
// first, with the operators: "sha256:… (one, two)".
func (s standing) signed() (all []string) {
	by := make(map[string][]Key)
	for _, o := range s.outcomes {
		if o.isProof() {
			by[o.SignedHash.String()] = append(by[o.SignedHash.String()], o.Keys...)
		}
	}
	hashes := slices.Sorted(maps.Keys(by))
	if i := slices.Index(hashes, s.item.NarHash.String()); i > 0 {
		hashes = slices.Insert(slices.Delete(hashes, i, i+1), 0, s.item.NarHash.String())
	}
	for _, hash := range hashes {
		all = append(all, hash+" ("+strings.Join(operators(by[hash]), ", ")+")")
	}
	return all
}

// stand sums up the outcomes of one item and notes in each how many keys agree.
func stand(item inspect.StoreItem, outcomes []Outcome, terms Terms) standing {
	s := standing{item: item, outcomes: outcomes, atLeast: max(terms.AtLeast, 1), follows: terms.Follows[item.Path], unstable: terms.Unstable[item.Path]}
	for _, o := range outcomes {
		s.differs = s.differs || o.Word == Differs
		s.forged = s.forged || o.Word == BadSignature || o.Word == Untrusted
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

// Conclude makes the check named signatures of the outcomes that [Check] returned
// about the same items, by other terms: what a rebuild has shown since is taken
// into account.
func Conclude(items []inspect.StoreItem, outcomes []Outcome, terms Terms) check.Check {
	items = sorted(items)
	c := check.Check{ID: check.Signatures}
	if len(items) == 0 {
		c.Because("signatures/no-items")
		return c
	}
	n := len(outcomes) / len(items)
	all := make([]standing, len(items))
	for i, item := range items {
		all[i] = stand(item, outcomes[i*n:(i+1)*n], terms)
		if all[i].isProven() {
			c.Bytes += item.Bytes
		}
	}
	c.Findings = findings(all)
	c.Reasons = reasons(all)
	if c.Status = check.Worst(c.Findings); c.Bytes == 0 && c.Status == check.Pass && !slices.ContainsFunc(all, standing.isProven) {
		c.Status = check.Unknown
	}
	return c
}

// sorted returns the items in the order of outcomes: by path.
func sorted(items []inspect.StoreItem) []inspect.StoreItem {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b inspect.StoreItem) int { return cmp.Compare(a.Path, b.Path) })
	return items
}

// Operators returns, by store item, the operators whose trusted keys signed the
// very hash that was computed of it, each once, sorted; none for an item of which
// any trusted key signed another.
func Operators(outcomes []Outcome) map[string][]string {
	signed, differs := make(map[string][]Key), make(map[string]bool)
	for _, o := range outcomes {
		differs[o.Path] = differs[o.Path] || o.Word == Differs
		if o.Word == Signed {
			signed[o.Path] = append(signed[o.Path], o.Keys...)
		}
	}
	by := make(map[string][]string)
	for path, keys := range signed {
		if !differs[path] {
			by[path] = operators(keys)
		}
	}
	return by
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

// reasons say what is signed, by whom, and what is left.
func reasons(all []standing) []check.Message {
	var c check.Check
	if differing := pick(all, func(s standing) bool { return s.differs }); len(differing) > 0 {
		c.Because("signatures/differing", named(differing)...)
	}
	if disagreed := pick(all, standing.disagree); len(disagreed) > 0 {
		c.Because("signatures/disagreeing", named(disagreed)...)
	}
	proven := pick(all, standing.isProven)
	c.Because("signatures/signed", append([]any{"signed", len(proven), "items", len(all)}, by(proven)...)...)
	if open := pick(all, standing.isOpen); len(open) > 0 {
		c.Because("signatures/not-covered", append(named(open), "causes", causes(open))...)
	}
	if following := pick(all, standing.isFollowing); len(following) > 0 {
		c.Because("signatures/following", named(following)...)
	}
	bad, silent := settledWithout(all)
	if bad > 0 {
		c.Because("signatures/other-bad-answers", "count", bad)
	}
	if silent > 0 {
		c.Because("signatures/other-silences", "count", silent)
	}
	return c.Reasons
}

// by says who signed, and how far the operators agree when there are several.
func by(proven []standing) []any {
	var keys []Key
	for _, s := range proven {
		keys = append(keys, s.agree...)
	}
	keys = independent(keys)
	who := operators(keys)
	if len(who) < 2 {
		return []any{"keys", names(keys)}
	}
	var counts []string
	for k := len(who); k > 0; k-- {
		if n := len(pick(proven, func(s standing) bool { return len(operators(s.agree)) == k })); n > 0 {
			counts = append(counts, fmt.Sprintf("%d by %d", n, k))
		}
	}
	return []any{"operators", who, "agreement", counts}
}

// causes counts why items are open: the word of each that says most.
func causes(open []standing) []string {
	var counts []string
	count := func(cause string, is func(standing) bool) {
		if n := len(pick(open, is)); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, cause))
		}
	}
	for _, w := range []Word{BadSignature, Untrusted, Unreachable, Unknown} {
		count(w.String(), func(s standing) bool { return s.gravest().Word == w && len(s.agree) == 0 })
	}
	count("by too few operators", func(s standing) bool { return len(s.agree) > 0 })
	return counts
}

// gravest returns the outcome of an open item that weighs most.
func (s standing) gravest() Outcome {
	var g Outcome
	for i, o := range s.outcomes {
		if i == 0 || o.Word == BadSignature && g.Word != BadSignature || g.Word == Unknown {
			g = o
		}
	}
	return g
}

// settledWithout counts answers that came to nothing for items that are settled
// without them, which else nobody would see: bad ones, and none at all. One by a key
// that is not trusted has a note of its own.
func settledWithout(all []standing) (bad, silent int) {
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
	return bad, silent
}

// namedItems bounds how many items a reason names.
const namedItems = 3

// named are the arguments of a message about several items: their count, the names
// of the first, and how many more there are.
func named(all []standing) []any {
	var some []string
	for _, s := range all[:min(len(all), namedItems)] {
		some = append(some, s.item.Path[strings.LastIndexByte(s.item.Path, '/')+1:])
	}
	return []any{"count", len(all), "names", some, "beyond", len(all) - len(some)}
}

package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// items are the store items of all images, with their contents: of a fleet that is most of
// what a summary has to remember. Their paths are kept as digests, but for those that turn
// out to have several contents.
type items struct {
	first map[[16]byte]uint32 // the number of the first content of a path, by the digest of that
	more  map[content]uint32  // the numbers of its other contents
	paths map[uint32]string   // that have others, by the number of the first
	each  map[uint32][]uint32 // the numbers of all contents of those

	sums  []packed          // of the contents, by their numbers
	forms map[packed]string // of contents that are given in another form than narForm
}

// A packed is the digest of a NAR: its bytes, or those of a digest over what is none of
// narForm, and which of the two.
type packed struct {
	sum     [sha256.Size]byte
	isOther bool
}

// A content is that of a path, which is named by the number of its first one.
type content struct {
	path uint32
	packed
}

// maxPairs bounds the store items of all images together that are kept, by their content.
const maxPairs = 10_000_000

// narForm is how reports give the digest of a NAR: this, and 64 digits.
const narForm = "sha256:"

func newItems() *items {
	return &items{
		first: make(map[[16]byte]uint32), more: make(map[content]uint32), paths: make(map[uint32]string), each: make(map[uint32][]uint32),
		forms: make(map[packed]string),
	}
}

// numbers gives each store item with its content a number, the same for the same.
func (s *items) numbers(all []item) []uint32 {
	numbers := make([]uint32, 0, len(all))
	for _, it := range all {
		if n, ok := s.number(it); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// number is that of one item; false where there are too many.
func (s *items) number(it item) (n uint32, ok bool) {
	path := sha256.Sum256([]byte(it.Path))
	key, sum := [16]byte(path[:16]), s.pack(it.NarHash)
	first, isKnown := s.first[key]
	if isKnown && s.sums[first] == sum {
		return first, true
	}
	if n, ok := s.more[content{first, sum}]; isKnown && ok {
		return n, true
	}
	if len(s.sums) == maxPairs {
		return 0, false
	}
	n = uint32(len(s.sums))
	s.sums = append(s.sums, sum)
	if !isKnown {
		s.first[key] = n
		return n, true
	}
	if s.each[first] == nil {
		s.paths[first], s.each[first] = it.Path, []uint32{first}
	}
	s.more[content{first, sum}], s.each[first] = n, append(s.each[first], n)
	return n, true
}

// pack packs the digest of a NAR.
func (s *items) pack(narHash string) (p packed) {
	digits, isUsual := strings.CutPrefix(narHash, narForm)
	if isUsual && len(digits) == hex.EncodedLen(len(p.sum)) && digits == strings.ToLower(digits) {
		if _, err := hex.Decode(p.sum[:], []byte(digits)); err == nil {
			return p
		}
	}
	p = packed{sha256.Sum256([]byte(narHash)), true}
	s.forms[p] = narHash
	return p
}

// narHash is what pack packed.
func (s *items) narHash(n uint32) string {
	if p := s.sums[n]; !p.isOther {
		return narForm + hex.EncodeToString(p.sum[:])
	}
	return s.forms[s.sums[n]]
}

// contents finds the store paths that have more than one content.
func (s *items) contents(rows []Row) (all []Contents) {
	found := make(map[uint32]*Content)
	for _, numbers := range s.each {
		for _, n := range numbers {
			found[n] = &Content{NarHash: s.narHash(n)}
		}
	}
	for _, r := range rows {
		for _, n := range r.items {
			if c := found[n]; c != nil {
				c.Images = append(c.Images, r.Reference)
			}
		}
	}
	for first, numbers := range s.each {
		c := Contents{Path: s.paths[first]}
		for _, n := range numbers {
			if found[n].Images, found[n].Count = named(found[n].Images); found[n].Count > 0 { // else of a report that another stands for
				c.Each = append(c.Each, *found[n])
			}
		}
		if len(c.Each) < 2 {
			continue
		}
		slices.SortFunc(c.Each, func(x, y Content) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.NarHash, y.NarHash))
		})
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y Contents) int { return cmp.Compare(x.Path, y.Path) })
	return all
}

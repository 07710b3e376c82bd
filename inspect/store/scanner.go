package store

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// A Scanner looks for store hashes in a stream of bytes, as builders do to find
// the references of an item: every run of 32 hash digits may be the hash of a
// store item. Which of them are is known only when all layers have been read, so
// it remembers them by a fingerprint.
//
// Beyond that it takes note of whole store paths ("/STORE/HASH-NAME"), since
// those may name items that are not in the image.
type Scanner struct {
	Seen    *Sightings
	carry   []byte // bytes of the stream whose windows are not all decided
	context int    // of them, decided already and kept to look back at
}

// Sightings are the store hashes and store paths that one owner (a store item,
// or a file outside the store) names.
type Sightings struct {
	hashes map[uint64]struct{}
	paths  map[string]string // store path → entry that names it first
	From   string            // the entry being scanned
	Budget *Budget
}

// A Budget bounds what a whole image may make us remember, and has what all
// scanners of the image share.
type Budget struct {
	Dirs     Dirs
	lookBack int          // bytes of the longest of Dirs, with a slash
	left     atomic.Int64 // below zero when it is overdrawn
	seed     maphash.Seed
}

// NewBudget allows for n store hashes; store paths are looked for in dirs. What two
// images have of a layer that both have can be shared where the seed is the same.
func NewBudget(n int, dirs Dirs, seed maphash.Seed) *Budget {
	b := &Budget{Dirs: dirs, seed: seed}
	for _, dir := range dirs {
		b.lookBack = max(b.lookBack, len(dir)+1)
	}
	b.left.Store(int64(n))
	return b
}

// key is the fingerprint under which a store hash is remembered.
func (b *Budget) key(hash []byte) uint64 { return maphash.Bytes(b.seed, hash) }

// spend takes n from the budget; false when nothing is left.
func (b *Budget) spend(n int64) bool { return b.left.Add(-n) >= 0 }

// Spend takes what was remembered for another image.
func (b *Budget) Spend(n int64) { b.spend(n) }

// IsOverdrawn says that not all was remembered.
func (b *Budget) IsOverdrawn() bool { return b.left.Load() < 0 }

// pathCost is what remembering a whole path costs, in hashes.
const pathCost = 16

const (
	lookAhead = 1 + maxStoreName
	// maxStoreName is the longest name that stores allow, in characters.
	maxStoreName = 211
)

// Write scans the next bytes of the stream, where they lie but for those at their
// ends. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	n := len(p)
	if len(s.carry) > 0 {
		// The windows that begin in carry end in what is added, and that reaches as far
		// behind the next one as anybody looks back.
		added := min(n, s.Seen.Budget.lookBack+hashChars+lookAhead)
		s.carry = append(s.carry, p[:added]...)
		i := s.scan(s.carry, s.context, len(s.carry)-lookAhead)
		if added == n {
			s.keep(s.carry, i)
			return n, nil
		}
		s.context = i - (len(s.carry) - added)
	}
	s.keep(p, s.scan(p, s.context, n-lookAhead))
	return n, nil
}

// Close ends the stream; the next write starts another.
func (s *Scanner) Close() {
	s.scan(s.carry, s.context, len(s.carry))
	s.carry, s.context = s.carry[:0], 0
}

// scan decides the windows of buf from i on that end at or before end, and returns
// where the first is that it has not decided.
func (s *Scanner) scan(buf []byte, i, end int) int {
	b := buf[:max(end, 0)]
	for i = skip(b, i); i+hashChars <= len(b); i = skip(b, i) {
		if !isHashDigit[b[i+hashChars-1]] { // nearly always
			i += hashChars
			continue
		}
		if j := lastForeign(b[i : i+hashChars]); j >= 0 {
			i += j + 1
			continue
		}
		s.Seen.add(buf, i)
		i++
	}
	return i
}

// keep carries what there is of buf from the window at i on, and what is looked back
// at from there.
func (s *Scanner) keep(buf []byte, i int) {
	from := max(0, min(i, len(buf))-s.Seen.Budget.lookBack)
	s.context = i - from
	s.carry = append(s.carry[:0], buf[from:]...)
}

// lastForeign returns the place of the last byte outside hashDigits, or -1.
func lastForeign(window []byte) int {
	for j := len(window) - 1; j >= 0; j-- {
		if !isHashDigit[window[j]] {
			return j
		}
	}
	return -1
}

// add takes note of the hash at buf[i:].
func (s *Sightings) add(buf []byte, i int) {
	s.hashes = s.remember(s.hashes, buf[i:i+hashChars])
	if i+hashChars >= len(buf) || buf[i+hashChars] != '-' {
		return
	}
	dir := s.Budget.Dirs.before(buf[:i])
	if dir == "" {
		return
	}
	name := storeName(buf[i+hashChars+1:])
	if len(name) == 0 {
		return
	}
	path := dir + "/" + string(buf[i:i+hashChars+1+len(name)])
	if _, ok := s.paths[path]; ok || !s.Budget.spend(pathCost) {
		return
	}
	if s.paths == nil {
		s.paths = make(map[string]string)
	}
	s.paths[path] = s.From
}

func (s *Sightings) remember(set map[uint64]struct{}, hash []byte) map[uint64]struct{} {
	key := s.Budget.key(hash)
	if _, ok := set[key]; ok {
		return set
	}
	if !s.Budget.spend(1) {
		return set
	}
	if set == nil {
		set = make(map[uint64]struct{})
	}
	set[key] = struct{}{}
	return set
}

// before returns the store that text ends with the path of, "" when there is none.
func (d Dirs) before(text []byte) string {
	text, ok := bytes.CutSuffix(text, []byte("/"))
	if !ok {
		return ""
	}
	for _, dir := range d {
		if bytes.HasSuffix(text, []byte(dir)) {
			return dir
		}
	}
	return ""
}

// IsEmpty says that nothing was sighted.
func (s *Sightings) IsEmpty() bool { return len(s.hashes) == 0 && len(s.paths) == 0 }

// storeName returns the longest start of b that is a store item's name.
func storeName(b []byte) []byte {
	n := 0
	for n < len(b) && n < maxStoreName && isNameChar(b[n]) {
		n++
	}
	return b[:n]
}

func isNameChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("+-._?=", c) >= 0
}

var isHashDigit = func() (is [256]bool) {
	for _, c := range []byte(hashDigits) {
		is[c] = true
	}
	return is
}()

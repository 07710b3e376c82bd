package inspect

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// A scanner looks for store hashes in a stream of bytes, as Nix does (Nix 2.8,
// libstore/references.cc): every run of 32 characters of nixBase32 may be the
// hash of a store item. Which of them are is known only when all layers have
// been read, so it remembers them by a fingerprint.
//
// Beyond Nix it takes note of whole store paths ("/gnu/store/HASH-NAME"), since
// those may name items that are not in the image.
type scanner struct {
	seen    *sightings
	carry   []byte // bytes of the stream whose windows are not all decided
	context int    // of them, decided already and kept to look back at
}

// sightings are the store hashes and store paths that one owner (a store item,
// or a file outside the store) names.
type sightings struct {
	hashes map[uint64]struct{}
	paths  map[string]string // store path → entry that names it first
	from   string            // the entry being scanned
	budget *budget
}

// A budget bounds what a whole image may make us remember.
type budget struct {
	left atomic.Int64 // below zero when it is overdrawn
	seed maphash.Seed
}

func newBudget(n int) *budget {
	b := &budget{seed: maphash.MakeSeed()}
	b.left.Store(int64(n))
	return b
}

// key is the fingerprint under which a store hash is remembered.
func (b *budget) key(hash []byte) uint64 { return maphash.Bytes(b.seed, hash) }

// spend takes n from the budget; false when nothing is left.
func (b *budget) spend(n int64) bool { return b.left.Add(-n) >= 0 }

// pathCost is what remembering a whole path costs, in hashes.
const pathCost = 16

const (
	lookBack  = len("/gnu/store/")
	lookAhead = 1 + maxStoreName
	// maxStoreName is the longest name that the store allows (Nix 2.8,
	// libstore/path.cc): 211 characters.
	maxStoreName = 211
)

// write scans the next bytes of the stream.
func (s *scanner) write(p []byte) {
	s.carry = append(s.carry, p...)
	s.scan(len(s.carry) - lookAhead)
}

// close ends the stream; the next write starts another.
func (s *scanner) close() {
	s.scan(len(s.carry))
	s.carry, s.context = s.carry[:0], 0
}

// scan decides the windows that end at or before end.
func (s *scanner) scan(end int) {
	i, b := s.context, s.carry[:max(end, 0)]
	for i+hashChars <= len(b) {
		if !isNixBase32[b[i+hashChars-1]] { // nearly always
			i += hashChars
			continue
		}
		if j := lastForeign(b[i : i+hashChars]); j >= 0 {
			i += j + 1
			continue
		}
		s.seen.add(s.carry, i)
		i++
	}
	keep := max(0, min(i, len(s.carry))-lookBack)
	s.context = i - keep
	s.carry = s.carry[:copy(s.carry, s.carry[keep:])]
}

// lastForeign returns the place of the last byte outside nixBase32, or -1.
func lastForeign(window []byte) int {
	for j := len(window) - 1; j >= 0; j-- {
		if !isNixBase32[window[j]] {
			return j
		}
	}
	return -1
}

// add takes note of the hash at buf[i:].
func (s *sightings) add(buf []byte, i int) {
	s.hashes = s.remember(s.hashes, buf[i:i+hashChars])
	if i < lookBack || i+hashChars >= len(buf) || buf[i+hashChars] != '-' {
		return
	}
	dir := buf[i-lookBack : i]
	if !bytes.Equal(dir, []byte("/gnu/store/")) && !bytes.Equal(dir, []byte("/nix/store/")) {
		return
	}
	name := storeName(buf[i+hashChars+1:])
	if len(name) == 0 {
		return
	}
	path := string(buf[i-lookBack : i+hashChars+1+len(name)])
	if _, ok := s.paths[path]; ok || !s.budget.spend(pathCost) {
		return
	}
	if s.paths == nil {
		s.paths = make(map[string]string)
	}
	s.paths[path] = s.from
}

func (s *sightings) remember(set map[uint64]struct{}, hash []byte) map[uint64]struct{} {
	key := s.budget.key(hash)
	if _, ok := set[key]; ok {
		return set
	}
	if !s.budget.spend(1) {
		return set
	}
	if set == nil {
		set = make(map[uint64]struct{})
	}
	set[key] = struct{}{}
	return set
}

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

var isNixBase32 = func() (is [256]bool) {
	for _, c := range []byte(nixBase32) {
		is[c] = true
	}
	return is
}()

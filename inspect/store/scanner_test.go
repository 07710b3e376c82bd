package store

import (
	"hash/maphash"
	"slices"
	"strings"
	"testing"
)

const (
	hashA = "0123456789abcdfghijklmnpqrsvwxyz"
	hashB = "zyxwvsrqpnmlkjihgfdcba9876543210"
)

// FuzzScanner holds the scanner against the obvious way to do the same, and
// demands that it does not matter how the bytes are cut into pieces.
func FuzzScanner(f *testing.F) {
	f.Add("/gnu/store/"+hashA+"-hello-1.0/bin", 3)
	f.Add(hashA+hashB, 1)
	f.Add("x"+hashA+"e"+hashB+"-", 40)
	f.Add("/nix/store/"+hashA+"-"+strings.Repeat("n", 300), 7)
	f.Add("/gnu/store/"+hashA+"-a/gnu/store/"+hashA+"-b", 64)
	f.Add("aaaaaaaaaaa"+hashA, 5)
	for _, cut := range []int{256, 300, 330, 400, 700} {
		f.Add(strings.Repeat("e", 13)+strings.Repeat(hashA[:15]+"!"+hashB+"!"+hashA[:31]+"!", 20)+strings.Repeat("-/@`o{\x80\xb0", 9), cut)
		f.Add(strings.Repeat("x ", 130)+"/gnu/store/"+hashA+"-a"+strings.Repeat(" y", 300)+"/nix/store/"+hashB+"-"+strings.Repeat("n", 200), cut)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		cut = max(1, cut)
		seen := scanAll(text, cut)
		for hash := range naiveHashes(text) {
			if !seen.names(hash) {
				t.Errorf("hash %s is missed", hash)
			}
		}
		if got, want := len(seen.hashes), len(naiveHashes(text)); got != want {
			t.Errorf("%d hashes, want %d", got, want)
		}
		if got, want := namedPaths(seen), naivePaths(text); !slices.Equal(got, want) {
			t.Errorf("store paths %q, want %q", got, want)
		}
	})
}

// names says whether the owner names the item with this hash.
func (s *Sightings) names(hash string) bool {
	_, ok := s.hashes[s.Budget.key([]byte(hash))]
	return ok
}

func scanAll(text string, cut int) *Sightings {
	seen := &Sightings{Budget: NewBudget(1<<20, Dirs{"/gnu/store", "/nix/store"}, maphash.MakeSeed())}
	s := Scanner{Seen: seen}
	for piece := range slices.Chunk([]byte(text), cut) {
		s.Write(piece)
	}
	s.Close()
	return seen
}

func naiveHashes(text string) map[string]bool {
	found := make(map[string]bool)
	for i := 0; i+hashChars <= len(text); i++ {
		if strings.Trim(text[i:i+hashChars], hashDigits) == "" {
			found[text[i:i+hashChars]] = true
		}
	}
	return found
}

func naivePaths(text string) []string {
	var found []string
	for i := range len(text) {
		for _, dir := range []string{"/gnu/store/", "/nix/store/"} {
			rest, ok := strings.CutPrefix(text[i:], dir)
			if !ok || len(rest) < hashChars+2 || rest[hashChars] != '-' || strings.Trim(rest[:hashChars], hashDigits) != "" {
				continue
			}
			n := hashChars + 1
			for n < len(rest) && n-hashChars-1 < maxStoreName && isNameChar(rest[n]) {
				n++
			}
			if n > hashChars+1 {
				found = append(found, dir+rest[:n])
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func namedPaths(s *Sightings) []string {
	var found []string
	for p := range s.paths {
		found = append(found, p)
	}
	slices.Sort(found)
	return found
}

// The streams of two files are never read as one.
func TestScannerKeepsStreamsApart(t *testing.T) {
	seen := &Sightings{Budget: NewBudget(10, Dirs{"/gnu/store", "/nix/store"}, maphash.MakeSeed())}
	s := Scanner{Seen: seen}
	s.Write([]byte(hashA[:16]))
	s.Close()
	s.Write([]byte(hashA[16:]))
	s.Close()
	if len(seen.hashes) != 0 {
		t.Error("a hash was found across two streams")
	}
}

func TestScannerBudget(t *testing.T) {
	b := NewBudget(1, Dirs{"/gnu/store", "/nix/store"}, maphash.MakeSeed())
	s := Scanner{Seen: &Sightings{Budget: b}}
	s.Write([]byte(hashA + " " + hashB))
	s.Close()
	if b.left.Load() >= 0 || len(s.Seen.hashes) != 1 {
		t.Errorf("budget left %d with %d hashes kept, want it overdrawn with 1", b.left.Load(), len(s.Seen.hashes))
	}
}

package pass

import (
	"hash/maphash"
	"slices"
	"sync"

	"audit/inspect/image"
	"audit/inspect/store"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Known are layers that were read in this process, so that another image with the
// same blob need not take it apart again. A layer is found by the digest that was
// computed over its blob, never by one that an image claims. What a layer has cost
// is charged again, so that each image is read within its own limits.
type Known struct {
	mu      sync.Mutex
	seed    maphash.Seed // of the fingerprints of store hashes
	layers  map[v1.Hash]*KnownLayer
	sizes   map[int64]bool // of their blobs
	entries int            // of all
}

// maxKnownEntries bounds what is remembered beyond the life of an image.
const maxKnownEntries = 1 << 20

// A KnownLayer is a layer as it was read, and what it cost.
type KnownLayer struct {
	Layer *image.Layer
	Cost  Cost
	dirs  store.Dirs
}

// A Cost is what reading a layer counts under the limits, beside its entries and the
// contents that are kept.
type Cost struct {
	Texts  int64 // bytes of names and the like
	Frames int64 // compressed bytes of its frame
	Grown  int64 // bytes that came out of expanding
	Hashes int64 // of the budget of store hashes
}

// NewKnown returns a memory of no layers.
func NewKnown() *Known {
	return &Known{seed: maphash.MakeSeed(), layers: make(map[v1.Hash]*KnownLayer), sizes: make(map[int64]bool)}
}

// HasSize says whether a blob of that size is known: only then is it worth to hash
// one before it is read.
func (k *Known) HasSize(n int64) bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sizes[n]
}

// Find returns the layer whose blob has a digest, as it is for an image with these
// stores; nil when it is not known.
func (k *Known) Find(computed v1.Hash, dirs store.Dirs) *KnownLayer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.layers[computed]; l != nil && slices.Equal(l.dirs, dirs) {
		return l
	}
	return nil
}

// Add remembers a layer that was read to its end, whole. Contents that can be done
// without are not kept alive.
func (k *Known) Add(l *image.Layer, cost Cost, dirs store.Dirs) {
	if k == nil || l.Broken != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.layers[l.Digest] != nil || k.entries+len(l.Entries) > maxKnownEntries {
		return
	}
	k.entries += len(l.Entries)
	k.sizes[l.Size] = true
	k.layers[l.Digest] = &KnownLayer{Layer: l.Bare(), Cost: cost, dirs: dirs}
}

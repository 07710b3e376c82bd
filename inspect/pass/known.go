package pass

import (
	"context"
	"hash/maphash"
	"io/fs"
	"os"
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
	sizes   map[int64]int // how many of their blobs have a size
	weight  int           // of all
	most    int           // weight that is remembered
	forgets bool          // the layer that was not used for longest makes room for another
	uses    int           // counts them
	claims  map[v1.Hash]chan struct{}

	indexes map[string]knownIndex // of layouts, by their folders
	listed  int                   // what they list together
}

// A knownIndex is the index of a layout, as it was when the file had this size and time.
type knownIndex struct {
	file  fs.FileInfo
	index any
}

// maxListed bounds the entries of indexes that are remembered: those of the largest, and
// of many small ones.
const maxListed = 1 << 16

// maxKnownEntries bounds what is remembered beyond the life of an image.
const maxKnownEntries = 1 << 20

// A KnownLayer is a layer as it was read, and what it cost.
type KnownLayer struct {
	Layer *image.Layer
	Cost  Cost
	dirs  store.Dirs

	weight, used int
}

// A Cost is what reading a layer counts under the limits, beside its entries and the
// contents that are kept.
type Cost struct {
	Texts  int64 // bytes of names and the like
	Frames int64 // compressed bytes of its frame
	Grown  int64 // bytes that came out of expanding
	Hashes int64 // of the budget of store hashes
}

// NewKnown returns a memory of no layers, for the few images of one run.
func NewKnown() *Known {
	return &Known{
		seed: maphash.MakeSeed(), layers: make(map[v1.Hash]*KnownLayer), sizes: make(map[int64]int),
		claims: make(map[v1.Hash]chan struct{}), most: maxKnownEntries,
	}
}

// NewForgetful returns a memory for any number of images. It remembers layers of about
// so many entries, those that were used last.
func NewForgetful(entries int) *Known {
	k := NewKnown()
	k.most, k.forgets = entries, true
	return k
}

// Claim waits until nobody else in this process reads the blob of a layer from a
// registry, so that each is fetched once: who comes second finds it in the cache. The
// claim lasts until end is called. A nil memory lets everybody fetch.
func (k *Known) Claim(ctx context.Context, blob v1.Hash) (end func(), err error) {
	if k == nil {
		return func() {}, nil
	}
	for {
		k.mu.Lock()
		busy := k.claims[blob]
		if busy == nil {
			mine := make(chan struct{})
			k.claims[blob] = mine
			k.mu.Unlock()
			return func() { k.release(blob, mine) }, nil
		}
		k.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (k *Known) release(blob v1.Hash, claim chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.claims, blob)
	close(claim)
}

// HasSize says whether a blob of that size is known: only then is it worth to hash
// one before it is read.
func (k *Known) HasSize(n int64) bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sizes[n] > 0
}

// Find returns the layer whose blob has a digest, as it is for an image with these
// stores; nil when it is not known.
func (k *Known) Find(computed v1.Hash, dirs store.Dirs) *KnownLayer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.layers[computed]; l != nil && slices.Equal(l.dirs, dirs) {
		k.uses++
		l.used = k.uses
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
	weight := len(l.Entries) + int(l.KeptBytes()/entryBytes)
	if k.layers[l.Digest] != nil || weight > k.most {
		return
	}
	for k.forgets && k.weight+weight > k.most {
		k.forget()
	}
	if k.weight+weight > k.most {
		return
	}
	k.uses++
	k.weight += weight
	k.sizes[l.Size]++
	k.layers[l.Digest] = &KnownLayer{Layer: l.Bare(), Cost: cost, dirs: dirs, weight: weight, used: k.uses}
}

// entryBytes is about what an entry takes in memory: contents count as so many.
const entryBytes = 512

// Index returns what was made of the index of a layout, given its folder and what the
// file is now; nil when it is not known.
func (k *Known) Index(dir string, file fs.FileInfo) any {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.indexes[dir]
	if !ok || !os.SameFile(known.file, file) || known.file.Size() != file.Size() || !known.file.ModTime().Equal(file.ModTime()) {
		return nil
	}
	return known.index
}

// AddIndex remembers what was made of the index of a layout, and nobody changes, given
// how many entries it lists.
func (k *Known) AddIndex(dir string, file fs.FileInfo, index any, entries int) {
	if k == nil || file == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.listed += entries; k.listed > maxListed || k.indexes == nil {
		k.indexes, k.listed = make(map[string]knownIndex), entries
	}
	k.indexes[dir] = knownIndex{file, index}
}

// forget drops the layer that was not used for longest.
func (k *Known) forget() {
	var last *KnownLayer
	for _, l := range k.layers {
		if last == nil || l.used < last.used {
			last = l
		}
	}
	k.weight -= last.weight
	if k.sizes[last.Layer.Size]--; k.sizes[last.Layer.Size] == 0 {
		delete(k.sizes, last.Layer.Size)
	}
	delete(k.layers, last.Layer.Digest)
}

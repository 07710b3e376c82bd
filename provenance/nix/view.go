package nix

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/store"
)

// A view is an image with what is looked up in it again and again.
type view struct {
	img     *inspect.Image
	files   store.Files // the root file system, sorted
	items   map[string]*inspect.StoreItem
	config  *image.Written
	history []image.WrittenStep // one for each layer; nil when the numbers differ
	writers []writer            // of the layers
	named   map[string]bool     // hashes of the store paths that the config names, its history left out
}

const storeDir = "/nix/store/"

// Store is where Nix keeps store items.
func Store() inspect.StoreDirs { return inspect.StoreDirs{"/nix/store"} }

func newView(img *inspect.Image) *view {
	v := newBareView(img)
	v.files = img.Files()
	v.named = storeHashes(withoutHistory(img))
	for _, l := range img.Layers {
		v.writers = append(v.writers, newWriter(l, img.Stores))
	}
	return v
}

// newBareView reads the config and what is in the store, and no more.
func newBareView(img *inspect.Image) *view {
	v := &view{img: img, items: store.Index(img), config: img.Config.Written()}
	for _, h := range v.config.History {
		if !h.EmptyLayer {
			v.history = append(v.history, h)
		}
	}
	if len(v.history) != len(img.Layers) {
		v.history = nil
	}
	return v
}

// withoutHistory returns a config without its history, which names store items
// that nothing else may lead to.
func withoutHistory(img *inspect.Image) string {
	fields := img.Config.Written().Fields
	if fields == nil {
		return string(img.Config.Raw)
	}
	var b strings.Builder
	for name, value := range fields {
		if !strings.EqualFold(name, "history") {
			b.Write(value)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// storeHashes collects the hashes of the store paths in a text.
func storeHashes(text string) map[string]bool {
	hashes := make(map[string]bool)
	for {
		_, rest, ok := strings.Cut(text, storeDir)
		if !ok {
			return hashes
		}
		if text = rest; len(text) >= hashChars {
			hashes[text[:hashChars]] = true
		}
	}
}

// inConfig says whether the config, without its history, names a store item.
func (v *view) inConfig(item string) bool { return v.named[path.Base(item)[:hashChars]] }

// hashChars is the length of the hash in the name of a store item.
const hashChars = 32

// hasItems says whether the image holds anything of Nix's store.
func (v *view) hasItems() bool {
	return slices.ContainsFunc(v.img.Items, func(it inspect.StoreItem) bool { return strings.HasPrefix(it.Path, storeDir) })
}

// DatabasePath is where an image has the store's database.
const DatabasePath = "nix/var/nix/db/db.sqlite"

// Keep says whether this package needs the content of the file at path: the
// store's database, the number of its schema, what may name a revision, private keys.
func Keep(p string) bool {
	return p == DatabasePath || p == schemaPath || namesRevision(p) || provenance.IsKey(p)
}

// isStorePath says whether a text is the path of an item of Nix's store, and no more.
func isStorePath(text string) bool { return Store().Has(text) }

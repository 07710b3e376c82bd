package nix

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/store"
)

// A view is an image with what is looked up in it again and again.
type view struct {
	img     *inspect.Image
	files   []inspect.File // the root file system, sorted
	items   map[string]*inspect.StoreItem
	config  imageConfig
	history []historyEntry  // one for each layer; nil when the numbers differ
	writers []writer        // of the layers
	named   map[string]bool // hashes of the store paths that the config names, its history left out
}

// An imageConfig is the part of an image config that shows its packer. The
// date is kept as it is written: how it ends is a sign.
type imageConfig struct {
	Architecture string
	Created      *string
	Config       struct{ Labels map[string]string }
	History      []historyEntry
}

type historyEntry struct {
	Created    *string
	CreatedBy  string `json:"created_by"`
	Comment    string
	EmptyLayer bool `json:"empty_layer"`
}

const storeDir = "/nix/store/"

func newView(img *inspect.Image) *view {
	v := newBareView(img)
	v.files = img.Files()
	v.named = storeHashes(withoutHistory(img.Config.Raw))
	for _, l := range img.Layers {
		v.writers = append(v.writers, newWriter(l))
	}
	return v
}

// newBareView reads the config and what is in the store, and no more.
func newBareView(img *inspect.Image) *view {
	v := &view{img: img, items: store.Index(img)}
	// A config that cannot be decoded has none of the marks looked for, and
	// the integrity check speaks of it.
	_ = json.Unmarshal(img.Config.Raw, &v.config)
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
func withoutHistory(raw []byte) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return string(raw)
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

// file returns the entry of the root file system at a path without leading
// slash.
func (v *view) file(path string) (inspect.File, bool) {
	i, ok := slices.BinarySearchFunc(v.files, path, func(f inspect.File, path string) int {
		return inspect.ComparePaths(f.Path, path)
	})
	if !ok {
		return inspect.File{}, false
	}
	return v.files[i], true
}

// DatabasePath is where an image has the store's database.
const DatabasePath = "nix/var/nix/db/db.sqlite"

func (v *view) hasDatabase() bool {
	f, ok := v.file(DatabasePath)
	return ok && f.Type == '0'
}

// Keep says whether this package needs the content of the file at path: the
// store's database, the number of its schema, what may name a revision, private keys.
func Keep(p string) bool {
	return p == DatabasePath || p == schemaPath || namesRevision(p) || provenance.IsKey(p)
}

// isStorePath says whether a text is the path of a store item, and no more.
func isStorePath(text string) bool {
	return strings.HasPrefix(text, storeDir) && inspect.ItemOf(text[1:]) == text && utf8.ValidString(text)
}

package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/signatures"
)

// signedBy counts, for each store item, the keys that signed what was found;
// none when any trusted key signed something else.
func signedBy(outcomes []signatures.Outcome) map[string]int {
	keys, differs := map[string]int{}, map[string]bool{}
	for _, o := range outcomes {
		keys[o.Path] = max(keys[o.Path], o.Agree)
		differs[o.Path] = differs[o.Path] || o.Word == signatures.Differs
	}
	for item := range differs {
		if differs[item] {
			keys[item] = 0
		}
	}
	return keys
}

// taken counts the bytes that an entry takes in its layer. Of a sparse file
// that is not known here: what it takes counts as lying between the entries.
func taken(e *inspect.Entry) int64 {
	if e.Sparse {
		return e.FrameSize
	}
	return e.FrameSize + e.Size
}

// maxFolders bounds the list of folders; the others are one entry.
const maxFolders = 200

// newFolders adds up what lies outside of stores.
func newFolders(img *inspect.Image) []Folder {
	index := map[string]int{}
	var all []Folder
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := l.Entries[i]
			if img.Stores.InItem(e.Path) {
				continue
			}
			name := folderOf(e.Path)
			at, ok := index[name]
			if !ok {
				at = len(all)
				index[name] = at
				all = append(all, Folder{Path: name})
			}
			all[at].Files++
			all[at].Bytes += taken(e)
		}
	}
	slices.SortFunc(all, func(a, b Folder) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path))
	})
	return lump(all)
}

// folderOf returns the first two parts of the folder of an entry, "." at the top.
func folderOf(file string) string {
	parts := strings.SplitN(path.Dir(file), "/", 3)
	return strings.Join(parts[:min(len(parts), 2)], "/")
}

func lump(all []Folder) []Folder {
	if len(all) <= maxFolders {
		return all
	}
	var rest Folder
	for _, f := range all[maxFolders:] {
		rest.Files += f.Files
		rest.Bytes += f.Bytes
	}
	return append(all[:maxFolders:maxFolders], rest)
}

package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/store"
	"audit/provenance/signatures"
	"audit/rebuild"
)

// An Origin says where bytes of an image come from, as far as that was shown.
type Origin string

// The origins. Each byte has one: the last of those that fit, so that a
// contradiction outweighs what speaks for a byte.
const (
	Traced      Origin = "traced"      // built from the recipe in this run, with the same bytes
	Substituted Origin = "substituted" // what a build farm signed, or served to the builder
	Claimed     Origin = "claimed"     // the recipe leads to it; nothing but the image vouches for its bytes
	Packer      Origin = "packer"      // written by the packer itself
	Differs     Origin = "differs"     // a rebuild, or what a build farm signed, has other bytes
	Unexplained Origin = "unexplained" // no recipe leads to it
)

// Origins returns all origins in the order of a report.
func Origins() []Origin {
	return []Origin{Traced, Substituted, Claimed, Packer, Differs, Unexplained}
}

// newOrigins adds up the bytes of the layers by origin. Without evidence no
// recipe was asked for, and no origin is known.
func newOrigins(in Input, total int64) (out []OriginShare) {
	if in.Evidence == nil {
		return nil
	}
	sums := map[Origin]int64{}
	s := newSorter(in)
	rest := total
	for _, l := range in.Image.Layers {
		for i := range l.Entries {
			n := min(taken(l.Entries[i]), rest)
			sums[s.origin(l.Entries[i].Path)] += n
			rest -= n
		}
	}
	closure := find(in.Checks, check.Closure)
	sums[s.between(closure)] += rest
	explainAtMost(sums, closure.Bytes)
	for _, o := range Origins() {
		out = append(out, OriginShare{o, sums[o], share(sums[o], total)})
	}
	return out
}

// taken counts the bytes that an entry takes in its layer. Of a sparse file
// that is not known here: what it takes counts as lying between the entries.
func taken(e *inspect.Entry) int64 {
	if e.Sparse {
		return e.FrameSize
	}
	return e.FrameSize + e.Size
}

// explainAtMost takes away what the check closure does not vouch for, from
// those origins first that have the least behind them.
func explainAtMost(sums map[Origin]int64, limit int64) {
	over := -limit
	for o, n := range sums {
		if o != Unexplained {
			over += n
		}
	}
	for _, o := range []Origin{Claimed, Packer, Substituted, Traced, Differs} {
		n := min(max(over, 0), sums[o])
		sums[o] -= n
		sums[Unexplained] += n
		over -= n
	}
}

// A sorter knows the origin of every path.
type sorter struct {
	stores  store.Dirs
	outside Origin            // of what lies outside of stores and is explained
	items   map[string]Origin // store items of which more is known than that the recipe leads to them
	changed map[string]bool   // paths that the rebuild has otherwise
	blamed  map[string]bool   // paths and items that the check closure does not explain
}

func newSorter(in Input) sorter {
	s := sorter{stores: in.Image.Stores, outside: Claimed, items: map[string]Origin{}, changed: map[string]bool{}, blamed: map[string]bool{}}
	if in.Evidence != nil && newWords(in.Systems).of(in.Evidence.Recipe.System).Store != "" {
		s.outside = Packer
	}
	for _, f := range find(in.Checks, check.Closure).Findings {
		if f.Level == check.Problem {
			s.blamed[f.Path] = true
		}
	}
	if in.Comparison != nil {
		for _, d := range in.Comparison.Differences {
			if !d.Cause.Harmless() {
				s.changed[d.Path] = true
			}
		}
	}
	s.addItems(in)
	return s
}

// addItems notes what is known of store items, the strongest word last.
func (s *sorter) addItems(in Input) {
	if in.Result != nil && in.Comparison != nil {
		for _, it := range in.Result.Items {
			switch it.How {
			case rebuild.Substituted:
				s.items[it.Path] = Substituted
			case rebuild.Built:
				s.items[it.Path] = Traced
			}
		}
	}
	for item, keys := range signedBy(in.Signed) {
		if keys > 0 && s.items[item] != Traced {
			s.items[item] = Substituted
		}
	}
	if in.Result != nil {
		for _, f := range in.Result.Fresh {
			for _, item := range f.Items {
				if f.Same && f.Problem == "" {
					s.items[item] = Traced
				}
			}
		}
	}
	for _, o := range in.Signed {
		if o.Word == signatures.Differs {
			s.items[o.Path] = Differs
		}
	}
}

func (s *sorter) origin(path string) Origin {
	item := s.stores.ItemOf(path)
	known, ok := s.items[item]
	switch {
	case s.blamed[path] || s.blamed[item] && item != "":
		return Unexplained
	case s.changed[path]:
		return Differs
	case ok:
		return known
	case item != "":
		return Claimed
	}
	return s.outside
}

// between is the origin of what lies between the entries and after them: where
// the check closure passes, the packer's.
func (s *sorter) between(closure check.Check) Origin {
	if closure.Status == check.Pass {
		return s.outside
	}
	return Unexplained
}

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

// maxFolders bounds the list of folders; the others are one entry.
const maxFolders = 200

// newFolders adds up what lies outside of stores.
func newFolders(img *inspect.Image) []Folder {
	index := map[string]int{}
	var all []Folder
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := l.Entries[i]
			if img.Stores.ItemOf(e.Path) != "" {
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

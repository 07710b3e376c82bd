package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Alike is how many findings of one code about one layer a [List] keeps unless
// it says otherwise. A hostile image can give cause for millions.
const Alike = 100

// A List gathers findings. Of those alike, which have the same code, level and
// layer, it keeps the first and counts the rest: the last one kept has the
// number of those left out as its argument "more". Of the notes about a layer it
// keeps one unless it says otherwise: they accuse nothing, and are as many as the layer
// has entries. The zero value is an empty list.
type List struct {
	Max   int // findings alike that are kept; 0 means Alike
	Notes int // notes alike about a layer that are kept; 0 means one

	found []Finding
	alike map[likeness]*group
}

// A likeness is what findings alike have in common.
type likeness struct {
	code  string
	level Level
	layer int
}

// A group is what a list knows of findings alike.
type group struct {
	count int // kept or not
	last  int // place of the last one kept
}

// Problem adds a claim that is broken: the reason for a fail. The layer is -1
// and the path "" where there is none; code and arguments are those of [Say].
func (l *List) Problem(layer int, path, code string, args ...any) {
	l.add(Problem, layer, path, code, args)
}

// Undecided adds what could not be decided, or not be read: the reason for an
// unknown.
func (l *List) Undecided(layer int, path, code string, args ...any) {
	l.add(Undecided, layer, path, code, args)
}

// Note adds what is worth knowing and contradicts nothing.
func (l *List) Note(layer int, path, code string, args ...any) {
	l.add(Note, layer, path, code, args)
}

func (l *List) add(level Level, layer int, path, code string, args []any) {
	if l.keeps(likeness{code, level, layer}) {
		l.found = append(l.found, Find(level, layer, path, code, args...))
	}
}

// Append adds findings that were gathered elsewhere.
func (l *List) Append(findings ...Finding) {
	for _, f := range findings {
		if l.keeps(likeness{f.Code, f.Level, f.Layer}) {
			l.found = append(l.found, f)
		}
	}
}

// keeps counts a finding, and says whether it is one of those to be kept: then
// it is added next.
func (l *List) keeps(key likeness) bool {
	if l.alike == nil {
		l.alike = make(map[likeness]*group)
	}
	g := l.alike[key]
	if g == nil {
		g = new(group)
		l.alike[key] = g
	}
	if g.count++; g.count > l.most(key) {
		return false
	}
	g.last = len(l.found)
	return true
}

// most is how many findings alike are kept.
func (l *List) most(key likeness) int {
	if key.level == Note && key.layer >= 0 {
		return cmp.Or(l.Notes, 1)
	}
	return cmp.Or(l.Max, Alike)
}

// All returns the findings in the order in which they were added.
func (l *List) All() []Finding {
	found := slices.Clone(l.found)
	for key, g := range l.alike {
		if more := g.count - l.most(key); more > 0 {
			f := &found[g.last]
			f.Args = maps.Clone(f.Args)
			if f.Args == nil {
				f.Args = make(Args, 1)
			}
			f.Args["more"] = int64(more)
		}
	}
	return found
}

// Sorted returns the findings in the order of [Finding.Compare].
func (l *List) Sorted() []Finding {
	found := l.All()
	slices.SortStableFunc(found, Finding.Compare)
	return found
}

// Count returns how many findings of a level were added, kept or not.
func (l *List) Count(level Level) int {
	n := 0
	for key, g := range l.alike {
		if key.level == level {
			n += g.count
		}
	}
	return n
}

// A Tally is how often a code was found.
type Tally struct {
	Code  string
	Count int // kept or not
}

// Tally counts the findings of a level by code, sorted by code.
func (l *List) Tally(level Level) []Tally {
	counts := make(map[string]int)
	for key, g := range l.alike {
		if key.level == level {
			counts[key.code] += g.count
		}
	}
	var all []Tally
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, Tally{code, counts[code]})
	}
	return all
}

// Status is what the findings lead to: see [Worst].
func (l *List) Status() Status { return Worst(l.found) }

// Name returns the code without the check that it belongs to.
func (t Tally) Name() string { return t.Code[strings.IndexByte(t.Code, '/')+1:] }

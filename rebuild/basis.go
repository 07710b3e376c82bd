package rebuild

import (
	"cmp"
	"slices"

	"audit/rebuild/compare"
)

// A Basis is what the verdict on an image rests on: where each of its parts, a
// store item or what an instruction made, comes from.
type Basis struct {
	Given  bool   `json:"given"`  // the other image was made elsewhere and handed over as a whole
	Items  []Part `json:"items"`  // sorted by path
	Inputs []Part `json:"inputs"` // base layers that a digest pins; nothing that this image's build made
}

// A Part is one store item, or one instruction of a Dockerfile.
type Part struct {
	Path string `json:"path"`
	From How    `json:"from"`
	// Operators are those whose trusted keys signed the very hash that was computed
	// of the item in the image, each once, sorted.
	Operators []string `json:"operators"`
}

// Origins are all that is known of where the parts of an image come from.
type Origins struct {
	Given     bool                // the other image was made elsewhere
	Originals []string            // the store items of the image
	Made      []Item              // what a builder made, and what it took; none when none ran
	Remade    []string            // store items that audit itself made again from others, such as a profile
	Operators map[string][]string // by store item, those whose trusted keys signed the very hash that was computed
}

// Basis says what the image rests on.
func (o Origins) Basis() Basis {
	b, remade := Basis{Given: o.Given}, make(map[string]bool, len(o.Remade))
	for _, path := range o.Remade {
		remade[path] = true
	}
	made := o.Made
	if len(made) == 0 {
		for _, path := range o.Originals {
			made = append(made, Item{Path: path, How: Carried})
		}
	}
	for _, it := range made {
		p := Part{Path: it.Path, From: it.How, Operators: slices.Compact(slices.Sorted(slices.Values(o.Operators[it.Path])))}
		switch {
		case it.How == Pinned:
			b.Inputs = append(b.Inputs, p)
			continue
		case it.How == Built:
		case remade[it.Path]:
			p.From = Remade
		case len(p.Operators) > 0:
			p.From = Signed
		}
		b.Items = append(b.Items, p)
	}
	byPath := func(x, y Part) int { return cmp.Compare(x.Path, y.Path) }
	slices.SortStableFunc(b.Items, byPath)
	slices.SortStableFunc(b.Inputs, byPath)
	return b
}

// builds is how many builds of a part are known to have given the same bytes, at
// most two. What is built in this run is two: the original's is the other.
func (p Part) builds() int {
	if p.From == Built || p.From == Remade {
		return 2
	}
	return min(len(p.Operators), 2)
}

// verdict is the best for images that are identical, or
// equivalent, on this basis.
func (b Basis) verdict(r compare.Result) Verdict {
	if b.Given || len(b.Items) == 0 {
		return Matching
	}
	least := 2
	for _, p := range b.Items {
		least = min(least, p.builds())
	}
	switch {
	case least == 2 && r == compare.Identical:
		return Reproducible
	case least == 2:
		return Equivalent
	case least == 1:
		return Vouched
	}
	return Matching
}

package guix

import (
	"errors"
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/drv"
)

// A derivation is what a .drv file says, as far as it matters here.
type derivation struct {
	path    string
	outputs []string // store paths, in the order of their names
	inputs  []string // .drv files, as in the file
	sources []string // store paths that are nobody's output
	graft   bool     // it replaces references in another derivation's output
}

// readDerivation reads a .drv file.
func readDerivation(file string) (*derivation, error) {
	read, err := drv.Read(file)
	if err != nil {
		return nil, err
	}
	d := newDerivation(read)
	d.path = file
	return d, nil
}

func newDerivation(read *drv.Derivation) *derivation {
	d := &derivation{sources: read.Sources}
	for _, o := range read.Outputs {
		d.outputs = append(d.outputs, o.Path)
	}
	for _, in := range read.Inputs {
		d.inputs = append(d.inputs, in.Path)
	}
	// the mark of a graft (Guix 1.5, guix/grafts.scm, graft-derivation/shallow)
	d.graft = strings.Contains(read.Env["guix properties"], "(type . graft)")
	return d
}

// A graph is a derivation with all those that it is built from.
type graph struct {
	root    *derivation
	near    []*derivation          // all, the nearest to the root first
	deriver map[string]*derivation // by output
	sources map[string]bool
}

// maxDerivations bounds a graph; the whole of Guix has some 60,000.
const maxDerivations = 1 << 20

// readGraph reads a derivation and, following its inputs, all others. Guix
// registers a derivation only together with its inputs, so all are there.
func readGraph(root string) (*graph, error) {
	g := &graph{deriver: make(map[string]*derivation), sources: make(map[string]bool)}
	seen := map[string]bool{root: true}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		d, err := readDerivation(queue[0])
		if err != nil {
			return nil, err
		}
		g.add(d)
		for _, in := range d.inputs {
			if !seen[in] {
				seen[in] = true
				queue = append(queue, in)
			}
		}
		if len(seen) > maxDerivations {
			return nil, &inspect.LimitError{Name: "derivations", Limit: maxDerivations, Where: root}
		}
	}
	g.root = g.near[0]
	if len(g.root.outputs) != 1 {
		return nil, &inspect.FormatError{Where: root, Err: errors.New("an image's derivation has one output")}
	}
	return g, nil
}

func (g *graph) add(d *derivation) {
	g.near = append(g.near, d)
	for _, out := range d.outputs {
		if g.deriver[out] == nil {
			g.deriver[out] = d
		}
	}
	for _, s := range d.sources {
		g.sources[s] = true
	}
}

// makes says whether a store item is an output of one of the derivations, or
// a source of them.
func (g *graph) makes(item string) bool { return g.deriver[item] != nil || g.sources[item] }

// maker returns the derivation among those that were built which made an item,
// nil when there is none. Several can have the same output when its content was
// fixed beforehand.
func (g *graph) maker(item string, built map[string]bool) *derivation {
	for _, d := range g.near {
		if built[d.path] && slices.Contains(d.outputs, item) {
			return d
		}
	}
	return nil
}

// origins returns a derivation and, where it is a graft, those that it is
// grafted from: a graft only rewrites references, so that what was built is
// what it was grafted from.
func (g *graph) origins(d *derivation) []*derivation {
	if !d.graft {
		return []*derivation{d}
	}
	all := []*derivation{d}
	for _, o := range g.near {
		if o != d && slices.Contains(d.inputs, o.path) && rebuild.StoreName(o.path) == rebuild.StoreName(d.path) {
			all = append(all, o)
		}
	}
	return all
}

// namesakes returns the outputs whose name, without the hash, is that of the
// item; the nearest to the root first.
func (g *graph) namesakes(item string) []string {
	var found []string
	for _, d := range g.near {
		for _, out := range d.outputs {
			if out != item && rebuild.StoreName(out) == rebuild.StoreName(item) && !slices.Contains(found, out) {
				found = append(found, out)
			}
		}
	}
	return found
}

// profile returns the profile that the root is made from, or the system: the
// plan's own where the root has it among its inputs, else the only one.
func (g *graph) profile(want string) string {
	var found string
	for _, in := range g.root.inputs {
		for _, d := range g.near {
			if d.path != in || len(d.outputs) != 1 || rebuild.StoreName(d.outputs[0]) != rebuild.StoreName(want) {
				continue
			}
			if d.outputs[0] == want {
				return want
			}
			found = d.outputs[0]
		}
	}
	return found
}

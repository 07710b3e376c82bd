package guix

import (
	"errors"
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// properties is the variable of a derivation's environment in which Guix notes what it
// is.
const properties = "guix properties"

// readGraph reads an image's derivation and all those that it is built from. Guix
// registers a derivation only together with its inputs, so all are there.
func readGraph(root string) (*store.Graph, error) {
	g, err := store.ReadGraph(root, readDerivation)
	if err == nil && len(g.Root.Outputs) != 1 {
		return nil, &inspect.FormatError{Where: root, Err: errors.New("an image's derivation has one output")}
	}
	return g, err
}

// readDerivation reads a .drv file, and keeps of its environment what is asked for:
// there are thousands in a graph.
func readDerivation(file string) (*drv.Derivation, error) {
	d, err := drv.Read(file)
	if err == nil {
		d.Env = map[string]string{properties: d.Env[properties]}
	}
	return d, err
}

// isGraft says that a derivation replaces references in the output of another one
// (Guix 1.5, guix/grafts.scm, graft-derivation/shallow).
func isGraft(n *store.Node) bool { return strings.Contains(n.Env[properties], "(type . graft)") }

// origins returns a derivation and, where it is a graft, those that it is
// grafted from: a graft only rewrites references, so that what was built is
// what it was grafted from.
func origins(g *store.Graph, n *store.Node) []*store.Node {
	all := []*store.Node{n}
	if !isGraft(n) {
		return all
	}
	for _, in := range g.Inputs(n) {
		if in != n && inspect.StoreName(in.Path) == inspect.StoreName(n.Path) {
			all = append(all, in)
		}
	}
	return all
}

// profileOf returns the profile that the image is made from, or the system: the
// plan's own where the image's derivation has it among its inputs, else the only one.
func profileOf(g *store.Graph, want string) string {
	var found string
	for _, in := range g.Inputs(g.Root) {
		if len(in.Outputs) != 1 || inspect.StoreName(in.Output()) != inspect.StoreName(want) {
			continue
		}
		if found = in.Output(); found == want {
			break
		}
	}
	return found
}

// maker returns the derivation among those that were built which made an item, nil
// when there is none.
func maker(g *store.Graph, item string, built map[string]bool) *store.Node {
	all := g.Makers(item)
	if i := slices.IndexFunc(all, func(n *store.Node) bool { return built[n.Path] }); i >= 0 {
		return all[i]
	}
	return nil
}

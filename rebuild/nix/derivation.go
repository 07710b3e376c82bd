package nix

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/drv"
)

// A node is a derivation in a graph.
type node struct {
	path string // of its .drv file
	*drv.Derivation
}

// output returns the path of the output named out, else of the first.
func (n *node) output() string {
	for _, o := range n.Outputs {
		if o.Name == "out" {
			return o.Path
		}
	}
	return n.Outputs[0].Path
}

func (n *node) makes(item string) bool {
	return slices.ContainsFunc(n.Outputs, func(o drv.Output) bool { return o.Path == item })
}

// A graph is a derivation with all those that it is built from.
type graph struct {
	root    *node
	near    []*node          // all, the nearest to the root first
	deriver map[string]*node // by output
	sources map[string]bool
	open    bool // some outputs are known only after the build
}

// maxDerivations bounds a graph; the whole of nixpkgs has some 100,000.
const maxDerivations = 1 << 20

// readGraph reads a derivation and, following its inputs, all others.
func readGraph(root string, read func(path string) (*drv.Derivation, error)) (*graph, error) {
	g := &graph{deriver: make(map[string]*node), sources: make(map[string]bool)}
	seen := map[string]bool{root: true}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		d, err := read(queue[0])
		if err != nil {
			return nil, err
		}
		if len(d.Outputs) == 0 {
			return nil, &inspect.FormatError{Where: queue[0], Err: fmt.Errorf("a derivation without outputs")}
		}
		g.add(&node{queue[0], d})
		for _, in := range d.Inputs {
			if !seen[in.Path] {
				seen[in.Path] = true
				queue = append(queue, in.Path)
			}
		}
		if len(seen) > maxDerivations {
			return nil, &inspect.LimitError{Name: "derivations", Limit: maxDerivations, Where: root}
		}
	}
	g.root = g.near[0]
	return g, nil
}

func (g *graph) add(n *node) {
	g.near = append(g.near, n)
	for _, o := range n.Outputs {
		if o.Path == "" {
			g.open = true
		} else if g.deriver[o.Path] == nil {
			g.deriver[o.Path] = n
		}
	}
	for _, s := range n.Sources {
		g.sources[s] = true
	}
}

// makes says whether a store item is an output of one of the derivations, or
// a source of them.
func (g *graph) makes(item string) bool { return g.deriver[item] != nil || g.sources[item] }

// namesakes returns the outputs whose name, without the hash, is that of the
// item; the nearest to the root first.
func (g *graph) namesakes(item string) []string {
	var found []string
	for _, n := range g.near {
		for _, o := range n.Outputs {
			if o.Path != item && o.Path != "" && rebuild.StoreName(o.Path) == rebuild.StoreName(item) && !slices.Contains(found, o.Path) {
				found = append(found, o.Path)
			}
		}
	}
	return found
}

// byHash returns the output whose path has that hash; "" when none has.
func (g *graph) byHash(hash string) string {
	for _, n := range g.near {
		for _, o := range n.Outputs {
			if base := o.Path[strings.LastIndexByte(o.Path, '/')+1:]; strings.HasPrefix(base, hash+"-") {
				return o.Path
			}
		}
	}
	return ""
}

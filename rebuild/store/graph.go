package store

import (
	"errors"
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild/drv"
)

// A Node is a derivation in a graph.
type Node struct {
	Path string // of its .drv file
	*drv.Derivation
}

// Output returns the path of the output named out, else of the first.
func (n *Node) Output() string {
	for _, o := range n.Outputs {
		if o.Name == "out" {
			return o.Path
		}
	}
	return n.Outputs[0].Path
}

// Makes says whether an item is one of the outputs.
func (n *Node) Makes(item string) bool {
	return slices.ContainsFunc(n.Outputs, func(o drv.Output) bool { return o.Path == item })
}

// A Graph is a derivation with all those that it is built from.
type Graph struct {
	Root *Node
	Near []*Node // all, the nearest to the root first
	Open bool    // some outputs are known only after the build

	nodes   map[string]*Node
	makers  map[string][]*Node // by output, the nearest to the root first
	sources map[string]bool
	named   map[string][]string // outputs by their name without hash, the nearest first
	hashed  map[string]string   // the nearest output by the hash in its path
}

// maxDerivations bounds a graph; the largest collections of packages have some
// 100,000.
const maxDerivations = 1 << 20

// ReadGraph reads a derivation and, following its inputs, all others, each once.
// The error is a [*inspect.LimitError] for too many of them.
func ReadGraph(root string, read func(path string) (*drv.Derivation, error)) (*Graph, error) {
	g := &Graph{
		nodes: make(map[string]*Node), makers: make(map[string][]*Node), sources: make(map[string]bool),
		named: make(map[string][]string), hashed: make(map[string]string),
	}
	seen := map[string]bool{root: true}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		d, err := read(queue[0])
		if err != nil {
			return nil, err
		}
		if len(d.Outputs) == 0 {
			return nil, &inspect.FormatError{Where: queue[0], Err: errors.New("a derivation without outputs")}
		}
		g.add(&Node{queue[0], d})
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
	g.Root = g.Near[0]
	return g, nil
}

func (g *Graph) add(n *Node) {
	g.Near = append(g.Near, n)
	g.nodes[n.Path] = n
	for _, o := range n.Outputs {
		if o.Path == "" {
			g.Open = true
			continue
		}
		if g.makers[o.Path] == nil {
			name := inspect.StoreName(o.Path)
			g.named[name] = append(g.named[name], o.Path)
			if hash := hashOf(o.Path); g.hashed[hash] == "" {
				g.hashed[hash] = o.Path
			}
		}
		g.makers[o.Path] = append(g.makers[o.Path], n)
	}
	for _, s := range n.Sources {
		g.sources[s] = true
	}
}

func hashOf(item string) string {
	hash, _, _ := strings.Cut(item[strings.LastIndexByte(item, '/')+1:], "-")
	return hash
}

// Inputs returns the derivations that one needs, sorted by path.
func (g *Graph) Inputs(n *Node) []*Node {
	inputs := make([]*Node, len(n.Derivation.Inputs))
	for i, in := range n.Derivation.Inputs {
		inputs[i] = g.nodes[in.Path]
	}
	return inputs
}

// Makes says whether a store item is an output of one of the derivations, or a
// source of them.
func (g *Graph) Makes(item string) bool { return len(g.makers[item]) > 0 || g.sources[item] }

// Makers returns the derivations with an item among their outputs, the nearest to
// the root first. There are several where its content was fixed beforehand.
func (g *Graph) Makers(item string) []*Node { return g.makers[item] }

// Deriver returns the nearest derivation that makes an item, nil when none does.
func (g *Graph) Deriver(item string) *Node {
	if all := g.makers[item]; len(all) > 0 {
		return all[0]
	}
	return nil
}

// Namesakes returns the outputs that have the name of an item and another hash,
// the nearest to the root first.
func (g *Graph) Namesakes(item string) []string {
	all := g.named[inspect.StoreName(item)]
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return p == item })
}

// ByHash returns the output whose path has that hash, "" when none has.
func (g *Graph) ByHash(hash string) string { return g.hashed[hash] }

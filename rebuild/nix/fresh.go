package nix

import (
	"context"
	"slices"
	"strings"

	"audit/rebuild"
	"audit/rebuild/store"
)

// Fresh chooses the derivations of items that this run has not built yet, or all that
// took part. Downloads are not among them: what they give is known beforehand.
func (s *session) Fresh(ctx context.Context, g *store.Graph, wanted []*store.Node) ([]*store.Node, error) {
	if s.job.CheckInputs {
		wanted = slices.Concat(g.Near, wanted)
	}
	wanted = slices.DeleteFunc(wanted, func(n *store.Node) bool { return n.Fixed() || n.Output() == "" })
	var outputs []string
	for _, n := range wanted {
		outputs = append(outputs, n.Output())
	}
	var err error
	s.outputs, err = s.Valid(ctx, outputs)
	return wanted, err
}

// From returns the derivation of an item.
func (s *session) From(g *store.Graph, item string) []*store.Node {
	all := g.Makers(item)
	return all[:min(1, len(all))]
}

// Again builds a derivation once more, if it took part.
func (s *session) Again(ctx context.Context, n *store.Node) (first, second string, err error) {
	if !s.outputs[n.Output()] {
		return "", "", &store.StopError{Kind: rebuild.ErrNotDone, Text: "it took no part: what needs it was fetched, or was there"}
	}
	second, err = s.again(ctx, n)
	return strings.TrimSuffix(second, ".check"), second, err
}

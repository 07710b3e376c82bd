package nix

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"audit/rebuild"
	"audit/rebuild/store"
)

// refresh builds again what the job asked for: derivations of items that this
// run has not built yet, or all that took part. A second build of the image
// alone would pass although something that it is made from is random, since
// that is made once.
func (s *session) refresh(ctx context.Context, g *store.Graph) error {
	chosen := s.chosen(g)
	var outputs []string
	for _, n := range chosen {
		outputs = append(outputs, n.Output())
	}
	there, err := s.valid(ctx, outputs)
	if err != nil {
		return err
	}
	for _, n := range chosen {
		fresh := store.FreshOf(n, s.result.Items)
		if there[n.Output()] {
			fresh, err = store.Twice(ctx, n, s.result.Items, s.twice)
		} else {
			fresh.Problem = "it took no part: what needs it was fetched, or was there"
		}
		if err != nil {
			return err
		}
		s.result.Fresh = append(s.result.Fresh, fresh)
	}
	store.Promote(s.result.Items, s.result.Fresh, func(item string) []*store.Node {
		all := g.Makers(item)
		return all[:min(1, len(all))]
	})
	return nil
}

// twice is a [store.Again].
func (s *session) twice(ctx context.Context, n *store.Node) (first, second string, err error) {
	second, err = s.again(ctx, n)
	return strings.TrimSuffix(second, ".check"), second, err
}

// chosen lists the derivations to build again, sorted by path. Downloads are
// not among them: what they give is known beforehand.
func (s *session) chosen(g *store.Graph) []*store.Node {
	var chosen []*store.Node
	if s.job.CheckInputs {
		chosen = slices.Clone(g.Near)
	}
	for _, item := range s.result.Items {
		if n := g.Deriver(item.Path); s.job.WantsFresh(item.Path) && n != nil && item.How != rebuild.Built {
			chosen = append(chosen, n)
		}
	}
	chosen = slices.DeleteFunc(chosen, func(n *store.Node) bool { return n.Fixed() || n.Output() == "" })
	slices.SortFunc(chosen, func(a, b *store.Node) int { return cmp.Compare(a.Path, b.Path) })
	return slices.Compact(chosen)
}

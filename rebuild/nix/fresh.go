package nix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"audit/rebuild"
)

// refresh builds again what the job asked for: derivations of items that this
// run has not built yet, or all that took part. A second build of the image
// alone would pass although something that it is made from is random, since
// that is made once.
func (s *session) refresh(ctx context.Context, g *graph) error {
	chosen := s.chosen(g)
	there, err := s.valid(ctx, outputsOf(chosen))
	if err != nil {
		return err
	}
	for _, n := range chosen {
		fresh := rebuild.Fresh{Derivation: n.path, Items: s.itemsOf(n)}
		if there[n.output()] {
			if err := s.twice(ctx, n, &fresh); err != nil {
				return err
			}
		} else {
			fresh.Problem = "it took no part: what needs it was fetched, or was there"
		}
		s.result.Fresh = append(s.result.Fresh, fresh)
	}
	s.promote(g)
	return nil
}

// chosen lists the derivations to build again, sorted by path. Downloads are
// not among them: what they give is known beforehand.
func (s *session) chosen(g *graph) []*node {
	var chosen []*node
	if s.job.CheckInputs {
		chosen = slices.Clone(g.near)
	}
	for _, item := range s.result.Items {
		if n := g.deriver[item.Path]; s.job.WantsFresh(item.Path) && n != nil && item.How != rebuild.Built {
			chosen = append(chosen, n)
		}
	}
	chosen = slices.DeleteFunc(chosen, func(n *node) bool { return n.Fixed() || n.output() == "" })
	slices.SortFunc(chosen, func(a, b *node) int { return cmp.Compare(a.path, b.path) })
	return slices.Compact(chosen)
}

func outputsOf(nodes []*node) []string {
	var paths []string
	for _, n := range nodes {
		paths = append(paths, n.output())
	}
	return paths
}

// itemsOf lists the outputs of a derivation that the rebuilt image holds.
func (s *session) itemsOf(n *node) []string {
	var items []string
	for _, item := range s.result.Items {
		if n.makes(item.Path) {
			items = append(items, item.Path)
		}
	}
	return items
}

// twice builds one derivation again. That it cannot be built is a result; only
// an interruption is an error.
func (s *session) twice(ctx context.Context, n *node, fresh *rebuild.Fresh) error {
	other, err := s.again(ctx, n)
	switch {
	case errors.Is(err, rebuild.ErrBuild), errors.Is(err, rebuild.ErrNoBuilder):
		fresh.Problem = err.Error()
		return nil
	case err != nil:
		return fmt.Errorf("building %s again: %w", n.path, err)
	case other == "":
		fresh.Same = true
		return nil
	}
	first := strings.TrimSuffix(other, ".check")
	paths, err := rebuild.TreeDifferences(first, other)
	for _, p := range paths {
		fresh.Differences = append(fresh.Differences, filepath.Join(storeDir, filepath.Base(first), p))
	}
	return err
}

// promote counts items as built whose derivations gave the same bytes again in
// this run.
func (s *session) promote(g *graph) {
	same := make(map[string]bool)
	for _, f := range s.result.Fresh {
		same[f.Derivation] = f.Same
	}
	for i, item := range s.result.Items {
		if n := g.deriver[item.Path]; n != nil && same[n.path] && item.How != rebuild.Built {
			s.result.Items[i] = rebuild.Item{Path: item.Path, How: rebuild.Built}
		}
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"path"

	"audit/rebuild"
)

// Again builds a derivation, whose outputs are in the store, once more. It returns
// "" where the bytes are the same, else where the first output and that of the
// second build lie on disk.
type Again func(ctx context.Context, n *Node) (first, second string, err error)

// FreshOf is what is known of a derivation before it is built again: which items of
// the rebuilt image it makes.
func FreshOf(n *Node, items []rebuild.Item) rebuild.Fresh {
	fresh := rebuild.Fresh{Derivation: n.Path}
	for _, item := range items {
		if n.Makes(item.Path) {
			fresh.Items = append(fresh.Items, item.Path)
		}
	}
	return fresh
}

// Twice builds a derivation again and says what that has shown. Items are those of
// the rebuilt image. That it cannot be built is a result; only an interruption is
// an error.
func Twice(ctx context.Context, n *Node, items []rebuild.Item, again Again) (rebuild.Fresh, error) {
	fresh := FreshOf(n, items)
	first, second, err := again(ctx, n)
	switch {
	case errors.Is(err, rebuild.ErrBuild), errors.Is(err, rebuild.ErrNoBuilder), errors.Is(err, rebuild.ErrNotDone):
		fresh.Problem = err.Error()
		return fresh, nil
	case err != nil:
		return fresh, fmt.Errorf("building %s again: %w", n.Path, err)
	case second == "":
		fresh.Same = true
		return fresh, nil
	}
	differences, err := rebuild.TreeDifferences(first, second)
	for _, p := range differences {
		fresh.Differences = append(fresh.Differences, path.Join(path.Dir(n.Output()), path.Base(first), p))
	}
	return fresh, err
}

// Promote counts items as built for which every derivation that they come from
// gave the same bytes again.
func Promote(items []rebuild.Item, fresh []rebuild.Fresh, from func(item string) []*Node) {
	same := make(map[string]bool)
	for _, f := range fresh {
		same[f.Derivation] = f.Same
	}
	for i, item := range items {
		nodes := from(item.Path)
		all := len(nodes) > 0 && item.How != rebuild.Built
		for _, n := range nodes {
			all = all && same[n.Path]
		}
		if all {
			items[i] = rebuild.Item{Path: item.Path, How: rebuild.Built}
		}
	}
}

package guix

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"audit/rebuild/store"
)

// Fresh chooses what the job asked for.
func (s *session) Fresh(_ context.Context, _ *store.Graph, wanted []*store.Node) ([]*store.Node, error) {
	return wanted, nil
}

// From returns the derivation of an item, with what it was grafted from.
func (s *session) From(g *store.Graph, item string) []*store.Node {
	if n := g.Deriver(item); n != nil {
		return origins(g, n)
	}
	return nil
}

// Again executes a derivation once more, after seeing to it that all outputs are there.
func (s *session) Again(ctx context.Context, n *store.Node) (first, second string, err error) {
	second, err = s.check(ctx, n)
	var lacks *outputsError
	if errors.As(err, &lacks) {
		if _, err = s.run(ctx, slices.Concat([]string{"build"}, buildOptions(s.job.Options), []string{n.Path})...); err == nil {
			second, err = s.check(ctx, n)
		}
	}
	return strings.TrimSuffix(second, otherBuild), second, err
}

// incompleteOutputs matches what the daemon writes when an output that the
// image does not hold is not in the store, which a check needs too.
var incompleteOutputs = regexp.MustCompile(`some outputs of .* are not valid, so checking is not possible`)

// An outputsError is why a derivation was not built again: not all of its outputs are
// in the store.
type outputsError struct{ error }

// Unwrap returns what the failure means otherwise.
func (e *outputsError) Unwrap() error { return e.error }

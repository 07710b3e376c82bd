package guix

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/rebuild"
)

// refresh builds again what the job asked for and this run has not built yet.
func (s *session) refresh(ctx context.Context, g *graph) error {
	var chosen []*derivation
	for _, item := range s.result.Items {
		if d := g.deriver[item.Path]; s.job.WantsFresh(item.Path) && d != nil && item.How != rebuild.Built {
			chosen = append(chosen, g.origins(d)...)
		}
	}
	slices.SortFunc(chosen, func(a, b *derivation) int { return strings.Compare(a.path, b.path) })
	for _, d := range slices.Compact(chosen) {
		fresh, err := s.again(ctx, d)
		if err != nil {
			return err
		}
		s.result.Fresh = append(s.result.Fresh, fresh)
	}
	s.promote(g)
	return nil
}

// again builds one derivation again. That it cannot be built is a result; only
// an interruption is an error.
func (s *session) again(ctx context.Context, d *derivation) (rebuild.Fresh, error) {
	fresh := rebuild.Fresh{Derivation: d.path}
	for _, item := range s.result.Items {
		if slices.Contains(d.outputs, item.Path) {
			fresh.Items = append(fresh.Items, item.Path)
		}
	}
	other, err := s.checkWhole(ctx, d)
	switch {
	case errors.Is(err, rebuild.ErrBuild), errors.Is(err, rebuild.ErrNotDone):
		fresh.Problem = err.Error()
		return fresh, nil
	case err != nil:
		return fresh, fmt.Errorf("building %s again: %w", d.path, err)
	case other == "":
		fresh.Same = true
	default:
		fresh.Differences, err = differences(strings.TrimSuffix(other, otherBuild), other)
	}
	return fresh, err
}

// incompleteOutputs matches what the daemon says when an output that the
// image does not hold is not in the store, which a check needs too.
var incompleteOutputs = regexp.MustCompile(`some outputs of .* are not valid, so checking is not possible`)

// checkWhole is check, after seeing to it that all outputs are there.
func (s *session) checkWhole(ctx context.Context, d *derivation) (other string, err error) {
	other, err = s.check(ctx, d)
	if err == nil || !incompleteOutputs.MatchString(err.Error()) {
		return other, err
	}
	if _, err := s.run(ctx, slices.Concat([]string{"build"}, buildOptions(s.job.Options), []string{d.path})...); err != nil {
		return "", err
	}
	return s.check(ctx, d)
}

// promote counts items as built whose derivations, with what they were grafted
// from, gave the same bytes again in this run.
func (s *session) promote(g *graph) {
	same := make(map[string]bool)
	for _, f := range s.result.Fresh {
		same[f.Derivation] = f.Same
	}
	for i, item := range s.result.Items {
		d := g.deriver[item.Path]
		if d == nil || slices.ContainsFunc(g.origins(d), func(o *derivation) bool { return !same[o.path] }) {
			continue
		}
		s.result.Items[i] = rebuild.Item{Path: item.Path, How: rebuild.Built}
	}
}

// differences returns the paths that differ between two builds of one store
// item, sorted.
func differences(one, other string) ([]string, error) {
	paths, err := rebuild.TreeDifferences(one, other)
	for i, p := range paths {
		paths[i] = filepath.Join(one, p)
	}
	return paths, err
}

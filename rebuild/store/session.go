package store

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/rebuild"
)

// Batch is how many store paths one command is given: each has some hundred bytes,
// and a command may have two million.
const Batch = 1000

// A Session is one build of an image on its way, by a tool whose results lie in a
// store. Its methods are called by [Build] in the order in which they stand here.
type Session interface {
	// Start checks that the plan may be run and that the tool is there.
	Start(ctx context.Context) error
	// Valid says which of the paths are in the store.
	Valid(ctx context.Context, paths []string) (map[string]bool, error)
	// Evaluate asks the tool for the image's derivation, and compares it with the image.
	Evaluate(ctx context.Context) (*Graph, error)
	// MakeImage executes the image's derivation in this run, and returns where the
	// image lies on disk.
	MakeImage(ctx context.Context, g *Graph) (string, error)
	// TakeImage copies an image out of the store into the job's folder.
	TakeImage(image string) (string, error)
	// Items says of each store item of the rebuilt image where it came from; before
	// are those of the original that were in the store when the build began.
	Items(ctx context.Context, g *Graph, before map[string]bool) ([]rebuild.Item, error)
	// Fresh chooses what is built a second time of the derivations that the job
	// wants it of, and of all others.
	Fresh(ctx context.Context, g *Graph, wanted []*Node) ([]*Node, error)
	// From returns the derivations that decide an item's content, none where the
	// graph has none.
	From(g *Graph, item string) []*Node
	// Again builds a derivation, whose outputs are in the store, once more. It returns
	// "" where the bytes are the same, else where the first output and that of the
	// second build lie on disk.
	Again(ctx context.Context, n *Node) (first, second string, err error)
}

// Build takes the steps of a session. What they give goes into the result, also where
// one of them fails.
func Build(ctx context.Context, s Session, job rebuild.Job, result *rebuild.Result) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	before, err := s.Valid(ctx, job.Originals())
	if err != nil {
		return err
	}
	g, err := s.Evaluate(ctx)
	if err != nil {
		return err
	}
	image, err := s.MakeImage(ctx, g)
	if err != nil {
		return err
	}
	if result.Image, err = s.TakeImage(image); err != nil {
		return err
	}
	if result.Items, err = s.Items(ctx, g, before); err != nil {
		return err
	}
	return refresh(ctx, s, g, job, result)
}

// refresh builds again what the job asked for and this run has not built yet. A second
// build of the image alone would pass although something that it is made from is
// random, since that is made once.
func refresh(ctx context.Context, s Session, g *Graph, job rebuild.Job, result *rebuild.Result) error {
	var wanted []*Node
	for _, item := range result.Items {
		if job.WantsFresh(item.Path) && item.How != rebuild.Built {
			wanted = append(wanted, s.From(g, item.Path)...)
		}
	}
	chosen, err := s.Fresh(ctx, g, wanted)
	if err != nil {
		return err
	}
	slices.SortFunc(chosen, func(a, b *Node) int { return strings.Compare(a.Path, b.Path) })
	for _, n := range slices.Compact(chosen) {
		fresh, err := twice(ctx, s, n, result.Items)
		if err != nil {
			return err
		}
		result.Fresh = append(result.Fresh, fresh)
	}
	promote(result, func(item string) []*Node { return s.From(g, item) })
	return nil
}

// twice builds a derivation again and says what that has shown. Items are those of
// the rebuilt image. That it cannot be built is a result; only an interruption is
// an error.
func twice(ctx context.Context, s Session, n *Node, items []rebuild.Item) (rebuild.Fresh, error) {
	fresh := rebuild.Fresh{Derivation: n.Path}
	for _, item := range items {
		if n.Makes(item.Path) {
			fresh.Items = append(fresh.Items, item.Path)
		}
	}
	first, second, err := s.Again(ctx, n)
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

// promote counts items as built for which every derivation that they come from
// gave the same bytes again.
func promote(result *rebuild.Result, from func(item string) []*Node) {
	same := make(map[string]bool)
	for _, f := range result.Fresh {
		same[f.Derivation] = f.Same
	}
	for i, item := range result.Items {
		nodes := from(item.Path)
		differs := slices.ContainsFunc(nodes, func(n *Node) bool { return !same[n.Path] })
		if len(nodes) > 0 && !differs && item.How != rebuild.Built {
			result.Items[i] = rebuild.Item{Path: item.Path, How: rebuild.Built}
		}
	}
}

// Version is the version in what a tool prints of itself: the last word of the first
// line.
func Version(printed []byte) string {
	line, _, _ := strings.Cut(string(printed), "\n")
	return line[strings.LastIndexByte(line, ' ')+1:]
}

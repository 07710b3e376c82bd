package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

func compareCommand() *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "compares image B with image A as if it were its rebuild",
		ArgsUsage: "A B",
		Flags:     append(outputFlags(), demandFlags("consistent")...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 2 {
				return usage("compare takes two images, not %d (see audit help compare)", c.Args().Len())
			}
			if err := neverOfTwo(c); err != nil {
				return err
			}
			return audited(c, func(l *line) (*audit, error) {
				l.rebuilt = c.Args().Get(1)
				return l.pair(c.Context, c.Args().First())
			})
		},
	}
}

// neverOfTwo refuses what no comparison can fulfil: how the two were made is not looked at.
func neverOfTwo(c *cli.Context) error {
	p, err := demanded(c)
	if err != nil || p == nil {
		return err
	}
	const instead = "compare looks at two images, and not at how they were made; audit --rebuilt B A does both"
	if p.Require != rebuild.RequireConsistent && p.Require != rebuild.RequireMatching {
		return usage("%s is demanded, and never holds of a comparison: %s", p.Require, instead)
	}
	for _, id := range check.IDs() {
		may, named := p.Checks[id]
		made := id == check.Integrity || id == check.Rebuild
		if named && !made && !slices.Contains(may, check.Skipped) {
			return usage("of the check %s a status is demanded that it never has in a comparison: %s", id, instead)
		}
	}
	return nil
}

// pair is the line for two images: no recipe is asked for.
func (l *line) pair(ctx context.Context, reference string) (*audit, error) {
	a, began := new(audit), time.Now()
	var err error
	if a.image, err = l.inspect(ctx, reference); err != nil {
		return nil, err
	}
	for _, id := range []check.ID{check.Recipe, check.Closure, check.Repack, check.Signatures, check.Sources, check.Derivation} {
		l.skip(id, "report/comparison-only")
	}
	if err := l.compare(ctx, a); err != nil {
		return nil, err
	}
	l.conclude(a, began)
	return a, nil
}

// compare compares the rebuild, when there is one, with the original.
func (l *line) compare(ctx context.Context, a *audit) (err error) {
	if a.rebuilt == nil && l.rebuilt != "" {
		if a.rebuilt, err = l.second(ctx, l.rebuilt); err != nil {
			return err
		}
	}
	if a.rebuilt == nil {
		return nil
	}
	return l.step("compare", func() error {
		a.comparison = compare.Images(a.image, a.rebuilt, systems().Freedoms(a.image, a.rebuilt))
		if err := l.explain(ctx, a); err != nil {
			return err
		}
		l.add(a.rebuildCheck())
		return nil
	})
}

// explain reads the files that differ once more, of both images. Where one came as
// a stream and was not kept, those differences stay without detail.
func (l *line) explain(ctx context.Context, a *audit) error {
	keep := a.comparison.Keep()
	if keep == nil {
		return nil
	}
	opt := inspect.Options{Platform: l.platform, Progress: l.progress.bytes("reading what differs")}
	original, err := inspect.Contents(ctx, a.image, keep, opt)
	if errors.Is(err, inspect.ErrNotKept) {
		return nil
	}
	if err != nil {
		return unreadable(err)
	}
	rebuilt, err := inspect.Contents(ctx, a.rebuilt, keep, opt)
	if errors.Is(err, inspect.ErrNotKept) {
		return nil
	}
	if err != nil {
		return unreadable(err)
	}
	a.comparison.Explain(original, rebuilt, time.Now())
	return nil
}

// rebuildCheck is the check named rebuild: what the comparison shows, and what
// the builder has results.
func (a *audit) rebuildCheck() check.Check {
	var results rebuild.Result
	if a.result != nil {
		results = *a.result
	}
	out := rebuild.WithFresh(rebuild.Check(a.comparison, a.given(), results.Items), results.Fresh)
	out = rebuild.WithSteps(out, results.Steps)
	of := systems()
	if a.evidence != nil {
		of = of.Only(a.evidence.Recipe.System)
	}
	return rebuild.WithHistory(out, of.History(a.image), of.History(a.rebuilt))
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"
)

// bounded gives a verb the flag --timeout, which bounds all that it does: reading
// files, registries and engines, asking build farms, building.
func bounded(verb *cli.Command) *cli.Command {
	verb.Flags = append(verb.Flags, &cli.DurationFlag{
		Name: "timeout", DefaultText: "never", Usage: "end after `TIME`, such as 2h, whatever is being read, asked or built then",
	})
	action := verb.Action
	verb.Action = func(c *cli.Context) error {
		limit := c.Duration("timeout")
		switch {
		case limit < 0:
			return usage("--timeout %s: it is less than none", limit)
		case limit == 0:
			return action(c)
		}
		ctx, cancel := context.WithTimeoutCause(c.Context, limit, fmt.Errorf("not done within the %s of --timeout", limit))
		defer cancel()
		c.Context = ctx
		return action(c)
	}
	return verb
}

// timedOut says whether a run has come to its --timeout, and was not stopped by a
// signal.
func timedOut(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// stopped is the error of a run that a signal has ended; nil for one that goes on, or
// that has come to its --timeout, after which nothing is read, asked or built.
func stopped(ctx context.Context) error {
	if timedOut(ctx) {
		return nil
	}
	return ctx.Err()
}

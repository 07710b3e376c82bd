package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"audit/rebuild"
)

// Builds remember the last build of a batch: images that have equal plans and equal
// store items are of one build, which is done once.
type builds struct {
	key    string
	result *rebuild.Result
	err    error
	log    []byte
	dir    string // that the image of the result lies in
}

// build runs the plan of an image, unless the last build was of the same. A nil memory
// always builds.
func (b *builds) build(ctx context.Context, builder rebuild.Builder, a *audit, job rebuild.Job, log *buildLog) (*rebuild.Result, error) {
	if b == nil {
		return builder.Build(ctx, *a.plan, job)
	}
	key := planKey(a)
	if b.key == key {
		_, err := log.Write(b.log)
		return b.result, errors.Join(b.err, err)
	}
	b.forget()
	result, err := builder.Build(ctx, *a.plan, job)
	if err == nil || errors.Is(err, rebuild.ErrBuild) && ctx.Err() == nil {
		*b = builds{key, result, err, log.bytes(), job.Dir}
	}
	return result, err
}

// keeps says whether a folder is that of the last build.
func (b *builds) keeps(dir string) bool { return b != nil && b.dir == dir }

func (b *builds) forget() {
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
	*b = builds{}
}

// planKey is the same for plans that differ in nothing but the image that they are of,
// where the images have the same store items.
func planKey(a *audit) string {
	plan := *a.plan
	plan.Image, plan.ConfigDigest, plan.Command = "", "", nil
	sum := sha256.New()
	sum.Write(planJSON(plan))
	for _, item := range a.image.Items {
		fmt.Fprintf(sum, "%s %s\n", item.Path, item.NarHash)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

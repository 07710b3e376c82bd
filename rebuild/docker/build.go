package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
)

// A Builder runs plans with an engine that builds Dockerfiles.
type Builder struct {
	// Engine is one of [Engines]; "" takes the one that built the original,
	// and any when that is not known.
	Engine string
}

var _ rebuild.Builder = Builder{}

// NoDerivation is why the check named derivation is skipped, always.
const NoDerivation = "a Dockerfile has no derivation to evaluate"

// Build builds the image of a plan again, from nothing that a cache holds.
//
// Without an engine the error wraps [rebuild.ErrNoBuilder]; for a plan that must
// not be run, and for one whose source, images or secrets cannot be had, or
// whose instructions want a network that they do not have,
// [rebuild.ErrRefused]; when an instruction fails, [rebuild.ErrBuild]. Most
// carry a [rebuild.HintError]. When ctx ends, the error wraps its cause alone.
//
// The image is a docker-archive or an OCI archive in job.Dir. The items of the
// result are the instructions of all stages: built, or, of the images that they
// start from, reused.
func (b Builder) Build(ctx context.Context, plan rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	s := &session{plan: plan, job: job, said: newSaid()}
	s.result.Derivation = check.Check{ID: check.Derivation, Status: check.Skipped, Summary: NoDerivation}
	err := s.build(ctx, b.Engine)
	s.result.Items = s.said.items()
	return &s.result, err
}

// A session is one build on its way.
type session struct {
	plan   rebuild.Plan
	job    rebuild.Job
	call   call
	engine string
	said   *said
	result rebuild.Result
}

func (s *session) build(ctx context.Context, asked string) error {
	if err := s.start(); err != nil {
		return err
	}
	e, err := s.choose(ctx, asked)
	if err != nil {
		return err
	}
	if err := s.tell(); err != nil {
		return err
	}
	file := filepath.Join(s.job.Dir, "rebuilt.tar")
	if err := e.build(ctx, s, file); err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("%w: the engine left no image: %w", rebuild.ErrBuild, err)
	}
	s.result.Image = file
	return nil
}

// start checks that the plan may be run and writes its files.
func (s *session) start() (err error) {
	if s.plan.Refused != "" {
		return fmt.Errorf("%w: %s", rebuild.ErrRefused, s.plan.Refused)
	}
	if err := runnable(s.plan); err != nil {
		return fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
	}
	if s.call, err = parseCall(s.plan.Pack); err != nil {
		return fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
	}
	if !isRemote(s.call.context) {
		if info, err := os.Stat(s.call.context); err != nil || !info.IsDir() {
			return fmt.Errorf("%w: the source %s is not here", rebuild.ErrRefused, s.call.context)
		}
	}
	if !filepath.IsAbs(s.job.Dir) {
		return errors.New("the folder of the job is not absolute")
	}
	for _, f := range s.plan.Files {
		if err := os.WriteFile(filepath.Join(s.job.Dir, f.Name), []byte(f.Text), 0o600); err != nil {
			return fmt.Errorf("writing the plan's files: %w", err)
		}
	}
	return nil
}

// tell notes in the log when another engine builds than built the original, and
// which of the options it cannot follow.
func (s *session) tell() error {
	if s.job.Log == nil {
		return nil
	}
	var lines []string
	if s.engine != s.plan.Engine {
		original := "no engine that is known here"
		if s.plan.Engine != "" {
			original = s.plan.Engine
		}
		lines = append(lines, fmt.Sprintf("The original was built by %s, this is %s: the histories in the configs will differ.", original, s.engine))
	}
	if names := pointless(s.job); len(names) > 0 {
		lines = append(lines, fmt.Sprintf("An engine runs every instruction anew, on this machine: %s changes nothing.", strings.Join(names, ", ")))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(s.job.Log, line); err != nil {
			return fmt.Errorf("writing the log: %w", err)
		}
	}
	return nil
}

// pointless returns the flags that were given and that only Guix and Nix know.
func pointless(job rebuild.Job) (names []string) {
	o := job.Options
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"--fresh", len(job.Fresh) > 0},
		{"--check-inputs", job.CheckInputs},
		{"--no-substitutes", o.NoSubstitutes},
		{"--substitute-urls", len(o.SubstituteURLs) > 0},
		{"--substitute-key", len(o.SubstituteKeys) > 0},
		{"--cores", o.Cores > 0},
		{"--max-jobs", o.MaxJobs > 0},
		{"--builders", o.Builders != ""},
	} {
		if flag.given {
			names = append(names, flag.name)
		}
	}
	return names
}

package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"audit/inspect"
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
	s.result.Derivation = inspect.Check{ID: inspect.Derivation, Status: inspect.Skipped, Summary: NoDerivation}
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

// tell notes in the log when another engine builds than built the original.
func (s *session) tell() error {
	if s.job.Log == nil || s.engine == s.plan.Engine {
		return nil
	}
	original := "no engine that is known here"
	if s.plan.Engine != "" {
		original = s.plan.Engine
	}
	_, err := fmt.Fprintf(s.job.Log, "The original was built by %s, this is %s: the histories in the configs will differ.\n", original, s.engine)
	if err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/docker"
	"audit/rebuild"
)

// A Builder runs plans with an engine that builds Dockerfiles.
type Builder struct {
	// Engine is one of [Engines]; "" takes the one that built the original,
	// and any when that is not known.
	Engine string
}

var _ rebuild.Builder = Builder{}

// NoDerivation is the code of why the check named derivation is skipped, always.
const NoDerivation = "derivation/none-of-dockerfile"

// Build builds the image of a plan again, from nothing in a cache.
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
	s := &session{plan: plan, job: job, steps: newSteps()}
	s.result.Derivation = check.Skip(check.Derivation, NoDerivation)
	err := s.build(ctx, b.Engine)
	s.result.Items = s.steps.items(s.pinned, s.secrets)
	return &s.result, err
}

// A session is one build on its way.
type session struct {
	plan    rebuild.Plan
	job     rebuild.Job
	args    arguments
	context string // with the user info that the plan has not
	secrets secrets
	engine  docker.Builder
	steps   *steps
	result  rebuild.Result
}

func (s *session) build(ctx context.Context, asked string) error {
	if err := s.start(); err != nil {
		return err
	}
	e, err := s.choose(ctx, docker.Builder(asked))
	if err != nil {
		return err
	}
	if err := s.explainEngine(); err != nil {
		return err
	}
	file := filepath.Join(s.job.Dir, "rebuilt.tar")
	if err := e.build(ctx, s, file); err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("%w: the engine left no image: %w", rebuild.ErrNotDone, err)
	}
	s.result.Image = file
	return nil
}

// start checks that the plan may be run, takes what it does not have from the
// user's flags, and writes its files.
func (s *session) start() error {
	d, err := runnable(s.plan)
	if err != nil {
		return err
	}
	in := inputOf(s.job.Settings)
	if reasons := d.missing(in); len(reasons) > 0 {
		return &rebuild.RefusedError{Reasons: reasons}
	}
	s.args = arguments{Details: d, values: in.values()}
	s.context, s.secrets = d.Context, secretsOf(in)
	if at, err := locate(in.Source); err == nil && rebuild.WithoutSecrets(at.context) == d.Context {
		s.context = at.context
	}
	if err := s.checkFolder(); err != nil {
		return err
	}
	if !filepath.IsAbs(s.job.Dir) {
		return errors.New("the folder of the job is not absolute")
	}
	return s.writeFiles()
}

// checkFolder looks at a source that is a folder as it is now.
func (s *session) checkFolder() error {
	if isRemote(s.context) {
		return nil
	}
	info, err := os.Stat(s.context)
	if err != nil || !info.IsDir() {
		return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/folder-missing", "folder", s.args.shownContext())}}
	}
	if name := syntaxOf(s.context, s.args.Dockerfile); s.args.Text == "" && name != "" && len(s.args.Frontends) == 0 {
		return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/frontend-added", "image", name)}}
	}
	return nil
}

// pinned says whether a digest of the plan, or of the Dockerfile as it is written,
// pins an image that the build starts from. BuildKit shows every image with the
// digest that it has just found: that alone pins nothing.
func (s *session) pinned(image string) bool {
	_, digest, ok := strings.Cut(image, "@")
	switch {
	case !ok:
		return false
	case s.engine != docker.BuildKit:
		return true // it is written so
	case slices.ContainsFunc(s.args.Pins, func(p Pin) bool { return p.Kind == pinImage && p.Digest == digest }):
		return true
	}
	text := s.args.Text
	if text == "" && !isRemote(s.context) {
		text, _ = dockerfileIn(s.context, s.args.Dockerfile) // what cannot be read pins nothing
	}
	return strings.Contains(text, "@"+digest)
}

func (s *session) writeFiles() error {
	if err := os.Mkdir(filepath.Join(s.job.Dir, noLogins), 0o700); err != nil {
		return fmt.Errorf("writing the plan's files: %w", err)
	}
	for name, text := range map[string]string{dockerfileName: s.args.Text, policyName: policyOf(&s.args.Details, s.context),
		filepath.Join(noLogins, "config.json"): "{}\n"} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(s.job.Dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the plan's files: %w", err)
		}
	}
	return nil
}

// explainEngine notes in the log when another engine builds than built the
// original, and which of the options it cannot follow.
func (s *session) explainEngine() error {
	if s.job.Log == nil {
		return nil
	}
	var lines []string
	if s.engine != s.args.Engine {
		original := "no engine that is known here"
		if s.args.Engine != docker.Unknown {
			original = string(s.args.Engine)
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

package guix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/store"
)

// A Builder runs plans with GNU Guix. Its zero value takes guix from PATH.
type Builder struct {
	Program string // path of guix
}

var _ rebuild.Builder = Builder{}

// Build builds the image of a plan again.
//
// Without guix, or without its daemon, the error wraps
// [rebuild.ErrNoBuilder]; for a plan that must not be run, or a package to
// build afresh that the image does not have, [rebuild.ErrRefused]; when the
// builder of a derivation fails, [rebuild.ErrBuild], and when Guix fails for any
// other reason, [rebuild.ErrNotDone]; a recipe that turns out to be incomplete is a
// [rebuild.IncompleteError]. Most carry a [rebuild.HintError]. When ctx ends, the
// error wraps its cause alone: an interrupted build has not failed.
//
// The image is copied into job.Dir, out of reach of Guix's garbage collector.
func (b Builder) Build(ctx context.Context, plan rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	s := &session{guix: b.Program, plan: plan, job: job, log: newBuildLog()}
	if s.guix == "" {
		s.guix = "guix"
	}
	s.result.Derivation = check.Check{ID: check.Derivation, Status: check.Skipped, Reasons: []check.Message{check.Say("derivation/not-evaluated")}}
	err := store.Build(ctx, s, job, &s.result)
	return &s.result, err
}

// A session is one build on its way.
type session struct {
	guix    string
	plan    rebuild.Plan
	details Details // of the plan
	job     rebuild.Job
	log     *buildLog // what Guix has written so far
	// noGrafts says that the packer is called with the option of that name, since
	// only that gives the original.
	noGrafts bool
	result   rebuild.Result
}

// noGrafts has Guix leave packages as they were built (Guix 1.5, module (guix
// scripts build), %standard-build-options; since before 0.16).
const noGrafts = "--no-grafts"

// Start checks that the plan may be run and that Guix is there, and writes the
// plan's files.
func (s *session) Start(ctx context.Context) error {
	var err error
	if s.details, err = runnable(s.plan); err != nil {
		return err
	}
	if err := s.job.FreshKnown(); err != nil {
		return err
	}
	if err := s.version(ctx); err != nil {
		return err
	}
	for _, f := range s.details.Files() {
		if err := os.WriteFile(filepath.Join(s.job.Dir, f.Name), []byte(f.Text), 0o600); err != nil {
			return fmt.Errorf("writing the plan's files: %w", err)
		}
	}
	return nil
}

// version notes which guix is here. One that cannot even say so is none.
func (s *session) version(ctx context.Context) error {
	out, err := s.try(ctx, "--version")
	var exit *rebuild.ExitError
	if errors.As(err, &exit) {
		return &rebuild.HintError{Err: fmt.Errorf("%w: guix --version: %w", rebuild.ErrNoBuilder, err), Hint: howToGetGuix}
	}
	if err != nil {
		return explain(err, string(out.Log))
	}
	s.result.Tools = []rebuild.Tool{{Name: "guix", Version: store.Version(out.Stdout)}}
	return nil
}

// Evaluate asks the Guix of the recipe for the image's derivation, and compares
// it with the image.
func (s *session) Evaluate(ctx context.Context) (*store.Graph, error) {
	g, err := s.choose(ctx)
	if err != nil {
		var lacks *rebuild.IncompleteError
		if errors.Is(err, rebuild.ErrBuild) || errors.As(err, &lacks) {
			s.result.Derivation.Status = check.Unknown
			s.result.Derivation.Reasons = []check.Message{check.Say("derivation/evaluation-failed")}
		}
		return nil, err
	}
	if s.job.Image != nil {
		s.result.Derivation = s.compare(g)
		if s.result.Derivation.Status == check.Unknown && len(s.job.Image.Items) > 0 {
			reasons := append([]check.Message{check.Say("plan/nothing-to-compare")}, s.result.Derivation.Reasons...)
			return nil, &rebuild.RefusedError{Reasons: reasons}
		}
	}
	return g, nil
}

// choose evaluates the recipe, and where that does not give what the image holds a
// second time without grafts: an image does not show whether its packer was called
// with --no-grafts. What gives the image counts; where neither does, what Guix does
// by default.
func (s *session) choose(ctx context.Context) (*store.Graph, error) {
	g, err := s.derive(ctx)
	if err != nil || s.gives(g) {
		return g, err
	}
	s.noGrafts = true
	plain, err := s.derive(ctx)
	if err != nil || s.gives(plain) {
		return plain, err
	}
	s.noGrafts = false
	return g, nil
}

// gives says whether derivations make what the image holds; where there is no image,
// the store item that the plan says it is made of.
func (s *session) gives(g *store.Graph) bool {
	if s.job.Image == nil || len(s.job.Image.Items) == 0 {
		return profileOf(g, s.details.Pack.Root) == s.details.Pack.Root
	}
	return s.compare(g).Status == check.Pass
}

// compare is the check named derivation of a graph.
func (s *session) compare(g *store.Graph) check.Check {
	c := derivationCheck(g, s.details.Pack.Root, s.job.Image.Items, s.machineKnown())
	switch {
	case s.noGrafts:
		c.Because("derivation/without-grafts")
	case c.Status == check.Fail:
		c.Because("derivation/with-and-without-grafts")
	}
	return c
}

// machineKnown says whether the plan names the kind of machine to build for.
func (s *session) machineKnown() bool { return s.details.Pack.SystemType != "" }

func (s *session) derive(ctx context.Context) (*store.Graph, error) {
	out, err := s.run(ctx, s.packCommand("-d")...)
	if err != nil {
		return nil, fmt.Errorf("evaluating the recipe: %w", err)
	}
	drv := lastLine(out)
	if !s.inStore(drv) || !strings.HasSuffix(drv, ".drv") {
		return nil, fmt.Errorf("evaluating the recipe: %w: guix printed %q, which is no derivation", rebuild.ErrNotDone, drv)
	}
	g, err := readGraph(drv)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", rebuild.ErrNotDone, err)
	}
	return g, nil
}

// packCommand returns the plan's main command. At verbosity 3 Guix says of
// each derivation that it was built and of each substitute where it is from.
func (s *session) packCommand(more ...string) []string {
	options := buildOptions(s.job.Options)
	verbs, arguments := s.details.command()
	if s.noGrafts {
		more = append([]string{noGrafts}, more...)
	}
	args := slices.Concat([]string{"time-machine"}, options, []string{"-C", channelsFile, "--"}, verbs, []string{"--verbosity=3"}, options)
	return slices.Concat(args, more, arguments)
}

// buildOptions returns the options that all commands of Guix that build take
// (Guix 1.5, module (guix scripts build), %standard-build-options).
func buildOptions(o rebuild.Options) []string {
	var args []string
	if o.NoSubstitutes {
		args = append(args, "--no-substitutes")
	}
	if len(o.SubstituteURLs) > 0 {
		args = append(args, "--substitute-urls="+strings.Join(o.SubstituteURLs, " "))
	}
	if o.Cores > 0 {
		args = append(args, "--cores="+strconv.Itoa(o.Cores))
	}
	if o.MaxJobs > 0 {
		args = append(args, "--max-jobs="+strconv.Itoa(o.MaxJobs))
	}
	return args
}

// MakeImage executes the image's derivation and returns the file it made. An
// image that is in the store already, or that Guix did not say to have built,
// is built again: a rebuild must have been built.
func (s *session) MakeImage(ctx context.Context, g *store.Graph) (string, error) {
	output := g.Root.Output()
	there, err := s.Valid(ctx, []string{output})
	if err != nil {
		return "", err
	}
	command := s.packCommand()
	s.result.Command = append([]string{s.guix}, command...)
	if !there[output] {
		out, err := s.run(ctx, command...)
		if err != nil {
			return "", fmt.Errorf("building the image: %w", err)
		}
		if got := lastLine(out); got != output {
			return "", fmt.Errorf("building the image: %w: guix made %q, and its derivation says %q", rebuild.ErrNotDone, got, output)
		}
		if s.log.built[g.Root.Path] {
			return output, nil
		}
	}
	s.result.Command = append([]string{s.guix}, s.checkCommand(g.Root.Path)...)
	other, err := s.check(ctx, g.Root)
	if err != nil {
		return "", fmt.Errorf("building the image again: %w", err)
	}
	if other != "" {
		return other, nil
	}
	return output, nil
}

// TakeImage copies an image out of the store; of an image that was exported, what an
// engine exports of it.
func (s *session) TakeImage(image string) (string, error) {
	file, err := store.Keep(image, s.job.Dir, otherBuild)
	if err == nil && s.details.Pack.Export != nil {
		return exported(file, *s.details.Pack.Export)
	}
	return file, err
}

// inStore says whether a path is directly in the store that the image's own
// items name.
func (s *session) inStore(path string) bool {
	return inspect.StoreName(path) != "" && filepath.Dir(path) == filepath.Dir(s.details.Pack.Root)
}

func lastLine(out []byte) string {
	text := strings.TrimRight(string(out), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

package nix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// A Builder runs plans with Nix. Its zero value takes Nix's programs from PATH
// and builds in a store that is gone afterwards.
type Builder struct {
	Bin string // folder of nix-store, nix-instantiate and nix
	// Store is a folder for the store, kept from run to run: what is in it is
	// reused. "" for one inside the job.
	Store string
}

var _ rebuild.Builder = Builder{}

// Build builds the image of a plan again.
//
// Without Nix, or where its sandbox does not work, the error wraps
// [rebuild.ErrNoBuilder]; for a plan that must not be run, or an expression
// that reads what it may not, [rebuild.ErrRefused]; when the builder of a
// derivation fails, [rebuild.ErrBuild], and when Nix fails for any other reason,
// [rebuild.ErrNotDone]. Most carry a [rebuild.HintError]. When ctx ends, the error
// wraps its cause alone: an interrupted build has not failed.
//
// The image is copied into job.Dir, and the job's own store can be removed with
// it.
func (b Builder) Build(ctx context.Context, plan rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	s := &session{bin: b.Bin, root: b.Store, plan: plan, job: job, log: newLog(job.Log)}
	s.result.Derivation = check.Skip(check.Derivation, "derivation/not-evaluated")
	if s.root == "" {
		s.root = s.inJob("store")
		defer s.makeRemovable()
	}
	err := store.Build(ctx, s, job, &s.result)
	return &s.result, err
}

// A session is one build on its way.
type session struct {
	bin     string
	root    string // folder that holds the store, as nix/store
	plan    rebuild.Plan
	details Details
	job     rebuild.Job
	log     *log            // what Nix has reported so far
	outputs map[string]bool // which outputs of what is to be built again are in the store
	given   drv.Closure     // of a derivation that is a file
	result  rebuild.Result
}

// Start checks that the plan may be run, makes the check that needs no Nix, and
// sees whether Nix is there.
func (s *session) Start(ctx context.Context) error {
	if err := s.admit(); err != nil {
		return err
	}
	if s.details.Derivation != "" {
		if err := s.readGiven(); err != nil {
			return err
		}
	}
	for _, dir := range []string{s.root, s.inJob("conf"), s.inJob("tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("preparing the build: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.inJob("conf"), "nix.conf"), []byte(s.configuration()), 0o600); err != nil {
		return fmt.Errorf("preparing the build: %w", err)
	}
	return s.version(ctx)
}

// admit says why the plan must not be run.
func (s *session) admit() (err error) {
	if len(s.plan.Reasons) > 0 {
		return &rebuild.RefusedError{Reasons: s.plan.Reasons}
	}
	if s.details, err = rebuild.DetailsOf[Details](s.plan); err == nil {
		err = s.details.check()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
	}
	if err := s.takeSecrets(); err != nil {
		return err
	}
	return s.job.FreshKnown()
}

// takeSecrets takes the addresses as the user gives them in the place of those that
// the plan has without what is secret.
func (s *session) takeSecrets() error {
	if len(s.details.Private) == 0 {
		return nil
	}
	given, err := inputOf(s.job.Settings).details()
	public := given.withoutSecrets()
	public.Root = s.details.Root
	if err != nil || !reflect.DeepEqual(public, s.details) {
		return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/addresses-without-secrets", "addresses", s.details.Private)}}
	}
	given.Root = s.details.Root
	s.details = given
	return nil
}

// version notes which Nix is here. One that cannot even say so is none. It is
// asked with a store of our own: without one it would make /nix on a machine that
// has none.
func (s *session) version(ctx context.Context) error {
	out, err := rebuild.Run(ctx, rebuild.Command{
		Argv: []string{s.program("nix-store"), "--store", s.root, "--version"}, Dir: s.job.Dir, Env: s.environment(),
	})
	var exit *rebuild.ExitError
	if errors.As(err, &exit) {
		return &rebuild.HintError{Err: fmt.Errorf("%w: nix-store --version: %w", rebuild.ErrNoBuilder, err), Hint: howToGetNix}
	}
	if err != nil {
		return nixTool().Explain(err, "")
	}
	s.result.Tools = []rebuild.Tool{{Name: "nix", Version: store.Version(out.Stdout)}}
	return nil
}

// Evaluate asks Nix for the image's derivation, and compares it with the image.
func (s *session) Evaluate(ctx context.Context) (*store.Graph, error) {
	g, err := s.derive(ctx)
	if err != nil {
		if s.result.Derivation.Status == check.Skipped {
			s.result.Derivation = check.Check{ID: check.Derivation}
			s.result.Derivation.Because("derivation/evaluation-failed")
		}
		return nil, err
	}
	s.compare(g)
	return g, nil
}

func (s *session) compare(g *store.Graph) {
	if s.job.Image != nil {
		s.result.Derivation = checkDerivation(g, s.details.Root, s.job.Image)
	}
}

func (s *session) derive(ctx context.Context) (*store.Graph, error) {
	path, err := s.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	g, err := store.ReadGraph(path, func(p string) (*drv.Derivation, error) { return drv.Read(s.real(p)) })
	if err != nil {
		return nil, fmt.Errorf("reading the recipe's derivations: %w: %w", rebuild.ErrNotDone, err)
	}
	return g, nil
}

// instantiate puts the derivation of the image into the store and returns its
// path.
func (s *session) instantiate(ctx context.Context) (string, error) {
	var c call
	var err error
	switch {
	case s.details.Expression != nil:
		c, err = evaluateExpression(s.details.Expression)
	case s.details.Flake != nil:
		c, err = evaluateFlake(s.details.Flake)
	default:
		return s.importGiven(ctx)
	}
	if err != nil {
		return "", err
	}
	out, err := s.run(ctx, c)
	if err != nil {
		return "", fmt.Errorf("evaluating the recipe: %w", err)
	}
	return s.oneDerivation(string(out))
}

// oneDerivation reads what an evaluation printed: a .drv file, perhaps with the
// name of an output.
func (s *session) oneDerivation(out string) (string, error) {
	lines := strings.Fields(out)
	if len(lines) != 1 {
		return "", &rebuild.HintError{Err: fmt.Errorf("evaluating the recipe: %w: it gives %d derivations", rebuild.ErrNotDone, len(lines)),
			Hint: "Name the one that makes the image with --nix-attr."}
	}
	path, _, _ := strings.Cut(lines[0], "!")
	if !isStorePath(path) || !strings.HasSuffix(path, ".drv") {
		return "", fmt.Errorf("evaluating the recipe: %w: Nix printed %q, which is no derivation", rebuild.ErrNotDone, lines[0])
	}
	return path, nil
}

// makeRemovable makes the folders of the job's own store ones that can be removed:
// the store takes every right to write away.
func (s *session) makeRemovable() {
	_ = filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // one that stays as it is fails when it is removed
		}
		return nil
	})
}

package nix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/drv"
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
// that reads what it may not, [rebuild.ErrRefused]; when Nix fails,
// [rebuild.ErrBuild]. Most carry a [rebuild.HintError]. When ctx ends, the
// error wraps its cause alone: an interrupted build has not failed.
//
// The image is copied into job.Dir, and the job's own store can be removed with
// it.
func (b Builder) Build(ctx context.Context, plan rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	s := &session{bin: b.Bin, root: b.Store, plan: plan, job: job, said: newSaid(job.Log)}
	s.result.Derivation = check.Check{ID: check.Derivation, Status: check.Skipped, Summary: "the recipe was not evaluated"}
	if s.root == "" {
		s.root = s.inJob("store")
		defer s.loosen()
	}
	err := s.build(ctx)
	return &s.result, err
}

// A session is one build on its way.
type session struct {
	bin    string
	root   string // folder that holds the store, as nix/store
	plan   rebuild.Plan
	job    rebuild.Job
	said   *said // what Nix has said so far
	loose  drv.Closure
	result rebuild.Result
}

func (s *session) build(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	before, err := s.valid(ctx, s.job.Originals())
	if err != nil {
		return err
	}
	g, err := s.evaluate(ctx)
	if err != nil {
		return err
	}
	image, err := s.makeImage(ctx, g)
	if err != nil {
		return err
	}
	if s.result.Image, err = s.keep(image); err != nil {
		return err
	}
	s.result.Items = s.items(g, before)
	s.result.Steps = s.steps()
	return s.refresh(ctx, g)
}

// start checks that the plan may be run, makes the check that needs no Nix, and
// sees whether Nix is there.
func (s *session) start(ctx context.Context) error {
	if s.plan.Refused != "" {
		return fmt.Errorf("%w: %s", rebuild.ErrRefused, s.plan.Refused)
	}
	if err := runnable(s.plan); err != nil {
		return fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
	}
	if err := s.job.FreshKnown(); err != nil {
		return err
	}
	if s.plan.Source.Kind == kindDrv {
		if err := s.readLoose(); err != nil {
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

// version notes which Nix is here. One that cannot even say so is none.
func (s *session) version(ctx context.Context) error {
	out, err := rebuild.Run(ctx, rebuild.Command{Argv: []string{s.program("nix-store"), "--version"}, Dir: s.job.Dir, Env: s.environment()})
	var exit *rebuild.ExitError
	if errors.As(err, &exit) {
		return &rebuild.HintError{Err: fmt.Errorf("%w: nix-store --version: %w", rebuild.ErrNoBuilder, err), Hint: howToGetNix}
	}
	if err != nil {
		return s.explain(err)
	}
	first, _, _ := strings.Cut(string(out.Stdout), "\n")
	s.result.Tools = []rebuild.Tool{{Name: "nix", Version: first[strings.LastIndexByte(first, ' ')+1:]}}
	return nil
}

// evaluate asks Nix for the image's derivation, and holds it against the image.
func (s *session) evaluate(ctx context.Context) (*graph, error) {
	g, err := s.derive(ctx)
	if err != nil {
		if s.result.Derivation.Status == check.Skipped {
			s.result.Derivation.Status = check.Unknown
			s.result.Derivation.Summary = "the recipe could not be evaluated"
		}
		return nil, err
	}
	s.holdAgainst(g)
	return g, nil
}

func (s *session) holdAgainst(g *graph) {
	if s.job.Image != nil {
		s.result.Derivation = hold(g, s.plan.Root, s.job.Image)
	}
}

func (s *session) derive(ctx context.Context) (*graph, error) {
	path, err := s.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	g, err := readGraph(path, func(p string) (*drv.Derivation, error) { return drv.Read(s.real(p)) })
	if err != nil {
		return nil, fmt.Errorf("reading the recipe's derivations: %w: %w", rebuild.ErrBuild, err)
	}
	return g, nil
}

// instantiate puts the derivation of the image into the store and returns its
// path.
func (s *session) instantiate(ctx context.Context) (string, error) {
	c, err := s.evaluation()
	if err != nil {
		return "", err
	}
	if s.plan.Source.Kind == kindDrv {
		return s.importLoose(ctx)
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
		return "", &rebuild.HintError{Err: fmt.Errorf("evaluating the recipe: %w: it gives %d derivations", rebuild.ErrBuild, len(lines)),
			Hint: "Name the one that makes the image with --nix-attr."}
	}
	path, _, _ := strings.Cut(lines[0], "!")
	if !isStorePath(path) || !strings.HasSuffix(path, ".drv") {
		return "", fmt.Errorf("evaluating the recipe: %w: Nix printed %q, which is no derivation", rebuild.ErrBuild, lines[0])
	}
	return path, nil
}

// evaluation returns the command that evaluates the plan's source.
func (s *session) evaluation() (call, error) {
	source := *s.plan.Source
	switch source.Kind {
	case kindFlake:
		reference, err := flakeReference(source)
		words := []string{"eval", "--extra-experimental-features", "nix-command flakes", "--option", "pure-eval", "true",
			"--option", "use-registries", "false", "--option", "eval-cache", "false", "--no-update-lock-file", "--raw", reference}
		return call{program: "nix", words: words}, err
	case kindExpr:
		file, err := filepath.Abs(source.Location)
		if err == nil {
			file, err = filepath.EvalSymlinks(file)
		}
		if err != nil {
			return call{}, fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
		}
		words := []string{"--option", "restrict-eval", "true", "-I", "audit-expression=" + workTree(file)}
		words = append(words, evaluationOptions(source)...)
		words = append(words, file)
		if source.Attribute != "" {
			words = append(words, "-A", source.Attribute)
		}
		return call{program: "nix-instantiate", words: words}, nil
	}
	return call{}, nil
}

// evaluationOptions are the options of a plan that only the evaluation gets.
func evaluationOptions(s rebuild.Source) []string {
	var taken []string
	for words := s.Options; len(words) > 1; {
		if words[0] == "-I" {
			taken = append(taken, "-I", absolutePart(words[1]))
			words = words[2:]
			continue
		}
		if words[1] == "allowed-uris" {
			taken = append(taken, words[:3]...)
		}
		words = words[3:]
	}
	return taken
}

// absolutePart makes the folder of "NAME=FOLDER" or "FOLDER" absolute. What is
// no folder here stays as it is.
func absolutePart(word string) string {
	name, folder, named := strings.Cut(word, "=")
	if !named {
		name, folder = "", word
	}
	if _, err := os.Stat(folder); err != nil {
		return word
	}
	if abs, err := filepath.Abs(folder); err == nil {
		folder = abs
	}
	if named {
		return name + "=" + folder
	}
	return folder
}

// workTree returns what an expression may read: the Git work tree that it lies
// in, else its own folder.
func workTree(file string) string {
	own := file
	if info, err := os.Stat(file); err == nil && !info.IsDir() {
		own = filepath.Dir(file)
	}
	for dir := own; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil && dir != "/" {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return own
		}
	}
}

// flakeReference returns what nix eval is asked for. A flake in a folder is
// named by its absolute path.
func flakeReference(source rebuild.Source) (string, error) {
	reference := source.Location
	if strings.HasPrefix(reference, ".") || strings.HasPrefix(reference, "/") {
		abs, err := filepath.Abs(reference)
		if err != nil {
			return "", fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
		}
		reference = abs
	}
	attribute := source.Attribute
	if attribute == "" {
		attribute = "default"
	}
	return reference + "#" + attribute + ".drvPath", nil
}

// loosen makes the folders of the job's own store ones that can be removed:
// the store takes every right to write away.
func (s *session) loosen() {
	_ = filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // one that stays as it is will be told when it is removed
		}
		return nil
	})
}

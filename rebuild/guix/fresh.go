package guix

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/rebuild"
)

// all is the name that asks for every package to be built afresh.
const all = "all"

// namesKnown checks, before anything is built, that every package to build
// afresh is in the image.
func (s *session) namesKnown() error {
	if s.job.Image == nil {
		return nil
	}
	for _, name := range s.job.Fresh {
		if !slices.ContainsFunc(s.originals(), func(item string) bool { return names(name, item) }) {
			return fmt.Errorf("%w: no store item of the image is of a package %q, which was to be built afresh", rebuild.ErrRefused, name)
		}
	}
	return nil
}

// names says whether a package's name, with or without its version, is that of
// a store item.
func names(pkg, item string) bool {
	name := storeName(item)
	version, ok := strings.CutPrefix(name, pkg+"-")
	return pkg == all || name == pkg || ok && version != "" && '0' <= version[0] && version[0] <= '9'
}

// refresh builds again what the job asked for and this run has not built yet.
func (s *session) refresh(ctx context.Context, g *graph) error {
	var chosen []*derivation
	for _, item := range s.result.Items {
		wanted := slices.ContainsFunc(s.job.Fresh, func(name string) bool { return names(name, item.Path) })
		if d := g.deriver[item.Path]; wanted && d != nil && item.How != rebuild.Built {
			chosen = append(chosen, g.origins(d)...)
		}
	}
	slices.SortFunc(chosen, func(a, b *derivation) int { return strings.Compare(a.path, b.path) })
	for _, d := range slices.Compact(chosen) {
		fresh, err := s.again(ctx, d)
		if err != nil {
			return err
		}
		s.result.Fresh = append(s.result.Fresh, fresh)
	}
	s.promote(g)
	return nil
}

// again builds one derivation again. That it cannot be built is a result; only
// an interruption is an error.
func (s *session) again(ctx context.Context, d *derivation) (rebuild.Fresh, error) {
	fresh := rebuild.Fresh{Derivation: d.path}
	for _, item := range s.result.Items {
		if slices.Contains(d.outputs, item.Path) {
			fresh.Items = append(fresh.Items, item.Path)
		}
	}
	other, err := s.checkWhole(ctx, d)
	switch {
	case errors.Is(err, rebuild.ErrBuild):
		fresh.Problem = err.Error()
		return fresh, nil
	case err != nil:
		return fresh, fmt.Errorf("building %s again: %w", d.path, err)
	case other == "":
		fresh.Same = true
	default:
		fresh.Differences, err = differences(strings.TrimSuffix(other, otherBuild), other)
	}
	return fresh, err
}

// incompleteOutputs matches what the daemon says when an output that the
// image does not hold is not in the store, which a check needs too.
var incompleteOutputs = regexp.MustCompile(`some outputs of .* are not valid, so checking is not possible`)

// checkWhole is check, after seeing to it that all outputs are there.
func (s *session) checkWhole(ctx context.Context, d *derivation) (other string, err error) {
	other, err = s.check(ctx, d)
	if err == nil || !incompleteOutputs.MatchString(err.Error()) {
		return other, err
	}
	if _, err := s.run(ctx, slices.Concat([]string{"build"}, buildOptions(s.job.Options), []string{d.path})...); err != nil {
		return "", err
	}
	return s.check(ctx, d)
}

// promote counts items as built whose derivations, with what they were grafted
// from, gave the same bytes again in this run.
func (s *session) promote(g *graph) {
	same := make(map[string]bool)
	for _, f := range s.result.Fresh {
		same[f.Derivation] = f.Same
	}
	for i, item := range s.result.Items {
		d := g.deriver[item.Path]
		if d == nil || slices.ContainsFunc(g.origins(d), func(o *derivation) bool { return !same[o.path] }) {
			continue
		}
		s.result.Items[i] = rebuild.Item{Path: item.Path, How: rebuild.Built}
	}
}

// maxDifferences bounds the list of paths that differ between two builds.
const maxDifferences = 100

// differences returns the paths that are not the same in two builds of one
// store item, sorted.
func differences(one, other string) ([]string, error) {
	was, err := tree(one)
	if err != nil {
		return nil, err
	}
	now, err := tree(other)
	if err != nil {
		return nil, err
	}
	var paths []string
	for path, what := range was {
		if now[path] != what {
			paths = append(paths, filepath.Join(one, path))
		}
		delete(now, path)
	}
	for path := range maps.Keys(now) {
		paths = append(paths, filepath.Join(one, path))
	}
	slices.Sort(paths)
	return paths[:min(len(paths), maxDifferences)], nil
}

// tree describes every file of a store item by all that a NAR holds of it.
func tree(root string) (map[string]string, error) {
	what := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		what[rel], err = describe(path, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("comparing two builds: %w", err)
	}
	return what, nil
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	switch {
	case d.IsDir():
		return "folder", nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "link to " + target, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("file, executable %t, %x", info.Mode()&0o100 != 0, h.Sum(nil)), nil
}

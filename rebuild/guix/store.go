package guix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/store"
)

// notValid matches what guix gc says of a path that the daemon does not know.
var notValid = regexp.MustCompile("error: path [`']([^`']+)' is not valid")

// Valid says which of the paths are in the store. A path that exists may still
// be none of the store's, as what an interrupted build has left; so the daemon
// is asked, which stops at the first that is not valid and names it.
func (s *session) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	ask := slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		_, err := os.Lstat(p)
		return err != nil || !s.inStore(p)
	})
	known := make(map[string]bool)
	for len(ask) > 0 {
		n := min(len(ask), store.Batch)
		out, err := s.try(ctx, append([]string{"gc", "--references"}, ask[:n]...)...)
		var exit *rebuild.ExitError
		if m := notValid.FindStringSubmatch(string(out.Log)); m != nil && errors.As(err, &exit) {
			i := slices.Index(ask[:n], m[1])
			if i >= 0 {
				ask = slices.Delete(ask, i, i+1)
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("asking what is in the store: %w", explain(err, string(out.Log)))
		}
		for _, p := range ask[:n] {
			known[p] = true
		}
		ask = ask[n:]
	}
	return known, nil
}

// Items says of each store item of the rebuilt image where it came from. An
// item that was neither built nor fetched in this run was there before.
func (s *session) Items(ctx context.Context, g *store.Graph, before map[string]bool) ([]rebuild.Item, error) {
	profile := profileOf(g, s.details.Pack.Root)
	if profile == "" {
		return nil, fmt.Errorf("%w: the derivation %s is made from no profile", rebuild.ErrBuild, g.Root.Path)
	}
	paths, err := s.requisites(ctx, profile)
	if err != nil {
		return nil, err
	}
	if beside := s.packedBeside(g, profile); len(beside) > 0 {
		others, err := s.requisites(ctx, beside...)
		if err != nil {
			return nil, err
		}
		paths = slices.Concat(paths, s.packed(others))
	}
	slices.Sort(paths)
	var items []rebuild.Item
	for _, p := range slices.Compact(paths) {
		item := s.origin(g, p)
		if before[p] {
			item = rebuild.Item{Path: p, How: rebuild.Reused}
		}
		items = append(items, item)
	}
	return items, nil
}

// requisites lists store items and all that they refer to.
func (s *session) requisites(ctx context.Context, items ...string) ([]string, error) {
	out, err := s.run(ctx, append([]string{"gc", "--requisites"}, items...)...)
	if err != nil {
		return nil, fmt.Errorf("listing the rebuilt image's store items: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// packed returns those of the paths that the original has: of what the packer is
// handed beside the profile it may pack the requisites, or the item alone, as it
// does with the script of a squashfs.
func (s *session) packed(paths []string) []string {
	originals := make(map[string]bool)
	for _, p := range s.job.Originals() {
		originals[p] = true
	}
	return slices.DeleteFunc(paths, func(p string) bool { return !originals[p] })
}

// packedBeside lists the items of the original that the packer is handed beside
// the profile, such as the script that sets the environment in a squashfs.
func (s *session) packedBeside(g *store.Graph, profile string) []string {
	var beside []string
	originals := s.job.Originals()
	for _, in := range g.Inputs(g.Root) {
		for _, out := range in.Outputs {
			if out.Path != profile && slices.Contains(originals, out.Path) {
				beside = append(beside, out.Path)
			}
		}
	}
	slices.Sort(beside)
	return slices.Compact(beside)
}

// origin says where an item came from, as far as Guix wrote it. An item that it
// wrote nothing of counts as reused, which claims the least.
func (s *session) origin(g *store.Graph, item string) rebuild.Item {
	if server, fetched := s.log.fetched[filepath.Base(item)]; fetched {
		return rebuild.Item{Path: item, How: rebuild.Substituted, Source: server}
	}
	n := maker(g, item, s.log.built)
	if n == nil {
		return rebuild.Item{Path: item, How: rebuild.Reused}
	}
	for _, o := range origins(g, n)[1:] {
		for _, out := range o.Outputs { // what a graft was made from decides
			if from := s.origin(g, out.Path); inspect.StoreName(out.Path) == inspect.StoreName(item) && from.How != rebuild.Built {
				return rebuild.Item{Path: item, How: from.How, Source: from.Source}
			}
		}
	}
	return rebuild.Item{Path: item, How: rebuild.Built}
}

func (s *session) checkCommand(drv string) []string {
	return slices.Concat([]string{"build", "--check", "-K"}, buildOptions(s.job.Options), []string{drv})
}

// differs matches what the daemon says of a derivation whose second build gave
// other bytes (nix/libstore/build.cc, registerOutputs).
var differs = regexp.MustCompile("derivation [`']([^`']+)' may not be deterministic: output [`']([^`']+)' differs from [`']([^`']+)'")

// otherBuild is the end of the path under which -K keeps what the second build
// of a derivation made, where it differs from the first.
const otherBuild = "-check"

// check executes a derivation whose outputs are in the store once more. It
// returns "" when the bytes are the same, else the path of the output that the
// second build made.
func (s *session) check(ctx context.Context, n *store.Node) (other string, err error) {
	delete(s.log.built, n.Path) // this time is what counts
	out, err := s.try(ctx, s.checkCommand(n.Path)...)
	s.removeKept(n)
	if err == nil {
		if !s.log.built[n.Path] {
			return "", fmt.Errorf("%w: guix did not say that it has built %s", rebuild.ErrBuild, n.Path)
		}
		return "", nil
	}
	var exit *rebuild.ExitError
	m := differs.FindStringSubmatch(string(out.Log))
	if m != nil && errors.As(err, &exit) && m[1] == n.Path && n.Makes(m[2]) && m[3] == m[2]+otherBuild {
		return m[3], nil
	}
	err = explain(err, string(out.Log))
	if incompleteOutputs.Match(out.Log) {
		err = &outputsError{err}
	}
	return "", err
}

// removeKept removes the folder of a build that -K keeps beside the output:
// only the output is wanted. Guix gives it to the user who asked; one that
// cannot be removed stays, as it would after any guix build -K.
func (s *session) removeKept(n *store.Node) {
	for _, folder := range s.log.kept {
		if filepath.IsAbs(folder) && strings.HasPrefix(filepath.Base(folder), "guix-build-"+inspect.StoreName(n.Path)+"-") {
			_ = os.RemoveAll(folder)
		}
	}
	s.log.kept = nil
}

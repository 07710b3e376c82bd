package nix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/nix"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// storeDir is what store paths begin with; on disk they lie below the folder of
// the session's store.
const storeDir = "/nix/store/"

// isStorePath says whether a text is the path of a store item, and no more.
func isStorePath(path string) bool { return nix.Store().Has(path) }

// real returns where a store path lies on disk.
func (s *session) real(path string) string { return filepath.Join(s.root, path) }

// Valid says which of the paths are in the store.
func (s *session) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	known := make(map[string]bool)
	ask := slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		_, err := os.Lstat(s.real(p))
		return err != nil || !isStorePath(p)
	})
	for chunk := range slices.Chunk(ask, store.Batch) {
		out, err := s.run(ctx, call{program: "nix-store", words: append([]string{"--check-validity", "--print-invalid"}, chunk...)})
		if err != nil {
			return nil, fmt.Errorf("asking what is in the store: %w", err)
		}
		for _, p := range chunk {
			known[p] = true
		}
		for _, p := range strings.Fields(string(out)) {
			delete(known, p)
		}
	}
	return known, nil
}

// MakeImage builds the image's derivation and returns the file that it made.
// What comes out can be a script that writes the image: that one is run by a
// derivation of its own.
func (s *session) MakeImage(ctx context.Context, g *store.Graph) (string, error) {
	file, err := s.execute(ctx, g.Root)
	if err != nil {
		return "", fmt.Errorf("building the image: %w", err)
	}
	if file, err = s.archive(file); err != nil {
		return "", err
	}
	what, err := sniff(file)
	if err != nil {
		return "", err
	}
	switch what {
	case script:
		return s.stream(ctx, g.Root, file)
	case description:
		return "", &rebuild.HintError{Err: fmt.Errorf("building the image: %w: what comes out is a description of an image in JSON, as nix2container makes it", rebuild.ErrBuild),
			Hint: "Give an attribute that makes an archive; or make one with the image's copyTo, and hand it over with --rebuilt."}
	}
	return file, nil
}

// execute builds a derivation in this run, and returns where its output lies on
// disk. An output that is in the store already, or was fetched, is built again:
// a rebuild must have been built.
func (s *session) execute(ctx context.Context, n *store.Node) (string, error) {
	before, err := s.Valid(ctx, []string{n.Output()})
	if err != nil {
		return "", err
	}
	c := realise(n.Path)
	s.result.Command = s.shown(c)
	out, err := s.run(ctx, c)
	if err != nil {
		return "", err
	}
	output := cmp.Or(n.Output(), firstLine(out))
	if !isStorePath(output) {
		return "", fmt.Errorf("%w: Nix made %q, which is no store path", rebuild.ErrBuild, output)
	}
	if _, built := s.log.wasBuilt(n.Path); built && !before[output] {
		return s.real(output), nil
	}
	s.result.Command = s.shown(checkAgain(n.Path))
	other, err := s.again(ctx, n)
	if err != nil {
		return "", fmt.Errorf("a second time: %w", err)
	}
	return cmp.Or(other, s.real(output)), nil
}

func realise(path string) call { return call{program: "nix-store", words: []string{"--realise", path}} }

func checkAgain(path string) call {
	return call{program: "nix-store", words: []string{"--realise", path, "--check", "--keep-failed"}}
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// again builds a derivation whose outputs are in the store once more. It
// returns "" when the bytes are the same, else where the other output lies on
// disk.
func (s *session) again(ctx context.Context, n *store.Node) (other string, err error) {
	delete(s.log.built, n.Path)
	c := checkAgain(n.Path)
	if !s.buildsHere() {
		c.words = append(c.words, "--option", "max-jobs", "1") // only this machine can build a second time
	}
	_, err = s.try(ctx, c)
	s.removeKept()
	var exit *rebuild.ExitError
	if other, differs := s.log.differs[n.Path]; differs && errors.As(err, &exit) {
		delete(s.log.differs, n.Path)
		if !strings.HasPrefix(other, s.root+"/") {
			return "", fmt.Errorf("%w: the second build of %s gave other bytes, and Nix did not keep them", rebuild.ErrBuild, n.Path)
		}
		return other, nil
	}
	if err != nil {
		return "", nixTool().Explain(err, s.log.text.String())
	}
	if _, built := s.log.wasBuilt(n.Path); !built {
		return "", fmt.Errorf("%w: Nix did not report that it has built %s", rebuild.ErrBuild, n.Path)
	}
	return "", nil
}

// buildsHere says whether this machine may build at all.
func (s *session) buildsHere() bool {
	return !slices.Contains(s.details.Settings, Setting{"max-jobs", "0"})
}

// removeKept removes the folders of builds that --keep-failed leaves beside the
// output: only the output is wanted.
func (s *session) removeKept() {
	for _, folder := range s.log.kept {
		if strings.HasPrefix(folder, s.inJob("tmp")+"/") {
			_ = os.RemoveAll(folder) // what stays goes with the job
		}
	}
	s.log.kept = nil
}

// TakeImage copies the image out of the store.
func (s *session) TakeImage(image string) (string, error) {
	return store.Keep(image, s.job.Dir, ".check")
}

// Items says of each store item of the rebuilt image where it came from: of
// those of the original that the recipe makes, and of what it makes in place of
// the others. An item that was neither built nor fetched in this run was there
// before; and so, for all that is known, was one that no derivation makes.
func (s *session) Items(_ context.Context, g *store.Graph, before map[string]bool) ([]rebuild.Item, error) {
	var items []rebuild.Item
	for _, p := range s.job.Originals() {
		same := g.Namesakes(p)
		switch {
		case g.Makes(p) || len(same) == 0:
			items = append(items, s.origin(g, p, before))
		default:
			for _, other := range same {
				items = append(items, s.origin(g, other, before))
			}
		}
	}
	s.pin(g, items)
	slices.SortFunc(items, func(a, b rebuild.Item) int { return strings.Compare(a.Path, b.Path) })
	s.result.Steps = s.steps()
	return slices.Compact(items), nil
}

// pin counts those items of the original as pinned that the recipe names and whose
// path is computed from the very content that the image has: no build decides it.
func (s *session) pin(g *store.Graph, items []rebuild.Item) {
	if s.job.Image == nil {
		return
	}
	hashes := make(map[string]string, len(s.job.Image.Items))
	for _, it := range s.job.Image.Items {
		hashes[it.Path] = it.NarHash.Hex
	}
	for i, it := range items {
		name := inspect.StoreName(it.Path)
		if it.How != rebuild.Built && g.Makes(it.Path) && drv.ContentPath(path.Dir(it.Path), name, hashes[it.Path]) == it.Path {
			items[i] = rebuild.Item{Path: it.Path, How: rebuild.Pinned}
		}
	}
}

// origin says where an item came from, as far as Nix reported it. An item that
// it reported nothing of counts as reused, which claims the least.
func (s *session) origin(g *store.Graph, item string, before map[string]bool) rebuild.Item {
	if before[item] {
		return rebuild.Item{Path: item, How: rebuild.Reused}
	}
	for _, n := range g.Makers(item) {
		if machine, built := s.log.wasBuilt(n.Path); built {
			return rebuild.Item{Path: item, How: rebuild.Built, Source: machine}
		}
	}
	if server, fetched := s.log.from(item); fetched {
		return rebuild.Item{Path: item, How: rebuild.Substituted, Source: server}
	}
	return rebuild.Item{Path: item, How: rebuild.Reused}
}

// steps lists the derivations that were built in this run.
func (s *session) steps() []rebuild.Step {
	var steps []rebuild.Step
	for path, machine := range s.log.built {
		steps = append(steps, rebuild.Step{Derivation: path, Machine: machine})
	}
	slices.SortFunc(steps, func(a, b rebuild.Step) int { return strings.Compare(a.Derivation, b.Derivation) })
	return steps
}

package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"audit/rebuild"
)

// A buildah is buildah build.
type buildah struct{}

func (buildah) find(ctx context.Context, s *session) error {
	version, err := s.ask(ctx, "buildah", "--version")
	if err != nil {
		return fmt.Errorf("looking for buildah: %w", err)
	}
	s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "buildah", Version: strings.TrimPrefix(version, "buildah version ")})
	if what := s.args.onlyBuildKit(); what != "" {
		return needs(what)
	}
	return nil
}

// build builds the image, copies it into a file and removes it from the store
// again.
func (buildah) build(ctx context.Context, s *session, file string) error {
	note := filepath.Join(s.job.Dir, "image-id")
	argv := append([]string{"buildah", "build"}, s.args.flags()...)
	argv = append(argv, s.dockerfile()...)
	argv = append(argv, s.args.buildahFlags()...)
	argv = append(argv, "--iidfile="+note, s.context)
	s.result.Command = s.shown(argv)
	out, err := s.run(ctx, nil, argv...)
	if err != nil {
		return explain(err, string(out.Log))
	}
	raw, err := os.ReadFile(note)
	if err != nil {
		return fmt.Errorf("%w: buildah did not say which image it has built: %w", rebuild.ErrNotDone, err)
	}
	id := strings.TrimSpace(string(raw))
	defer s.forget(ctx, "buildah", "rmi", id)
	out, err = s.run(ctx, nil, "buildah", "push", "--quiet", id, s.args.archive()+":"+file)
	if err != nil {
		return fmt.Errorf("taking the image from buildah's store: %w", explain(err, string(out.Log)))
	}
	return nil
}

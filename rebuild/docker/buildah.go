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
	version, err := s.ask(ctx, nil, "buildah", "--version")
	if err != nil {
		return fmt.Errorf("looking for buildah: %w", err)
	}
	s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "buildah", Version: strings.TrimPrefix(version, "buildah version ")})
	if what := s.call.onlyBuildKit(); what != "" {
		return needs(what)
	}
	if s.converts() {
		return needs("images at the digests that the provenance has of them")
	}
	return nil
}

// build builds the image, copies it into a file and removes it from the store
// again.
func (buildah) build(ctx context.Context, s *session, file string) error {
	note := filepath.Join(s.job.Dir, "image-id")
	argv := append([]string{"buildah", "build"}, s.call.flags()...)
	argv = append(argv, s.dockerfile()...)
	argv = append(argv, s.call.buildahFlags()...)
	argv = append(argv, "--iidfile="+note, s.call.context)
	s.result.Command = s.shown(argv)
	out, err := s.run(ctx, nil, argv...)
	if err != nil {
		return explain(err, string(out.Log))
	}
	raw, err := os.ReadFile(note)
	if err != nil {
		return fmt.Errorf("%w: buildah did not say which image it has built: %w", rebuild.ErrBuild, err)
	}
	id := strings.TrimSpace(string(raw))
	defer s.forget(ctx, "buildah", "rmi", id)
	archive := "oci-archive"
	if s.call.format == "docker" {
		archive = "docker-archive"
	}
	out, err = s.run(ctx, nil, "buildah", "push", "--quiet", id, archive+":"+file)
	if err != nil {
		return fmt.Errorf("taking the image from buildah's store: %w", explain(err, string(out.Log)))
	}
	return nil
}

// buildahFlags writes what only buildah knows.
func (c call) buildahFlags() []string {
	flags := []string{fmt.Sprintf("--layers=%t", c.layers)}
	if c.timestamp != "" {
		flags = append(flags, "--timestamp="+c.timestamp)
	}
	if c.format != "" {
		flags = append(flags, "--format="+c.format)
	}
	return flags
}

package docker

import (
	"context"
	"fmt"
	"path/filepath"

	"audit/rebuild"
)

// A buildctl is BuildKit through its own client.
type buildctl struct{}

func (buildctl) find(ctx context.Context, s *session) error {
	version, err := s.ask(ctx, "buildctl", "--version")
	if err != nil {
		return fmt.Errorf("looking for buildctl: %w", err)
	}
	if _, err := s.ask(ctx, "buildctl", "debug", "workers"); err != nil {
		return fmt.Errorf("looking for BuildKit: %w", err)
	}
	s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "buildctl", Version: version})
	return nil
}

func (buildctl) build(ctx context.Context, s *session, file string) error {
	argv := append([]string{"buildctl", "build", "--progress=plain"}, s.args.buildctlFlags(s.context, s.job.Dir)...)
	if s.hasPolicy() {
		argv = append(argv, "--source-policy-file="+filepath.Join(s.job.Dir, policyName))
	}
	argv = append(argv, s.args.buildctlOutput(filepath.Base(file)))
	s.result.Command = s.shown(argv)
	out, err := s.run(ctx, nil, argv...)
	return explain(err, string(out.Log))
}

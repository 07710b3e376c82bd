package docker

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"audit/rebuild"
)

// A buildctl is BuildKit through its own client.
type buildctl struct{}

func (buildctl) find(ctx context.Context, s *session) error {
	version, err := s.ask(ctx, nil, "buildctl", "--version")
	if err != nil {
		return fmt.Errorf("looking for buildctl: %w", err)
	}
	if _, err := s.ask(ctx, nil, "buildctl", "debug", "workers"); err != nil {
		return fmt.Errorf("looking for BuildKit: %w", err)
	}
	s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "buildctl", Version: version})
	return nil
}

func (buildctl) build(ctx context.Context, s *session, file string) error {
	argv := append([]string{"buildctl", "build", "--progress=plain"}, s.call.kitFlags(s.job.Dir, s.has(dockerfileName))...)
	if s.has(policyName) {
		argv = append(argv, "--source-policy-file="+filepath.Join(s.job.Dir, policyName))
	}
	output := "--output=type=oci,dest=" + filepath.Base(file) // relative: a comma in a folder's name would end the value
	if s.call.rewrite {
		output += ",rewrite-timestamp=true"
	}
	argv = append(argv, output)
	s.result.Command = s.shown(argv)
	out, err := s.run(ctx, nil, argv...)
	return explain(err, string(out.Log))
}

// kitFlags writes a call for buildctl. own says that the Dockerfile is in dir
// and not in the context.
func (c call) kitFlags(dir string, own bool) []string {
	words := []string{"--frontend=dockerfile.v0", "--no-cache"}
	opt := func(key, value string) {
		if value != "" {
			words = append(words, "--opt="+key+"="+value)
		}
	}
	if !c.network {
		opt("force-network-mode", "none")
	}
	opt("platform", c.platform)
	opt("target", c.target)
	for _, group := range []struct {
		prefix string
		values map[string]string
	}{{"build-arg:", c.arguments}, {"label:", c.labels}, {"context:", c.contexts}, {"", c.options}} {
		for _, name := range slices.Sorted(maps.Keys(group.values)) {
			words = append(words, "--opt="+group.prefix+name+"="+group.values[name])
		}
	}
	opt("filename", c.file)
	if isRemote(c.context) {
		return append(words, "--opt=context="+c.context)
	}
	dockerfile := c.context
	if own {
		dockerfile = dir
	}
	return append(words, "--local=context="+c.context, "--local=dockerfile="+dockerfile)
}

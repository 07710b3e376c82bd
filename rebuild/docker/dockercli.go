package docker

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"audit/rebuild"
)

// A dockerCLI is docker build: with the builder inside the engine, or with
// the BuildKit that the engine has.
type dockerCLI struct{ buildKit bool }

func (d dockerCLI) env(s *session) []string {
	if !d.buildKit {
		return []string{"DOCKER_BUILDKIT=0"}
	}
	env := []string{"DOCKER_BUILDKIT=1", "BUILDKIT_PROGRESS=plain"}
	if s.hasPolicy() {
		env = append(env, "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY="+filepath.Join(s.job.Dir, policyName))
	}
	return env
}

func (d dockerCLI) find(ctx context.Context, s *session) error {
	version, err := s.ask(ctx, "docker", "version", "--format", "{{.Client.Version}} (engine {{.Server.Version}})")
	if err != nil {
		return fmt.Errorf("looking for Docker: %w", err)
	}
	s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "docker", Version: version})
	if !d.buildKit {
		if what := s.args.onlyBuildKit(); what != "" {
			return needs(what)
		}
		return nil
	}
	if s.frontendUnknown() {
		return needs("to keep BuildKit from running a frontend that the Dockerfile may name")
	}
	buildx, err := s.ask(ctx, "docker", "buildx", "version")
	if err == nil {
		s.result.Tools = append(s.result.Tools, rebuild.Tool{Name: "docker buildx", Version: buildx})
		return nil
	}
	if s.args.onlyBuildKit() != "" || needsBuildx(version) {
		return fmt.Errorf("looking for docker buildx: %w", err)
	}
	return nil
}

// frontendUnknown says whether the Dockerfile, which nobody has seen, could have
// the engine run a frontend of its own choice. Where only pinned images can be
// fetched, each of them is trusted.
func (s *session) frontendUnknown() bool {
	return isRemote(s.context) && s.args.Fetch != FetchPinned && len(s.args.Frontends) == 0
}

// needsBuildx says whether a client has BuildKit through its plugin alone, as
// all do since 23.0.
func needsBuildx(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 23
}

// build builds the image under a name of its own, saves it and takes the name
// away again.
func (d dockerCLI) build(ctx context.Context, s *session, file string) error {
	tag := s.tag()
	argv := append([]string{"docker", "build"}, s.args.flags()...)
	argv = append(argv, s.dockerfile()...)
	if !d.buildKit {
		argv = append(argv, "--force-rm")
	}
	argv = append(argv, "--tag="+tag, s.context)
	s.result.Command = s.shown(argv)
	out, err := s.run(ctx, d.env(s), argv...)
	if err != nil {
		return explain(err, string(out.Log))
	}
	defer s.forget(ctx, "docker", "image", "rm", tag)
	out, err = s.run(ctx, nil, "docker", "image", "save", "--output="+file, tag)
	if err != nil {
		return fmt.Errorf("taking the image from the engine: %w", explain(err, string(out.Log)))
	}
	return nil
}

// tag names the image while it is in the engine: for this plan, in this job.
func (s *session) tag() string {
	sum := sha256.Sum256([]byte(s.plan.ConfigDigest + "\n" + s.job.Dir))
	return fmt.Sprintf("%s:%x", repository, sum[:16])
}

// repository is the name of rebuilt images in an engine.
const repository = "audit-rebuild"

// forgetting bounds how long an engine may take to remove an image.
const forgetting = time.Minute

// forget removes the image from an engine again, also when the build was
// interrupted. One that cannot be removed stays, as it would after any build.
func (s *session) forget(ctx context.Context, argv ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetting)
	defer cancel()
	_, _ = s.run(ctx, nil, argv...)
}

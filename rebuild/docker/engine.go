package docker

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/docker"
	"audit/rebuild"
)

// An engine is a program that builds Dockerfiles.
type engine interface {
	// find notes the engine's versions. It returns an error that wraps
	// [rebuild.ErrNoBuilder] when the engine is not there, or cannot do what the
	// plan needs.
	find(ctx context.Context, s *session) error
	// build builds what the plan says and saves the image as file.
	build(ctx context.Context, s *session, file string) error
}

// Engines returns the names of the engines that a user can choose, in the order
// in which they are looked for.
func Engines() []string {
	return []string{string(docker.Classic), string(docker.BuildKit), string(docker.Buildah)}
}

// engineNames are those that a plan can name.
func engineNames() []string { return append(Engines(), string(docker.Kaniko), "") }

// candidates returns the engines to try for a plan: the one that is asked for,
// else the one that built the original, else all.
func candidates(asked, original string) []string {
	switch {
	case asked != "":
		return []string{asked}
	case slices.Contains(Engines(), original):
		return []string{original}
	}
	return Engines()
}

// enginesOf returns the programs that are an engine of that name, the likeliest
// first.
func (s *session) enginesOf(name string) []engine {
	switch docker.Builder(name) {
	case docker.Classic:
		return []engine{dockerBuild{}}
	case docker.BuildKit:
		if ofStore(s.job.Image) {
			return []engine{dockerBuild{kit: true}, buildctl{}}
		}
		return []engine{buildctl{}, dockerBuild{kit: true}}
	case docker.Buildah:
		return []engine{buildah{}}
	}
	return nil
}

// ofStore says whether an image comes out of Docker's own store, which keeps no
// manifests: then the BuildKit inside Docker has most likely built it.
func ofStore(img *inspect.Image) bool {
	return img != nil && (img.Transport == inspect.DockerArchive || img.Transport == inspect.DockerDaemon) && len(img.Manifest.Raw) == 0
}

// choose finds the first engine that is there.
func (s *session) choose(ctx context.Context, asked string) (engine, error) {
	var absent error
	for _, name := range candidates(asked, s.plan.Engine) {
		for _, e := range s.enginesOf(name) {
			s.result.Tools = nil
			err := e.find(ctx, s)
			if err == nil {
				s.engine = name
				return e, nil
			}
			if ctx.Err() != nil {
				return nil, err
			}
			if absent == nil {
				absent = err
			}
		}
	}
	if absent == nil {
		absent = fmt.Errorf("%w: there is no engine %q", rebuild.ErrNoBuilder, asked)
	}
	return nil, &rebuild.HintError{Err: absent, Hint: advise(asked, s.plan.Engine)}
}

const howToGetBuildKit = "BuildKit: run buildkitd and set BUILDKIT_HOST, with buildctl on the PATH; or install Docker with its buildx plugin."

// advise says how to get an engine.
func advise(asked, original string) string {
	name := asked
	if name == "" {
		name = original
	}
	get := "Install Docker (in Debian: docker.io), BuildKit or buildah."
	switch docker.Builder(name) {
	case docker.Classic:
		get = "Docker: install it (in Debian: docker.io), start its engine, or say with DOCKER_HOST where it is."
	case docker.BuildKit:
		get = howToGetBuildKit
	case docker.Buildah:
		get = "buildah: install it (in Debian: buildah)."
	}
	if asked == "" && slices.Contains(Engines(), original) {
		get = fmt.Sprintf("The image was built by %s; another engine, which --builder can name, would write another history into its config. %s", original, get)
	}
	return get + " Or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."
}

// foreign is the platform of a call when it is not that of this machine: an
// engine that builds for its own need not be told.
func (c call) foreign() string {
	if c.platform == "linux/"+runtime.GOARCH {
		return ""
	}
	return c.platform
}

// onlyBuildKit says what of a call no other engine knows, "" when there is
// nothing.
func (c call) onlyBuildKit() string {
	switch {
	case len(c.options) > 0:
		return "options of BuildKit"
	case len(c.contexts) > 0:
		return "named contexts"
	}
	return ""
}

// flags writes what docker build and buildah build have in common: all but the
// Dockerfile and the context.
func (c call) flags() []string {
	plain := c
	plain.platform, plain.rewrite, plain.timestamp, plain.layers, plain.format, plain.file = c.foreign(), false, "", false, "", ""
	words := plain.words()
	return words[1 : len(words)-1]
}

// dockerfile returns the arguments that name the Dockerfile of a local context,
// or of one that is fetched. A Dockerfile of the plan's own is in the job's
// folder.
func (s *session) dockerfile() []string {
	switch {
	case s.has(dockerfileName):
		return []string{"--file=" + filepath.Join(s.job.Dir, dockerfileName)}
	case s.call.file == "":
		return nil
	case isRemote(s.call.context):
		return []string{"--file=" + s.call.file}
	}
	return []string{"--file=" + filepath.Join(s.call.context, s.call.file)}
}

func (s *session) has(file string) bool {
	return slices.ContainsFunc(s.plan.Files, func(f rebuild.PlanFile) bool { return f.Name == file })
}

// converts says whether the plan's policy puts digests in the place of names,
// which only BuildKit's own client can do.
func (s *session) converts() bool {
	return slices.ContainsFunc(s.plan.Files, func(f rebuild.PlanFile) bool {
		return f.Name == policyName && strings.Contains(f.Text, `"CONVERT"`) && strings.Contains(f.Text, "docker-image://")
	})
}

// needs returns an error that says why an engine cannot do what a plan needs.
func needs(what string) error {
	return fmt.Errorf("%w: only BuildKit's buildctl can do what the plan needs: %s", rebuild.ErrNoBuilder, what)
}

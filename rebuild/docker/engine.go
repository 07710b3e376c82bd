package docker

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"audit/inspect"
	"audit/inspect/image"
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
	var names []string
	for _, b := range docker.Builders() {
		if programsOf(b, false) != nil {
			names = append(names, string(b))
		}
	}
	return names
}

// programsOf returns the programs that are an engine of a kind, the likeliest
// first; nil for one that is not run here.
func programsOf(b docker.Builder, ofStore bool) []engine {
	switch {
	case b == docker.Classic:
		return []engine{dockerCLI{}}
	case b == docker.BuildKit && ofStore:
		return []engine{dockerCLI{buildKit: true}, buildctl{}}
	case b == docker.BuildKit:
		return []engine{buildctl{}, dockerCLI{buildKit: true}}
	case b == docker.Buildah:
		return []engine{buildah{}}
	}
	return nil
}

// candidates returns the engines to try for a plan: the one that is asked for,
// else the one that built the original, else all.
func candidates(asked, original docker.Builder) []docker.Builder {
	switch {
	case asked != docker.Unknown:
		return []docker.Builder{asked}
	case slices.Contains(Engines(), string(original)):
		return []docker.Builder{original}
	}
	return docker.Builders()
}

// ofStore says whether an image comes out of Docker's own store, which keeps no
// manifests: then the BuildKit inside Docker has most likely built it.
func ofStore(img *inspect.Image) bool {
	return img != nil && (img.Transport == image.DockerArchive || img.Transport.IsEngine()) && len(img.Manifest.Raw) == 0
}

// choose finds the first engine that is there.
func (s *session) choose(ctx context.Context, asked docker.Builder) (engine, error) {
	var absent error
	for _, name := range candidates(asked, s.args.Engine) {
		for _, e := range programsOf(name, ofStore(s.job.Image)) {
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
	return nil, &rebuild.HintError{Err: absent, Hint: advise(asked, s.args.Engine)}
}

const howToGetBuildKit = "BuildKit: run buildkitd and set BUILDKIT_HOST, with buildctl on the PATH; or install Docker with its buildx plugin."

// advise says how to get an engine.
func advise(asked, original docker.Builder) string {
	name := cmp.Or(asked, original)
	get := "Install Docker (in Debian: docker.io), BuildKit or buildah."
	switch name {
	case docker.Classic:
		get = "Docker: install it (in Debian: docker.io), start its engine, or say with DOCKER_HOST where it is."
	case docker.BuildKit:
		get = howToGetBuildKit
	case docker.Buildah:
		get = "buildah: install it (in Debian: buildah)."
	}
	if asked == docker.Unknown && slices.Contains(Engines(), string(original)) {
		get = fmt.Sprintf("The image was built by %s; another engine, which --builder can name, would write another history into its config. %s", original, get)
	}
	return get + " Or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."
}

// dockerfile returns the arguments that name the Dockerfile of a local context,
// or of one that is fetched. A Dockerfile of the plan's own is in the job's
// folder.
func (s *session) dockerfile() []string {
	switch {
	case s.args.Text != "":
		return []string{"--file=" + filepath.Join(s.job.Dir, dockerfileName)}
	case s.args.Dockerfile == "":
		return nil
	case isRemote(s.context):
		return []string{"--file=" + s.args.Dockerfile}
	}
	return []string{"--file=" + filepath.Join(s.context, s.args.Dockerfile)}
}

// hasPolicy says whether BuildKit may not fetch everything.
func (s *session) hasPolicy() bool { return s.args.Fetch != FetchAny }

// needs returns an error that says why an engine cannot do what a plan needs.
func needs(what string) error {
	return fmt.Errorf("%w: only BuildKit's buildctl can do what the plan needs: %s", rebuild.ErrNoBuilder, what)
}

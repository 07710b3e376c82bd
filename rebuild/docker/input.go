package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// An Input is what the user adds to the recipe of an image. The zero value adds
// nothing: then the image's provenance must have all.
type Input struct {
	// Source is what to build: a folder, or GIT-URL#REF[:FOLDER].
	Source string
	// Dockerfile is its path in the source; "" for the usual name, and where the
	// source has none, the one that the provenance has.
	Dockerfile string
	// BuildArgs are build arguments, NAME=VALUE, beside those that the image
	// has and before them.
	BuildArgs []string
	// Target is the stage to build; "" for the one that the provenance names,
	// or the last.
	Target string
	// Network lets instructions use the network.
	Network bool
	// Trusted are addresses from which may be fetched what the image names.
	Trusted rebuild.Prefixes
	// Signers are the names of keys: what a provenance names that one of them signed
	// is trusted as if Trusted named it, but for what is special ([rebuild.IsSpecial]).
	Signers []string

	signer string // of the provenance that a plan is made of, one of Signers; else ""
}

// values are those of the build arguments, by name.
func (in Input) values() map[string]string {
	all := make(map[string]string, len(in.BuildArgs))
	for _, a := range in.BuildArgs {
		name, value, _ := strings.Cut(a, "=")
		all[name] = value
	}
	return all
}

// fetch says what may be fetched for a build: of what an image or a stored plan names
// only what is pinned, and for the user's own source the images that its Dockerfile
// names, too.
func (in Input) fetch() Fetch {
	switch {
	case in.Source == "":
		return FetchPinned
	case in.Network:
		return FetchAny
	}
	return FetchImages
}

// Check says what is wrong with an input: with the way in which it is given, or
// with a source that is not there.
func (in Input) Check() error {
	if in.Source == "" && (in.Dockerfile != "" || in.Target != "" || len(in.BuildArgs) > 0) {
		return errors.New("a Dockerfile, a target and build arguments go with a source; without one they come from the image's provenance")
	}
	for _, a := range in.BuildArgs {
		name, value, ok := strings.Cut(a, "=")
		if !ok || !argument.MatchString(name) || strings.Contains(value, "\x00") {
			return errors.New("a build argument is not NAME=VALUE") // it may be secret
		}
	}
	if !inside(in.Dockerfile) {
		return fmt.Errorf("the Dockerfile %q is named by its path in the source", in.Dockerfile)
	}
	if in.Source == "" {
		return nil
	}
	_, err := locate(in.Source)
	return err
}

// A place is where a source lies.
type place struct {
	context string
	folder  bool // of this machine
}

// locate finds the source that the user names.
func locate(source string) (place, error) {
	if isRemote(source) {
		s := slsa.Material{URI: source}
		if s.Kind() == slsa.Other {
			return place{}, fmt.Errorf("%q is no Git repository and no address of an archive", rebuild.WithoutSecrets(source))
		}
		return place{context: source}, nil
	}
	dir, err := filepath.Abs(source)
	if err != nil {
		return place{}, fmt.Errorf("finding the source: %w", err)
	}
	info, err := os.Stat(dir)
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // without the path: it may be a mistyped address, with a secret in it
	}
	if err != nil {
		return place{}, fmt.Errorf("finding the source %s: %w", rebuild.WithoutSecrets(source), err)
	}
	if !info.IsDir() {
		return place{}, fmt.Errorf("the source %s is no folder", dir)
	}
	return place{context: dir, folder: true}, nil
}

// maxDockerfile bounds the size of a Dockerfile, in bytes; BuildKit's own limit
// for a message is 16 MiB.
const maxDockerfile = 4 << 20

// dockerfileIn reads the Dockerfile of a folder, "" when it has none.
func dockerfileIn(folder, name string) (string, error) {
	if name == "" {
		name = "Dockerfile"
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", fmt.Errorf("opening the source: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading the Dockerfile: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxDockerfile:
		return "", fmt.Errorf("reading the Dockerfile: %s is no file of at most %d bytes", name, maxDockerfile)
	}
	text, err := root.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading the Dockerfile: %w", err)
	}
	return string(text), nil
}

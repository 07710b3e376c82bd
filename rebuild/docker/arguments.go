package docker

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// Arguments make the command lines of engines: the only place where they are made.
// What an image chose stands behind the name of its option in one word, so that
// none can be taken for an option.
type arguments struct {
	Details
	// values are those of the build arguments that the user gives, by name; nil for
	// a command that is shown, in which an engine takes them from its environment.
	values map[string]string
}

// flags writes what docker build and buildah build have in common: all but the
// Dockerfile and the context.
func (a arguments) flags() []string {
	words := []string{"--no-cache", "--network=none"}
	if a.Network {
		words[1] = "--network=default"
	}
	if p := a.foreign(); p != "" {
		words = append(words, "--platform="+p)
	}
	if a.Target != "" {
		words = append(words, "--target="+a.Target)
	}
	words = append(words, a.buildArguments("--build-arg=")...)
	words = append(words, pairs("--label=", a.Labels)...)
	return append(words, pairs("--build-context=", a.Contexts)...)
}

// buildArguments writes all build arguments behind an option. Of those that the
// user gives a command that is shown has the name alone.
func (a arguments) buildArguments(option string) []string {
	all := maps.Clone(a.Arguments)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, a.values)
	words := pairs(option, all)
	for _, name := range a.Given {
		if _, known := a.values[name]; !known {
			words = append(words, option+name)
		}
	}
	slices.Sort(words)
	return words
}

func pairs(option string, values map[string]string) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		words = append(words, option+name+"="+values[name])
	}
	return words
}

// foreign is the platform of a plan when it is not that of this machine: an engine
// that builds for its own needs no option.
func (a arguments) foreign() string {
	if a.Platform == "linux/"+runtime.GOARCH {
		return ""
	}
	return a.Platform
}

// buildahFlags writes what only buildah knows.
func (a arguments) buildahFlags() []string {
	flags := []string{fmt.Sprintf("--layers=%t", a.Layers)}
	if a.Timestamp != "" {
		flags = append(flags, "--timestamp="+a.Timestamp)
	}
	if a.Format != "" {
		flags = append(flags, "--format="+a.Format)
	}
	return flags
}

// buildctlFlags writes what buildctl build is called with, but for its output.
// context is the one that is built, dir the folder with a Dockerfile of the plan's
// own.
//
// The frontend that a Dockerfile names for itself (# syntax=) is looked for only
// where the option cmdline is absent (BuildKit 0.20,
// frontend/dockerfile/builder/build.go): an empty one keeps the engine's own.
func (a arguments) buildctlFlags(context, dir string) []string {
	words := []string{"--frontend=dockerfile.v0", "--no-cache"}
	opt := func(key, value string) {
		if value != "" {
			words = append(words, "--opt="+key+"="+value)
		}
	}
	if !a.Network {
		opt("force-network-mode", "none")
	}
	if len(a.Frontends) == 0 {
		words = append(words, "--opt=cmdline=")
	}
	opt("platform", a.Platform)
	opt("target", a.Target)
	words = append(words, a.buildArguments("--opt=build-arg:")...)
	words = append(words, pairs("--opt=label:", a.Labels)...)
	words = append(words, pairs("--opt=context:", a.Contexts)...)
	words = append(words, pairs("--opt=", a.Options)...)
	opt("filename", a.Dockerfile)
	if isRemote(context) {
		return append(words, "--opt=context="+context)
	}
	dockerfile := context
	if a.Text != "" {
		dockerfile = dir
	}
	return append(words, "--local=context="+context, "--local=dockerfile="+dockerfile)
}

// buildctlOutput is the option of buildctl that names the file to write, relative:
// a comma in a folder's name would end the value.
func (a arguments) buildctlOutput(file string) string {
	output := "--output=type=oci,dest=" + file
	if a.Rewrite {
		output += ",rewrite-timestamp=true"
	}
	return output
}

// onlyBuildKit says what of a plan no other engine can do, "" when there is
// nothing.
func (a arguments) onlyBuildKit() string {
	switch {
	case len(a.Options) > 0:
		return "options of BuildKit"
	case len(a.Contexts) > 0:
		return "named contexts"
	case a.Fetch == FetchPinned:
		return "to fetch nothing but what is pinned, at its digests"
	}
	return ""
}

// archive is the transport that buildah saves an image by.
func (a arguments) archive() string {
	if strings.EqualFold(a.Format, "docker") {
		return "docker-archive"
	}
	return "oci-archive"
}

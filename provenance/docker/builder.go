package docker

import (
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/docker/slsa"
)

// BuiltBy returns the kind of builder that made an image: that of its provenance,
// nil for none, else of the last instruction of a known form.
func BuiltBy(all []Instruction, build *slsa.Build) Builder {
	if build != nil && build.BuildKit() {
		return BuildKit
	}
	for n := len(all) - 1; n >= 0; n-- {
		if b := all[n].Builder; b != Unknown {
			return b
		}
	}
	return Unknown
}

// packer names the builder and, where the image has it, its version.
func packer(img *inspect.Image, all []Instruction, build *slsa.Build) string {
	switch BuiltBy(all, build) {
	case BuildKit:
		return "docker build (BuildKit)"
	case Buildah:
		return with("buildah build (buildah", img.Config.File.Config.Labels[buildahLabel])
	case Kaniko:
		return "kaniko"
	case Classic:
		//lint:ignore SA1019 the field is what such images have
		return with("docker build (the classic builder of Docker", img.Config.File.DockerVersion)
	}
	if flattened(img) {
		return "docker export"
	}
	return "a builder of Dockerfiles that is not known here"
}

func with(tool, version string) string {
	if version == "" {
		return tool + ")"
	}
	return tool + " " + check.Brief(version) + ")"
}

// flattened says whether a file system is what docker export wrote: the engine
// puts an empty file there.
func flattened(img *inspect.Image) bool {
	if img.Transport != image.RootFS {
		return false
	}
	for _, l := range img.Layers {
		for n := range l.Entries {
			if e := l.Entries[n]; e.Path == ".dockerenv" && e.Size == 0 {
				return true
			}
		}
	}
	return false
}

// generator names a tool that builds images without a Dockerfile and signs its
// work in the history or a label; "" when it is none of those.
func generator(img *inspect.Image) string {
	if _, ok := img.Config.File.Config.Labels["io.buildpacks.build.metadata"]; ok {
		return "Cloud Native Buildpacks"
	}
	for _, h := range img.Config.File.History {
		by := h.CreatedBy
		switch {
		case strings.HasPrefix(by, "bazel build"):
			return "Bazel"
		case strings.HasPrefix(by, "jib-"):
			return "Jib"
		case strings.HasPrefix(by, "ko build"), strings.HasPrefix(by, "ko publish"):
			return "ko"
		case strings.HasPrefix(h.Author, "apko"), strings.HasPrefix(by, "apko"):
			return "apko"
		case strings.HasPrefix(by, "Buildpacks "):
			return "Cloud Native Buildpacks"
		case strings.HasPrefix(h.Comment, "Imported from "):
			return "docker import"
		}
	}
	return ""
}

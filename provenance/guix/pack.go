package guix

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// Options returns the options of guix pack that p stands for, always in the
// same order, without the word pack and without the packages:
//
//	--format=docker --save-provenance --system=x86_64-linux …
//
// Each option is one argument. It returns nil for what guix pack did not make.
func Options(p provenance.Pack) []string {
	if p.Format != formatDocker && p.Format != formatTarball {
		return nil
	}
	options := []string{"--format=" + p.Format, "--save-provenance"}
	add := func(wanted bool, format string, args ...any) {
		if wanted {
			options = append(options, fmt.Sprintf(format, args...))
		}
	}
	add(p.SystemType != "", "--system=%s", p.SystemType)
	add(p.Compression != "", "--compression=%s", p.Compression)
	for _, link := range p.Symlinks {
		add(true, "--symlink=%s=%s", link.Source, link.Target)
	}
	for i, arg := range p.EntryPoint {
		add(i == 0, "--entry-point=%s", arg)
		add(i > 0, "--entry-point-argument=%s", arg)
	}
	add(p.ImageTag != "", "--image-tag=%s", tagArgument(p.ImageTag))
	add(p.MaxLayers > 0, "--max-layers=%d", p.MaxLayers)
	add(p.Database, "--localstatedir")
	add(p.Relocatable, "--relocatable")
	add(p.Relocatable && p.PRoot, "--relocatable")
	return options
}

// tagArgument returns an argument of --image-tag that comes out as repository.
// A dot in front can only stem from another character: Guix cuts off dots.
func tagArgument(repository string) string {
	if rest, ok := strings.CutPrefix(repository, "."); ok {
		return "/" + rest
	}
	return repository
}

// What Pack.Format says here.
const (
	formatDocker  = "docker"        // guix pack --format=docker
	formatTarball = "tarball"       // guix pack --format=tarball
	formatSystem  = "system-docker" // guix system image --image-type=docker
	formatUnknown = "unknown"       // files of a pack, without what tells how it was packed
)

// format tells how the image was packed. A tarball has no config, and a store
// of a mode of its own.
func (v *view) format(root string) string {
	switch {
	case storeName(root) == "system":
		return formatSystem
	case len(v.img.Config.Raw) > 0:
		return formatDocker
	}
	f, ok := v.file("gnu/store")
	if ok && v.img.Transport == inspect.RootFS && f.Type == '5' && f.Mode == tarballStoreMode {
		return formatTarball
	}
	return formatUnknown
}

// packer names the packer in a sentence.
func packer(p provenance.Pack) string {
	switch p.Format {
	case formatDocker:
		return "guix pack -f docker (Guix " + p.Era + ")"
	case formatTarball:
		return "guix pack -f tarball (Guix " + p.Era + ")"
	case formatSystem:
		return "guix system image -t docker"
	}
	return "unknown: a profile of GNU Guix " + p.Era + " in a bare file system"
}

// FriendlyName joins the names of a profile's entries with hyphens, leaving out
// the last ones until the result is shorter than 40 characters; the first name
// stays whatever its length (Guix 1.5, module (guix scripts pack),
// manifest->friendly-name; the same since 1.1).
func FriendlyName(names []string) string {
	if len(names) == 0 {
		return ""
	}
	n, length := 1, utf8.RuneCountInString(names[0])
	for ; n < len(names); n++ {
		if length += 1 + utf8.RuneCountInString(names[n]); length >= 40 {
			break
		}
	}
	return strings.Join(names[:n], "-")
}

// defaultTag returns the name that the packer of an era gives an image of the
// profile root by default.
func defaultTag(span eraSpan, root, friendly string) string {
	switch {
	case span.last == era10:
		base := root[strings.LastIndexByte(root, '/')+1:]
		hash, name, _ := strings.Cut(base, "-")
		name, _, _ = strings.Cut(name, "-")
		return name + ":" + hash
	case span.last < era14:
		return friendly + ":latest"
	}
	return repositoryName(friendly) + ":latest"
}

// repositoryName makes a name one that Docker accepts (Guix 1.4 to 1.5, module
// (guix docker), canonicalize-repository-name): in lower case, without
// separators in front, with dots for all that is not allowed, and of 2 to 255
// characters.
func repositoryName(name string) string {
	name = strings.TrimLeft(strings.ToLower(name), "_-.")
	runes := []rune(strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || unicode.IsDigit(c) || strings.ContainsRune("_-.", c) {
			return c
		}
		return '.'
	}, name))
	for len(runes) < 2 {
		runes = append(runes, 'a')
	}
	return string(runes[:min(255, len(runes))])
}

// systemTypes are the Guix system types by the architecture that an image
// config names (Guix 1.5, module (guix docker), build-docker-image).
var systemTypes = map[string]string{
	"amd64":    "x86_64-linux",
	"386":      "i686-linux",
	"arm":      "armhf-linux",
	"arm64":    "aarch64-linux",
	"mips64le": "mips64el-linux",
	"ppc64le":  "powerpc64le-linux",
	"riscv64":  "riscv64-linux",
}

// call recovers how guix pack was called. The profile is nil when it cannot be
// read.
func (v *view) call(root string, p *profile.Profile) provenance.Pack {
	span, odd := v.era(p)
	var entries []*profile.Entry
	if p != nil {
		entries = p.Entries
	}
	pack := provenance.Pack{
		Format:       v.format(root),
		Era:          span.String(),
		Root:         root,
		Database:     v.hasDatabase(),
		SystemType:   systemTypes[v.config.Architecture],
		FriendlyName: FriendlyName(names(entries)),
		Unknown: []string{
			"whether packages were grafted (--no-grafts)",
			"whether packages were cross-compiled (--target)",
			"module folders, expressions and files given on the command line (-L, -e, --file)",
			"channels that no package comes from",
		},
	}
	pack.Unknown = append(pack.Unknown, odd...)
	if p == nil {
		pack.Unknown = append(pack.Unknown, "what the profile manifest would tell")
	}
	pack.Relocatable, pack.PRoot = v.relocatable(entries)
	pack.Symlinks = v.packerLinks(root)
	pack.EntryPoint = v.entryPoint(root)
	if pack.Format == formatDocker {
		v.layering(&pack)
	}
	if pack.Format == formatDocker && p != nil {
		v.tag(&pack, root, span)
	}
	v.compression(&pack)
	if pack.SystemType == "" {
		pack.Unknown = append(pack.Unknown, fmt.Sprintf("the system type: the architecture is said to be %q", v.config.Architecture))
	}
	return pack
}

func names(entries []*profile.Entry) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name
	}
	return list
}

// relocatable says whether the packages are wrapped, and whether the wrappers
// fall back on PRoot. -R names the wrapped item of NAME and VERSION
// NAME-VERSIONR; with -RR it refers to a package proot-static.
func (v *view) relocatable(entries []*profile.Entry) (wrapped, proot bool) {
	for _, e := range entries {
		item := v.items[e.Path]
		if item == nil || storeName(e.Path) != e.Name+"-"+e.Version+"R" {
			continue
		}
		wrapped = true
		proot = proot || slices.ContainsFunc(item.References, func(to string) bool {
			return strings.HasPrefix(to, storeDir) && strings.HasPrefix(storeName(to), "proot-")
		})
	}
	return wrapped, proot
}

// entryPoint returns the program relative to the profile, and its arguments.
func (v *view) entryPoint(root string) []string {
	entry := v.config.Config.Entrypoint
	if len(entry) == 0 {
		return nil
	}
	program, ok := strings.CutPrefix(entry[0], root+"/")
	if !ok {
		return nil
	}
	return append([]string{program}, entry[1:]...)
}

// layering tells --max-layers: the number of layers always gives the same
// split again.
func (v *view) layering(pack *provenance.Pack) {
	switch {
	case v.isLayered():
		pack.MaxLayers = len(v.img.Layers)
	case len(v.img.Layers) > 1:
		pack.Unknown = append(pack.Unknown, fmt.Sprintf("--max-layers: the image has %d layers that guix pack did not make in this form", len(v.img.Layers)))
	}
}

// tag tells --image-tag: a name that is not the default one.
func (v *view) tag(pack *provenance.Pack, root string, span eraSpan) {
	if len(v.img.Tags) != 1 {
		pack.Unknown = append(pack.Unknown, fmt.Sprintf("--image-tag: the image has %d names, and guix pack gives one", len(v.img.Tags)))
		return
	}
	tag := v.img.Tags[0]
	if tag == defaultTag(span, root, pack.FriendlyName) {
		return
	}
	repository, ok := strings.CutSuffix(tag, ":latest")
	if !ok || span.last < era14 || repositoryName(tagArgument(repository)) != repository {
		pack.Unknown = append(pack.Unknown, fmt.Sprintf("--image-tag: guix pack of that time does not give the name %s", quote(tag)))
		return
	}
	pack.ImageTag = repository
}

// compression tells -C, as long as the archive is the packer's own.
func (v *view) compression(pack *provenance.Pack) {
	if !v.isPackersArchive(pack.Format) {
		pack.Unknown = append(pack.Unknown, "--compression: the archive was written by another tool since")
		return
	}
	pack.Compression = v.img.Compression
}

// isPackersArchive says whether the archive can be the one that Guix wrote.
// Other tools name the config after its digest.
func (v *view) isPackersArchive(format string) bool {
	return format == formatTarball ||
		v.img.Transport == inspect.DockerArchive && inspect.CleanPath(v.img.Config.Member) == "config.json"
}

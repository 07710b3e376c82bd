package guix

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/inspect/paths"
	storepath "audit/inspect/store"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/store"
)

// Name is that of the build system.
const Name provenance.SystemName = "guix"

// A Pack says how guix pack or guix system was called, recovered from what it
// made: the details of a recipe.
type Pack struct {
	Format      string           `json:"format"`         // "docker", "tarball", …; see the constants
	Era         string           `json:"era"`            // of the packer, such as "1.5"
	Root        string           `json:"root,omitempty"` // store path that the image is made of: a profile or system
	SystemType  string           `json:"systemType,omitempty"`
	Compression compression.Kind `json:"compression,omitempty"`
	Symlinks    []Symlink        `json:"symlinks,omitempty"`
	EntryPoint  []string         `json:"entryPoint,omitempty"`  // the program, relative to Root, and its arguments
	ImageTag    string           `json:"imageTag,omitempty"`    // "" when it is the packer's default
	MaxLayers   int              `json:"maxLayers,omitempty"`   // 0 for a single layer
	Database    bool             `json:"database,omitempty"`    // --localstatedir
	ProfileName string           `json:"profileName,omitempty"` // --profile-name, of a tarball; "" for the usual one
	Relocatable bool             `json:"relocatable,omitempty"` // -R
	PRoot       bool             `json:"proot,omitempty"`       // -RR: -R, with PRoot as a way out
	Export      *Export          `json:"export,omitempty"`      // how a container engine wrote the files; nil when none did

	// NoProvenance says that no package of the profile has its provenance: the packer
	// was called without --save-provenance.
	NoProvenance bool `json:"noProvenance,omitempty"`

	FriendlyName string           `json:"friendlyName,omitempty"` // the packer's default name for this profile
	Manifest     profile.Manifest `json:"manifest,omitempty"`     // the packages of the profile
	Unknown      []check.Message  `json:"-"`                      // what of the call the image does not reveal
}

// A Symlink is a link outside the store into Root.
type Symlink struct {
	Source string `json:"source"` // absolute
	Target string `json:"target"` // relative to Root; "" for Root itself
}

// An Export is what a container engine adds when it exports the files of a
// container.
type Export struct {
	Files      []string `json:"files"`      // that the engine added to those of the image, all of them empty; sorted
	OwnerNames bool     `json:"ownerNames"` // it wrote the names of owners, and not only their numbers
}

// PackOf returns how the packer of a recipe was called, as far as the image reveals
// it; false for a recipe of another build system.
func PackOf(recipe provenance.Recipe) (Pack, bool) {
	pack, _ := recipe.Details.(Pack)
	return pack, recipe.System == Name
}

// setPack fills in what a recipe has of the packer's call.
func setPack(recipe *provenance.Recipe, pack Pack) {
	recipe.Root, recipe.Details, recipe.Packer = pack.Root, pack, packer(pack)
	recipe.Unknown = pack.Unknown
}

// Command returns the command of guix that p stands for, with all options,
// always in the same order, and without the file that it is called for:
//
//	pack --format=docker --save-provenance --system=x86_64-linux …
//	system image --image-type=docker --save-provenance …
//
// Each option is one argument, so that no value can be taken for an option. It
// returns nil for what is not known to be made by one command. What was
// exported from a container is made by that of the image.
func Command(p Pack) []string {
	switch p.Format {
	case formatSystem:
		return systemCommand(p)
	case formatExport:
		p.Format, p.Compression = formatDocker, compression.None
	case formatDocker, formatTarball, formatSquashfs:
	default:
		return nil
	}
	return append([]string{"pack"}, packOptions(p)...)
}

// IsSystem says whether an image is that of a whole system, whose configuration is a
// program.
func IsSystem(p Pack) bool { return p.Format == formatSystem }

// systemCommand is that of guix system; it had a name of its own for images
// for Docker up to 1.3.
func systemCommand(p Pack) []string {
	command := []string{"system", "image", "--image-type=docker", "--save-provenance"}
	if p.Era == eraNames[era13] || strings.HasSuffix(p.Era, " to "+eraNames[era13]) {
		command = []string{"system", "docker-image", "--save-provenance"}
	}
	if p.SystemType != "" {
		command = append(command, "--system="+p.SystemType)
	}
	if p.MaxLayers > 0 {
		command = append(command, fmt.Sprintf("--max-layers=%d", p.MaxLayers))
	}
	return command
}

func packOptions(p Pack) []string {
	options := []string{"--format=" + p.Format}
	add := func(wanted bool, format string, args ...any) {
		if wanted {
			options = append(options, fmt.Sprintf(format, args...))
		}
	}
	add(!p.NoProvenance, "--save-provenance")
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
	add(p.ProfileName != "", "--profile-name=%s", p.ProfileName)
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

// friendlyName joins the names of a profile's entries with hyphens, leaving out
// the last ones until the result is shorter than 40 characters; the first name
// stays whatever its length (Guix 1.5, module (guix scripts pack),
// manifest->friendly-name; the same since 1.1).
func friendlyName(names []string) string {
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
	case span.last <= era2019:
		base := root[strings.LastIndexByte(root, '/')+1:]
		hash, name, _ := strings.Cut(base, "-")
		name, _, _ = strings.Cut(name, "-")
		return name + ":" + hash
	case span.last < era2021:
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

// loaders are the Guix system types by the name that the C library's program
// loader has there (GNU libc 2.41, sysdeps/unix/sysv/linux, shlib-versions).
var loaders = map[string]string{
	"ld-linux-x86-64.so.2":        "x86_64-linux",
	"ld-linux.so.2":               "i686-linux",
	"ld-linux-armhf.so.3":         "armhf-linux",
	"ld-linux-aarch64.so.1":       "aarch64-linux",
	"ld64.so.2":                   "powerpc64le-linux",
	"ld-linux-riscv64-lp64d.so.1": "riscv64-linux",
}

// systemType infers for which kind of machine a pack is: from its config, else from
// the program loaders in it, when they are of one kind.
func (v *view) systemType() string {
	if len(v.img.Config.Raw) > 0 {
		return systemTypes[store.Architecture(v.img)]
	}
	found := ""
	for f := range v.files.All() {
		system := loaders[path.Base(f.Path)]
		if system == "" || profile.Store().ItemOf(f.Path) == "" {
			continue
		}
		if found != "" && found != system {
			return ""
		}
		found = system
	}
	return found
}

// call recovers how guix pack was called. The profile is nil when it cannot be
// read.
func (v *view) call(root string, p *profile.Profile) Pack {
	span, because, contradictions := v.era(p)
	v.because = because
	var entries []*profile.Entry
	if p != nil {
		entries = p.Entries
	}
	pack := Pack{
		Format:       v.format(root),
		Era:          span.String(),
		Root:         root,
		Database:     v.files.IsFile(databasePath),
		SystemType:   v.systemType(),
		FriendlyName: friendlyName(names(entries)),
		Unknown: []check.Message{
			check.Say("recipe/unknown-grafts"), check.Say("recipe/unknown-target"),
			check.Say("recipe/unknown-files"), check.Say("recipe/unknown-channels"),
		},
	}
	if slices.ContainsFunc(entries, isTransformed) {
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-transformed-channel"))
	}
	pack.Unknown = append(pack.Unknown, contradictions...)
	if p != nil {
		pack.Manifest = p.Manifest()
		pack.NoProvenance = len(entries) > 0 && !slices.ContainsFunc(entries, hasProvenance)
	} else {
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-manifest"))
	}
	pack.Relocatable, pack.PRoot = v.relocatable(entries)
	pack.Symlinks = v.packerLinks(root, pack.Format)
	pack.EntryPoint = v.entryPoint(root, pack.Format)
	if pack.Format == formatDocker {
		v.layering(&pack)
	}
	if pack.Format == formatDocker && p != nil {
		v.tag(&pack, root, span)
	}
	if pack.Format == formatTarball && v.has(path.Join(profileFolder, guixsOwnName), '2') {
		pack.ProfileName = guixsOwnName
	}
	v.compression(&pack)
	switch {
	case pack.SystemType != "":
	case len(v.img.Config.Raw) == 0:
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-system-type"))
	default:
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-system-type", "architecture", store.Architecture(v.img)))
	}
	if pack.Format == formatExport {
		pack.Export = v.exportedBy(pack)
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-config"))
	}
	return pack
}

func hasProvenance(e *profile.Entry) bool {
	_, ok := e.Property("provenance")
	return ok
}

func isTransformed(e *profile.Entry) bool {
	_, ok := e.Property("transformations")
	return ok
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
		if item == nil || storepath.NameOf(e.Path) != e.Name+"-"+e.Version+"R" {
			continue
		}
		wrapped = true
		proot = proot || slices.ContainsFunc(item.References, func(to string) bool {
			return strings.HasPrefix(to, storeDir) && strings.HasPrefix(storepath.NameOf(to), "proot-")
		})
	}
	return wrapped, proot
}

// entryPoint returns the program relative to the profile, and its arguments. A
// squashfs has a link to the program, and no arguments.
func (v *view) entryPoint(root, format string) []string {
	entry := v.img.Config.File.Config.Entrypoint
	if run, ok := v.files.At(".singularity.d/runscript"); ok && format == formatSquashfs && run.Type == '2' {
		entry = []string{absolute(run)}
	}
	if len(entry) == 0 {
		return nil
	}
	program, ok := strings.CutPrefix(entry[0], root+"/")
	if !ok {
		return nil
	}
	return append([]string{program}, entry[1:]...)
}

// layering recovers --max-layers: the number of layers always gives the same
// split again.
func (v *view) layering(pack *Pack) {
	switch {
	case v.isLayered():
		pack.MaxLayers = len(v.img.Layers)
	case len(v.img.Layers) > 1:
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-max-layers", "layers", len(v.img.Layers)))
	}
}

// tag recovers --image-tag: a name that is not the default one.
func (v *view) tag(pack *Pack, root string, span eraSpan) {
	if len(v.img.Tags) != 1 {
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-tag", "tags", len(v.img.Tags)))
		return
	}
	tag := v.img.Tags[0]
	if tag == defaultTag(span, root, pack.FriendlyName) {
		return
	}
	repository, ok := strings.CutSuffix(tag, ":latest")
	if !ok || span.last < era2021 || repositoryName(tagArgument(repository)) != repository {
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-tag-form", "tag", tag))
		return
	}
	pack.ImageTag = repository
}

// compression recovers -C, as long as the archive is the packer's own. That of a
// squashfs is within.
func (v *view) compression(pack *Pack) {
	switch {
	case pack.Format == formatSquashfs:
		pack.Compression = v.img.Layers[0].Compression
	case pack.Format == formatTarball, v.isPackersArchive():
		pack.Compression = v.img.Compression
	default:
		pack.Unknown = append(pack.Unknown, check.Say("recipe/unknown-compression"))
	}
}

// isPackersArchive says whether the archive can be the one that Guix wrote.
// Other tools name the config after its digest.
func (v *view) isPackersArchive() bool {
	return v.img.Transport == image.DockerArchive && paths.Clean(v.img.Config.Member) == "config.json"
}

package nix

import (
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	storepath "audit/inspect/store"
	"audit/provenance"
	"audit/provenance/store"
)

// A packer is what turns store items into an image.
type packer int

// The packers.
const (
	unknownPacker packer = iota
	buildImage           // dockerTools.buildImage: one layer, on top of a base image's
	streamLayered        // dockerTools.streamLayeredImage, and buildLayeredImage since nixpkgs 20.09
	buildLayered         // dockerTools.buildLayeredImage before that
	nix2container
	nixery
)

var packerNames = [...]string{
	"unknown packer", "dockerTools.buildImage", "dockerTools.streamLayeredImage or buildLayeredImage",
	"dockerTools.buildLayeredImage", "nix2container", "Nixery",
}

func (p packer) String() string { return packerNames[p] }

// The names of the packers as a recipe's Pack.Format has them: what another
// tool must know to read the layers.
var formats = [...]string{
	UnknownFormat, BuildImageFormat, StreamFormat, BuildLayeredFormat, Nix2containerFormat, NixeryFormat,
}

// Formats of images, as [Pack] names them.
const (
	UnknownFormat       = "unknown"
	BuildImageFormat    = "dockerTools.buildImage"
	StreamFormat        = "dockerTools.streamLayeredImage"
	BuildLayeredFormat  = "dockerTools.buildLayeredImage"
	Nix2containerFormat = "nix2container"
	NixeryFormat        = "nixery"
)

// packer finds the packer by its traces; the firmest first. Archives are
// written again by other tools, so what decides is in the config and in the
// layers.
func (v *view) packer() packer {
	switch {
	case v.isNix2container():
		return nix2container
	case v.hasLists() && (v.onTop(pythonWriter) || v.customisation() != "" && v.namedLayers() == len(v.writers)-1):
		return streamLayered
	case v.isNixery():
		return nixery
	case v.isBuildLayered():
		return buildLayered
	case v.isBuildImage():
		return buildImage
	}
	return unknownPacker
}

// isNix2container looks for the history that nix2container writes, with nothing
// of another tool on top. Without any history it takes store items in a tar that
// has an entry for the root, named "/": kaniko and others write such a tar too.
func (v *view) isNix2container() bool {
	if !slices.Contains(v.writers, goTree) {
		return false
	}
	if last := v.lastAuthor(); last != "" {
		return last == nix2containerAuthor
	}
	return v.hasItems() && v.writers[len(v.writers)-1] == goTree
}

// nix2containerAuthor is what nix2container writes into a history as created_by.
const nix2containerAuthor = "nix2container"

// lastAuthor is the created_by of the last history entry that has one.
func (v *view) lastAuthor() string {
	for _, h := range slices.Backward(v.config.History) {
		if h.CreatedBy != "" {
			return h.CreatedBy
		}
	}
	return ""
}

// onTop says whether a layer is by that writer and all above it, but for the
// last, are too: what comes before is a base image.
func (v *view) onTop(w writer) bool {
	n := len(v.writers)
	return n >= 2 && v.writers[n-2] == w && slices.Contains([]writer{gnuRoot, gnuBare, otherWriter, w}, v.writers[n-1])
}

// isNixery looks for a config without dates and history over layers of files
// alone; one layer of links at the root, by GNU tar, is among them.
func (v *view) isNixery() bool {
	if v.config.Created != nil || len(v.config.History) > 0 || !slices.Contains(v.writers, goFiles) {
		return false
	}
	links := 0
	for _, w := range v.writers {
		switch w {
		case goFiles:
		case gnuBare, gnuRoot:
			links++
		default:
			return false
		}
	}
	return links == 1
}

func (v *view) isBuildLayered() bool {
	n := len(v.writers)
	if n == 0 || v.hasLists() {
		return false
	}
	for _, w := range v.writers[:n-1] {
		if w != gnuStore {
			return false
		}
	}
	return n > 1 && v.writers[n-1] == gnuBare
}

// nixpkgsDate is the modification time of the files that nixpkgs packs: the
// first second of 1980 (pkgs/stdenv/generic/setup.sh, SOURCE_DATE_EPOCH).
const nixpkgsDate = 315532800

// isBuildImage looks at the last layer: a root by GNU tar with the store items
// appended under other names, or at least of nixpkgs' date; and at a history
// that has nothing but dates.
func (v *view) isBuildImage() bool {
	n := len(v.writers)
	if n == 0 || v.writers[n-1] != gnuRoot || !v.onlyDates() {
		return false
	}
	dated, appended, inside := true, false, false
	for _, e := range v.img.Layers[n-1].Entries {
		dated = dated && e.ModTime == nixpkgsDate
		if v.img.Stores.InItem(e.Path) {
			appended = appended || strings.HasPrefix(e.Name(), "nix/")
			inside = inside || strings.HasPrefix(e.Name(), "./nix/")
		}
	}
	return appended || dated && !inside
}

// onlyDates says whether the history entries have nothing but dates.
func (v *view) onlyDates() bool {
	if len(v.config.History) == 0 {
		return false
	}
	return !slices.ContainsFunc(v.config.History, func(h image.WrittenStep) bool { return h.CreatedBy != "" || h.Comment != "" })
}

// foreign says whether the history is that of another build system, such as a
// Dockerfile that starts from an image of Nix.
func (v *view) foreign() bool {
	return slices.ContainsFunc(v.config.History, func(h image.WrittenStep) bool {
		return h.CreatedBy != "" && h.CreatedBy != nix2containerAuthor
	})
}

// A Pack says how the packer was called, recovered from what it made: the details
// of a recipe.
type Pack struct {
	Format       string           `json:"format"`        // see the constants
	Era          string           `json:"era,omitempty"` // of the packer
	SystemType   string           `json:"systemType,omitempty"`
	Compression  compression.Kind `json:"compression,omitempty"`
	MaxLayers    int              `json:"maxLayers,omitempty"` // 0 where the limit was not reached
	FriendlyName string           `json:"name,omitempty"`
	ImageTag     string           `json:"tag,omitempty"`        // "" when it is the packer's default
	Database     bool             `json:"database"`             // includeNixDB
	BaseLayers   int              `json:"baseLayers,omitempty"` // the lowest ones, of fromImage
	// Nixpkgs is the revision of nixpkgs that names or files of store items assert,
	// as long as it is there; "" where they assert none, or several.
	Nixpkgs string `json:"nixpkgs,omitempty"`

	root    string
	unknown []check.Message
}

// PackOf returns how the packer of a recipe was called, as far as the image reveals
// it; false for a recipe of another build system.
func PackOf(recipe provenance.Recipe) (Pack, bool) {
	pack, _ := recipe.Details.(Pack)
	return pack, recipe.System == Name
}

// pack recovers how the packer was called.
func (v *view) pack(p packer) Pack {
	era := v.era(p)
	pack := Pack{
		Format:      formats[p],
		Era:         era,
		root:        v.customisation(),
		Database:    v.files.IsFile(DatabasePath),
		Compression: v.img.Compression,
		SystemType:  systemTypes[store.Architecture(v.img)],
	}
	pack.MaxLayers = v.maxLayers(p)
	if pack.MaxLayers == 0 && p != buildImage && p != unknownPacker {
		pack.unknown = append(pack.unknown, check.Say("recipe/unknown-layer-limit"))
	}
	v.tag(&pack)
	pack.unknown = append(pack.unknown, check.Say("recipe/unknown-commands"))
	if pack.BaseLayers = v.baseLayers(p); pack.BaseLayers > 0 {
		pack.unknown = append(pack.unknown, check.Say("recipe/unknown-base", "layers", pack.BaseLayers))
	}
	if v.chosenDate(p) {
		pack.unknown = append(pack.unknown, check.Say("recipe/unknown-created", "created", check.Clip(*v.config.Created)))
	}
	pack.Nixpkgs = revision(v.revisions())
	if pack.SystemType == "" {
		pack.unknown = append(pack.unknown, check.Say("recipe/unknown-system-type", "architecture", check.Clip(store.Architecture(v.img))))
	}
	return pack
}

// systemTypes are the systems of Nix by the architecture that an image config
// names.
var systemTypes = map[string]string{
	"amd64":   "x86_64-linux",
	"386":     "i686-linux",
	"arm64":   "aarch64-linux",
	"arm":     "armv7l-linux",
	"ppc64le": "powerpc64le-linux",
	"riscv64": "riscv64-linux",
	"s390x":   "s390x-linux",
}

// maxLayers returns the limit on layers where it was reached: then what is left
// over is together in the last layer of store items.
func (v *view) maxLayers(p packer) int {
	if p != streamLayered && p != buildLayered {
		return 0
	}
	last, base := len(v.img.Layers)-2, v.baseLayers(p)
	if last < base {
		return 0
	}
	together := 0
	for i := range v.img.Items {
		if v.img.Items[i].Layer == last {
			together++
		}
	}
	if together < 2 {
		return 0
	}
	return len(v.img.Layers)
}

// tag reads the image's own name. By default the tag is the hash of the store
// path that the packer makes.
func (v *view) tag(pack *Pack) {
	if len(v.img.Tags) != 1 {
		return
	}
	name, tag, ok := strings.Cut(v.img.Tags[0][strings.LastIndexByte(v.img.Tags[0], '/')+1:], ":")
	pack.FriendlyName = name
	if ok && !storepath.IsStoreName(tag+"-x") {
		pack.ImageTag = tag
	}
}

// baseLayers counts the layers at the bottom that come from a base image: what
// the packer did not make, by what it notes of each layer.
func (v *view) baseLayers(p packer) int {
	switch p {
	case buildImage:
		return len(v.writers) - 1
	case streamLayered:
		return v.namedLayers()
	case unknownPacker: // its history is that of one like it
		if v.hasLists() {
			return v.namedLayers()
		}
	case nix2container:
		return v.layersOfOthers()
	}
	return 0
}

// namedLayers counts the layers at the bottom of which the history gives, in the
// place of their store paths, the one name that a layer had in the archive of the
// base (nixpkgs, pkgs/build-support/docker/stream_layered_image.py, load_base_layers).
func (v *view) namedLayers() int {
	for i := range v.history {
		names, ok, err := v.listed(i)
		if !ok || err != nil || len(names) != 1 || names[0] == "" || strings.HasPrefix(names[0], storeDir) {
			return i
		}
	}
	return len(v.history)
}

// layersOfOthers counts the layers at the bottom before the first that is
// nix2container's: by its writer, unless the history, which notes the packer of
// each layer, notes another and the layer has no store items.
func (v *view) layersOfOthers() int {
	noted := slices.ContainsFunc(v.history, func(h image.WrittenStep) bool { return h.CreatedBy == nix2container.String() })
	for i, w := range v.writers {
		foreign := noted && v.history[i].CreatedBy != nix2container.String() && !v.holdsItems(v.img.Layers[i])
		if w == goTree && !foreign {
			return i
		}
	}
	return 0
}

func (v *view) holdsItems(l *inspect.Layer) bool {
	return slices.ContainsFunc(l.Entries, func(e *inspect.Entry) bool { return v.img.Stores.InItem(e.Path) })
}

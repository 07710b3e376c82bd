package guix

import (
	"strings"

	"audit/inspect"
	"audit/inspect/image"
	"audit/inspect/store"
	"audit/provenance/guix/profile"
)

// The values of Pack.Format.
const (
	formatDocker   = "docker"        // guix pack --format=docker
	formatTarball  = "tarball"       // guix pack --format=tarball
	formatSquashfs = "squashfs"      // guix pack --format=squashfs
	formatExport   = "docker-export" // the file system of a container of guix pack --format=docker
	formatSystem   = "system-docker" // guix system image --image-type=docker
	formatFiles    = "system-files"  // the file system of a system, exported or written otherwise
	formatLayers   = "layers"        // store items of a pack in layers beside others, put together by another tool
	formatUnknown  = "unknown"       // files of a pack, without what shows how it was packed
)

// format infers how the image was packed.
func (v *view) format(root string) string {
	switch {
	case store.NameOf(root) == "system":
		return v.formatOfSystem()
	case IsPacked(v.img):
		return formatDocker
	case len(v.img.Config.Raw) > 0:
		return v.formatOfLayers()
	case v.img.Transport == image.SquashFS && v.has("gnu/.empty", '0'):
		return formatSquashfs
	case v.img.Transport != image.RootFS:
		return formatUnknown
	}
	return v.formatOfFiles()
}

// formatOfSystem infers how a system was put into an image. Without a config it
// is not that of guix system, but what a container of it, or some other image of
// it, has left.
func (v *view) formatOfSystem() string {
	switch {
	case len(v.img.Config.Raw) == 0:
		return formatFiles
	case IsPacked(v.img) || v.formatOfLayers() == formatDocker:
		return formatSystem
	}
	return formatLayers
}

// formatOfLayers recognises an image whose config another tool wrote: with nothing
// but the layers of one pack it is still that pack.
func (v *view) formatOfLayers() string {
	if len(v.img.Layers) > 1 && !v.isLayered() {
		return formatLayers
	}
	for _, l := range v.img.Layers {
		if !v.packLayer(l) {
			return formatLayers
		}
	}
	return formatDocker
}

// formatOfFiles recognises a bare file system: a tarball has a store of a mode of
// its own, and a docker image a folder for temporary files. An engine leaves
// its mark in what it exports.
func (v *view) formatOfFiles() string {
	store, ok := v.files.At("gnu/store")
	tmp, hasTmp := v.files.At("tmp")
	switch {
	case v.has(".dockerenv", '0') || v.has("run/.containerenv", '0'):
		return formatExport
	case ok && store.Type == '5' && store.Mode == storeMode:
		return formatTarball
	case hasTmp && tmp.Type == '5' && tmp.Mode == stickyMode:
		return formatExport
	}
	return formatUnknown
}

func (v *view) has(path string, kind byte) bool {
	f, ok := v.files.At(path)
	return ok && f.Type == kind
}

// packLayer says whether a layer may be one of guix pack: beside store items
// it has folders, links into the store, and the store's database.
func (v *view) packLayer(l *inspect.Layer) bool {
	for i := range l.Entries {
		e := l.Entries[i]
		if !v.img.Stores.InItem(e.Path) && e.Type != '5' && !isPackerFile(e) {
			return false
		}
	}
	return true
}

func isPackerFile(e *inspect.Entry) bool {
	if e.Type == '2' {
		target := absolute(inspect.File{Entry: e, Path: e.Path})
		return strings.HasPrefix(target, storeDir) || strings.HasPrefix(e.Path, "var/guix/")
	}
	return e.Path == databasePath
}

// holdsItems says whether a layer has something of the store.
func (v *view) holdsItems(l *inspect.Layer) bool {
	for i := range l.Entries {
		if profile.Store().ItemOf(l.Entries[i].Path) != "" {
			return true
		}
	}
	return false
}

// packer names the packer.
func packer(p Pack) string {
	switch p.Format {
	case formatDocker, formatTarball, formatSquashfs:
		return "guix pack -f " + p.Format + " (Guix " + p.Era + ")"
	case formatExport:
		return "guix pack -f docker (Guix " + p.Era + "), exported by a container engine"
	case formatLayers:
		return "guix pack (Guix " + p.Era + "), put into layers beside others by another tool"
	case formatSystem:
		return "guix system image -t docker"
	case formatFiles:
		return "guix system, as files without what shows how they were packed"
	}
	return "unknown: a profile of GNU Guix " + p.Era + " in a bare file system"
}

package report

import (
	"slices"
	"strconv"
	"strings"

	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/inspect/squashfs"
)

// A handCheck is a command that anyone can run to check a part of the report
// without audit, and what it must print.
type handCheck struct {
	What    string
	Command string
	Expect  string // "" when the command only prepares
}

// A handGuide is how a report is checked with tar and sha256sum.
type handGuide struct {
	Checks []handCheck
	Items  []handCheck // NAR hashes, which need the tool of the store
}

// maxHand bounds the layers that are spelt out: the rest is alike.
const maxHand = 200

// byHand says how to check the image of a report with other tools. The
// commands are for GNU tar 1.34 and coreutils; tar finds out for itself how an
// archive is compressed. Objects of a SIF are what Apptainer 1 prints of them,
// as SingularityCE does under its own name.
func byHand(r *Report) handGuide {
	img := r.Image
	read := reader(img)
	if read == nil {
		return handGuide{}
	}
	var g handGuide
	if img.Transport == image.Registry {
		g.Checks = append(g.Checks, handCheck{"the image, in a folder of its own", copyCommand(img), ""})
	}
	if d := img.ManifestDigest.Digest; d != "" {
		g.add("the image manifest", read(blobName(d), d), d)
	}
	if img.ConfigDigest != "" {
		g.add("the config; its digest is the image ID", read(img.ConfigMember, img.ConfigDigest), img.ConfigDigest)
	}
	for _, l := range img.Layers[:min(len(img.Layers), maxHand)] {
		g.addLayer(l, read(l.Member, l.Digest))
	}
	g.Items = narChecks(r, read)
	return g
}

// blobName is the name of a blob in an OCI image layout.
func blobName(digest string) string {
	return "blobs/" + strings.Replace(digest, ":", "/", 1)
}

func (g *handGuide) add(what, command, digest string) {
	hex := strings.TrimPrefix(digest, "sha256:")
	g.Checks = append(g.Checks, handCheck{what, command + " | sha256sum", hex + "  -"})
}

func (g *handGuide) addLayer(l Layer, read string) {
	name := "layer " + strconv.Itoa(l.Index)
	unpack := decompressor(l.Compression)
	if l.DiffID == "" {
		g.add(name+": its blob, which is no tar", read, l.Digest)
		return
	}
	if unpack == "" || l.DiffID == l.Digest {
		g.add(name+": its diffID, which is the digest of the blob too", read, l.DiffID)
		return
	}
	g.add(name+": the digest of the blob as stored", read, l.Digest)
	g.add(name+": its diffID", read+" | "+unpack, l.DiffID)
}

// A readFunc returns the command that prints the bytes of a part of the image,
// known by its name or, since names vary within an archive, by its digest.
type readFunc func(name string, digest string) string

// reader returns how the parts of an image are read by hand, nil when the form
// allows no simple command.
func reader(img Image) readFunc {
	file := archiveFile(img)
	switch img.Transport {
	case image.DockerArchive, image.OCIArchive:
		return func(name string, digest string) string {
			member := memberName(img, name, digest)
			return tarCommand(file) + pick(img, member, digest) + " -- " + shellWord(string(member))
		}
	case image.DockerDaemon:
		return func(name string, digest string) string {
			return "docker save " + shellWord(file) + " | tar -xOf - -- " + shellWord(string(memberName(img, name, digest)))
		}
	case image.ContainersStorage:
		return func(name string, digest string) string {
			return podman(file) + " | tar -xOf - -- " + shellWord(string(memberName(img, name, digest)))
		}
	case image.OCI:
		return func(_ string, digest string) string {
			return "cat " + shellWord(dashSafe(file)+"/"+string(blobName(digest)))
		}
	case image.Registry:
		return func(_ string, digest string) string { return "cat " + copiedBlob(img, digest) }
	case image.SIF:
		return func(name string, digest string) string {
			id, _, _ := strings.Cut(string(memberName(img, name, digest)), "-")
			return "apptainer sif dump " + shellWord(id) + " " + shellWord(dashSafe(file))
		}
	case image.SquashFS:
		return func(string, string) string { return "cat " + shellWord(dashSafe(file)) }
	case image.RootFS:
		return func(string, string) string {
			if unpack := decompressor(img.Compression); unpack != "" {
				return unpack + " < " + shellWord(file)
			}
			return "cat " + shellWord(dashSafe(file))
		}
	}
	return nil
}

// copyCommand copies an image out of a registry into a folder named image, by
// the digest of its manifest and with the blobs as they are.
func copyCommand(img Image) string {
	name := archiveFile(img)
	if digest := img.ManifestDigest.Digest; digest != "" {
		name, _, _ = strings.Cut(name, "@")
		if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
			name = name[:colon]
		}
		name += "@" + digest
	}
	return "skopeo copy --preserve-digests " + shellWord("docker://"+name) + " dir:image"
}

// copiedBlob is where skopeo's dir: form keeps what has a digest.
func copiedBlob(img Image, digest string) string {
	if digest == img.ManifestDigest.Digest {
		return "image/manifest.json"
	}
	_, hex, _ := strings.Cut(digest, ":")
	return "image/" + hex
}

// podman is the command that saves an image of a store, of another than podman's own with
// its folder: "[DRIVER@FOLDER+FOLDER]NAME".
func podman(name string) string {
	place, rest, ok := strings.Cut(strings.TrimPrefix(name, "["), "]")
	if !ok || name[0] != '[' {
		return "podman save " + shellWord(name)
	}
	_, folder, hasDriver := strings.Cut(place, "@")
	if !hasDriver {
		folder = place
	}
	folder, _, _ = strings.Cut(folder, "+")
	return "podman --root " + shellWord(folder) + " save " + shellWord(rest)
}

// archiveFile is the name of the image's file without folder, or its name in a
// registry or an engine.
func archiveFile(img Image) string {
	name, prefixed := strings.CutPrefix(string(img.Reference), string(img.Transport)+":")
	if img.Transport == image.Registry || img.Transport.IsEngine() {
		return strings.TrimPrefix(name, "//")
	}
	if prefixed {
		name, _, _ = strings.Cut(name, ":")
	}
	if name == "-" || name == "" {
		return "image.tar"
	}
	return name
}

// tarCommand prints members of an archive. A colon in the name of the file
// would make tar look for another host, a dash for an option.
func tarCommand(file string) string {
	local := ""
	if strings.Contains(file, ":") {
		local = " --force-local"
	}
	return "tar" + local + " -xOf " + shellWord(dashSafe(file))
}

func dashSafe(file string) string {
	if strings.HasPrefix(file, "-") {
		return "./" + file
	}
	return file
}

// memberName is the name under which an archive holds the bytes of a digest:
// the one asked for, or that one with ./ before it, or a copy.
func memberName(img Image, name string, digest string) string {
	found := name
	for _, m := range img.Members {
		if m.Digest != digest {
			continue
		}
		if strings.TrimPrefix(string(m.Name), "./") == strings.TrimPrefix(string(name), "./") {
			return m.Name
		}
		if found == name {
			found = m.Name
		}
	}
	return found
}

// pick adds what tar needs to print the one of several members of the same
// name that has the digest.
func pick(img Image, name string, digest string) string {
	seen, at := 0, 0
	for _, m := range img.Members {
		if m.Name != name {
			continue
		}
		seen++
		if at == 0 && m.Digest == digest {
			at = seen
		}
	}
	if seen < 2 || at == 0 {
		return ""
	}
	return " --occurrence=" + strconv.Itoa(at)
}

// decompressor is the command that unpacks a stream; "" when none is needed.
func decompressor(c compression.Kind) string {
	switch c {
	case compression.Gzip, compression.Zstd, compression.XZ, compression.Bzip2, compression.Lzip:
		return string(c) + " -dc"
	}
	return ""
}

// narChecks show, on the first store item whose NAR hash is known, how all of
// them are checked.
func narChecks(r *Report, read readFunc) []handCheck {
	for _, it := range r.StoreItems {
		if r.narCommand(it.Path) == "" || it.NarHash == "" || it.Layer < 0 || it.Layer >= len(r.Image.Layers) {
			continue
		}
		l := r.Image.Layers[it.Layer]
		return []handCheck{
			{"unpack the layer in an empty folder, not as root", unpackCommand(l, read(l.Member, l.Digest)), ""},
			{"its NAR hash", r.narCommand(it.Path), strings.TrimPrefix(it.NarHash, "sha256:")},
		}
	}
	return nil
}

// unpackCommand unpacks a layer that a command prints into the folder root.
func unpackCommand(l Layer, read string) string {
	if l.isSquashfs() {
		return read + " > layer.squashfs && unsquashfs -d root layer.squashfs"
	}
	if d := decompressor(l.Compression); d != "" {
		read += " | " + d
	}
	return "mkdir root && " + read + " | tar -xf - -C root"
}

// isSquashfs says that a layer is a file system, and no tar: its blocks are
// compressed, not the whole, and what diffID it has is the digest of its blob.
func (l Layer) isSquashfs() bool {
	return l.MediaType == string(squashfs.MediaType) && (l.DiffID == "" || l.DiffID == l.Digest)
}

// narCommand hashes an unpacked store item with the tool of its store.
func (r *Report) narCommand(item string) string {
	for _, s := range r.words.systems {
		if s.Store != "" && strings.HasPrefix(item, s.Store+"/") {
			return shellWords(append(slices.Clone(s.NarHash), "root"+item))
		}
	}
	return ""
}

package repack

import (
	"archive/tar"
	"cmp"
	"io"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/paths"
	"audit/rebuild/gnutar"
)

// Rules are how one writer packs a layer.
type rules struct {
	name string // what wrote it, in words
	// append appends the headers of a member: in the variants that there are
	// of the writer, of which a layer has one throughout.
	append []appender
	// entryName is the name of a member for a path.
	entryName func(path string, folder bool) string
	// order compares two paths of one part of a layer.
	order func(a, b string) int
	// appended says that the store items come after the root as a part of their
	// own, under other names and in the order of appendedOrder.
	appended bool
	// end is how many zero bytes follow the last member.
	end      func(at int64) int64
	files    bool // there are no entries for folders
	perms    bool // the author can give modes and owners to store items, too
	unsorted bool // the writer's time may have left the order to the file system
}

// An appender appends the headers of a member.
type appender func(b []byte, h gnutar.Header) []byte

// Magic numbers and versions of tar headers.
const (
	posixMagic = "ustar\x0000"
	gnuMagic   = "ustar  \x00"
)

// newRules finds the writer of a layer by its first header and first names; nil
// when it is none that packs for Nix.
func newRules(l *inspect.Layer) *rules {
	if len(l.Entries) == 0 {
		return nil
	}
	block := firstBlock(l)
	first := l.Entries[0].Name()
	switch magic := string(block[257:265]); {
	case magic == posixMagic && (first == "/nix/" || first == "/nix/store/"):
		return pythonRules(block, int64(l.Entries[0].Mode))
	case magic == posixMagic && first == "/" && l.Entries[0].Type == tar.TypeDir:
		return &rules{name: "Go's archive/tar, as nix2container calls it", perms: true, append: []appender{appendGo}, entryName: slashFront, order: paths.Compare, end: goEndOf}
	case magic == posixMagic && strings.HasPrefix(first, storeDir):
		return &rules{name: "Go's archive/tar, as Nixery calls it", append: []appender{appendGo}, entryName: slashFront, order: paths.Compare, end: goEndOf, files: true}
	case magic == gnuMagic:
		return gnuRules(l)
	}
	return nil
}

// storeDir is where Nix keeps store items.
const storeDir = "/nix/store/"

// firstBlock returns the first header block.
func firstBlock(l *inspect.Layer) []byte {
	block := make([]byte, 512)
	if _, err := io.ReadFull(l.Frame.Open(), block); err != nil {
		clear(block)
	}
	return block
}

// pythonRules are those of streamLayeredImage. In nixpkgs 20.09, which shares
// the mode of /nix with those up to 23.11, the order was at first that of the
// file system.
func pythonRules(block []byte, mode int64) *rules {
	d := pythonDialect{zeroDevices: block[329] == '0'}
	return &rules{name: "Python's tarfile, as streamLayeredImage calls it", append: []appender{d.append},
		entryName: slashBoth, order: paths.Compare, end: gnutar.EndOfArchive, unsorted: mode != 0o755}
}

// gnuRules finds how GNU tar was called by the names of the first entries: the
// whole tree at once, with the store items appended to it, or store items alone.
func gnuRules(l *inspect.Layer) *rules {
	r := &rules{name: "GNU tar --sort=name", order: paths.Compare, end: gnutar.EndOfArchive}
	for _, superuser := range []string{"", "root"} { // whether the builder knows its user 0 by name
		r.append = append(r.append, func(b []byte, h gnutar.Header) []byte { return gnutar.Dialect{Superuser: superuser}.Append(b, h) })
	}
	first := l.Entries[0].Name()
	second := ""
	if len(l.Entries) > 1 {
		second = l.Entries[1].Name()
	}
	switch {
	case first == "/nix/":
		r.entryName = slashBoth
	case first == "nix/":
		r.entryName = slashBehind
	case first == "./" && second != "" && !strings.HasPrefix(second, "./") && !strings.HasPrefix(second, "nix/store/"):
		r.entryName = bare
	case first == "./":
		r.entryName = dotSlash
		r.appended = slices.ContainsFunc(l.Entries, func(e *inspect.Entry) bool { return strings.HasPrefix(e.Name(), "nix/store/") })
	default:
		return nil
	}
	return r
}

func goEndOf(int64) int64 { return goEnd }

// Names of members.

func slashFront(path string, _ bool) string {
	if path == "." {
		return "/"
	}
	return "/" + path
}

func slashBoth(path string, folder bool) string { return "/" + slashBehind(path, folder) }

func slashBehind(path string, folder bool) string {
	if folder {
		return path + "/"
	}
	return path
}

func dotSlash(path string, folder bool) string {
	if path == "." {
		return "./"
	}
	return "./" + slashBehind(path, folder)
}

func bare(path string, folder bool) string {
	if path == "." {
		return "./"
	}
	return slashBehind(path, folder)
}

// appendedOrder is that of a list that sort(1) has sorted: byte by byte, with
// what was named "./…" first.
func appendedOrder(a, b string) int {
	return cmp.Or(cmp.Compare(depthOfStore(a), depthOfStore(b)), strings.Compare(a, b))
}

// depthOfStore is 0 for the folders above the store items, which buildImage
// names "./nix" and "./nix/store", and 1 for all else.
func depthOfStore(path string) int {
	if path == "nix" || path == "nix/store" {
		return 0
	}
	return 1
}

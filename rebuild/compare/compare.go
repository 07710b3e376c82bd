// Package compare compares two inspected images: config field
// by field, layers by diffID, then files. It is pure: two images in, a
// comparison out.
//
// The ladder is climbed only as far as needed. Layers with the same diffID are
// the same bytes and are not looked at twice. The entries of all other layers
// are merged by path, so that an item that went to another layer is one
// difference of cause order, and not one thing missing and another extra.
// Entries that meet are compared with each other field by field; what their
// headers have that no field explains (the tar format, the spelling of a name,
// a record of some vendor) is compared too, so that two layers that are not the
// same bytes have at least one difference between them.
//
// The root file systems as an engine folds them from all layers are compared as
// well ([inspect.Image.Root]): what a container sees decides whether images are
// equivalent.
//
// Images needs no content. To see how a changed file differs, open both images
// again with the Keep of [Comparison.Keep], and call [Comparison.Explain]: it
// looks inside (package explain) and gives the difference the cause that it
// finds there. What stays equal is never looked at twice.
package compare

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare/explain"
)

// A Comparison is how a rebuilt image differs from the original.
type Comparison struct {
	Config      []FieldDifference // sorted by field
	Layers      []LayerPair       // in the order of the original, then those only in the rebuild
	Differences []Difference      // sorted by layer, path, cause

	// Manifest and Blobs are what differs outside of config and layers: in the
	// image manifests where both images have one, and in how equal layers are
	// packed. They have no say in Identical and Equivalent: pushing an image
	// somewhere else changes them.
	Manifest []FieldDifference // sorted by field
	Blobs    []Difference      // of cause Compression, by layer

	Known []Known // freedoms of packers that explain differences, sorted by code

	freedoms []Freedom        // that the packer of both images has
	sizes    map[string]int64 // by path: bytes that keeping the files costs that differ by content
}

// A FieldDifference is a field of the image config, or of the image manifest,
// that differs.
type FieldDifference struct {
	Field string // JSON path, such as "config.Env[0]"
	Was   string // JSON text in the original, "" when absent
	Now   string // JSON text in the rebuild, "" when absent
	// Cause is Derived, Timestamp, Content or what explains it, or, when one
	// side lacks the field, Missing or Extra; in a manifest also Compression.
	Cause Cause
	Known string // code of the one of Comparison.Known that explains it, or ""
}

// A LayerPair is a layer of the original and the one of the rebuild that it is
// compared with; "" stands for a layer without a partner. A layer that is no tar
// has no diffID: its blob's digest stands for it.
type LayerPair struct {
	Index    int    // position in the original, or in the rebuild when it is only there
	Original string // diffID
	Rebuilt  string // diffID
	Equal    bool
	Size     int64 // bytes of the original's tar, uncompressed; 0 when it is only in the rebuild
}

// A Difference is one thing about one path that is not the same.
type Difference struct {
	Path  string // "" for a layer as a whole
	Layer int    // in the original; in the rebuild for Extra; -1 for the config
	Cause Cause
	Was   Value // in the original, nil for nothing
	Now   Value // in the rebuild
	// Evidence shows it, the first of several first: codes "difference/…", such as
	// what differs inside of a file, each with its place, and a diff as the
	// argument "diff".
	Evidence []check.Message
	Known    string // code of the one of Comparison.Known that explains it, or ""

	// Privileged says that the file lends rights, in either image: it is setuid or
	// setgid, has a capability, or is a device.
	Privileged bool

	files *contentPair // whose bytes differ
	file  fileState    // of the regular file that only one image has

	folder   bool // what moved with a folder that was renamed
	absorbed bool // it is part of such a difference
}

// A Cause is why two entries differ, from a closed list.
type Cause string

// The causes.
const (
	Order     Cause = "order"     // the same entries in another order, or in another layer
	Timestamp Cause = "timestamp" // modification time
	Mode      Cause = "mode"      // permissions, setuid, setgid, sticky
	Owner     Cause = "owner"     // uid, gid, user or group name
	Link      Cause = "link"      // target of a link, or a hard link against another file
	HardLink  Cause = "hard-link" // one file under several names here, and files of the same bytes there
	Xattr     Cause = "xattr"     // extended attributes, capabilities among them
	Device    Cause = "device"    // device numbers
	Missing   Cause = "missing"   // in the original only
	Extra     Cause = "extra"     // in the rebuild only
	Renamed   Cause = "renamed"   // a file or a folder has another path in the rebuild
	Type      Cause = "type"      // a file here, a folder there
	Content   Cause = "content"   // the bytes of a file
	Packaging Cause = "packaging" // tar format, PAX records, padding: nothing a container sees
	// Derived is the cause of config fields that follow from the layers, whose
	// own differences are listed: the diffIDs. No entry has it.
	Derived Cause = "derived"
)

// The causes that explain why the bytes of a file differ. A container sees
// other bytes all the same. One file may have several of them, and [Content]
// too: then each is a difference of its own.
const (
	EmbeddedDate      Cause = "embedded-date"       // a date or time in the file
	EmbeddedPath      Cause = "embedded-path"       // a folder of the build, or a host name, in the file
	EmbeddedStorePath Cause = "embedded-store-path" // the path of a store item in the file
	EmbeddedOrder     Cause = "embedded-order"      // the parts of the file in another order
	// Compression is how the same bytes are packed: those inside of a file, or,
	// in Comparison.Blobs, those of a layer.
	Compression Cause = "compression"
)

// AllCauses returns the closed list, those first that weigh most for who runs
// the image.
func AllCauses() []Cause {
	return []Cause{
		Content, Type, Extra, Missing, Renamed, Link, HardLink, Xattr, Device, Mode, Owner,
		EmbeddedPath, EmbeddedStorePath, EmbeddedOrder, EmbeddedDate, Compression,
		Timestamp, Order, Packaging, Derived,
	}
}

// Harmless says that a container sees the same in spite of such a difference:
// the order of entries, a time, the packaging, or a digest of these.
func (c Cause) Harmless() bool {
	switch c {
	case Order, Timestamp, Packaging, Derived:
		return true
	}
	return false
}

// Shows says whether the evidence of a difference has a code.
func (d *Difference) Shows(code string) bool {
	return slices.ContainsFunc(d.Evidence, func(m check.Message) bool { return m.Code == code })
}

// evidence is one code as the evidence of a difference.
func evidence(code string, args ...any) []check.Message {
	return []check.Message{check.Say(code, args...)}
}

// Images compares a rebuilt image with the original. The freedoms are those of
// the packer that made both.
func Images(original, rebuilt *inspect.Image, freedoms []Freedom) *Comparison {
	w := newWalk(original, rebuilt)
	w.config()
	w.pairLayers()
	w.out.Layers = w.layerPairs()
	w.layerOrder()
	w.entries()
	w.entryOrder()
	w.layersAsWhole()
	w.folded()
	w.hidden = w.hide()
	w.manifests()
	w.blobs()
	w.contentSizes()
	w.out.sort()
	w.known(freedoms)
	w.renames()
	return w.out
}

// A Result is what a comparison shows.
type Result string

// The results.
const (
	Identical  Result = "identical"  // config and every layer are the same bytes
	Equivalent Result = "equivalent" // a container sees the same
	Different  Result = "different"
)

// Result is what the comparison shows, "" where there was nothing to compare:
// nothing examined is never success.
func (c *Comparison) Result() Result {
	switch {
	case c == nil || len(c.Layers)+len(c.Config)+len(c.Differences) == 0:
		return ""
	case c.Identical():
		return Identical
	case c.Equivalent():
		return Equivalent
	}
	return Different
}

// Identical says that config and every layer are the same bytes. Images
// without layers are not: nothing examined is never success. How the layers are
// compressed does not count.
func (c *Comparison) Identical() bool {
	for _, l := range c.Layers {
		if !l.Equal {
			return false
		}
	}
	return len(c.Layers) > 0 && len(c.Config) == 0 && len(c.Differences) == 0
}

// Equivalent says that a container sees the same: the content, mode, owner (by
// number and by name), links, extended attributes and device numbers of
// every file, and every field of the config but the diffIDs, which follow from
// the layers, and the times of creation. What is left differs by order,
// timestamp or packaging. Identical images are equivalent.
func (c *Comparison) Equivalent() bool {
	for _, f := range c.Config {
		if !f.Cause.Harmless() {
			return false
		}
	}
	for _, d := range c.Differences {
		if !d.Cause.Harmless() {
			return false
		}
	}
	return len(c.Layers) > 0
}

// A CauseCount is how many differences have a cause.
type CauseCount struct {
	Cause Cause
	Count int
}

// Causes counts the differences by cause, the most frequent first, then by
// name. Fields of the config count too, but for those that are Derived: what
// they follow from is counted already.
func (c *Comparison) Causes() []CauseCount {
	count := make(map[Cause]int)
	for _, d := range c.Differences {
		count[d.Cause]++
	}
	for _, f := range c.Config {
		if f.Cause != Derived {
			count[f.Cause]++
		}
	}
	causes := make([]CauseCount, 0, len(count))
	for cause, n := range count {
		causes = append(causes, CauseCount{cause, n})
	}
	slices.SortFunc(causes, func(x, y CauseCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Cause, y.Cause))
	})
	return causes
}

func (c *Comparison) sort() {
	slices.SortStableFunc(c.Differences, func(x, y Difference) int {
		return cmp.Or(cmp.Compare(x.Layer, y.Layer), strings.Compare(x.Path, y.Path), cmp.Compare(x.Cause, y.Cause))
	})
}

// config compares the two configs, as documents and as bytes.
func (w *walk) config() {
	was, now := &w.a.img.Config, &w.b.img.Config
	if bytes.Equal(was.Raw, now.Raw) {
		return
	}
	w.out.Config = fields(was.Raw, now.Raw)
	inside := explain.New(time.Time{})
	for i := range w.out.Config {
		f := &w.out.Config[i]
		f.Cause = f.look(inside, w.configCause(f))
	}
	w.decodedConfig()
	if len(w.out.Config) == 0 {
		at := explain.FirstDifference(was.Raw, now.Raw)
		w.add(Difference{Path: was.Member, Layer: -1, Cause: Packaging, Was: Text(explain.Window(was.Raw, at)), Now: Text(explain.Window(now.Raw, at)),
			Evidence: evidence("difference/config-spelling")})
	}
}

// Package compare holds two inspected images against each other: config field
// by field, layers by diffID, then files. It is pure: two images in, a
// comparison out.
package compare

import "audit/inspect"

// A Comparison is how a rebuilt image differs from the original.
type Comparison struct {
	Config      []FieldDifference
	Layers      []LayerPair
	Differences []Difference // sorted by layer, path, cause
}

// A FieldDifference is a field of the image config that differs.
type FieldDifference struct {
	Field string // JSON path, such as "config.Env[0]"
	Was   string // JSON text in the original, "" when absent
	Now   string // JSON text in the rebuild, "" when absent
}

// A LayerPair is a layer of the original and the one of the rebuild that it is
// held against; "" stands for a layer without a partner.
type LayerPair struct {
	Index    int    // position in the original, or in the rebuild when it is only there
	Original string // diffID
	Rebuilt  string // diffID
	Equal    bool
}

// A Difference is one thing about one path that is not the same.
type Difference struct {
	Path   string
	Layer  int // in the original; in the rebuild for Extra
	Cause  Cause
	Was    string
	Now    string
	Detail string // such as the diff of a text file
}

// A Cause is why two entries differ, from a closed list.
type Cause string

// The causes.
const (
	Order     Cause = "order"     // the same entries in another order, or in another layer
	Timestamp Cause = "timestamp" // modification time
	Mode      Cause = "mode"      // permissions, setuid, setgid, sticky
	Owner     Cause = "owner"     // uid, gid, user or group name
	Link      Cause = "link"      // target of a link, or a hard link against a file
	Xattr     Cause = "xattr"     // extended attributes, capabilities among them
	Device    Cause = "device"    // device numbers
	Missing   Cause = "missing"   // in the original only
	Extra     Cause = "extra"     // in the rebuild only
	Type      Cause = "type"      // a file here, a folder there
	Content   Cause = "content"   // the bytes of a file
	Packaging Cause = "packaging" // tar format, padding, compression: nothing a container sees
)

// Images compares a rebuilt image with the original.
func Images(original, rebuilt *inspect.Image) *Comparison { return nil }

// Identical says that config and every layer are the same bytes.
func (c *Comparison) Identical() bool { return false }

// Equivalent says that a container sees the same: only order and packaging differ.
func (c *Comparison) Equivalent() bool { return false }

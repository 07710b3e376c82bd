package repack

// A Header is one member of a tar archive in the terms of its header block, for
// packers of other systems that write with GNU tar too.
type Header struct {
	Name         string // of a folder with its slash
	Mode         int64
	UID, GID     int64
	Size, Time   int64
	Kind         byte
	Link         string
	Uname, Gname string
}

// AppendHeader appends to b the blocks that GNU tar writes before the content of
// a member. superuser is the name of user 0 in the headers that carry long
// names, "" where the builder knows no such user.
func AppendHeader(b []byte, h Header, superuser string) []byte {
	return dialect{superuser: superuser}.appendHeader(b, header{
		name: h.Name, mode: h.Mode, uid: h.UID, gid: h.GID, size: h.Size, mtime: h.Time, kind: h.Kind, link: h.Link, uname: h.Uname, gname: h.Gname,
	})
}

// Padding is how many zero bytes fill the last block of size bytes.
func Padding(size int64) int64 { return padding(size) }

// EndOfArchive is how many zero bytes GNU tar writes after the last member,
// which ends at byte end: two blocks, and what the last record lacks.
func EndOfArchive(end int64) int64 { return endOfArchive(end) }

// HeaderDifferences says in words which fields of got, header blocks as they
// were read, are not what the packer writes; "" where they agree as far as they
// go.
func HeaderDifferences(got, want []byte) string { return differences(got, want) }

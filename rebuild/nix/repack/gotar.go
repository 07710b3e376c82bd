package repack

import (
	"archive/tar"
	"bytes"
	"time"

	"audit/rebuild/gnutar"
)

// appendGo appends to b what Go's archive/tar writes before the content of a
// member when the format is left to it, as nix2container and Nixery do.
func appendGo(b []byte, h gnutar.Header) []byte {
	var buf bytes.Buffer
	err := tar.NewWriter(&buf).WriteHeader(&tar.Header{
		Name: h.Name, Typeflag: h.Kind, Mode: h.Mode, Uid: int(h.UID), Gid: int(h.GID), Size: h.Size,
		ModTime: time.Unix(h.Time, 0), Linkname: h.Link, Uname: h.Uname, Gname: h.Gname,
	})
	if err != nil { // what cannot be written is nothing: it differs from whatever was read
		return b
	}
	return append(b, buf.Bytes()...)
}

// goEnd is how many zero bytes Go writes after the last member.
const goEnd = 1024

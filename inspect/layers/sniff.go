package layers

import (
	"archive/tar"
	"bytes"

	"audit/inspect/zeros"
)

// TarBlock is the unit of a tar archive, in bytes.
const TarBlock = 512

// LooksLikeTar says whether head starts a tar archive: with a magic, with the
// right checksum (V7 has no magic), or with the zeros of an empty one.
func LooksLikeTar(head []byte) bool {
	if len(head) < TarBlock {
		return false
	}
	if string(head[257:262]) == "ustar" || zeros.First(head[:TarBlock]) < 0 {
		return true
	}
	_, err := tar.NewReader(bytes.NewReader(head[:TarBlock])).Next()
	return err == nil
}

// LooksLikeJSON says whether head starts an object or a list.
func LooksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

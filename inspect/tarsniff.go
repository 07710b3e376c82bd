package inspect

import (
	"archive/tar"
	"bytes"
)

const tarBlock = 512

// looksLikeTar says whether head starts a tar archive: with a magic, with the
// right checksum (V7 has no magic), or with the zeros of an empty one.
func looksLikeTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	if string(head[257:262]) == "ustar" || firstNonZero(head[:tarBlock]) < 0 {
		return true
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	return err == nil
}

func looksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

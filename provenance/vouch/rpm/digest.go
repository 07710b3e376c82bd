package rpm

import (
	"context"
	"crypto"
	_ "crypto/md5" // what rpm had before 4.6
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/hex"
	"strconv"

	"audit/inspect"
	"audit/inspect/digest"
)

// Digest algorithms of files (RFC 4880, 9.4).
const (
	byMD5    = 1
	bySHA1   = 2
	bySHA256 = 8
	bySHA384 = 9
	bySHA512 = 10
	bySHA224 = 11
)

func algorithm(number uint32) (h crypto.Hash) {
	switch number {
	case byMD5:
		return crypto.MD5
	case bySHA1:
		return crypto.SHA1
	case bySHA256:
		return crypto.SHA256
	case bySHA384:
		return crypto.SHA384
	case bySHA512:
		return crypto.SHA512
	case bySHA224:
		return crypto.SHA224
	}
	return 0
}

// canHash says whether a content could be hashed by an algorithm.
func canHash(number uint32) bool { return algorithm(number) != 0 }

func algorithmName(number uint32) string {
	if h := algorithm(number); h != 0 {
		return h.String()
	}
	return strconv.FormatUint(uint64(number), 10)
}

// A digester gives digests of files: what the pass over the image took, or what a
// content that was kept has.
type digester struct {
	img     *inspect.Image
	indices map[*inspect.Entry]int // of entries in their layers; made when it is needed
}

// of returns a digest in hexadecimal; false when it is not known.
func (d *digester) of(f inspect.File, number uint32) (string, bool) {
	if number == bySHA256 {
		sum := f.Inode.Digest
		return hex.EncodeToString(sum[:]), !sum.IsZero()
	}
	if text, ok := d.weak(f, number); ok {
		return text, true
	}
	h := algorithm(number)
	content, found, ok := d.img.Root().Content(f.Path)
	if h == 0 || !ok || found.Inode.ID() != f.Inode.ID() {
		return "", false
	}
	sum := h.New()
	sum.Write(content)
	return hex.EncodeToString(sum.Sum(nil)), true
}

// weak returns a digest that the pass took beside SHA-256.
func (d *digester) weak(f inspect.File, number uint32) (string, bool) {
	if number != byMD5 && number != bySHA1 {
		return "", false
	}
	if d.indices == nil {
		d.indices = make(map[*inspect.Entry]int)
		for _, l := range d.img.Layers {
			for i, e := range l.Entries {
				d.indices[e] = i
			}
		}
	}
	sum := d.img.Layers[f.Inode.Layer].Weak(d.indices[f.Inode.Entry])
	switch {
	case number == byMD5 && sum.Kinds&digest.MD5 != 0:
		return hex.EncodeToString(sum.MD5[:]), true
	case number == bySHA1 && sum.Kinds&digest.SHA1 != 0:
		return hex.EncodeToString(sum.SHA1[:]), true
	}
	return "", false
}

// maxRead bounds the bytes of contents that are read again for their digests.
const maxRead = 192 << 20

// complete has contents read again, the first ones up to maxRead.
func (d *digester) complete(ctx context.Context, files []inspect.File, read func(context.Context, []inspect.File) error) error {
	if read == nil || len(files) == 0 {
		return nil
	}
	room := int64(maxRead)
	for i, f := range files {
		if room -= f.Inode.Size; room < 0 {
			files = files[:i]
			break
		}
	}
	return read(ctx, files)
}

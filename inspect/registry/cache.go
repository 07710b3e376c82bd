package registry

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"audit/inspect/digest"
	"audit/inspect/pass"
	"audit/inspect/userfile"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A cache is a folder with blobs of layers, each in a file sha256/HEX. Nothing in it is
// believed: a blob is hashed before it is used, and fetched where it is another.
type cache struct {
	dir  string // "" for none
	pass *pass.Pass
}

// PartPrefix begins the names of what is being written into a cache.
const PartPrefix = ".audit-"

func (c cache) path(h v1.Hash) string { return filepath.Join(c.dir, h.Algorithm, h.Hex) }

// holds says whether a blob is kept, once it has been read.
func (c cache) holds(d v1.Descriptor) bool { return c.dir != "" && d.Digest.Algorithm == "sha256" }

// open returns the blob that has a digest, nil when there is none. That it was used is
// noted in the time of the file, for who makes room.
func (c cache) open(d v1.Descriptor) *os.File {
	if !c.holds(d) {
		return nil
	}
	f, err := userfile.Open(c.path(d.Digest)) // a pipe would never end
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() == d.Size {
		region := &pass.Region{Pass: c.pass, At: f, Size: info.Size()}
		meter := digest.NewMeter(io.NewSectionReader(region, 0, info.Size()))
		if _, err := io.Copy(io.Discard, meter); err == nil && meter.Sum().Hash() == d.Digest {
			os.Chtimes(c.path(d.Digest), time.Time{}, time.Now())
			return f
		}
	}
	f.Close()
	return nil
}

// A keeping writes a blob into a cache while it is read. What cannot be written is not
// kept, and fails nothing.
type keeping struct {
	io.Reader
	file   *os.File // nil where nothing is kept
	path   string
	copies *pass.Copies // that hold the file; nil where they do not
	name   string       // under which they do
	n      int64        // bytes in the file
	rest   io.Writer    // takes what follows, once the file can be written no further; else nil
}

func (c cache) keep(d v1.Descriptor, r io.Reader) *keeping {
	k := &keeping{Reader: r, path: c.path(d.Digest), name: digest.BlobPath(d.Digest)}
	if !c.holds(d) {
		return k
	}
	dir := filepath.Dir(k.path)
	if os.MkdirAll(dir, 0o755) != nil {
		return k
	}
	k.file, _ = os.CreateTemp(dir, PartPrefix)
	if k.file != nil && c.pass.Copies.Lies(k.name, k.file) {
		k.copies = c.pass.Copies
	}
	return k
}

func (k *keeping) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	if k.file != nil {
		if _, err := k.file.Write(p[:n]); err != nil {
			k.drop()
		} else {
			k.n += int64(n)
		}
	}
	if k.rest != nil {
		k.rest.Write(p[:n]) // it never fails
	}
	return n, err
}

// drop removes the file. Contents are looked for in it later, where it is held: a copy
// takes its place.
func (k *keeping) drop() {
	os.Remove(k.file.Name())
	if k.copies != nil {
		k.rest = k.copies.Instead(k.name, k.n)
	} else {
		k.file.Close()
	}
	k.file = nil
}

// end puts the blob into its place where it is what it should be, and else leaves
// nothing.
func (k *keeping) end(isWhole bool) {
	if k.file == nil {
		return
	}
	if !isWhole || k.file.Chmod(0o644) != nil || os.Rename(k.file.Name(), k.path) != nil {
		k.drop()
		return
	}
	if k.copies == nil {
		k.file.Close()
	}
}

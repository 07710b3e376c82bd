package records

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/paths"
)

// isTarball says whether a file may be a package of npm as its registry has it: beside
// a project, or in npm's cache, whose names are the SHA-512 of the contents (cacache 18).
func isTarball(p string) bool {
	return strings.HasSuffix(p, ".tgz") || strings.Contains(p, "_cacache/content-v2/sha512/")
}

// Bounds of a tarball.
const (
	maxTarball      = 64 << 20 // bytes of one in the image
	maxTarballFiles = 50_000
)

// A tarNote is what is noted of a tarball while an image is read.
type tarNote struct {
	SHA512 string    `json:"sha512"`
	Files  []tarFile `json:"files"`
}

// A tarFile is a file in a tarball.
type tarFile struct {
	Path   string `json:"path"` // in the package
	SHA256 string `json:"sha256"`
}

// A tarWatcher gathers a tarball.
type tarWatcher struct {
	size int64 // as promised
	data []byte
	over bool
}

func (w *tarWatcher) Watch(p []byte) {
	if len(w.data) == 0 && !w.over && !bytes.HasPrefix(p, []byte("\x1f\x8b")) && len(p) > 1 {
		w.over = true
	}
	if w.over = w.over || len(w.data)+len(p) > maxTarball; w.over {
		w.data = nil
		return
	}
	w.data = appendTo(w.data, p, w.size)
}

// Note is nil for what is no tarball, or too large: then the files of the package have
// no word, as those of most have none.
func (w *tarWatcher) Note() []byte {
	sum := sha512.Sum512(w.data)
	files, err := tarFiles(w.data, maxUnpacked)
	w.data = nil
	if err != nil || w.over {
		return nil
	}
	note, err := json.Marshal(tarNote{hex.EncodeToString(sum[:]), files})
	if err != nil {
		return nil
	}
	return note
}

// tarFiles lists the regular files of a compressed archive without their first folder,
// as npm unpacks them, reading no more than so many bytes.
func tarFiles(data []byte, most int64) (files []tarFile, err error) {
	packed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: packed, N: most}
	archive := tar.NewReader(limited)
	for {
		h, err := archive.Next()
		switch {
		case limited.N == 0 || len(files) == maxTarballFiles:
			return nil, errors.New("it is larger than a package")
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, err
		case h.Typeflag != tar.TypeReg:
			continue
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, archive); err != nil {
			return nil, err
		}
		if _, name, ok := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/"); ok && !paths.HasDotDot(name) {
			files = append(files, tarFile{name, hex.EncodeToString(sum.Sum(nil))})
		}
	}
}

// A tarball is one that lies in the image.
type tarball struct {
	file  inspect.File
	size  int
	files []tarFile
}

// findTarballs finds all tarballs, by their SHA-512.
func (r *reader) findTarballs() {
	r.tarballs = make(map[string]tarball)
	for file := range r.root.Files() {
		e := file.Inode.Entry
		if e.Type != '0' || !isTarball(e.Path) {
			continue
		}
		var read tarNote
		note := r.note(file)
		if json.Unmarshal(note, &read) == nil && r.tarballs[read.SHA512].files == nil {
			r.tarballs[read.SHA512] = tarball{file, len(note), read.Files}
		}
	}
}

// tarballOf returns the tarball that a lock means by its digests.
func (r *reader) tarballOf(digests []v1.Hash) (tarball, bool) {
	for _, d := range digests {
		if t, ok := r.tarballs[d.Hex]; ok && d.Algorithm == "sha512" {
			return t, true
		}
	}
	return tarball{}, false
}

// putTarball takes the files of a package from its tarball. Older npm has written into
// package.json where it came from.
func putTarball(l *list, folder string, t tarball) {
	for _, f := range t.files {
		otherwise := Differs
		if f.Path == "package.json" {
			otherwise = Listed
		}
		if !l.putAny(under(folder, f.Path), otherwise, hexDigest("sha256", f.SHA256)...) {
			return
		}
	}
}

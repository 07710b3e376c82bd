package ospackages

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"path"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/image"
)

// Where apk keeps its database; later ones moved it below /usr.
var apkPaths = [...]string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

// isApk says whether a file can be a database: wherever a link may lead there from.
func isApk(p string) bool {
	above, ok := strings.CutSuffix(p, "apk/db/installed")
	return ok && (above == "" || above[len(above)-1] == '/')
}

// ApkKeys is the folder in which an image has the keys that apk trusts there.
const ApkKeys = "etc/apk/keys"

func isApkKey(p string) bool { return path.Dir(p) == ApkKeys }

func (r *reader) apk() {
	for _, name := range apkPaths {
		text, f, ok := r.body(name)
		if !ok || r.isSeen(f) {
			continue
		}
		if IsADB(text) {
			r.problem(name, f.Layer, ApkFormat)
			continue
		}
		packages := apkPackages(text)
		if len(packages) == 0 && len(bytes.TrimSpace(text)) > 0 {
			r.problem(name, f.Layer, "packages/no-package")
		}
		r.found(Apk, f, packages)
		r.recordDatabase(f, packages, func(text []byte) []Package { return apkPackages(text) })
	}
}

// ApkFormat is the code of the problem that a database of apk has the format of apk 3.
const ApkFormat = "packages/apk-adb"

// IsADB says whether a file begins as those in the format of apk 3 do: plain, or
// compressed (apk-tools 3, doc/apk-v3.5.scd and src/adb.h).
func IsADB(text []byte) bool {
	return len(text) >= 4 && string(text[:3]) == "ADB" && (text[3] == '.' || text[3] == 'd' || text[3] == 'c')
}

// isSeen says whether a database was read before, under another name.
func (r *reader) isSeen(f inspect.File) bool {
	if r.seen[f.Inode.ID()] {
		return true
	}
	if r.seen == nil {
		r.seen = make(map[image.InodeID]bool)
	}
	r.seen[f.Inode.ID()] = true
	return false
}

// recordDatabase records the digests of a database of one file, of which packages
// are those of its last version, and of the versions that lower layers have.
func (r *reader) recordDatabase(last inspect.File, packages []Package, read func(data []byte) []Package) {
	kept := r.foreign[last.Entry]
	var before []Package
	r.versions(path.Dir(last.Path), func(p string) bool { return p == last.Path }, func(layer int, e *inspect.Entry, v *version) {
		if e == last.Entry {
			kept = true
			r.in.record(v, packages...)
			r.replaced(layer, before, packages)
			before = packages
			return
		}
		if text, ok := r.img.Body(layer, e.Path); ok {
			packages := read(text)
			r.in.record(v, packages...)
			r.replaced(layer, before, packages)
			before = packages
		}
	})
	if !kept { // it has its content from elsewhere, by a link
		r.in.record(&version{last.Layer, forever}, packages...)
	}
}

// apkPackages reads a database: paragraphs of lines "K:value", of which F: is a
// folder and each R: after it a file in there.
func apkPackages(text []byte) []Package {
	d := apkDatabase{room: namesOf(len(text))}
	for raw := range bytes.Lines(text) {
		line := string(bytes.TrimRight(raw, "\r\n"))
		switch {
		case line == "":
			d.end()
		case len(line) >= 2 && line[1] == ':':
			d.field(line[0], line[2:])
		}
	}
	d.end()
	return d.packages
}

// An apkDatabase is one that is being read.
type apkDatabase struct {
	packages []Package
	p        Package // that the lines are about
	dir      string
	file     *File // likewise
	room     int   // bytes that the names of files may still have
}

func (d *apkDatabase) end() {
	if d.p.Name != "" {
		d.packages = append(d.packages, d.p)
	}
	d.p, d.dir = Package{}, ""
}

// field reads a line.
func (d *apkDatabase) field(key byte, value string) {
	p := &d.p
	if key != 'Z' && key != 'a' {
		d.file = nil
	}
	switch key {
	case 'C':
		p.Checksum = apkDigest(value)
	case 'P':
		p.Name = value
	case 'V':
		p.Version = value
	case 'A':
		p.Arch = value
	case 'o':
		p.Source = value
	case 'L':
		p.License = value
	case 'D':
		for name := range strings.FieldsSeq(value) {
			if !strings.HasPrefix(name, "!") { // a conflict
				p.Needs = append(p.Needs, []string{unversioned(name)})
			}
		}
	case 'p':
		for name := range strings.FieldsSeq(value) {
			p.Provides = append(p.Provides, unversioned(name))
		}
	case 'F':
		if d.dir = clean(value); d.dir != "." {
			p.Files = append(p.Files, File{Path: d.dir})
		}
	case 'R':
		if d.room -= len(d.dir) + len(value); d.room > 0 {
			at := path.Join(d.dir, clean(value))
			p.Files = append(p.Files, File{Path: at, Mode: 0o644, Config: isProtected(at)})
			d.file = &p.Files[len(p.Files)-1]
		}
	case 'a': // owner, group and mode, where they are not the usual ones
		if d.file != nil {
			d.file.Mode = apkMode(value)
		}
	case 'Z':
		if d.file != nil {
			d.file.Digest = apkDigest(value)
		}
	}
}

// apkDigest reads a digest in the form of apk (apk-tools 2.14,
// apk_blob_pull_csum): Q1 and a SHA-1 in base 64, Q2 and a SHA-256, or a digest of
// its own length in hexadecimal.
func apkDigest(text string) Digest {
	if len(text) < 2 || text[0] != 'Q' {
		return newDigest(map[int]string{32: "md5", 40: "sha1"}[len(text)], text)
	}
	raw, err := base64.StdEncoding.DecodeString(text[2:])
	if err != nil {
		return Digest{}
	}
	return newDigest(map[byte]string{'1': "sha1", '2': "sha256"}[text[1]], hex.EncodeToString(raw))
}

// apkMode reads the mode of "UID:GID:MODE", which a digest may follow.
func apkMode(text string) int64 {
	words := strings.SplitN(text, ":", 4)
	if len(words) < 3 {
		return 0
	}
	mode, err := strconv.ParseUint(words[2], 8, 12)
	if err != nil {
		return 0
	}
	return int64(mode)
}

// isProtected says whether apk lets a user change a file: by default what is below
// etc (apk-tools 2.14, protected_paths).
func isProtected(p string) bool { return strings.HasPrefix(p, "etc/") }

// unversioned drops the version from a name in the form of apk: "so:libc.so=1",
// "busybox>=1.36", "musl~1.2".
func unversioned(name string) string {
	if i := strings.IndexAny(name, "<>=~"); i >= 0 {
		return name[:i]
	}
	return name
}

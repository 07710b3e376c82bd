package apk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/paths"
	"audit/provenance/ospackages"
)

// Limits of packages and indexes.
const (
	maxSignatureBytes = 64 << 10  // of a signature
	maxControlBytes   = 64 << 20  // unpacked, of the control part or an index
	maxDataBytes      = 16 << 30  // unpacked, of the data
	maxFileBytes      = 512 << 20 // of a package as it lies there
	maxIndexBytes     = 64 << 20  // of an index as it lies there
	maxEntries        = 1 << 20   // of a tar
	maxListBytes      = 1 << 20   // of a list of links to busybox
)

// A parted file is one that is signed.
type parted struct {
	signatures []signature
	rest       []byte // all that follows the first member
}

// part splits the member with the signatures off; there is none where a file begins with
// something else.
func part(file []byte) (p parted, err error) {
	if ospackages.IsADB(file) {
		return p, errADB
	}
	first, rest, err := member(file)
	if err != nil {
		return p, err
	}
	p.rest = file
	err = walk(first, maxControlBytes, "the signatures", func(h *tar.Header, body io.Reader) error {
		raw, err := io.ReadAll(io.LimitReader(body, maxSignatureBytes))
		if s, ok := named(h.Name, raw); ok && err == nil {
			p.signatures = append(p.signatures, s)
			p.rest = rest
		}
		return err
	})
	return p, err
}

// member splits off the first member of a gzip file, packed as it is.
func member(file []byte) (first, rest []byte, err error) {
	r := bytes.NewReader(file)
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, fmt.Errorf("unpacking a gzip member: %w", err)
	}
	z.Multistream(false)
	if _, err := io.CopyN(io.Discard, z, maxControlBytes+1); err == nil {
		return nil, nil, &limit.Error{Name: "bytes of a gzip member", Limit: maxControlBytes, Where: "a package"}
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("unpacking a gzip member: %w", err)
	}
	at := len(file) - r.Len()
	return file[:at], file[at:], nil
}

// walk reads the entries of a packed tar, which may lack the blocks that end one.
func walk(packed []byte, most int64, what string, entry func(*tar.Header, io.Reader) error) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", what, err)
	}
	bounded := &io.LimitedReader{R: z, N: most + 1}
	r := tar.NewReader(bounded)
	for n := 0; ; n++ {
		h, err := r.Next()
		switch {
		case bounded.N == 0:
			return &limit.Error{Name: "bytes unpacked", Limit: most, Where: what}
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", what, err)
		case n == maxEntries:
			return &limit.Error{Name: "entries", Limit: maxEntries, Where: what}
		}
		if err := entry(h, r); err != nil {
			return fmt.Errorf("reading %s: %w", what, err)
		}
	}
}

// A control is the control part of a package.
type control struct {
	name     string
	version  string
	datahash string
	scripts  map[string]digest.Sum // by what they are for: "post-install"
}

// readControl reads .PKGINFO, lines "key = value", and the scripts, whose names begin with
// a dot too.
func readControl(packed []byte) (c control, err error) {
	c.scripts = make(map[string]digest.Sum)
	err = walk(packed, maxControlBytes, "the control part", func(h *tar.Header, body io.Reader) error {
		if kind, ok := strings.CutPrefix(h.Name, "."); ok && h.Name != ".PKGINFO" && h.Typeflag == tar.TypeReg {
			meter := digest.NewMeter(body)
			_, err := io.Copy(io.Discard, meter)
			c.scripts[kind] = meter.Sum()
			return err
		}
		if h.Name != ".PKGINFO" {
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(body, maxListBytes))
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
			switch key {
			case "pkgname":
				c.name = value
			case "pkgver":
				c.version = value
			case "datahash":
				c.datahash = value
			}
		}
		return err
	})
	if err == nil && (c.name == "" || c.datahash == "") {
		err = errors.New("its control part has no name, or no digest of its data")
	}
	return c, err
}

// A claim is what a signed package says of one file.
type claim struct {
	pkg        *pkg
	path       string // of the form of inspect.Entry.Path
	kind       byte   // of a tar header
	mode       int64
	user       string
	group      string
	uid, gid   int
	sum        digest.Sum
	link       string
	major      int64
	minor      int64
	capability string // the extended attribute
}

// A content is what the data of a package has.
type content struct {
	pkg     *pkg
	stem    string // with what apk's names of its scripts begin
	claims  []claim
	links   []string              // paths that a package lists as links to busybox
	scripts map[string]digest.Sum // of its control part, as apk calls them where it keeps them
}

const capabilityAttribute = "SCHILY.xattr.security.capability"

// busyboxPaths is a folder of lists of links to busybox, of the package of that name.
const busyboxPaths = "etc/busybox-paths.d/"

// readData reads the data of a package, which the control part has the digest of.
func readData(p *pkg, packed []byte, datahash string) (all content, err error) {
	if sum := sha256.Sum256(packed); hex.EncodeToString(sum[:]) != strings.ToLower(datahash) {
		return all, errOtherData
	}
	sums := make(map[string]digest.Sum) // of files, for hard links to them
	err = walk(packed, maxDataBytes, "the data", func(h *tar.Header, body io.Reader) error {
		c := claim{
			pkg: p, path: paths.Clean(h.Name), kind: h.Typeflag, mode: h.Mode & 0o7777,
			user: h.Uname, group: h.Gname, uid: h.Uid, gid: h.Gid, link: h.Linkname, major: h.Devmajor, minor: h.Devminor, capability: h.PAXRecords[capabilityAttribute],
		}
		switch c.kind {
		case tar.TypeReg:
			meter := digest.NewMeter(body)
			var list strings.Builder
			if strings.HasPrefix(c.path, busyboxPaths) && h.Size <= maxListBytes {
				if _, err := io.Copy(&list, meter); err != nil {
					return err
				}
			}
			if _, err := io.Copy(io.Discard, meter); err != nil {
				return err
			}
			c.sum = meter.Sum()
			sums[c.path] = c.sum
			all.links = append(all.links, strings.Fields(list.String())...)
		case tar.TypeLink:
			c.kind, c.sum = tar.TypeReg, sums[paths.Clean(h.Linkname)] // zero when no file precedes it there
			sums[c.path] = c.sum
		}
		all.claims = append(all.claims, c)
		return nil
	})
	return all, err
}

var errOtherData = errors.New("its data are not those that its control part has the digest of")

// readIndex returns the digests of control parts that an index has, by name and version.
func readIndex(packed []byte) (map[string]string, error) {
	listed := make(map[string]string)
	err := walk(packed, maxControlBytes, "the index", func(h *tar.Header, body io.Reader) error {
		if h.Name != "APKINDEX" {
			return nil
		}
		text, err := io.ReadAll(body)
		var sum, name, version string
		for line := range strings.SplitSeq(string(text)+"\n\n", "\n") {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "C":
				sum = value
			case "P":
				name = value
			case "V":
				version = value
			case "":
				if name != "" {
					listed[name+"-"+version] = sum
				}
				sum, name, version = "", "", ""
			}
		}
		return err
	})
	return listed, err
}

package deb

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/ulikunitz/xz/lzma"

	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/paths"
)

// An Archive is what a .deb has (deb(5)).
type Archive struct {
	Control Paragraph         // the file control of control.tar
	Info    map[string][]byte // the files of control.tar, by name; control among them
	Files   []File            // the members of data.tar, in its order
	Kept    map[string][]byte // contents of data.tar that were asked for, by path
	Sum     digest.Sum        // of the bytes of the .deb
}

// A File is a member of data.tar.
type File struct {
	Path     string // as [inspect.Entry.Path]
	Type     byte   // as [inspect.Entry.Type]
	Mode     int64  // permissions with setuid, setgid and sticky bit
	UID, GID int
	Size     int64
	ModTime  int64 // seconds since 1970
	Linkname string
	Major    int64 // of devices
	Minor    int64
	Sum      digest.Sum // of the content of a regular file
}

// Limits bound what reading one .deb may cost.
type Limits struct {
	Entries int   // members of data.tar
	Bytes   int64 // uncompressed bytes of both archives
	Info    int64 // bytes of the files of control.tar
	Names   int64 // bytes of all names and link targets
	Kept    int64 // bytes of the contents that are kept
	Memory  int64 // that decompression asks for again and again
}

// DefaultLimits are far above those of packages in the wild.
func DefaultLimits() Limits {
	return Limits{Entries: 1 << 20, Bytes: 32 << 30, Info: 64 << 20, Names: 128 << 20, Kept: 64 << 20, Memory: 64 << 30}
}

// Read reads a .deb to its end. The content of a regular file is kept when keep says so.
// The error is a [*limit.Error] where the archive goes past one of the limits, and says
// otherwise in what the bytes are no .deb.
func Read(r io.Reader, keep func(path string) bool, limits Limits) (*Archive, error) {
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	ar, err := newArReader(in)
	if err != nil {
		return nil, err
	}
	d := &reader{Archive: &Archive{Info: make(map[string][]byte), Kept: make(map[string][]byte)}, keep: keep, limits: limits, left: limits.Bytes}
	if err := d.members(ar); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, ar.r); err != nil {
		return nil, err
	}
	sum.Sum(d.Sum[:0])
	return d.Archive, nil
}

// A reader reads one .deb.
type reader struct {
	*Archive
	keep   func(string) bool
	limits Limits
	left   int64 // of Limits.Bytes
	memory int64
	info   int64
	names  int64
	kept   int64
	hash   hash.Hash
	buffer []byte
	config map[string]bool // the conffiles, which are kept
}

// members reads the archives in the order that deb(5) demands: others may stand among
// them when their names begin with an underscore, as those of signatures do.
func (d *reader) members(ar *arReader) error {
	name, content, err := ar.next()
	if err != nil || name != "debian-binary" {
		return errors.New("it does not begin with debian-binary")
	}
	version, err := io.ReadAll(io.LimitReader(content, 64))
	if err != nil || !strings.HasPrefix(string(version), "2.") {
		return fmt.Errorf("it is of version %.10q of the format, and not 2", version)
	}
	read := []struct {
		name string
		take func(*tar.Reader) error
	}{{"control.tar", d.control}, {"data.tar", d.data}}
	for _, part := range read {
		for {
			if name, content, err = ar.next(); err != nil {
				return fmt.Errorf("looking for %s: %w", part.name, unexpected(err))
			}
			if !strings.HasPrefix(name, "_") {
				break
			}
		}
		if name != part.name && !strings.HasPrefix(name, part.name+".") {
			return fmt.Errorf("%.20q stands where %s has to be", name, part.name)
		}
		if err := d.unpack(name, content, part.take); err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
	return nil
}

func (d *reader) unpack(name string, content io.Reader, take func(*tar.Reader) error) error {
	in := bufio.NewReaderSize(content, 64<<10)
	var packed io.Reader
	if strings.HasSuffix(name, ".lzma") {
		z, err := newLZMA(in)
		if err != nil {
			return err
		}
		packed = z
	} else {
		head, _ := in.Peek(6)
		x, err := compression.Expand(in, compression.Sniff(head), d.charge)
		if err != nil {
			return err
		}
		defer x.Close()
		packed = x
	}
	plain := bufio.NewReaderSize(&counted{packed, d}, 128<<10)
	if err := take(tar.NewReader(plain)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, plain)
	return err
}

// maxDictionary bounds the memory that a stream of LZMA may ask for: xz gives it 64 MiB
// at most by its own settings.
const maxDictionary = 128 << 20

// newLZMA reads what packages had before xz: one stream of LZMA, which names the size of
// its dictionary in the header (lzma-file-format.txt of XZ Utils, 1.1).
func newLZMA(in *bufio.Reader) (io.Reader, error) {
	head, err := in.Peek(13)
	if err != nil {
		return nil, unexpected(err)
	}
	if binary.LittleEndian.Uint32(head[1:]) > maxDictionary {
		return nil, &limit.Error{Name: "bytes of a dictionary", Limit: maxDictionary, Where: "lzma"}
	}
	return lzma.NewReader(in)
}

func (d *reader) charge(n int64) error {
	if d.memory += n; d.memory > d.limits.Memory {
		return &limit.Error{Name: "bytes of memory", Limit: d.limits.Memory, Where: "package"}
	}
	return nil
}

// counted counts uncompressed bytes.
type counted struct {
	io.Reader
	d *reader
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.d.left -= int64(n); c.d.left < 0 {
		return n, &limit.Error{Name: "uncompressed bytes of a package", Limit: c.d.limits.Bytes, Where: "package"}
	}
	return n, err
}

// control keeps the files of control.tar.
func (d *reader) control(t *tar.Reader) error {
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		name := paths.Clean(h.Name)
		if d.info += h.Size + int64(len(name)); d.info > d.limits.Info {
			return &limit.Error{Name: "bytes of control files", Limit: d.limits.Info, Where: "package"}
		}
		content, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		if strings.Contains(name, "/") {
			continue
		}
		if _, twice := d.Info[name]; twice {
			return fmt.Errorf("%.40q stands in it twice", name)
		}
		d.Info[name] = content
	}
	d.config = conffiles(d.Info)
	for p := range Paragraphs(d.Info["control"]) {
		d.Control = p
		return nil
	}
	return errors.New("it has no control file")
}

// data takes the members of data.tar.
func (d *reader) data(t *tar.Reader) error {
	d.hash, d.buffer = sha256.New(), make([]byte, 128<<10)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(d.Files) >= d.limits.Entries {
			return &limit.Error{Name: "members of data.tar", Limit: int64(d.limits.Entries), Where: "package"}
		}
		if d.names += int64(len(h.Name) + len(h.Linkname)); d.names > d.limits.Names {
			return &limit.Error{Name: "bytes of names", Limit: d.limits.Names, Where: "package"}
		}
		if paths.HasDotDot(h.Name) {
			return fmt.Errorf("%.80q leads out of it", h.Name)
		}
		f := File{Path: paths.Clean(h.Name), Type: h.Typeflag, Mode: h.Mode & 07777, UID: h.Uid, GID: h.Gid,
			Size: h.Size, ModTime: h.ModTime.Unix(), Linkname: h.Linkname, Major: h.Devmajor, Minor: h.Devminor}
		if f.Type == tar.TypeReg {
			if err := d.content(&f, t); err != nil {
				return err
			}
		}
		d.Files = append(d.Files, f)
	}
}

// content takes the digest of a content, and the content when it is asked for.
func (d *reader) content(f *File, t io.Reader) error {
	d.hash.Reset()
	if !d.config[f.Path] && (d.keep == nil || !d.keep(f.Path)) {
		_, err := io.CopyBuffer(writer{d.hash}, reading{t}, d.buffer)
		d.hash.Sum(f.Sum[:0])
		return err
	}
	if d.kept += f.Size; d.kept > d.limits.Kept {
		return &limit.Error{Name: "bytes of contents that are kept", Limit: d.limits.Kept, Where: "package"}
	}
	content, err := io.ReadAll(t)
	d.Kept[f.Path], f.Sum = content, sha256.Sum256(content)
	return err
}

// writer and reading have no other method, so that the buffer is used.
type (
	writer  struct{ io.Writer }
	reading struct{ io.Reader }
)

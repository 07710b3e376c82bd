package inspect

import (
	"audit/inspect/check"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Open reads the image that reference names, in one pass; a file is read once
// more where a store item needs contents of an earlier one of its layer (a hard
// link, or entries that are mixed). A reference is a
// path, "-" for standard input, or TRANSPORT:REST with one of the transports
// of this package. The form of a file is told by its content. A reference that
// is no file and has no transport is looked for in a registry.
//
// The error is a [*LimitError], a [*FormatError] or a [*ChoiceError] where the
// image is to blame, else that of the operating system, the network or ctx.
// Bytes that are not what the image's descriptors say are no error but
// Problems.
func Open(ctx context.Context, reference string, opt Options) (*Image, error) {
	p := newPass(ctx, opt)
	img, err := p.open(parseForm(reference))
	if errors.Is(err, errDropped) {
		p = newPass(ctx, opt)
		p.once = true
		img, err = p.open(parseForm(reference))
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	if err := p.checkPlatform(img); err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	img.Reference = reference
	p.conclude(img)
	return img, nil
}

// A form is a reference taken apart.
type form struct {
	transport Transport // "" to tell it by content
	path      string    // or the name, for registries and engines
	want      string    // tag or digest within an archive or layout
}

// parseForm splits "TRANSPORT:PATH[:REF]". A path that exists as it stands is
// never split.
func parseForm(reference string) form {
	if exists(reference) {
		return form{path: reference}
	}
	for _, t := range Transports() {
		rest, ok := strings.CutPrefix(reference, string(t)+":")
		if !ok {
			continue
		}
		switch t {
		case Registry:
			return form{transport: t, path: strings.TrimPrefix(rest, "//")}
		case DockerDaemon:
			return form{transport: t, path: rest}
		}
		path, want := splitWant(rest)
		return form{t, path, want}
	}
	return form{path: reference}
}

// splitWant splits "PATH[:REF]" at the first colon before which there is a file.
func splitWant(rest string) (path, want string) {
	if exists(rest) {
		return rest, ""
	}
	for i, c := range rest {
		if c == ':' && exists(rest[:i]) {
			return rest[:i], rest[i+1:]
		}
	}
	path, want, _ = strings.Cut(rest, ":")
	return path, want
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func (p *pass) open(f form) (*Image, error) {
	switch f.transport {
	case Registry:
		return p.readRegistry(f.path)
	case DockerDaemon:
		return p.readDaemon(f.path)
	}
	if f.path == "-" {
		p.once = true
		return p.openStream(&source{pass: p, r: interruptible(p.ctx, os.Stdin)}, f)
	}
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.transport == "" && looksLikeReference(f.path):
		img, err := p.readRegistry(f.path)
		if err != nil {
			return nil, fmt.Errorf("there is no such file; as an image in a registry: %w", err)
		}
		return img, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return p.readOCILayout(f.path, f.want)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if img, ok, err := p.openDisk(file, info, f); ok {
		return img, err
	}
	if info.Mode().IsRegular() {
		return p.openStream(&source{pass: p, r: file, size: info.Size()}, f)
	}
	if info.Mode()&fs.ModeDevice != 0 {
		return nil, errors.New("it is a device")
	}
	p.once = true
	return p.openStream(&source{pass: p, r: interruptible(p.ctx, file)}, f)
}

// looksLikeReference says that a name that is no file may be meant for a
// registry: it has no ending of an archive, and no start of a path.
func looksLikeReference(name string) bool {
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, ".") {
		return false
	}
	for _, end := range []string{".tar", ".gz", ".tgz", ".zst", ".xz", ".bz2", ".lz", ".sif", ".squashfs", ".json"} {
		if strings.HasSuffix(name, end) {
			return false
		}
	}
	return true
}

// openStream tells the form of a stream by its first bytes and reads it.
func (p *pass) openStream(src *source, f form) (*Image, error) {
	in := bufio.NewReaderSize(src, sniffBytes)
	head, err := in.Peek(8)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if len(head) == 0 {
		return nil, &FormatError{"the file", errors.New("it is empty")}
	}
	compression := sniffCompression(head)
	x, err := expand(in, compression, p.charge("the file"))
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, &FormatError{"the file", err}
	}
	defer x.close()
	file := src
	if compression != None || src.at() == nil {
		file = nil
	}
	img, err := p.openTar(bufio.NewReaderSize(p.expanded("the archive", compression, x), sniffBytes), file, compression, f)
	if err != nil {
		return nil, err
	}
	img.Compression = compression
	for _, note := range x.notes {
		img.Problems = append(img.Problems, check.Finding{Message: note, Level: check.Problem, Layer: -1})
	}
	return img, nil
}

// sniffBytes is how far a stream is looked into before its form is decided.
const sniffBytes = 256 << 10

// openTar reads a tar: an archive that carries an image, or a root file system.
// Where it can be read at any place it is file, else that is nil.
func (p *pass) openTar(r *bufio.Reader, file *source, c Compression, f form) (*Image, error) {
	head, err := r.Peek(sniffBytes)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	switch t, err := f.wantsRegion(head); {
	case err != nil:
		return nil, err
	case t != "":
		return p.openSpooled(r, t)
	}
	if !looksLikeTar(head) {
		return nil, notAnImage(c, err)
	}
	if f.transport == RootFS || f.transport == "" && looksLikeRootFS(head) {
		return p.readRootFS(r, file, f)
	}
	a, problems, err := p.readArchive(r, file)
	if err != nil {
		return nil, err
	}
	if f.transport == OCIArchive || f.transport == "" && a.byPath["manifest.json"] == nil && a.byPath["index.json"] != nil {
		return p.readOCIArchive(a, problems, f.want)
	}
	return p.readDockerArchive(a, problems, f.want)
}

func notAnImage(c Compression, err error) error {
	why := errors.New("not an image that audit can read: it is no tar archive, squashfs or SIF, plain or compressed with gzip, zstd, xz, bzip2 or lzip")
	if c != None {
		why = fmt.Errorf("what the %s stream holds is no tar archive, squashfs or SIF", c)
	}
	if err != nil && err != io.EOF {
		why = fmt.Errorf("%w (%w)", why, err)
	}
	return &FormatError{"the file", why}
}

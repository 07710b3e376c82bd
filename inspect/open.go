package inspect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Options say how an image is read. The zero value reads with the default
// limits and keeps no contents.
type Options struct {
	// Keep says whether the content of the regular file at path (of the form
	// of Entry.Path) is to be kept for [Image.Body].
	Keep func(path string) bool
	// Limits bound the cost; nil means DefaultLimits.
	Limits *Limits
	// Progress, when set, is called now and then with the bytes read of the
	// source and its size (0 when unknown).
	Progress func(read, size int64)
	// TempDir holds the unlinked temporary files; "" means os.TempDir.
	TempDir string
}

// Open reads the image that reference names, in one pass. A reference is a
// path, "-" for standard input, or "docker-archive:PATH[:REF]".
//
// The error is a [*LimitError], a [*FormatError] or a [*ChoiceError] where the
// image is to blame, else that of the operating system or of ctx. Bytes that
// are not what the image's descriptors say are no error but Problems.
func Open(ctx context.Context, reference string, opt Options) (*Image, error) {
	path, want := splitReference(reference)
	p := newPass(ctx, opt)
	src, done, err := p.openFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening the image: %w", err)
	}
	defer done()
	img, err := p.open(src, want)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	img.Reference = reference
	p.conclude(img)
	return img, nil
}

// splitReference splits "docker-archive:PATH:REF"; a path that exists as it
// stands is never split.
func splitReference(reference string) (path, want string) {
	path, ok := strings.CutPrefix(reference, string(DockerArchive)+":")
	if !ok {
		return reference, ""
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if before, after, ok := strings.Cut(path, ":"); ok {
			return before, after
		}
	}
	return path, ""
}

// open tells the form of the image by its first bytes and reads it.
func (p *pass) open(src io.Reader, want string) (*Image, error) {
	in := bufio.NewReaderSize(src, 256<<10)
	head, err := in.Peek(8)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if len(head) == 0 {
		return nil, &FormatError{"the file", errors.New("it is empty")}
	}
	compression := sniffCompression(head)
	x, err := expand(in, compression)
	if err != nil {
		return nil, &FormatError{"the file", err}
	}
	defer x.close()
	outer := bufio.NewReaderSize(p.bounded("the archive", x), 256<<10)
	head, err = outer.Peek(tarBlock)
	if fatal := p.fatal(err); fatal != nil {
		return nil, fatal
	}
	if !looksLikeTar(head) {
		return nil, notAnImage(compression, err)
	}
	img, err := p.readDockerArchive(outer, want)
	if err != nil {
		return nil, err
	}
	img.Compression = compression
	for _, note := range x.notes {
		img.Problems = append(img.Problems, Finding{Rule: "packing", Level: Problem, Layer: -1, Message: "the file as a whole: " + note})
	}
	return img, nil
}

func notAnImage(c Compression, err error) error {
	why := errors.New("not an image that audit can read: it is no tar archive, plain or compressed with gzip, zstd, xz, bzip2 or lzip")
	if c != None {
		why = fmt.Errorf("what the %s stream holds is no tar archive", c)
	}
	if err != nil {
		why = fmt.Errorf("%w (%w)", why, err)
	}
	return &FormatError{"the file", why}
}

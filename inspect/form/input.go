package form

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"audit/inspect/ahead"
	"audit/inspect/archive"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/zeros"
)

// An Input is what a reference leads to. What it is made of is read when a form
// asks for it, and once: the first bytes, then the whole in one of three ways.
type Input struct {
	Pass *pass.Pass
	Path string // of the file or folder, "-" for standard input; or a name
	Want string // which image in it: a name, tag or digest; "" for the only one
	// Transport is the one that was given; "" when the form is to be found out.
	Transport image.Transport

	info    fs.FileInfo // nil where there is no such file, and of standard input
	file    *os.File
	content *content
	archive *archive.Archive
	spool   *pass.Spool
}

// content is the content of a file or stream.
type content struct {
	source      *pass.Stream
	compression compression.Kind
	expander    *compression.Expander
	ahead       *ahead.Reader // what reads the stream
	stream      *bufio.Reader // uncompressed
	head        []byte        // the first bytes, uncompressed
	given       *digest.Meter // of what was given, where that is read from its start to its end; else nil
	rest        io.Reader     // what of it is not read yet
}

// sniffBytes is how far a stream is looked into before its form is decided.
const sniffBytes = 256 << 10

// NewInput returns what the path leads to, if anything; it is to be closed.
func NewInput(p *pass.Pass, path string) (*Input, error) {
	in := &Input{Pass: p, Path: path}
	if path == "-" {
		return in, nil
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		in.info = info
	}
	return in, nil
}

// Close frees what the input took.
func (in *Input) Close() {
	if in.content != nil {
		in.content.source.Given.Stop()
	}
	if in.content != nil && in.content.ahead != nil {
		in.content.ahead.Close()
	}
	if in.content != nil && in.content.expander != nil {
		in.content.expander.Close()
	}
	if in.spool != nil {
		in.spool.Close()
	}
	if in.file != nil {
		in.file.Close()
	}
}

// isMissing says that the path leads to nothing.
func (in *Input) isMissing() bool { return in.info == nil && in.Path != "-" && in.content == nil }

// IsFolder says that the path leads to a folder.
func (in *Input) IsFolder() bool { return in.info != nil && in.info.IsDir() }

// Read makes r, in place of a file, what the input is: a stream that cannot be
// read a second time. It is no archive that a person has, and gets no digest.
func (in *Input) Read(r io.Reader) error {
	in.stream(r)
	return in.sniff()
}

// Pipe is Read of standard input, or of what else a person gives as a stream.
func (in *Input) Pipe(r io.Reader) error {
	in.stream(r)
	in.content.given = in.Pass.Meter(in.content.source)
	return in.sniff()
}

func (in *Input) stream(r io.Reader) {
	in.Pass.Once = true
	in.content = &content{source: &pass.Stream{Pass: in.Pass, R: r}}
}

// open opens the file or stream and looks at its start.
func (in *Input) open() error {
	switch {
	case in.content != nil:
		return nil
	case in.Path == "-":
		return in.Pipe(interruptible(in.Pass.Ctx, os.Stdin))
	case in.isMissing():
		_, err := os.Stat(in.Path)
		return cmp.Or(err, fs.ErrNotExist)
	case in.IsFolder():
		return &limit.FormatError{Where: in.Path, Err: errors.New("it is a folder")}
	case in.info.Mode()&fs.ModeDevice != 0:
		return errors.New("it is a device")
	}
	var err error
	if in.file, err = openFile(in.Pass.Ctx, in.Path); err != nil {
		return err
	}
	if !in.info.Mode().IsRegular() {
		return in.Pipe(interruptible(in.Pass.Ctx, in.file))
	}
	in.content = &content{source: &pass.Stream{Pass: in.Pass, R: in.file, Size: in.info.Size()}}
	return in.sniff()
}

// sniff finds out the compression and keeps the first bytes. A file is not read
// for that in the way that counts, for another way of reading it may follow.
func (in *Input) sniff() error {
	c := in.content
	if at := c.source.At(); at != nil {
		head := make([]byte, sniffBytes)
		n, err := at.ReadAt(head, 0)
		if err != nil && err != io.EOF {
			return err
		}
		c.head, c.compression = head[:n], compression.Sniff(head[:n])
		if c.compression == compression.None && n > 0 {
			c.source.Given = pass.NewGiven(in.Pass, at, c.source.Size)
			return nil
		}
		c.given = in.Pass.Meter(c.source)
	}
	return in.expand()
}

// expand begins to read the stream. It is expanded, and the digest of what was given
// computed, ahead of where what is in it is read.
func (in *Input) expand() error {
	c := in.content
	var source io.Reader = c.source
	if c.given != nil {
		source = c.given
	}
	raw := bufio.NewReaderSize(source, sniffBytes)
	c.rest = raw
	head, err := raw.Peek(8)
	if fatal := in.Pass.Fatal(err); fatal != nil {
		return fatal
	}
	if len(head) == 0 {
		return &limit.FormatError{Where: "the file", Err: errors.New("it is empty")}
	}
	c.compression = compression.Sniff(head)
	c.expander, err = compression.Expand(raw, c.compression, in.Pass.Charge("the file"))
	if fatal := in.Pass.Fatal(err); fatal != nil {
		return fatal
	}
	if err != nil {
		return &limit.FormatError{Where: "the file", Err: err}
	}
	out := in.Pass.Expanded("the archive", c.compression, c.expander)
	if c.given != nil {
		c.ahead = ahead.NewReader(in.Pass)
		c.ahead.Start(out)
		out = c.ahead
	}
	c.stream = bufio.NewReaderSize(out, sniffBytes)
	c.head, err = c.stream.Peek(sniffBytes)
	if fatal := in.Pass.Fatal(err); fatal != nil {
		return fatal
	}
	if err != nil && err != io.EOF && !layers.LooksLikeTar(c.head) {
		return in.unknown(err)
	}
	return nil
}

// Head returns the first bytes of a file or stream, uncompressed.
func (in *Input) Head() ([]byte, error) {
	if err := in.open(); err != nil {
		return nil, err
	}
	return in.content.head, nil
}

// Tar returns the uncompressed content, to be read to its end, which has to be a
// tar; file is the same where it can be read at any place, else nil.
func (in *Input) Tar() (r *bufio.Reader, file *pass.Stream, err error) {
	head, err := in.Head()
	if err != nil {
		return nil, nil, err
	}
	if !layers.LooksLikeTar(head) || zeros.First(head[:layers.TarBlock]) < 0 && foreign(head) != "" {
		return nil, nil, in.unknown(nil)
	}
	c := in.content
	if c.stream == nil {
		if err := in.expand(); err != nil {
			return nil, nil, err
		}
	}
	if c.compression == compression.None && c.source.At() != nil {
		file = c.source
	}
	return c.stream, file, nil
}

// Archive reads the content as an archive that carries an image, whatever its
// documents say.
func (in *Input) Archive() (*archive.Archive, error) {
	if in.archive != nil {
		return in.archive, nil
	}
	r, file, err := in.Tar()
	if err != nil {
		return nil, err
	}
	in.archive, err = archive.Read(in.Pass, r, file)
	return in.archive, err
}

// Region returns the uncompressed content to be read here and there: where it
// lies on disk, else from a temporary file.
func (in *Input) Region() (*pass.Region, error) {
	if err := in.open(); err != nil {
		return nil, err
	}
	c := in.content
	if c.stream == nil {
		c.source.Given.Carry(0, 0)
		return &pass.Region{Pass: in.Pass, At: in.file, Size: c.source.Size}, nil
	}
	in.spool = &pass.Spool{Dir: in.Pass.Opt.TempDir}
	n, err := io.Copy(in.spool, c.stream)
	if fatal := in.Pass.Fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, &limit.FormatError{Where: "the file", Err: err}
	}
	return &pass.Region{Pass: in.Pass, At: in.spool, Size: n, Counted: true}, nil
}

// HasHead returns the Match of a form that is known by the first bytes of its content.
func HasHead(is func(head []byte) bool) func(*Input) (bool, error) {
	return func(in *Input) (bool, error) {
		head, err := in.Head()
		return is(head), err
	}
}

// RegionOf is Region of a content with such first bytes; the error of any other is a
// [limit.FormatError].
func (in *Input) RegionOf(t image.Transport, is func(head []byte) bool) (*pass.Region, error) {
	head, err := in.Head()
	if err != nil {
		return nil, err
	}
	if !is(head) {
		return nil, &limit.FormatError{Where: "the file", Err: fmt.Errorf("its first bytes are not those of a %s", t)}
	}
	return in.Region()
}

// Finish adds to the image what is known of the file that it was read from.
func (in *Input) Finish(img *image.Image) error {
	c := in.content
	if c == nil {
		return nil
	}
	img.Compression = c.compression
	var err error
	if img.Archive, err = in.digest(); err != nil {
		return err
	}
	if c.expander == nil {
		return nil
	}
	for _, note := range c.expander.Notes {
		img.Problems = append(img.Problems, check.Finding{Message: note, Level: check.Problem, Layer: -1})
	}
	return nil
}

// Unknown is the error of an input that is of no form.
func (in *Input) Unknown() error {
	if err := in.open(); err != nil {
		return err
	}
	return in.unknown(nil)
}

func (in *Input) unknown(err error) error {
	why := errors.New("not an image that audit can read: it is no tar archive, squashfs or SIF, plain or compressed with gzip, zstd, xz, bzip2 or lzip")
	if c := in.content.compression; c != compression.None {
		why = fmt.Errorf("what is in the %s stream is no tar archive, squashfs or SIF", c)
	}
	if name := foreign(in.content.head); name != "" {
		why = fmt.Errorf("not an image that audit can read: it is %s; what is in it can be packed (tar -C FOLDER -cf FILE .)", name)
	}
	if err != nil {
		why = fmt.Errorf("%w (%w)", why, err)
	}
	return &limit.FormatError{Where: "the file", Err: why}
}

// openFile opens a file. A named pipe waits for whoever writes to it, until ctx is
// done.
func openFile(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// interruptible returns a reader of r whose Read returns when ctx is done even
// though r waits for a pipe or a person.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		buf := make([]byte, 256<<10)
		_, err := io.CopyBuffer(struct{ io.Writer }{in}, struct{ io.Reader }{r}, buf)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	return out
}

package archive

import (
	"archive/tar"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
	"audit/inspect/zeros"
)

// An Archive is a tar file that carries an image, read in one pass: what its
// members mean is known only when its manifest has been seen, which may come
// last, so every member that looks like a layer is read as one. In a file on
// disk several are read at the same time.
type Archive struct {
	Pass    *pass.Pass
	in      *counter
	file    *pass.Stream // the archive, where it can be read at any place; else nil
	members []*Member
	ByPath  map[string]*Member // the last of each path
	buf     *bufio.Reader      // of the member that is read here
	reading sync.WaitGroup

	// Problems are the findings about the archive as such.
	Problems []check.Finding
}

// A Member is one of an archive, as far as it was kept when the archive was read.
type Member struct {
	image.Member
	Path    string
	link    string       // path that a symlink or hard link leads to
	Body    []byte       // of JSON documents
	large   bool         // looks like JSON, but is over the limit
	layer   *image.Layer // of members that look like a layer
	special bool         // neither file, folder nor link
	other   v1.Hash      // of members whose path names another algorithm than SHA-256
	err     error        // of reading it
}

// Read reads all members, and checks what follows the last. Where file is
// not nil it is what r reads.
func Read(p *pass.Pass, r io.Reader, file *pass.Stream) (*Archive, error) {
	a := &Archive{Pass: p, in: &counter{r: r}, file: file, ByPath: make(map[string]*Member), buf: newMemberReader()}
	tr := tar.NewReader(a.in)
	if file != nil {
		all, place := file.Section(0, file.Size)
		a.in.r = all
		tr = tar.NewReader(skipper{a.in, place})
	}
	err := a.walk(tr)
	a.reading.Wait()
	for _, m := range slices.Backward(a.members) {
		err = cmp.Or(m.err, err) // the first is reported, however they were read
	}
	if fatal := p.Fatal(err); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, &limit.FormatError{Where: a.place(), Err: err}
	}
	trailing, err := trailing(p, a.in.r)
	a.Problems = slices.Concat(a.ambiguous(), a.unended(), trailing)
	return a, err
}

// walk reads one member after the other.
func (a *Archive) walk(tr *tar.Reader) error {
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.add(hdr, tr); err != nil {
			return err
		}
	}
}

// unended reports an archive without the blocks of zeros that end one: where
// it was cut between two members nothing else shows it.
func (a *Archive) unended() []check.Finding {
	if a.in.n%layers.TarBlock == 0 && a.in.zeros >= 2*layers.TarBlock {
		return nil
	}
	return []check.Finding{check.Find(check.Problem, -1, "", "integrity/unended-archive")}
}

// place says in words how far the archive was read.
func (a *Archive) place() string {
	if len(a.members) == 0 {
		return "reading the first member of the archive"
	}
	return fmt.Sprintf("reading the archive at or after member %q", a.members[len(a.members)-1].Name)
}

func (a *Archive) add(hdr *tar.Header, r io.Reader) error {
	if len(a.members) >= a.Pass.Limits.Members {
		return &limit.Error{Name: "members", Limit: int64(a.Pass.Limits.Members), Where: "the archive"}
	}
	m := &Member{Member: image.Member{Name: hdr.Name}, Path: paths.Clean(hdr.Name)}
	a.members = append(a.members, m)
	switch hdr.Typeflag {
	case tar.TypeSymlink:
		dir, _ := paths.Split(m.Path)
		m.link = paths.Clean(dir + "/" + hdr.Linkname)
	case tar.TypeLink:
		m.link = paths.Clean(hdr.Linkname)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		if err := a.content(m, hdr, r); err != nil {
			return err
		}
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	default:
		m.special = true
		return nil
	}
	a.ByPath[m.Path] = m
	return nil
}

// content reads the content of a member as what its first bytes say it is. Where
// r need not be read for it, it is read at the same time as what follows.
func (a *Archive) content(m *Member, hdr *tar.Header, r io.Reader) error {
	if layers.IsSparse(hdr) {
		return a.read(m, a.buf, a.Pass.Bounded(m.Name, r), nil, nil)
	}
	if a.file == nil || hdr.Size < apartBytes {
		return a.read(m, a.buf, r, nil, nil)
	}
	part, at := a.file.Section(a.in.n, hdr.Size)
	given := a.file.Given.Carry(a.in.n, hdr.Size)
	a.Pass.Take()
	a.reading.Go(func() {
		defer a.Pass.Release()
		m.err = a.read(m, newMemberReader(), part, at, given)
	})
	return nil
}

// apartBytes is the size from which on it pays to read a member on its own.
const apartBytes = 64 << 10

// newMemberReader returns a buffer for the contents of members.
func newMemberReader() *bufio.Reader { return bufio.NewReaderSize(nil, 128<<10) }

// read reads the content of a member from r by way of in; where the same bytes
// can be read again they are in at. A layer carries the digest of what was given.
func (a *Archive) read(m *Member, in *bufio.Reader, r io.Reader, at io.ReaderAt, given *pass.Given) error {
	other := digest.NewOtherHash(m.Path)
	in.Reset(other.Tee(r))
	head, err := in.Peek(layers.TarBlock)
	if err != nil && err != io.EOF {
		return err
	}
	isLayer := layers.LooksLikeTar(head) || compression.Sniff(head) != compression.None
	if only := a.Pass.Only; isLayer && only != nil && !only(m.Name) {
		m.layer = &image.Layer{Member: m.Name}
		return nil
	}
	if isLayer {
		m.layer, err = layers.ReadCarrying(given, a.Pass, m.Name, in, at)
		if err != nil {
			return err
		}
		m.Digest, m.Size = m.layer.Digest, m.layer.Size
	} else if err := a.readDocument(m, in, layers.LooksLikeJSON(head)); err != nil {
		return err
	}
	if m.other = other.Sum(); m.layer != nil {
		m.layer.OtherDigest = m.other
	}
	return nil
}

// A counter counts the bytes that are read through it, and the zeros at their
// end.
type counter struct {
	r        io.Reader
	n, zeros int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.zeros = zeros.AtEnd(c.zeros, p[:n])
	return n, err
}

// A skipper is a counter of a file, in which a tar reader passes over what it
// need not read. The counter reads from place.
type skipper struct {
	*counter
	place io.Seeker
}

// Seek moves on from where the reading is; to go elsewhere is an error.
func (s skipper) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	if offset > 0 {
		s.n, s.zeros = s.n+offset, 0
	}
	_, err := s.place.Seek(offset, io.SeekCurrent)
	return s.n, err
}

// readDocument hashes a member and keeps it when it may be a JSON document.
func (a *Archive) readDocument(m *Member, r io.Reader, keep bool) error {
	in := digest.NewMeter(r)
	if keep {
		body, err := io.ReadAll(io.LimitReader(in, a.Pass.Limits.JSONBytes+1))
		if err != nil {
			return err
		}
		m.Body, m.large = body, int64(len(body)) > a.Pass.Limits.JSONBytes
		if err := a.Pass.Keep(m.Name, int64(len(body))); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, in)
	m.Digest, m.Size = in.Sum().Hash(), in.N
	return err
}

// trailing reads what follows the archive's last member: zeros, or a finding.
func trailing(p *pass.Pass, r io.Reader) ([]check.Finding, error) {
	var found []check.Finding
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if zeros.First(buf[:n]) >= 0 && found == nil {
			found = []check.Finding{check.Find(check.Problem, -1, "", "integrity/trailing-data")}
		}
		if err == io.EOF {
			return found, nil
		}
		if fatal := p.Fatal(err); fatal != nil {
			return nil, fatal
		}
		if err != nil {
			return nil, &limit.FormatError{Where: "reading the end of the archive", Err: err}
		}
	}
}

// ambiguous lists members that one tool reads otherwise than another.
func (a *Archive) ambiguous() []check.Finding {
	var found check.List
	count := make(map[string]int)
	for _, m := range a.members {
		if count[m.Path]++; count[m.Path] == 2 && a.ByPath[m.Path] != nil {
			found.Problem(-1, m.Name, "integrity/duplicate-member")
		}
		if m.special {
			found.Problem(-1, m.Name, "integrity/special-member")
		}
	}
	return found.All()
}

// maxLinks bounds how many links of the archive are followed.
const maxLinks = 10

// Follow returns the member at a path, links followed, and hands it and the
// links on the way to pass.
func (a *Archive) Follow(path string, pass func(*Member)) (*Member, error) {
	path = paths.Clean(path)
	for range maxLinks {
		m := a.ByPath[path]
		if m == nil {
			return nil, &limit.FormatError{Where: "the archive", Err: limit.Absent(fmt.Sprintf("it has no member %q", path))}
		}
		pass(m)
		if m.link == "" {
			return m, nil
		}
		path = m.link
	}
	return nil, &limit.FormatError{Where: fmt.Sprintf("member %q", path), Err: fmt.Errorf("more than %d links", maxLinks)}
}

// Get returns the member at a path, links followed, and marks it as used.
func (a *Archive) Get(path string) (*Member, error) {
	return a.Follow(path, func(m *Member) { m.Referenced = true })
}

// json returns a member that may be a JSON document.
func (a *Archive) json(path string) (*Member, error) {
	m, err := a.Get(path)
	if err != nil {
		return nil, err
	}
	if m.large {
		return nil, &limit.Error{Name: limit.JSONBytes, Limit: a.Pass.Limits.JSONBytes, Where: m.Name}
	}
	if m.Body == nil {
		return nil, &limit.FormatError{Where: m.Name, Err: errors.New("not a JSON document")}
	}
	return m, nil
}

// Bytes returns the bytes of a JSON document.
func (a *Archive) Bytes(path string) ([]byte, error) {
	m, err := a.json(path)
	if err != nil {
		return nil, err
	}
	return m.Body, nil
}

// Document decodes a JSON member into v and returns the member.
func (a *Archive) Document(path string, v any) (*Member, error) {
	m, err := a.json(path)
	if err != nil {
		return nil, err
	}
	return m, pass.Decode(m.Name, m.Body, v)
}

// CheckKeys reports keys of a document that stand more than once: which of them is
// taken depends on the reader. It was decoded into v.
func (a *Archive) CheckKeys(m *Member, v any) {
	for _, key := range pass.RepeatedKeys(m.Body, v) {
		a.Problems = append(a.Problems, check.Find(check.Problem, -1, m.Name,
			"integrity/ambiguous-key", "document", m.Name, "key", key))
	}
}

// Documents returns the members that may be JSON documents, in their order; of a path
// the last.
func (a *Archive) Documents() []*Member {
	var found []*Member
	for _, m := range a.members {
		if m.Body != nil && !m.large && a.ByPath[m.Path] == m {
			found = append(found, m)
		}
	}
	return found
}

// List returns the members as an image has them.
func (a *Archive) List() []image.Member {
	var members []image.Member
	for _, m := range a.members {
		if m.layer != nil || m.Body != nil || m.Size > 0 || m.link != "" {
			members = append(members, m.Member)
		}
	}
	return members
}

// Unreferenced lists the members that nothing of the image leads to. In a layout a
// blob that has the digest it is named by is one of another image, which was removed
// or replaced: a layout may keep it (image-spec v1.1, image-layout.md, "Blobs").
func (a *Archive) Unreferenced(known func(path string) bool, layout bool) []check.Finding {
	var found check.List
	for _, m := range a.members {
		if m.Referenced || a.ByPath[m.Path] != m || known(m.Path) {
			continue
		}
		if layout && m.Path == digest.BlobPath(m.Digest) {
			found.Note(-1, m.Name, "integrity/unreferenced-blob", "bytes", m.Size)
			continue
		}
		found.Problem(-1, m.Name, "integrity/unreferenced-member", "bytes", m.Size)
	}
	return found.Sorted()
}

// AsLayer returns what was read of a member; one that does not look like a tar is a
// layer all the same when the manifest says so, and one of no bytes has no entries.
func (m *Member) AsLayer() *image.Layer {
	if m.layer != nil {
		return m.layer
	}
	if m.Size == 0 {
		return &image.Layer{Member: m.Name, Compression: compression.None, Digest: m.Digest, DiffID: m.Digest, OtherDigest: m.other}
	}
	return &image.Layer{Member: m.Name, Compression: compression.None, Digest: m.Digest, Size: m.Size, DiffID: m.Digest, UncompressedSize: m.Size,
		OtherDigest: m.other, Broken: errors.New("it is not a tar archive")}
}

package inspect

import (
	"archive/tar"
	"audit/inspect/check"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An archive is a tar file that carries an image, read in one pass: what its
// members mean is known only when its manifest has been seen, which may come
// last, so every member that looks like a layer is read as one. In a file on
// disk several are read at the same time.
type archive struct {
	pass    *pass
	in      *counter
	file    *source // the archive, where it can be read at any place; else nil
	members []*member
	byPath  map[string]*member // the last of each path
	buf     *bufio.Reader      // of the member that is read here
	slots   chan struct{}      // one for each layer being read
	reading sync.WaitGroup
}

type member struct {
	Member
	path    string
	link    string  // path that a symlink or hard link leads to
	body    []byte  // of JSON documents
	large   bool    // looks like JSON, but is over the limit
	layer   *Layer  // of members that look like a layer
	special bool    // neither file, folder nor link
	other   v1.Hash // of members whose path names another algorithm than SHA-256
	err     error   // of reading it
}

// readArchive reads all members, and checks what follows the last. Where file is
// not nil it is what r reads.
func (p *pass) readArchive(r io.Reader, file *source) (*archive, []check.Finding, error) {
	a := &archive{pass: p, in: &counter{r: r}, file: file, byPath: make(map[string]*member), buf: newMemberReader(), slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	tr := tar.NewReader(a.in)
	if file != nil {
		all, place := file.section(0, file.size)
		a.in.r = all
		tr = tar.NewReader(skipper{a.in, place})
	}
	err := a.walk(tr)
	a.reading.Wait()
	for _, m := range slices.Backward(a.members) {
		err = cmp.Or(m.err, err) // the first is said, however they were read
	}
	if fatal := p.fatal(err); fatal != nil {
		return nil, nil, fatal
	}
	if err != nil {
		return nil, nil, &FormatError{a.place(), err}
	}
	found := append(a.ambiguous(), a.unended()...)
	trailing, err := p.trailing(a.in.r)
	return a, append(found, trailing...), err
}

// walk reads one member after the other.
func (a *archive) walk(tr *tar.Reader) error {
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
func (a *archive) unended() []check.Finding {
	if a.in.n%tarBlock == 0 && a.in.zeros >= 2*tarBlock {
		return nil
	}
	return []check.Finding{check.Find(check.Problem, -1, "", "integrity/unended-archive")}
}

// place says in words how far the archive was read.
func (a *archive) place() string {
	if len(a.members) == 0 {
		return "reading the first member of the archive"
	}
	return fmt.Sprintf("reading the archive at or after member %q", a.members[len(a.members)-1].Name)
}

func (a *archive) add(hdr *tar.Header, r io.Reader) error {
	if len(a.members) >= a.pass.limits.Members {
		return &LimitError{"members", int64(a.pass.limits.Members), "the archive"}
	}
	m := &member{Member: Member{Name: hdr.Name}, path: cleanPath(hdr.Name)}
	a.members = append(a.members, m)
	switch hdr.Typeflag {
	case tar.TypeSymlink:
		dir, _ := splitPath(m.path)
		m.link = cleanPath(dir + "/" + hdr.Linkname)
	case tar.TypeLink:
		m.link = cleanPath(hdr.Linkname)
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
	a.byPath[m.path] = m
	return nil
}

// content reads the content of a member as what its first bytes say it is. Where
// r need not be read for it, it is read at the same time as what follows.
func (a *archive) content(m *member, hdr *tar.Header, r io.Reader) error {
	if isSparse(hdr) {
		return a.read(m, a.buf, a.pass.bounded(m.Name, r), nil)
	}
	if a.file == nil || hdr.Size < apartBytes {
		return a.read(m, a.buf, r, nil)
	}
	part, at := a.file.section(a.in.n, hdr.Size)
	a.slots <- struct{}{}
	a.reading.Go(func() {
		m.err = a.read(m, newMemberReader(), part, at)
		<-a.slots
	})
	return nil
}

// apartBytes is the size from which on it pays to read a member on its own.
const apartBytes = 64 << 10

// newMemberReader returns a buffer for the contents of members.
func newMemberReader() *bufio.Reader { return bufio.NewReaderSize(nil, 128<<10) }

// read reads the content of a member from r by way of in; where the same bytes
// can be read again they are in at.
func (a *archive) read(m *member, in *bufio.Reader, r io.Reader, at io.ReaderAt) error {
	other := newOtherHash(m.path)
	in.Reset(other.tee(r))
	head, err := in.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return err
	}
	if looksLikeTar(head) || sniffCompression(head) != None {
		m.layer, err = a.pass.readLayer(m.Name, in, at)
		if err != nil {
			return err
		}
		m.Digest, m.Size = m.layer.Digest, m.layer.Size
	} else if err := a.readDocument(m, in, looksLikeJSON(head)); err != nil {
		return err
	}
	if m.other = other.sum(); m.layer != nil {
		m.layer.other = m.other
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
	c.zeros = zerosAtEnd(c.zeros, p[:n])
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
func (a *archive) readDocument(m *member, r io.Reader, keep bool) error {
	in := newMeter(r)
	if keep {
		body, err := io.ReadAll(io.LimitReader(in, a.pass.limits.JSONBytes+1))
		if err != nil {
			return err
		}
		m.body, m.large = body, int64(len(body)) > a.pass.limits.JSONBytes
		if err := a.pass.keep(m.Name, int64(len(body))); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, in)
	m.Digest, m.Size = in.sum().Hash(), in.n
	return err
}

// trailing reads what follows the archive's last member: zeros, or a finding.
func (p *pass) trailing(r io.Reader) ([]check.Finding, error) {
	var found []check.Finding
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if firstNonZero(buf[:n]) >= 0 && found == nil {
			found = []check.Finding{check.Find(check.Problem, -1, "", "integrity/trailing-data")}
		}
		if err == io.EOF {
			return found, nil
		}
		if fatal := p.fatal(err); fatal != nil {
			return nil, fatal
		}
		if err != nil {
			return nil, &FormatError{"reading the end of the archive", err}
		}
	}
}

// ambiguous lists members that one tool reads otherwise than another.
func (a *archive) ambiguous() []check.Finding {
	var found check.List
	count := make(map[string]int)
	for _, m := range a.members {
		if count[m.path]++; count[m.path] == 2 && a.byPath[m.path] != nil {
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

// follow returns the member at a path, links followed, and hands it and the
// links on the way to pass.
func (a *archive) follow(path string, pass func(*member)) (*member, error) {
	path = cleanPath(path)
	for range maxLinks {
		m := a.byPath[path]
		if m == nil {
			return nil, &FormatError{"the archive", absentError(fmt.Sprintf("it has no member %q", path))}
		}
		pass(m)
		if m.link == "" {
			return m, nil
		}
		path = m.link
	}
	return nil, &FormatError{fmt.Sprintf("member %q", path), fmt.Errorf("more than %d links", maxLinks)}
}

// get returns the member at a path, links followed, and marks it as used.
func (a *archive) get(path string) (*member, error) {
	return a.follow(path, func(m *member) { m.Referenced = true })
}

// json returns a member that may be a JSON document.
func (a *archive) json(path string) (*member, error) {
	m, err := a.get(path)
	if err != nil {
		return nil, err
	}
	if m.large {
		return nil, &LimitError{"JSON bytes", a.pass.limits.JSONBytes, m.Name}
	}
	if m.body == nil {
		return nil, &FormatError{m.Name, errors.New("not a JSON document")}
	}
	return m, nil
}

// bytes returns the bytes of a JSON document.
func (a *archive) bytes(path string) ([]byte, error) {
	m, err := a.json(path)
	if err != nil {
		return nil, err
	}
	return m.body, nil
}

// document decodes a JSON member into v and returns the member.
func (a *archive) document(path string, v any) (*member, error) {
	m, err := a.json(path)
	if err != nil {
		return nil, err
	}
	return m, decode(m.Name, m.body, v)
}

// list returns the members as an image has them.
func (a *archive) list() []Member {
	var members []Member
	for _, m := range a.members {
		if m.layer != nil || m.body != nil || m.Size > 0 || m.link != "" {
			members = append(members, m.Member)
		}
	}
	return members
}

// unreferenced lists the members that nothing of the image leads to.
func (a *archive) unreferenced(known func(path string) bool) []check.Finding {
	var found check.List
	for _, m := range a.members {
		if m.Referenced || a.byPath[m.path] != m || known(m.path) {
			continue
		}
		found.Problem(-1, m.Name, "integrity/unreferenced-member", "bytes", m.Size)
	}
	return found.Sorted()
}

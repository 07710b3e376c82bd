// Package packages finds the files of a distribution's packages where a user says that
// they lie: in a folder, or at a mirror or snapshot by http, https or file.
//
// A folder is searched for files by their names, whatever lies above them, so that it
// may be one of packages alone, or the copy of a mirror. A server is asked for what an
// index of its own names and nothing else, one file at a time; one that does not answer
// three times in a row is asked no more. What is fetched by digest is kept in a cache
// and hashed again whenever it is used: the cache is trusted with nothing.
package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/paths"
	"audit/inspect/userfile"
	"audit/provenance/signatures"
)

// ErrAbsent says that a source does not have a file.
var ErrAbsent = errors.New("it is not there")

// A Source is a folder or a server.
type Source struct {
	where  string   // as the user named it, without a password
	dir    string   // of a folder
	files  []string // in it
	base   *url.URL // of a server
	cache  string
	client *http.Client

	mu     sync.Mutex // images are audited at the same time
	failed int        // requests in a row that got no answer
	last   error      // of them
}

// answered notes how a request ended; with an error it got no answer.
func (s *Source) answered(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.failed = 0
		return
	}
	s.failed, s.last = s.failed+1, err
}

// silent is why the server is asked no more, nil while it is.
func (s *Source) silent() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed < patience {
		return nil
	}
	return fmt.Errorf("%s is asked no more: %w", s, s.last)
}

// Options say how servers are asked.
type Options struct {
	// CacheDir keeps what was fetched by digest from run to run; "" keeps nothing.
	CacheDir string
	// Client is what servers are asked with; nil means one of our own.
	Client *http.Client
}

// maxFiles bounds the files of a folder.
const maxFiles = 4 << 20

// Open opens what a user has named: a folder, or an address.
func Open(where string, opt Options) (*Source, error) {
	u, err := url.Parse(where)
	switch {
	case err == nil && u.Scheme == "file":
		return openFolder(where, filepath.FromSlash(u.Path))
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return openFolder(where, where)
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: no address of a mirror", u.Redacted())
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &Source{where: u.Redacted(), base: u, cache: opt.CacheDir, client: signatures.NewClient(opt.Client, 1)}, nil
}

func openFolder(where, dir string) (*Source, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", dir)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // the walk follows no link, that to the folder neither
		return nil, err
	}
	s := &Source{where: where, dir: dir}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if len(s.files) == maxFiles {
			return &limit.Error{Name: "files in a folder of packages", Limit: maxFiles, Where: dir}
		}
		rel, err := filepath.Rel(dir, name)
		s.files = append(s.files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	return s, nil
}

// String is how the user named it, without a password.
func (s *Source) String() string { return s.where }

// IsServer says that it is asked over the network.
func (s *Source) IsServer() bool { return s.base != nil }

// Files lists the files of a folder, sorted, by slash-separated paths in it; nil for a
// server, which has no list.
func (s *Source) Files() []string { return s.files }

// Read returns a file of at most so many bytes: [ErrAbsent] when it is not there.
func (s *Source) Read(ctx context.Context, name string, most int64) ([]byte, error) {
	r, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", name, s, err)
	}
	if int64(len(content)) > most {
		return nil, &limit.Error{Name: "bytes of " + name, Limit: most, Where: s.where}
	}
	return content, nil
}

// Open opens the file that an index names, which has to have the digest and the size.
// That of a folder is not hashed here: the caller does that while it reads. It is
// removed, unless it is in the cache, when it is closed.
func (s *Source) Open(ctx context.Context, name string, sum digest.Sum, size int64) (io.ReadCloser, error) {
	if s.base == nil {
		return s.open(ctx, name)
	}
	if kept, err := userfile.Open(s.kept(sum)); err == nil {
		return kept, nil
	}
	r, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return s.keep(r, name, sum, size)
}

func (s *Source) open(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "" || path.IsAbs(name) || paths.HasDotDot(name) {
		return nil, fmt.Errorf("%.200q is no name of a file in %s", name, s)
	}
	if s.base != nil {
		return s.get(ctx, name)
	}
	f, err := userfile.Open(filepath.Join(s.dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrAbsent
	}
	return f, err
}

// patience is how many requests in a row may fail.
const patience = 3

// requestTimeout bounds the wait for the beginning of an answer.
const requestTimeout = time.Minute

func (s *Source) get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := s.silent(); err != nil {
		return nil, err
	}
	u := *s.base
	u.Path += "/" + name
	u.RawPath = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	wait, stop := context.WithCancelCause(ctx)
	timer := time.AfterFunc(requestTimeout, func() { stop(errors.New("no answer within " + requestTimeout.String())) })
	answer, err := s.client.Do(req.WithContext(wait))
	timer.Stop()
	if err != nil {
		stop(nil)
		s.answered(err)
		return nil, fmt.Errorf("asking %s: %w", s, err)
	}
	switch answer.StatusCode {
	case http.StatusOK:
		s.answered(nil)
		return answer.Body, nil
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		err = ErrAbsent
		s.answered(nil)
	default:
		err = fmt.Errorf("asking %s for %s: it answers %s", s, name, answer.Status)
		s.answered(err)
	}
	answer.Body.Close()
	stop(nil)
	return nil, err
}

// kept is where the cache has a file.
func (s *Source) kept(sum digest.Sum) string {
	if s.cache == "" {
		return ""
	}
	return filepath.Join(s.cache, hex.EncodeToString(sum[:]))
}

// keep writes an answer into the cache, or a temporary file without a name, once it is
// known to be what was asked for.
func (s *Source) keep(r io.Reader, name string, sum digest.Sum, size int64) (io.ReadCloser, error) {
	dir := s.cache
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
	}
	f, err := os.CreateTemp(dir, "audit-package-*")
	if err != nil {
		return nil, err
	}
	fail := func(err error) (io.ReadCloser, error) {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("fetching %s from %s: %w", name, s, err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(r, size+1))
	if err != nil {
		return fail(err)
	}
	if n != size || digest.Sum(h.Sum(nil)) != sum {
		return fail(errors.New("it is not what the index names"))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fail(err)
	}
	if dir == "" {
		return f, os.Remove(f.Name())
	}
	return f, os.Rename(f.Name(), s.kept(sum))
}

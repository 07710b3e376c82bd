package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"audit/inspect/limit"
	"audit/report/fleet"
)

// The limits of what is fetched from an address of a list.
const (
	maxFetched = 64 << 30
	idle       = time.Minute // without a byte
)

// A StatusError is the answer of a server that is no file.
type StatusError struct {
	Host   string
	Code   int
	Status string
}

func (e *StatusError) Error() string { return e.Host + " answers " + e.Status }

// Look asks a server whether a file is still the one of which a status has the digest:
// by its ETag or the time of its last change, and its size. Where it cannot say, the file
// is fetched.
func Look(ctx context.Context, client *http.Client, address string, before fleet.Status) Target {
	t := Target{Reference: address, Late: true}
	if before.File == nil || before.File.Tag == "" || before.Digest == "" {
		return t
	}
	ctx, cancel := context.WithTimeout(ctx, idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return t
	}
	resp, err := client.Do(req)
	if err != nil {
		return t
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK && tagOf(resp) == before.File.Tag && resp.ContentLength == before.File.Size {
		t.Digest, t.File = before.Digest, before.File
	}
	return t
}

// tagOf is what tells a file of a server from what it was before.
func tagOf(resp *http.Response) string {
	return cmp.Or(resp.Header.Get("ETag"), resp.Header.Get("Last-Modified"))
}

// Fetch fetches a file into a folder of its own below dir, and computes its digest. What
// the server sends is bounded.
func Fetch(ctx context.Context, client *http.Client, dir string, t Target) (fetched Target, done func(), err error) {
	own, err := os.MkdirTemp(dir, "fetched-")
	if err != nil {
		return t, nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	done = func() { os.RemoveAll(own) }
	if fetched, err = fetch(ctx, client, own, t.Reference); err != nil {
		done()
		return t, nil, fmt.Errorf("fetching the file: %w", err)
	}
	return fetched, done, nil
}

func fetch(ctx context.Context, client *http.Client, dir, address string) (Target, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	host, name := fileName(address)
	timer := time.AfterFunc(idle, func() { cancel(&limit.Error{Name: limit.IdleSeconds, Limit: int64(idle.Seconds()), Where: host}) })
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Target{}, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		return Target{}, cmp.Or(causeOf(ctx), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Target{}, &StatusError{host, resp.StatusCode, resp.Status}
	}
	file := filepath.Join(dir, name)
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Target{}, err
	}
	defer out.Close()
	sum := sha256.New()
	body := watched{resp.Body, timer}
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(body, maxFetched+1))
	switch {
	case err != nil:
		return Target{}, cmp.Or(causeOf(ctx), err)
	case n > maxFetched:
		return Target{}, &limit.Error{Name: "bytes of a file from an address", Limit: maxFetched, Where: host}
	}
	return Target{
		Reference: file, Digest: fmt.Sprintf("sha256:%x", sum.Sum(nil)), Late: true,
		File: &fleet.File{Size: n, Tag: tagOf(resp)},
	}, out.Close()
}

func causeOf(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// fileName is the host of an address, and what a file of it is called here.
func fileName(address string) (host, name string) {
	u, err := url.Parse(address)
	if err != nil {
		return "the server", "image"
	}
	name = strings.Map(func(r rune) rune {
		if r < '!' || r > '~' || strings.ContainsRune("/\\:", r) {
			return '-'
		}
		return r
	}, path.Base(u.Path))
	if strings.Trim(name, ".-") == "" || len(name) > 200 {
		name = "image"
	}
	return u.Host, name
}

// A watched body shows that its server is there with each byte.
type watched struct {
	io.Reader
	timer *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.timer.Reset(idle)
	return n, err
}

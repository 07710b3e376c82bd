package batch

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"audit/inspect/web"
	"audit/report/fleet"
)

// Look asks a server whether a file is still the one of which a status has the digest.
// Where it cannot say, the file is fetched.
func Look(ctx context.Context, f *web.Fetcher, address string, before fleet.Status) Target {
	t := Target{Reference: address, Late: true}
	state, size := f.State(ctx, address)
	t.File = &fleet.File{Tag: state, Size: size}
	if was := before.File; was != nil && state != "" && was.Tag == state && was.Size == size {
		t.Digest = before.Digest
	}
	return t
}

// Fetch fetches a file into a folder of its own below dir, and computes its digest.
func Fetch(ctx context.Context, f *web.Fetcher, dir string, t Target) (fetched Target, done func(), err error) {
	own, err := os.MkdirTemp(dir, "fetched-")
	if err != nil {
		return t, nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	done = func() { os.RemoveAll(own) }
	file := filepath.Join(own, fileName(t.Reference))
	if err = fetch(ctx, f, t.Reference, file); err == nil {
		fetched, err = HashFile(ctx, file, fleet.Status{})
	}
	if err != nil {
		done()
		return t, nil, fmt.Errorf("fetching the file: %w", err)
	}
	fetched.Late, fetched.File = true, &fleet.File{Size: fetched.File.Size, Tag: t.File.Tag}
	return fetched, done, nil
}

func fetch(ctx context.Context, f *web.Fetcher, address, file string) error {
	out, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Fetch(ctx, address, out); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// fileName is what the file of an address is called here.
func fileName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "image"
	}
	name := strings.Map(func(r rune) rune {
		if r < '!' || r > '~' || strings.ContainsRune("/\\:", r) {
			return '-'
		}
		return r
	}, path.Base(u.Path))
	if strings.Trim(name, ".-") == "" || len(name) > 200 {
		return "image"
	}
	return name
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch"
	"audit/cmd/audit/batch/list"
	"audit/inspect/registry"
	"audit/inspect/registry/access"
	"audit/report"
)

// readList reads the list of a batch. What a registry takes to list its images has a time,
// 0 for as long as it wants.
func readList(c *cli.Context, name string, o *access.Options, time time.Duration) ([]list.Entry, error) {
	skipped := 0
	open := func() (io.ReadCloser, error) { return io.NopCloser(c.App.Reader), nil }
	if isPipe(name) {
		pipe := name
		open = func() (io.ReadCloser, error) { return os.Open(pipe) }
		name = "-"
	}
	var stdin io.Reader
	if name == "-" {
		piped := untilDone(c.Context, open)
		defer piped.Close()
		stdin = piped
	}
	s := list.Source{Stdin: stdin, Registry: registries{o}, Skipped: func(path string) {
		if skipped++; skipped <= 5 {
			fmt.Fprintf(c.App.ErrWriter, "audit: %s is no image by its first bytes, and is left out\n", report.Printable(path))
		}
	}}
	ctx := c.Context
	if time > 0 && strings.HasPrefix(name, "docker://") {
		limited, cancel := context.WithTimeoutCause(ctx, time, &batch.TimeoutError{Limit: time})
		defer cancel()
		ctx = limited
	}
	entries, err := s.Read(ctx, name)
	if skipped > 5 {
		fmt.Fprintf(c.App.ErrWriter, "audit: %d more files are no images, and are left out\n", skipped-5)
	}
	switch {
	case c.Context.Err() != nil:
		return nil, again(errors.New("told to stop: nothing half-written is left behind"))
	case err != nil && ctx.Err() != nil:
		return nil, again(fmt.Errorf("reading the list: %w", context.Cause(ctx)))
	case err != nil && batch.IsPassing(err):
		return nil, again(fmt.Errorf("reading the list: %w", err))
	case errors.Is(err, fs.ErrNotExist) && !exists(name):
		return nil, usage("the list: there is no file and no folder %s%s%s", name, meantFile(name), orRegistry(name))
	case err != nil:
		return nil, usage("the list: %w", err)
	}
	return entries, nil
}

// isPipe says that a name is that of a pipe, such as a shell's <(COMMAND).
func isPipe(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// untilDone reads what may never begin, or never end, as long as ctx does not end.
func untilDone(ctx context.Context, open func() (io.ReadCloser, error)) *io.PipeReader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	go func() {
		in, err := open()
		if err == nil {
			_, err = io.Copy(w, in)
			in.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// registries list what registries have.
type registries struct{ access *access.Options }

func (r registries) Tags(ctx context.Context, repository string) ([]string, error) {
	return registry.Tags(ctx, repository, r.access)
}

func (r registries) Repositories(ctx context.Context, prefix string) ([]string, error) {
	return registry.Repositories(ctx, prefix, r.access)
}

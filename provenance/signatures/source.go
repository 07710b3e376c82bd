package signatures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
)

// A source hands out the texts of narinfo.
type source interface {
	// get returns the file name ("HASH.narinfo") of the source, of at most
	// narinfoBytes. The error is errAbsent when the source has none; any other
	// says why that is not known.
	get(ctx context.Context, name string) ([]byte, error)
}

var errAbsent = errors.New("it has no narinfo of the item")

// narinfoBytes bounds an answer. The largest narinfo of real farms, those of
// items with some hundred references, have about 20 KiB.
const narinfoBytes = 64 << 10

// readNarinfo reads an answer to its end, or not past the limit.
func readNarinfo(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, narinfoBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > narinfoBytes {
		return nil, fmt.Errorf("the answer is longer than the %d bytes that a narinfo may have", narinfoBytes)
	}
	return text, nil
}

// CheckServer says whether server is the address of a substitute server:
// http:, https:, or file: for a folder that holds a binary cache.
func CheckServer(server string) error {
	_, err := parseServer(server)
	return err
}

// parseServer reads an address. Settings of Nix that follow it after a question
// mark are left out.
func parseServer(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("reading the address of a substitute server: %w", plain(err))
	}
	u.RawQuery, u.Fragment = "", ""
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return u, nil
	case u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") && filepath.IsAbs(u.Path):
		return u, nil
	}
	return nil, fmt.Errorf("%q is no address of a substitute server: https://HOST, http://HOST or file:///FOLDER", u.Redacted())
}

// refused is the source behind an address that is none.
type refused struct{ err error }

func (r refused) get(context.Context, string) ([]byte, error) { return nil, r.err }

// A folder is a binary cache on this machine.
type folder string

func (f folder) get(_ context.Context, name string) ([]byte, error) {
	if info, err := os.Stat(string(f)); err != nil || !info.IsDir() {
		return nil, errors.New("there is no such folder")
	}
	text, err := readRegular(filepath.Join(string(f), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errAbsent
	}
	return text, plain(err)
}

// readRegular reads a file that may be a narinfo, and nothing that would keep
// the reader waiting.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readNarinfo(f)
}

// plain reduces an error of the network or the file system to what went wrong:
// ports, paths and addresses differ from run to run.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("looking up %s: %s", e.Name, e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return plain(e.Err)
	}
	return err
}

package batch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/userfile"
	"audit/rebuild"
	"audit/report/fleet"
)

// A Target is what a reference leads to now.
type Target struct {
	Reference string      // to open the image by, which no longer follows a tag
	Digest    string      // of the manifest, the index or the file
	Base      string      // of the lowest layer; "" where it is not known yet
	File      *fleet.File // of a file; else nil
	Late      bool        // it is the address of a file that has to be fetched, and Digest may not be known before
}

// HashFile computes the digest of a file. What a status says of the very same file,
// by its size and its time, is not computed again: a file that was changed while it was
// read, or just before, is no such one.
func HashFile(ctx context.Context, path string, before fleet.Status) (Target, error) {
	f, err := os.Open(path)
	if err != nil {
		return Target{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Target{}, err
	}
	if !info.Mode().IsRegular() {
		return Target{}, fmt.Errorf("%s is no regular file", path)
	}
	t := Target{Reference: path, File: &fleet.File{Size: info.Size(), Modified: info.ModTime().UTC()}}
	if was := before.File; was != nil && was.Size == t.File.Size && was.Modified.Equal(t.File.Modified) &&
		before.Digest != "" && before.Began.Sub(was.Modified) > 2*time.Second {
		t.Digest = before.Digest
		return t, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, reader{ctx, f}); err != nil {
		return Target{}, fmt.Errorf("reading %s: %w", path, err)
	}
	t.Digest = fmt.Sprintf("sha256:%x", sum.Sum(nil))
	return t, nil
}

// A reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

// IsPassing says of an error that it lies in the infrastructure, and that another try
// may end otherwise: a network, a registry that is busy, a disk that is full, a builder
// that is away.
func IsPassing(err error) bool {
	var refusal *transport.Error
	if errors.As(err, &refusal) {
		return passes(refusal.StatusCode)
	}
	var status *StatusError
	if errors.As(err, &status) {
		return passes(status.Code)
	}
	var over *limit.Error
	if errors.As(err, &over) {
		return over.Name == limit.IdleSeconds
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound {
		return false
	}
	var network net.Error
	for _, passing := range []error{io.ErrUnexpectedEOF, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ESTALE, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, rebuild.ErrNoBuilder, rebuild.ErrNotDone} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return errors.As(err, &network) && !errors.Is(err, fs.ErrNotExist)
}

// passes says of the status of an answer that another time it may be another.
func passes(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// PinLayout finds the image of an OCI layout in a folder by its name or digest, "" for
// the only one. The digest is computed over its manifest or index.
func PinLayout(address, dir, want string) (Target, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Target{}, err
	}
	defer root.Close()
	var index v1.IndexManifest
	if _, err := document(root, "index.json", &index); err != nil {
		return Target{}, err
	}
	var found []v1.Descriptor
	for _, d := range index.Manifests {
		if want == "" || d.Annotations["org.opencontainers.image.ref.name"] == want || d.Digest.String() == want {
			found = append(found, d)
		}
	}
	if len(found) != 1 { // the choice is that of the form
		sum, err := document(root, "index.json", &index)
		return Target{Reference: address, Digest: digest.Of(append(sum, want...)).String()}, err
	}
	var manifest v1.Manifest
	raw, err := document(root, digest.BlobPath(found[0].Digest), &manifest)
	if err != nil {
		return Target{}, err
	}
	t := Target{Reference: address, Digest: digest.Of(raw).String()}
	if len(manifest.Layers) > 0 {
		t.Base = manifest.Layers[0].Digest.String()
	}
	return t, nil
}

// document reads a document of a layout.
func document(root *os.Root, name string, v any) ([]byte, error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &userfile.IrregularError{Path: name}
	}
	if err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(raw) > maxDocument {
		err = &limit.Error{Name: limit.JSONBytes, Limit: maxDocument, Where: name}
	}
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return raw, nil
}

// maxDocument bounds a document of a layout, in bytes.
const maxDocument = 64 << 20

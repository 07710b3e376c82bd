package batch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"audit/inspect/limit"
	"audit/inspect/registry"
	"audit/inspect/userfile"
	"audit/inspect/web"
	"audit/rebuild"
	"audit/report/fleet"
)

// A Target is what a reference leads to now.
type Target struct {
	Reference string      // to open the image by, which no longer follows a tag
	Digest    string      // of the manifest, the index or the file
	Choice    string      // how the reference reads the file, and which image of it is meant; "" for what is the same for all
	Base      string      // of the lowest layer; "" where it is not known yet
	File      *fleet.File // of a file; else nil
	Late      bool        // it is the address of a file that has to be fetched, and Digest may not be known before
}

// HashFile computes the digest of a file. What a status says of the very same file, by
// what its file system calls its state, is not computed again: a file that was changed
// while it was read, or just before, is no such one. Size and time of another may be the
// same: those of all images of a store, or of a reproducible build, are.
func HashFile(ctx context.Context, path string, before fleet.Status) (Target, error) {
	f, err := userfile.Open(path)
	if err != nil {
		return Target{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Target{}, err
	}
	t := Target{Reference: path, File: &fleet.File{Size: info.Size(), Modified: info.ModTime().UTC()}}
	var changed time.Time
	t.File.Tag, changed = fileState(info)
	if was := before.File; t.File.Tag != "" && sameFile(was, t.File) && before.Digest != "" && before.Began.Sub(changed) > 2*time.Second {
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

// Key names the result of a target, given a digest over all else that decides it; "" for
// one whose digest is not known yet.
func (t Target) Key(options string) string {
	if t.Digest == "" {
		return ""
	}
	if t.Choice != "" {
		options = fmt.Sprintf("%.16x", sha256.Sum256([]byte(options+" "+t.Choice)))
	}
	return Key(t.Digest, options)
}

// A LocalError is one of reading a file that is here: where that ends too soon, it does so
// every time.
type LocalError struct{ Err error }

func (e *LocalError) Error() string { return e.Err.Error() }

func (e *LocalError) Unwrap() error { return e.Err }

// A ChangedError says that another image was audited than the one that a reference led to
// just before: it was written to meanwhile, or a server sends now this and now that.
type ChangedError struct{ Wanted, Found string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("it is %s, and was %s just before: it changes while it is audited", e.Found, e.Wanted)
}

// IsPassing says of an error that it lies in the infrastructure, and that another try
// may end otherwise: a network, a registry that is busy, a disk that is full, a builder
// that is away.
func IsPassing(err error) bool {
	if code := registry.RefusedWith(err); code != 0 {
		return statusPasses(code)
	}
	var status *web.StatusError
	if errors.As(err, &status) {
		return statusPasses(status.Code)
	}
	var over *limit.Error
	if errors.As(err, &over) {
		return over.Name == limit.IdleSeconds
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound {
		return false
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false
	}
	if _, changed := errors.AsType[*ChangedError](err); changed {
		return true
	}
	if _, isNone := errors.AsType[*registry.AnswerError](err); isNone {
		return true
	}
	if isOneOf(err, rebuild.ErrNoBuilder, rebuild.ErrNotDone) {
		return true
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		_, isLocal := errors.AsType[*LocalError](err)
		_, isOfImage := errors.AsType[*limit.FormatError](err) // whose bytes are those that were pushed
		return !isLocal && !isOfImage
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return errnoPasses(number)
	}
	var network net.Error
	return errors.As(err, &network)
}

// errnoPasses says of the error of a system call that it may be gone another time. Most
// are about what was asked for: a file system that is read-only, a folder in the way.
func errnoPasses(e syscall.Errno) bool {
	return e.Temporary() || isOneOf(e,
		syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ESTALE, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EBUSY,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT,
		syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.ENETUNREACH, syscall.ENETRESET, syscall.ENOBUFS)
}

func isOneOf(err error, all ...error) bool {
	return slices.ContainsFunc(all, func(one error) bool { return errors.Is(err, one) })
}

// statusPasses says of the status of an answer that another time it may be another.
func statusPasses(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

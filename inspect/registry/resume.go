package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"audit/inspect/limit"
	"audit/inspect/registry/access"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxResumes bounds how often the fetching of one blob is taken up again.
const maxResumes = 5

// firstPause is how long the first attempt waits; each waits twice as long as the one
// before.
const firstPause = 50 * time.Millisecond

// A resumedBlob is a blob that is fetched on from where a connection was cut (RFC
// 9110, section 14). A registry that has no ranges sends all of it once more. What is
// put together so is no blob before its digest is the one that was asked for: see
// [resumedBlob.verify].
type resumedBlob struct {
	blobs   *blobs
	digest  v1.Hash
	body    io.ReadCloser
	at      int64 // bytes that were read
	resumes int
}

func (b *resumedBlob) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.at += int64(n)
	if err == nil || err == io.EOF {
		return n, err
	}
	if err := b.resume(err); err != nil {
		return n, err
	}
	return n, nil
}

// resume opens the rest of the blob after a cut.
func (b *resumedBlob) resume(cut error) error {
	var idle *limit.Error
	if errors.As(cut, &idle) {
		return cut
	}
	b.body.Close()
	for b.resumes < maxResumes {
		if err := b.pause(firstPause << b.resumes); err != nil {
			return err
		}
		b.resumes++
		body, err := b.blobs.rest(b.digest, b.at)
		if err == nil {
			b.body = body
			return nil
		}
		cut = fmt.Errorf("%w; taking it up again at byte %d: %w", cut, b.at, err)
		b.body = io.NopCloser(strings.NewReader(""))
		if e := b.blobs.pass.Ctx.Err(); e != nil {
			return e
		}
	}
	return cut
}

func (b *resumedBlob) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.blobs.pass.Ctx.Done():
		return b.blobs.pass.Ctx.Err()
	}
}

// verify says whether the parts of a blob are of one: where they are not, the network
// is to blame and not the image.
func (b *resumedBlob) verify(computed v1.Hash) error {
	if b.resumes > 0 && computed != b.digest {
		return fmt.Errorf("fetching blob %s: %w, and what the registry sent after that does not go with what it sent before", b.digest, &access.CutError{Err: io.ErrUnexpectedEOF})
	}
	return nil
}

func (b *resumedBlob) Close() error { return b.body.Close() }

// rest fetches a blob from a byte on.
func (b *blobs) rest(h v1.Hash, from int64) (io.ReadCloser, error) {
	resp, err := b.getRange("blobs/"+h.String(), "*/*", from)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK { // all of it
		if _, err := io.CopyN(io.Discard, resp.Body, from); err != nil {
			resp.Body.Close()
			return nil, err
		}
		return resp.Body, nil
	}
	if part := resp.Header.Get("Content-Range"); !strings.HasPrefix(part, fmt.Sprintf("bytes %d-", from)) {
		resp.Body.Close()
		return nil, fmt.Errorf("the registry sends the range %.60q", part)
	}
	return resp.Body, nil
}

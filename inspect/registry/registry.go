package registry

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
	"audit/inspect/registry/access"
)

// Form is that of an image in a registry. A name without its transport is never taken
// for one: it may be a mistyped file or word, and what is asked for is no secret there.
func Form() form.Form {
	return form.Form{
		Transport: image.Registry, Argument: "//REF", Named: true,
		Open: func(in *form.Input) (*image.Image, error) {
			reference, ok := strings.CutPrefix(in.Path, "//")
			if !ok {
				return nil, &NameError{Name: "docker:" + in.Path, Nearest: Near(in.Path)}
			}
			return read(in.Pass, reference)
		},
	}
}

// read reads an image from a registry (OCI distribution-spec v1.1),
// with the credentials that docker login stored or the user gives. What the registry sends is
// hashed here: its word is not taken for anything.
func read(p *pass.Pass, reference string) (*image.Image, error) {
	p.Once = true
	ref, err := parse(reference, p.Opt.Access)
	if err != nil {
		return nil, err
	}
	blobs, raw, top, err := find(p, ref)
	if err != nil {
		return nil, err
	}
	r, err := oci.NewReader(p, blobs, image.Registry, "")
	if err != nil {
		return nil, err
	}
	if blobs.repo.Name() != ref.Context().Name() {
		r.Find(check.Note, "", "integrity/mirror", "mirror", blobs.repo.Name(), "repository", ref.Context().Name())
	}
	if a := p.Opt.Access; blobs.plain || a != nil && a.Insecure {
		r.Find(check.Note, "", "integrity/unverified-registry", "registry", blobs.repo.RegistryStr())
	}
	r.Img.Tags = []string{ref.String()}
	blobs.kept[top.Digest] = raw
	if !oci.IsIndex(top.MediaType) {
		if err := r.FromDescriptor(top, nil); err != nil {
			return nil, err
		}
		return r.Img, referrers(r, blobs)
	}
	if _, err := r.Verified(top, "image index"); err != nil {
		return nil, err
	}
	if err := r.FromIndex(raw, "image index "+top.Digest.String()); err != nil {
		return nil, err
	}
	r.Img.Index = digest.Of(raw).Hash()
	return r.Img, referrers(r, blobs)
}

// find asks the mirrors of a repository, and then itself, for an image. Why a mirror does
// not have it matters only where nobody has.
func find(p *pass.Pass, ref name.Reference) (*blobs, []byte, v1.Descriptor, error) {
	places, err := p.Opt.Access.Places(ref.Context())
	if err != nil {
		return nil, nil, v1.Descriptor{}, err
	}
	var failed error
	for _, repo := range places {
		blobs, raw, top, err := ask(p, repo, ref)
		if err == nil {
			return blobs, raw, top, nil
		}
		if p.Ctx.Err() != nil {
			return nil, nil, top, p.Ctx.Err()
		}
		if failed == nil {
			failed = err
			continue
		}
		failed = fmt.Errorf("%w; %w", failed, err)
	}
	if len(places) > 1 {
		failed = fmt.Errorf("neither it nor its mirrors have it: %w", failed)
	}
	return nil, nil, v1.Descriptor{}, failed
}

// ask asks one repository for a manifest or index.
func ask(p *pass.Pass, repo name.Repository, ref name.Reference) (*blobs, []byte, v1.Descriptor, error) {
	blobs, err := dial(p, repo)
	if err != nil {
		return nil, nil, v1.Descriptor{}, fmt.Errorf("asking the registry %s: %w", repo.RegistryStr(), plainer(err))
	}
	raw, top, err := blobs.manifest(ref.Identifier())
	if limit.IsAbsent(err) {
		return nil, nil, top, fmt.Errorf("the registry has no image %s", at(repo, ref))
	}
	if err != nil {
		return nil, nil, top, fmt.Errorf("asking the registry for %s: %w", at(repo, ref), err)
	}
	return blobs, raw, top, nil
}

// at is a reference as it is in a mirror.
func at(repo name.Repository, ref name.Reference) string {
	return repo.Name() + strings.TrimPrefix(ref.Name(), ref.Context().Name())
}

// blobs are the blobs of one repository of a registry.
type blobs struct {
	pass   *pass.Pass
	repo   name.Repository
	client *http.Client
	cache  cache
	kept   map[v1.Hash][]byte // manifests that were fetched by their tag
	plain  bool               // something came over plain HTTP
}

// dial makes a client that has what it needs to pull from a repository.
func dial(p *pass.Pass, repo name.Repository) (*blobs, error) {
	auth, err := authn.Resolve(p.Ctx, p.Opt.Access.Keychain(), repo)
	if err != nil {
		return nil, fmt.Errorf("finding credentials: %w", err)
	}
	connections, err := p.Opt.Access.Transport(p.Limits.Idle)
	if err != nil {
		return nil, err
	}
	t, err := transport.NewWithContext(p.Ctx, repo.Registry, auth, connections, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	return &blobs{pass: p, repo: repo, client: &http.Client{Transport: t}, cache: cache{p.Opt.LayerCache, p}, kept: make(map[v1.Hash][]byte)}, nil
}

// manifests are the media types that are asked for.
var manifests = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// manifest fetches a manifest or index by tag or digest, with the descriptor
// that the registry, or the digest, claims of it.
func (b *blobs) manifest(identifier string) ([]byte, v1.Descriptor, error) {
	resp, err := b.get("manifests/"+identifier, manifests)
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	defer resp.Body.Close()
	raw, err := b.pass.ReadDocument("manifest "+identifier, &pass.Stream{Pass: b.pass, R: resp.Body})
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	claimed, err := v1.NewHash(identifier)
	if err != nil { // a tag
		claimed, err = v1.NewHash(resp.Header.Get("Docker-Content-Digest"))
	}
	if isOther(raw, claimed) && !json.Valid(raw) {
		return nil, v1.Descriptor{}, &AnswerError{"manifest " + identifier, noDocument}
	}
	if err != nil { // no claim is made
		claimed = digest.Of(raw).Hash()
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return raw, v1.Descriptor{MediaType: types.MediaType(kind), Digest: claimed, Size: int64(len(raw))}, nil
}

// An AnswerError says that what a registry sent is not what it was asked for by digest, in
// a way in which nobody has pushed it: a proxy may answer in its place, or cut what it
// sends.
type AnswerError struct{ What, Why string }

func (e *AnswerError) Error() string {
	return e.What + ": " + e.Why + ": does a proxy answer in the place of the registry?"
}

// noDocument is why an answer is no document.
const noDocument = "not the JSON document that it should be, nor its bytes"

// Document fetches a manifest or a blob: which of the two it is depends on the
// media type. What comes with other bytes is fetched once more.
func (b *blobs) Document(d v1.Descriptor) ([]byte, error) {
	if raw := b.kept[d.Digest]; raw != nil {
		return raw, nil
	}
	raw, err := b.document(d)
	_, isNone := errors.AsType[*AnswerError](err)
	if isNone || err == nil && isOther(raw, d.Digest) {
		return b.document(d)
	}
	return raw, err
}

// isOther says that a document is not the one of a digest.
func isOther(raw []byte, h v1.Hash) bool {
	return h.Algorithm == "" || h.Algorithm == "sha256" && digest.Of(raw).Hash() != h
}

func (b *blobs) document(d v1.Descriptor) ([]byte, error) {
	if d.MediaType.IsImage() || d.MediaType.IsIndex() {
		raw, _, err := b.manifest(d.Digest.String())
		return raw, err
	}
	body, err := b.blob(d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := b.pass.ReadDocument("blob "+d.Digest.String(), &pass.Stream{Pass: b.pass, R: body})
	if err == nil && isOther(raw, d.Digest) && !json.Valid(raw) {
		err = &AnswerError{"blob " + d.Digest.String(), noDocument}
	}
	return raw, err
}

func (b *blobs) Layer(d v1.Descriptor) (*image.Layer, error) {
	end, err := b.pass.Opt.Known.Claim(b.pass.Ctx, d.Digest)
	if err != nil {
		return nil, err
	}
	defer end()
	if f := b.cache.open(d); f != nil {
		if !b.pass.Copies.Lies(digest.BlobPath(d.Digest), f) {
			defer f.Close()
		}
		return b.cached(d, f)
	}
	body, err := b.blob(d)
	if err != nil {
		return nil, err
	}
	whole := &resumedBlob{blobs: b, digest: d.Digest, body: body}
	defer whole.Close()
	kept, isWhole := b.cache.keep(d, whole), false
	defer func() { kept.end(isWhole) }()
	layer, err := b.read(d, &pass.Stream{Pass: b.pass, R: kept, Size: d.Size}, nil)
	if err != nil {
		return nil, err
	}
	computed := layer.Digest
	if d.Digest.Algorithm != "sha256" {
		computed = layer.OtherDigest
	}
	isWhole = computed == d.Digest
	return layer, whole.verify(computed)
}

// cached reads a layer that is on this machine.
func (b *blobs) cached(d v1.Descriptor, f *os.File) (*image.Layer, error) {
	layer, err := b.read(d, &pass.Stream{Pass: b.pass, R: f, Size: d.Size}, f)
	if err == nil && layer.Digest != d.Digest {
		err = fmt.Errorf("reading %s: it changes while it is read", f.Name())
	}
	return layer, err
}

func (b *blobs) read(d v1.Descriptor, src io.Reader, at io.ReaderAt) (*image.Layer, error) {
	path := digest.BlobPath(d.Digest)
	other := digest.NewOtherHash(path)
	layer, err := layers.Read(b.pass, path, bufio.NewReaderSize(other.Tee(src), 128<<10), at)
	if err != nil {
		return nil, err
	}
	layer.OtherDigest = other.Sum()
	return layer, nil
}

func (b *blobs) blob(d v1.Descriptor) (io.ReadCloser, error) {
	resp, err := b.get("blobs/"+d.Digest.String(), "*/*")
	if err != nil {
		return nil, fmt.Errorf("fetching blob %s: %w", d.Digest, err)
	}
	return resp.Body, nil
}

// get asks the registry for what lies under the repository.
func (b *blobs) get(what, accept string) (*http.Response, error) { return b.getRange(what, accept, 0) }

// getRange asks for what lies there from a byte on. The answer may be all of it.
func (b *blobs) getRange(what, accept string, from int64) (*http.Response, error) {
	url := fmt.Sprintf("%s://%s/v2/%s/%s", b.repo.Scheme(), b.repo.RegistryStr(), b.repo.RepositoryStr(), what)
	req, err := http.NewRequestWithContext(b.pass.Ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	wanted := []int{http.StatusOK}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		wanted = append(wanted, http.StatusPartialContent)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, plainer(err)
	}
	if err := transport.CheckError(resp, wanted...); err != nil {
		resp.Body.Close()
		if host := resp.Request.URL.Host; host != b.repo.RegistryStr() {
			return nil, fmt.Errorf("it leads to %s, which answers %s", host, resp.Status)
		}
		return nil, plainer(err)
	}
	b.plain = b.plain || resp.Request.URL.Scheme == "http"
	return resp, nil
}

// A busyError is a refusal that passes: who has much to ask can try again later.
type busyError struct{ refusal *transport.Error }

func (e *busyError) Error() string {
	return "it was asked too often (429 Too Many Requests), and asks to be left alone for a while"
}

func (e *busyError) Unwrap() error { return e.refusal }

// plainer drops the request from a registry's refusal, and from an address that it leads
// to what may be a secret; what remains is what a person can act on.
func plainer(err error) error {
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%w (--cert-dir names a folder with the certificate of its authority)", untrusted)
	}
	asked, isAsked := errors.AsType[*url.Error](err) // of several tries the first, which is over TLS
	if refused, ok := errors.AsType[*access.RefusedError](err); ok {
		if isAsked && !errors.Is(asked, refused) {
			return fmt.Errorf("%w; %w", asked.Err, refused)
		}
		return refused
	}
	var refusal *transport.Error
	if !errors.As(err, &refusal) {
		if isAsked {
			return asked.Err
		}
		return err
	}
	switch refusal.StatusCode {
	case http.StatusNotFound:
		return limit.Absent("the registry does not have it")
	case http.StatusUnauthorized, http.StatusForbidden:
		return errors.New("it refuses (docker login stores credentials that audit uses, --authfile and --creds give others), or has no such repository")
	case http.StatusTooManyRequests:
		return &busyError{refusal}
	}
	return err
}

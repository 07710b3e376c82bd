package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// readRegistry reads an image from a registry (OCI distribution-spec v1.1),
// with the credentials that docker login stored. What the registry sends is
// hashed here: its word is not taken for anything.
func (p *pass) readRegistry(reference string) (*Image, error) {
	p.once = true
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, &FormatError{"the reference", err}
	}
	blobs, err := p.dial(ref.Context())
	if err != nil {
		return nil, fmt.Errorf("asking the registry %s: %w", ref.Context().RegistryStr(), plainer(err))
	}
	raw, top, err := blobs.manifest(ref.Identifier())
	if isAbsent(err) {
		return nil, fmt.Errorf("the registry has no image %s", ref)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the registry for %s: %w", ref, err)
	}
	r, err := p.newOCIReader(blobs, Registry, "")
	if err != nil {
		return nil, err
	}
	r.img.Tags = []string{ref.String()}
	blobs.kept[top.Digest] = raw
	if !isIndex(top.MediaType) {
		if err := r.fromDescriptor(top, nil); err != nil {
			return nil, err
		}
		return r.img, r.referrers(blobs)
	}
	if _, err := r.verified(top, "image index"); err != nil {
		return nil, err
	}
	if err := r.fromIndex(raw, "image index "+top.Digest.String()); err != nil {
		return nil, err
	}
	r.img.Index = sumOfBytes(raw).Hash()
	return r.img, r.referrers(blobs)
}

// registryBlobs are the blobs of one repository of a registry.
type registryBlobs struct {
	pass   *pass
	repo   name.Repository
	client *http.Client
	kept   map[v1.Hash][]byte // manifests that were fetched by their tag
}

// dial makes a client that has what it needs to pull from a repository.
func (p *pass) dial(repo name.Repository) (*registryBlobs, error) {
	auth, err := authn.Resolve(p.ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, fmt.Errorf("finding credentials: %w", err)
	}
	retrying := transport.NewRetry(http.DefaultTransport)
	t, err := transport.NewWithContext(p.ctx, repo.Registry, auth, retrying, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	return &registryBlobs{p, repo, &http.Client{Transport: t}, make(map[v1.Hash][]byte)}, nil
}

// manifests are the media types that are asked for.
var manifests = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// manifest fetches a manifest or index by tag or digest, with the descriptor
// that the registry, or the digest, claims of it.
func (b *registryBlobs) manifest(identifier string) ([]byte, v1.Descriptor, error) {
	resp, err := b.get("manifests/"+identifier, manifests)
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	defer resp.Body.Close()
	raw, err := b.pass.readDocument("manifest "+identifier, &source{pass: b.pass, r: resp.Body})
	if err != nil {
		return nil, v1.Descriptor{}, err
	}
	claimed, err := v1.NewHash(identifier)
	if err != nil { // a tag
		claimed, err = v1.NewHash(resp.Header.Get("Docker-Content-Digest"))
	}
	if err != nil { // no claim is made
		claimed = sumOfBytes(raw).Hash()
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return raw, v1.Descriptor{MediaType: types.MediaType(kind), Digest: claimed, Size: int64(len(raw))}, nil
}

// document fetches a manifest or a blob: which of the two it is depends on the
// media type.
func (b *registryBlobs) document(d v1.Descriptor) ([]byte, error) {
	if raw := b.kept[d.Digest]; raw != nil {
		return raw, nil
	}
	if d.MediaType.IsImage() || d.MediaType.IsIndex() {
		raw, _, err := b.manifest(d.Digest.String())
		return raw, err
	}
	body, err := b.blob(d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return b.pass.readDocument("blob "+d.Digest.String(), &source{pass: b.pass, r: body})
}

func (b *registryBlobs) layer(d v1.Descriptor) (*Layer, error) {
	body, err := b.blob(d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	path := blobPath(d.Digest)
	other := newOtherHash(path)
	src := &source{pass: b.pass, r: body, size: d.Size}
	layer, err := b.pass.readLayer(path, bufio.NewReaderSize(other.tee(src), 128<<10), nil)
	if err != nil {
		return nil, err
	}
	layer.other = other.sum()
	return layer, nil
}

func (b *registryBlobs) blob(d v1.Descriptor) (io.ReadCloser, error) {
	resp, err := b.get("blobs/"+d.Digest.String(), "*/*")
	if err != nil {
		return nil, fmt.Errorf("fetching blob %s: %w", d.Digest, err)
	}
	return resp.Body, nil
}

// get asks the registry for what lies under the repository.
func (b *registryBlobs) get(what, accept string) (*http.Response, error) {
	url := fmt.Sprintf("%s://%s/v2/%s/%s", b.repo.Scheme(), b.repo.RegistryStr(), b.repo.RepositoryStr(), what)
	req, err := http.NewRequestWithContext(b.pass.ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		return nil, plainer(err)
	}
	return resp, nil
}

// plainer drops the request from a registry's refusal; what remains is what a
// person can act on.
func plainer(err error) error {
	var refusal *transport.Error
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.StatusCode {
	case http.StatusNotFound:
		return absentError("the registry does not have it")
	case http.StatusUnauthorized, http.StatusForbidden:
		return errors.New("it refuses (docker login stores credentials that audit uses), or has no such repository")
	}
	return err
}

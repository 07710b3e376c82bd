package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// readRegistry reads an image from a registry (OCI distribution-spec v1.1),
// with the credentials that docker login stored. What the registry sends is
// hashed here: its word is not taken for anything.
func (p *pass) readRegistry(reference string) (*Image, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, &FormatError{"the reference", err}
	}
	options := []remote.Option{remote.WithContext(p.ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	top, err := remote.Get(ref, options...)
	if err != nil {
		return nil, fmt.Errorf("asking the registry for %s: %w", ref, plainer(err))
	}
	r, err := p.newOCIReader(registryBlobs{p, ref.Context(), options}, Registry, "")
	if err != nil {
		return nil, err
	}
	r.img.Tags = []string{ref.String()}
	if isIndex(top.MediaType) {
		raw, err := r.verified(top.Descriptor, "image index")
		if err != nil {
			return nil, err
		}
		if err := r.fromIndex(raw, "image index "+top.Digest.String()); err != nil {
			return nil, err
		}
		r.img.Index = top.Digest
		return r.img, nil
	}
	return r.img, r.fromDescriptor(top.Descriptor, nil)
}

// plainer drops the request from a registry's refusal; what remains is what a
// person can act on.
func plainer(err error) error {
	var refusal *transport.Error
	if errors.As(err, &refusal) && refusal.StatusCode == http.StatusNotFound {
		return errors.New("it has no such image")
	}
	return err
}

type registryBlobs struct {
	pass    *pass
	repo    name.Repository
	options []remote.Option
}

// document fetches a manifest or a blob: which of the two it is depends on the
// media type.
func (b registryBlobs) document(d v1.Descriptor) ([]byte, error) {
	if d.MediaType.IsImage() || d.MediaType.IsIndex() {
		got, err := remote.Get(b.repo.Digest(d.Digest.String()), b.options...)
		if err != nil {
			return nil, plainer(err)
		}
		return got.Manifest, b.pass.keep(d.Digest.String(), int64(len(got.Manifest)))
	}
	body, err := b.fetch(d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return b.pass.readDocument("blob "+d.Digest.String(), &source{pass: b.pass, r: body, size: d.Size})
}

func (b registryBlobs) layer(d v1.Descriptor) (*Layer, error) {
	body, err := b.fetch(d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	src := &source{pass: b.pass, r: body, size: d.Size}
	return b.pass.readLayer(blobPath(d.Digest), bufio.NewReaderSize(src, 128<<10), nil)
}

// fetch opens a blob as it is stored. The library checks the digest while it
// is read and fails where it differs; that ends the reading.
func (b registryBlobs) fetch(d v1.Descriptor) (io.ReadCloser, error) {
	layer, err := remote.Layer(b.repo.Digest(d.Digest.String()), b.options...)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, fmt.Errorf("fetching blob %s: %w", d.Digest, plainer(err))
	}
	return body, nil
}

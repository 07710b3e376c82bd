package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
	"audit/inspect/registry/access"
)

// A Pinned is what a name in a registry leads to at one time.
type Pinned struct {
	Reference string  // the name with the digest
	Digest    v1.Hash // computed over the manifest or index
	Base      v1.Hash // the lowest layer that it claims, of an index that of its first image; zero when there is none
}

// Pin asks a registry what a reference, such as "registry.example/lab/tool:1.0", leads
// to. An index is followed only where base is wanted.
func Pin(ctx context.Context, reference string, base bool, options *access.Options) (Pinned, error) {
	ref, err := parse(reference, options)
	if err != nil {
		return Pinned{}, err
	}
	p := pass.New(ctx, pass.Options{Access: options})
	blobs, err := dial(p, ref.Context())
	if err != nil {
		return Pinned{}, fmt.Errorf("asking the registry %s: %w", ref.Context().RegistryStr(), plainer(err))
	}
	raw, top, err := blobs.manifest(ref.Identifier())
	if limit.IsAbsent(err) {
		return Pinned{}, fmt.Errorf("the registry has no image %s", ref)
	}
	if err != nil {
		return Pinned{}, fmt.Errorf("asking the registry for %s: %w", ref, err)
	}
	sum := digest.Of(raw).Hash()
	if strings.HasPrefix(ref.Identifier(), "sha256:") && ref.Identifier() != sum.String() {
		return Pinned{}, fmt.Errorf("the registry sends another manifest for %s", ref)
	}
	pinned := Pinned{Reference: pin(reference, sum), Digest: sum}
	if base {
		pinned.Base = blobs.base(raw, top, 0)
	}
	return pinned, nil
}

// pin adds a digest to a reference that has none.
func pin(reference string, sum v1.Hash) string {
	if strings.Contains(reference, "@") {
		return reference
	}
	return reference + "@" + sum.String()
}

// base is the lowest layer of a manifest, or of the first image of an index: it says
// which images are likely to share layers, and nothing depends on it.
func (b *blobs) base(raw []byte, d v1.Descriptor, depth int) v1.Hash {
	var doc struct {
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if pass.Decode("manifest", raw, &doc) != nil || depth > oci.MaxIndexDepth {
		return v1.Hash{}
	}
	if !oci.IsIndex(d.MediaType) || len(doc.Manifests) == 0 {
		if len(doc.Layers) == 0 {
			return v1.Hash{}
		}
		return doc.Layers[0].Digest
	}
	raw, d, err := b.manifest(doc.Manifests[0].Digest.String())
	if err != nil {
		return v1.Hash{}
	}
	return b.base(raw, d, depth+1)
}

// RefusedWith is the HTTP status with which a registry has refused what led to an error,
// 0 for an error of another kind.
func RefusedWith(err error) int {
	var refusal *transport.Error
	if !errors.As(err, &refusal) {
		return 0
	}
	return refusal.StatusCode
}

// The limits of lists of a registry.
const (
	maxListPages = 10_000
	maxListed    = 1_000_000
	maxListBytes = 256 << 20 // of all names of a list
)

// Tags lists the tags of a repository, sorted (OCI distribution-spec v1.1, "Listing
// Tags").
func Tags(ctx context.Context, repository string, options *access.Options) ([]string, error) {
	repo, err := name.NewRepository(repository, options.Names()...)
	if err != nil {
		return nil, &limit.FormatError{Where: "the repository", Err: err}
	}
	b, err := dial(pass.New(ctx, pass.Options{Access: options}), repo)
	if err != nil {
		return nil, fmt.Errorf("asking the registry %s: %w", repo.RegistryStr(), plainer(err))
	}
	tags, err := b.list("/v2/"+repo.RepositoryStr()+"/tags/list", func(page []byte) ([]string, error) {
		var doc struct {
			Tags []string `json:"tags"`
		}
		err := pass.Decode("list of tags", page, &doc)
		return doc.Tags, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", repo, err)
	}
	return tags, nil
}

// Repositories lists the repositories of a registry below "HOST/NAME/", each with its
// host, sorted. The catalog is no part of the distribution-spec: many registries have
// none.
func Repositories(ctx context.Context, prefix string, options *access.Options) ([]string, error) {
	host, below, _ := strings.Cut(prefix, "/")
	reg, err := name.NewRegistry(host, options.Names()...)
	if err != nil {
		return nil, &limit.FormatError{Where: "the registry", Err: err}
	}
	p := pass.New(ctx, pass.Options{Access: options})
	auth, err := authn.Resolve(ctx, options.Keychain(), reg)
	if err != nil {
		return nil, fmt.Errorf("finding credentials: %w", err)
	}
	connections, err := options.Transport(p.Limits.Idle)
	if err != nil {
		return nil, err
	}
	t, err := transport.NewWithContext(ctx, reg, auth, connections, []string{reg.Scope(transport.CatalogScope)})
	if err != nil {
		return nil, fmt.Errorf("asking the registry %s: %w", host, plainer(err))
	}
	b := &blobs{pass: p, repo: reg.Repo("catalog"), client: &http.Client{Transport: t}}
	all, err := b.list("/v2/_catalog?n=1000", func(page []byte) ([]string, error) {
		var doc struct {
			Repositories []string `json:"repositories"`
		}
		err := pass.Decode("catalog", page, &doc)
		return doc.Repositories, err
	})
	if err != nil {
		return nil, fmt.Errorf("asking %s for its catalog, which many registries do not have (then name each repository): %w", host, err)
	}
	var found []string
	for _, repository := range all {
		if strings.HasPrefix(repository, below) {
			found = append(found, host+"/"+repository)
		}
	}
	return found, nil
}

// list follows the pages of a list, and sorts it. The next page is one of the list that
// was asked for, whatever address the registry gives (RFC 8288).
func (b *blobs) list(path string, names func(page []byte) ([]string, error)) (all []string, err error) {
	start, query, _ := strings.Cut(path, "?")
	size := 0
	for range maxListPages {
		raw, header, err := b.page(start, query)
		if err != nil {
			return nil, err
		}
		found, err := names(raw)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) > maxListed {
			return nil, &limit.Error{Name: "names of a registry", Limit: maxListed, Where: start}
		}
		for _, name := range found {
			size += len(name)
		}
		if size > maxListBytes {
			return nil, &limit.Error{Name: "bytes of names of a registry", Limit: maxListBytes, Where: start}
		}
		next, err := nextPage(header)
		switch {
		case err != nil:
			return nil, err
		case next == "":
			slices.Sort(all)
			return slices.Compact(all), nil
		case next == query:
			return nil, fmt.Errorf("the page %.200q of the list leads to itself", query)
		}
		query = next
	}
	return nil, &limit.Error{Name: "pages of a list", Limit: maxListPages, Where: start}
}

func (b *blobs) page(path, query string) ([]byte, http.Header, error) {
	address := url.URL{Scheme: b.repo.Scheme(), Host: b.repo.RegistryStr(), Path: path, RawQuery: query}
	req, err := http.NewRequestWithContext(b.pass.Ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, nil, plainer(err)
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return nil, nil, plainer(err)
	}
	// Each page is let go before the next: what is kept is bounded by the count of names.
	raw, err := pass.New(b.pass.Ctx, b.pass.Opt).ReadDocument("list", &pass.Stream{Pass: b.pass, R: resp.Body})
	return raw, resp.Header, err
}

package registry

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
)

// A registry can have statements about an image that are not in its index: artifacts
// that refer to it (OCI distribution-spec v1.1, "Listing Referrers"), listed by the
// registry and, by tools that met one without that question, under a tag; and what
// cosign 1 and 2 tag after the digest. They are kept beside those of the index.

// maxPages bounds the pages of a list of referrers.
const maxPages = 20

// referrers reads the statements that refer to the image, to its index, or to a
// manifest of statements about it, whose signatures sign these. That they cannot be
// had, or that there are none, is no fault of the image.
func referrers(r *oci.Reader, blobs *blobs) error {
	about := []v1.Hash{r.Img.Manifest.Digest}
	if r.Img.Index.Hex != "" {
		about = append(about, r.Img.Index)
	}
	for i := 0; i < len(about); i++ {
		if err := referring(r, blobs, about[i]); err != nil {
			return err
		}
		if about[i] != r.Img.Manifest.Digest {
			continue
		}
		for _, a := range r.Img.Attestations { // of the index, or of referrers
			if strings.HasPrefix(string(a.MediaType), "application/vnd.in-toto") && !slices.Contains(about, a.Manifest) {
				about = append(about, a.Manifest)
			}
		}
	}
	return nil
}

// AddStatements adds to an image what a repository has that refers to it: that need not
// be the one that has the image.
func AddStatements(p *pass.Pass, repository string, img *image.Image) error {
	repo, err := name.NewRepository(repository, p.Opt.Access.Names()...)
	if err != nil {
		return &limit.FormatError{Where: "the repository", Err: err}
	}
	blobs, err := dial(p, repo)
	if err != nil {
		return fmt.Errorf("asking the registry %s: %w", repo.RegistryStr(), plainer(err))
	}
	r, err := oci.NewReader(p, blobs, image.Registry, "")
	if err != nil {
		return err
	}
	r.Img = img
	return referrers(r, blobs)
}

// referring reads what refers to one manifest.
func referring(r *oci.Reader, blobs *blobs, about v1.Hash) error {
	found, err := blobs.referring(about)
	if err := unread(r, err); err != nil {
		return err
	}
	for _, d := range found {
		if err := r.Artifact(d, image.Referring, about); err != nil {
			return err
		}
	}
	for _, end := range []string{".sig", ".att"} {
		raw, d, err := blobs.manifest(about.Algorithm + "-" + about.Hex + end)
		if limit.IsAbsent(err) {
			continue
		}
		if err != nil {
			if err := unread(r, err); err != nil {
				return err
			}
			continue
		}
		blobs.kept[d.Digest] = raw
		if err := r.Artifact(d, image.Tagged, about); err != nil {
			return err
		}
	}
	return nil
}

// unread reports a list that cannot be read, and that there may be statements that
// are not known. Anybody who can write to a repository can make one that is too large.
func unread(r *oci.Reader, err error) error {
	if err == nil || r.Pass.Ctx.Err() != nil {
		return r.Pass.Ctx.Err()
	}
	r.Find(check.Note, "", "integrity/referrers-unread", "error", err)
	r.Img.MoreAttestations = true
	return nil
}

// referring lists what refers to a manifest: what the registry says, and what lies
// under the tag, since a registry may answer with an empty list and have the tag. Of
// both, each once, in their order.
func (b *blobs) referring(about v1.Hash) ([]v1.Descriptor, error) {
	listed, err := b.listed(about)
	if err != nil {
		return listed, err
	}
	raw, _, err := b.manifest(about.Algorithm + "-" + about.Hex)
	if limit.IsAbsent(err) {
		return listed, nil
	}
	if err != nil {
		return listed, err
	}
	var index v1.IndexManifest
	if err := pass.Decode("list of referrers", raw, &index); err != nil {
		return listed, err
	}
	for _, d := range index.Manifests {
		if !slices.ContainsFunc(listed, func(l v1.Descriptor) bool { return l.Digest == d.Digest }) {
			listed = append(listed, d)
		}
	}
	return listed, nil
}

// listed asks the registry what refers to a manifest, page by page.
func (b *blobs) listed(about v1.Hash) ([]v1.Descriptor, error) {
	var all []v1.Descriptor
	what := "referrers/" + about.String()
	for range maxPages {
		resp, err := b.get(what, string(types.OCIImageIndex))
		if limit.IsAbsent(err) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		raw, err := b.pass.ReadDocument("list of referrers", &pass.Stream{Pass: b.pass, R: resp.Body})
		resp.Body.Close()
		if err != nil {
			return all, err
		}
		var index v1.IndexManifest
		if err := pass.Decode("list of referrers", raw, &index); err != nil {
			return all, err
		}
		all = append(all, index.Manifests...)
		query, err := nextPage(resp.Header)
		if err != nil || query == "" {
			return all, err
		}
		what = "referrers/" + about.String() + "?" + query
	}
	return all, fmt.Errorf("it has more than %d pages", maxPages)
}

var (
	link    = regexp.MustCompile(`<([^>]*)>([^<]*)`)
	relNext = regexp.MustCompile(`(?i);\s*rel\s*=\s*["']?([^"',;]* )?next\b`)
)

// nextPage is the query of the page that follows, "" when none does (RFC 8288). Nothing else
// of its address is taken: the registry is the one that was asked. A page that follows and
// cannot be asked for is an error, since the list would end too soon.
func nextPage(header http.Header) (query string, err error) {
	for _, m := range link.FindAllStringSubmatch(strings.Join(header.Values("Link"), ", "), -1) {
		if !relNext.MatchString(m[2]) {
			continue
		}
		address, err := url.Parse(m[1])
		if err != nil || address.RawQuery == "" {
			return "", fmt.Errorf("the registry says that there is more at %.200q, which cannot be asked for", m[1])
		}
		return address.RawQuery, nil
	}
	return "", nil
}

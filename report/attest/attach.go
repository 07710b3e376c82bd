package attest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/registry/access"
	"audit/provenance/statement"
	"audit/report"
)

// emptyConfig is the config of artifacts that need none (OCI image-spec v1.1,
// manifest.md, "Guidance for an Empty Descriptor").
var emptyConfig = []byte("{}")

// An artifact is the manifest of a bundle, and its blobs. The same bundle gives the
// same bytes: no time is written.
type artifact struct {
	descriptor v1.Descriptor
	manifest   []byte
	bundle     []byte
}

func newArtifact(bundle []byte, subject v1.Descriptor) (*artifact, error) {
	annotations := map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": PredicateType}
	config := v1.Descriptor{MediaType: "application/vnd.oci.empty.v1+json", Size: int64(len(emptyConfig)), Digest: digest.Of(emptyConfig).Hash()}
	raw, err := compact(struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     types.MediaType   `json:"mediaType"`
		Config        v1.Descriptor     `json:"config"`
		Layers        []v1.Descriptor   `json:"layers"`
		Annotations   map[string]string `json:"annotations"`
		Subject       v1.Descriptor     `json:"subject"`
		ArtifactType  string            `json:"artifactType"`
	}{2, types.OCIManifestSchema1, config,
		[]v1.Descriptor{{MediaType: statement.BundleType, Size: int64(len(bundle)), Digest: digest.Of(bundle).Hash()}},
		annotations, subject, statement.BundleType})
	if err != nil {
		return nil, err
	}
	return &artifact{v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: int64(len(raw)), Digest: digest.Of(raw).Hash(),
		Annotations: annotations, ArtifactType: statement.BundleType}, raw, bundle}, nil
}

// RawManifest and MediaType are what a registry is given.
func (a *artifact) RawManifest() ([]byte, error)        { return a.manifest, nil }
func (a *artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// ErrPlace is that of a place to which no statement about the image can be attached.
var ErrPlace = errors.New("no place for a statement about this image")

// AttachTo puts a bundle beside the image of a report, or where its rebuilder keeps
// statements: docker://HOST/NAME, or oci:DIR. It returns the digest of the artifact.
func AttachTo(ctx context.Context, place string, r *report.Report, bundle []byte, more ...remote.Option) (string, error) {
	subject, err := subjectOf(r)
	if err != nil {
		return "", err
	}
	if dir, ok := strings.CutPrefix(place, "oci:"); ok {
		digest, err := AttachToLayout(dir, subject, bundle)
		return digest.String(), err
	}
	repo, err := repository(place)
	if err != nil {
		return "", err
	}
	digest, err := Attach(ctx, repo, subject, bundle, more...)
	return digest.String(), err
}

// CheckPlace says why a statement about the image of a report cannot be attached to a
// place, before anything is written; own is a repository of the rebuilder's.
func CheckPlace(place string, own bool, r *report.Report) error {
	if _, err := subjectOf(r); err != nil {
		return err
	}
	dir, layout := strings.CutPrefix(place, "oci:")
	if layout && !own {
		if info, err := os.Stat(filepath.Join(dir, "index.json")); err != nil || !info.Mode().IsRegular() {
			return fmt.Errorf("%w: there is no image layout in the folder %s (without a tag: oci:DIR)", ErrPlace, dir)
		}
		return nil
	}
	_, err := repository(place)
	return err
}

// Repository is the HOST/NAME of docker://HOST/NAME, whatever tag or digest follows.
func Repository(place string) (string, error) {
	repo, err := repository(place)
	if err != nil {
		return "", err
	}
	return repo.String(), nil
}

func repository(place string) (name.Repository, error) {
	reference, ok := strings.CutPrefix(place, "docker://")
	if !ok {
		return name.Repository{}, fmt.Errorf("%w: docker://HOST/NAME belongs here", ErrPlace)
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		return name.Repository{}, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	return ref.Context(), nil
}

// subjectOf describes the manifest of the image, which only some forms have.
func subjectOf(r *report.Report) (v1.Descriptor, error) {
	m := r.Image.ManifestDigest
	digest, err := v1.NewHash(m.Digest)
	if err != nil || m.Origin != image.Computed {
		return v1.Descriptor{}, fmt.Errorf("%w: it was read as %s, which has no manifest that a registry knows; push it, audit it there, and attest that report", ErrPlace, r.Image.Transport)
	}
	kind := types.MediaType(m.MediaType)
	if kind == "" {
		kind = types.OCIManifestSchema1
	}
	return v1.Descriptor{MediaType: kind, Size: m.Size, Digest: digest}, nil
}

// Attach pushes a bundle to a repository as an artifact that refers to an image
// manifest, which need not be there, and reads it back. Of registries that do not list
// referrers themselves two pushes at the same moment can lose one: it is listed again
// until it is there.
func Attach(ctx context.Context, to name.Repository, subject v1.Descriptor, bundle []byte, more ...remote.Option) (v1.Hash, error) {
	a, err := newArtifact(bundle, subject)
	if err != nil {
		return v1.Hash{}, err
	}
	options := append([]remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}, more...)
	for _, blob := range []struct {
		raw  []byte
		kind types.MediaType
	}{{emptyConfig, "application/vnd.oci.empty.v1+json"}, {bundle, statement.BundleType}} {
		if err := remote.WriteLayer(to, static.NewLayer(blob.raw, blob.kind), options...); err != nil {
			return v1.Hash{}, fmt.Errorf("pushing to %s: %w", to, err)
		}
	}
	if err := remote.Put(to.Digest(a.descriptor.Digest.String()), a, options...); err != nil {
		return v1.Hash{}, fmt.Errorf("pushing to %s: %w", to, err)
	}
	for i := range attachTries {
		if i > 0 {
			if err := pause(ctx, 100*time.Millisecond, time.Second); err != nil {
				return v1.Hash{}, err
			}
			if err := listUnderTag(to, subject.Digest, a.descriptor, options); err != nil {
				return v1.Hash{}, fmt.Errorf("pushing to %s: %w", to, err)
			}
		}
		listed, err := isListed(ctx, to, subject.Digest, a.descriptor.Digest, options)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("reading back from %s: %w", to, err)
		}
		if listed {
			return a.descriptor.Digest, nil
		}
	}
	return v1.Hash{}, fmt.Errorf("the registry of %s has the statement and does not list it: others push there at the same time; try again, or push to a repository of your own (--to)", to)
}

// attachTries bounds how often a statement is listed.
const attachTries = 8

// pause waits for a random time: others who push at once do not wait as long.
func pause(ctx context.Context, least, most time.Duration) error {
	return access.Wait(ctx, least+rand.N(most-least))
}

// isListed looks twice whether an artifact is listed, by the registry or under the tag:
// another push may be about to replace the list.
func isListed(ctx context.Context, to name.Repository, subject, artifact v1.Hash, options []remote.Option) (bool, error) {
	is := func(d v1.Descriptor) bool { return d.Digest == artifact }
	for i := range 2 {
		if i > 0 {
			if err := pause(ctx, 50*time.Millisecond, 250*time.Millisecond); err != nil {
				return false, err
			}
		}
		index, err := remote.Referrers(to.Digest(subject.String()), options...)
		if err != nil {
			return false, err
		}
		m, err := index.IndexManifest()
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(m.Manifests, is) {
			continue
		}
		tagged, err := underTag(to, subject, options)
		if err != nil || !slices.ContainsFunc(tagged.Manifests, is) {
			return false, err
		}
	}
	return true, nil
}

// tagOf is under which clients list what refers to a manifest where the registry does
// not (OCI distribution-spec v1.1, "Referrers Tag Schema").
func tagOf(to name.Repository, subject v1.Hash) name.Tag {
	return to.Tag(subject.Algorithm + "-" + subject.Hex)
}

// A tagged is the list under that tag.
type tagged struct{ v1.IndexManifest }

// RawManifest and MediaType are what a registry is given.
func (l tagged) RawManifest() ([]byte, error)        { return compact(l.IndexManifest) }
func (l tagged) MediaType() (types.MediaType, error) { return types.OCIImageIndex, nil }

// underTag reads the list, which is empty where there is none.
func underTag(to name.Repository, subject v1.Hash, options []remote.Option) (tagged, error) {
	list := tagged{v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}}
	d, err := remote.Get(tagOf(to, subject), options...)
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return list, nil
	}
	if err != nil {
		return list, err
	}
	if d.MediaType != types.OCIImageIndex {
		return list, fmt.Errorf("the tag %s is of a %s, and not of a list of referrers", tagOf(to, subject).TagStr(), d.MediaType)
	}
	return list, pass.Decode("list of referrers", d.Manifest, &list.IndexManifest)
}

// listUnderTag adds an artifact to the list, when it is not there. The client that
// pushes does it for registries that do not know the question; some know it, and answer
// that there is nothing.
func listUnderTag(to name.Repository, subject v1.Hash, d v1.Descriptor, options []remote.Option) error {
	list, err := underTag(to, subject, options)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list.Manifests, func(have v1.Descriptor) bool { return have.Digest == d.Digest }) {
		list.Manifests = append(list.Manifests, d)
	}
	slices.SortFunc(list.Manifests, func(a, b v1.Descriptor) int { return cmp.Compare(a.Digest.String(), b.Digest.String()) })
	return remote.Put(tagOf(to, subject), list, options...)
}

// AttachToLayout adds a bundle to an OCI image layout in a folder, as an artifact that
// its index lists. Tools that read a layout without a name may then find more than one
// thing in it.
func AttachToLayout(dir string, subject v1.Descriptor, bundle []byte) (v1.Hash, error) {
	a, err := newArtifact(bundle, subject)
	if err != nil {
		return v1.Hash{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("opening the layout: %w", err)
	}
	defer root.Close()
	info, err := root.Stat("index.json")
	if err == nil && (!info.Mode().IsRegular() || info.Size() > statement.MaxBytes) {
		err = fmt.Errorf("%w: index.json is no file of a layout", ErrPlace)
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading the layout: %w", err)
	}
	raw, err := root.ReadFile("index.json")
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading the layout: %w", err)
	}
	index, err := withEntry(raw, subject.Digest, a.descriptor)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading index.json: %w", err)
	}
	for _, blob := range [][]byte{emptyConfig, bundle, a.manifest} {
		if err := writeNew(root, filepath.Join("blobs", "sha256", digest.Of(blob).Hash().Hex), blob); err != nil {
			return v1.Hash{}, fmt.Errorf("writing into the layout: %w", err)
		}
	}
	const fresh = ".index.json.audit"
	if err := root.WriteFile(fresh, index, info.Mode().Perm()); err != nil {
		return v1.Hash{}, fmt.Errorf("writing into the layout: %w", err)
	}
	if err := root.Rename(fresh, "index.json"); err != nil {
		return v1.Hash{}, errors.Join(fmt.Errorf("writing into the layout: %w", err), root.Remove(fresh))
	}
	return a.descriptor.Digest, nil
}

// withEntry adds an entry to an index, and leaves all else as it is.
func withEntry(raw []byte, subject v1.Hash, d v1.Descriptor) ([]byte, error) {
	var index map[string]json.RawMessage
	var entries []json.RawMessage
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(index["manifests"], &entries); err != nil {
		return nil, fmt.Errorf("manifests: %w", err)
	}
	found := false
	for _, e := range entries {
		var have struct{ Digest string }
		if json.Unmarshal(e, &have) == nil && have.Digest == d.Digest.String() {
			return raw, nil
		}
		found = found || have.Digest == subject.String()
	}
	if !found {
		return nil, fmt.Errorf("it does not list the image %s", subject)
	}
	entry, err := compact(d)
	if err != nil {
		return nil, err
	}
	if index["manifests"], err = compact(append(entries, entry)); err != nil {
		return nil, err
	}
	return compact(index)
}

func writeNew(root *os.Root, path string, raw []byte) error {
	if old, err := root.ReadFile(path); err == nil && bytes.Equal(old, raw) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.WriteFile(path, raw, 0o644)
}

package inspect

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	inToto        = "application/vnd.in-toto+json"
	simpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
)

// registryOf starts a registry and pushes an image to it.
func registryOf(t *testing.T, handler http.Handler) (name.Repository, v1.Descriptor) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	repo, err := name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/lab/image")
	if err != nil {
		t.Fatal(err)
	}
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	if err := remote.Write(repo.Tag("1"), image); err != nil {
		t.Fatal(err)
	}
	subject, err := partial.Descriptor(image)
	if err != nil {
		t.Fatal(err)
	}
	return repo, *subject
}

func newRegistry(known bool) http.Handler {
	return registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(known))
}

// found lists the documents beside an image.
func found(img *Image) string {
	var all []string
	for _, a := range img.Attestations {
		about := "image"
		if a.Refers != img.Manifest.Digest {
			about = "other"
		}
		all = append(all, fmt.Sprintf("%s of %s: %s", a.Place, about, a.Raw))
	}
	return strings.Join(all, "; ")
}

// Statements that refer to an image are read with it, whether the registry knows the
// question or lists them under a tag; other artifacts are not.
func TestReferrers(t *testing.T) {
	for _, known := range []bool{true, false} {
		repo, subject := registryOf(t, newRegistry(known))
		refer(t, repo, subject, inToto, `{"_type":"statement"}`, nil)
		refer(t, repo, subject, "application/vnd.example.picture", `{"a":"picture"}`, nil)
		img := mustOpen(t, "docker://"+repo.String()+":1")
		if got := found(img); got != `referrer of image: {"_type":"statement"}` || img.MoreAttestations {
			t.Errorf("known %t: %s", known, got)
		}
		if rules(img) != overHTTP {
			t.Errorf("known %t: findings %q", known, rules(img))
		}
	}
}

// What refers to a manifest of statements signs these.
func TestReferrersOfReferrers(t *testing.T) {
	repo, subject := registryOf(t, newRegistry(true))
	statements := refer(t, repo, subject, inToto, `{"_type":"statement"}`, nil)
	refer(t, repo, statements, "application/vnd.dev.sigstore.bundle.v0.3+json", `{"a":"bundle"}`, nil)
	img := mustOpen(t, "docker://"+repo.String()+":1")
	if got := found(img); got != `referrer of image: {"_type":"statement"}; referrer of other: {"a":"bundle"}` {
		t.Error(got)
	}
}

// What cosign 1 and 2 tag is found by its tag, which depends on the digest alone.
func TestTagsOfCosign(t *testing.T) {
	repo, subject := registryOf(t, newRegistry(true))
	for end, text := range map[string]string{".sig": `{"critical":{}}`, ".att": `{"payload":""}`} {
		artifact := artifactOf(t, simpleSigning, text, map[string]string{"dev.cosignproject.cosign/signature": "c2ln"})
		if err := remote.Write(repo.Tag(strings.Replace(subject.Digest.String(), ":", "-", 1)+end), artifact); err != nil {
			t.Fatal(err)
		}
	}
	img := mustOpen(t, "docker://"+repo.String()+":1")
	if got := found(img); got != `tag of image: {"critical":{}}; tag of image: {"payload":""}` {
		t.Error(got)
	}
	if got := img.Attestations[0].Annotations["dev.cosignproject.cosign/signature"]; got != "c2ln" {
		t.Errorf("signature %q", got)
	}
}

// A registry may know the question, answer that there is nothing, and have the tag.
func TestEmptyAnswer(t *testing.T) {
	inner := newRegistry(false)
	repo, subject := registryOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/referrers/") && r.Method == http.MethodGet && strings.Contains(r.Header.Get("User-Agent"), "Go-http-client") {
			w.Header().Set("Content-Type", string(types.OCIImageIndex))
			fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	refer(t, repo, subject, inToto, `{"_type":"statement"}`, nil)
	if got := found(mustOpen(t, "docker://"+repo.String()+":1")); got != `referrer of image: {"_type":"statement"}` {
		t.Error(got)
	}
}

// A list of several pages is read to its end, and one that has none is not taken for
// all that there is.
func TestPagesOfReferrers(t *testing.T) {
	for _, endless := range []bool{false, true} {
		inner := newRegistry(true)
		repo, subject := registryOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") && (endless || r.URL.Query().Get("page") == "") {
				w.Header().Set("Content-Type", string(types.OCIImageIndex))
				w.Header().Set("Link", `</v2/lab/image/referrers/x?page=2>; rel="next"`)
				fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
				return
			}
			inner.ServeHTTP(w, r)
		}))
		refer(t, repo, subject, inToto, `{"_type":"statement"}`, nil)
		img := mustOpen(t, "docker://"+repo.String()+":1")
		if !endless && found(img) != `referrer of image: {"_type":"statement"}` || img.MoreAttestations != endless {
			t.Errorf("endless %t: %s, more %t", endless, found(img), img.MoreAttestations)
		}
	}
}

// That there are more than are read is said, and so is a list that is no list.
func TestTooManyReferrers(t *testing.T) {
	var index strings.Builder
	for i := range 150 {
		fmt.Fprintf(&index, `,{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"sha256:%064d"}`, i)
	}
	for text, want := range map[string]string{
		`{"schemaVersion":2,"manifests":[` + index.String()[1:] + `]}`: "too-many-referrers",
		`no list`: "referrers-unread",
	} {
		inner := newRegistry(true)
		repo, _ := registryOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				fmt.Fprint(w, text)
				return
			}
			inner.ServeHTTP(w, r)
		}))
		img := mustOpen(t, "docker://"+repo.String()+":1")
		if !img.MoreAttestations || !strings.Contains(rules(img), want) {
			t.Errorf("%q, more %t, want %s", rules(img), img.MoreAttestations, want)
		}
	}
}

func artifactOf(t *testing.T, kind, text string, annotations map[string]string) v1.Image {
	t.Helper()
	artifact, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer: static.NewLayer([]byte(text), types.MediaType(kind)), Annotations: annotations,
	})
	if err != nil {
		t.Fatal(err)
	}
	return mutate.ConfigMediaType(artifact, types.MediaType(kind))
}

// refer pushes an artifact that refers to a manifest.
func refer(t *testing.T, repo name.Repository, subject v1.Descriptor, kind, text string, annotations map[string]string) v1.Descriptor {
	t.Helper()
	artifact := mutate.Subject(artifactOf(t, kind, text, annotations), subject).(v1.Image)
	d, err := partial.Descriptor(artifact)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(repo.Digest(d.Digest.String()), artifact); err != nil {
		t.Fatal(err)
	}
	return *d
}

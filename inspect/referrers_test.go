package inspect

import (
	"io"
	"log"
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

// Statements that refer to an image are read with it, whether the registry
// knows the question or lists them under a tag; other artifacts are not.
func TestReferrers(t *testing.T) {
	for _, known := range []bool{true, false} {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(known)))
		defer server.Close()
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
		refer(t, repo, *subject, "application/vnd.in-toto+json", `{"_type":"statement"}`, map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"})
		refer(t, repo, *subject, "application/vnd.example.picture", `{"a":"picture"}`, nil)

		img := mustOpen(t, "docker://"+repo.String()+":1")
		if len(img.Attestations) != 1 || string(img.Attestations[0].Statement) != `{"_type":"statement"}` || img.Attestations[0].PredicateType != "https://slsa.dev/provenance/v1" ||
			img.Attestations[0].Subject != img.Manifest.Digest {
			t.Errorf("known %t: %+v", known, img.Attestations)
		}
		if rules(img) != "" {
			t.Errorf("known %t: findings %q", known, rules(img))
		}
	}
}

// refer pushes an artifact that refers to an image.
func refer(t *testing.T, repo name.Repository, subject v1.Descriptor, kind, text string, annotations map[string]string) {
	t.Helper()
	artifact, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer: static.NewLayer([]byte(text), types.MediaType(kind)), Annotations: annotations,
	})
	if err != nil {
		t.Fatal(err)
	}
	artifact = mutate.ConfigMediaType(artifact, types.MediaType(kind))
	artifact = mutate.Subject(artifact, subject).(v1.Image)
	digest, err := artifact.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(repo.Digest(digest.String()), artifact); err != nil {
		t.Fatal(err)
	}
}

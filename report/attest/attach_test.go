package attest

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect"
	"audit/inspect/digest"
)

func repositoryOf(t *testing.T, referrers bool) (name.Repository, v1.Descriptor) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
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

// Eight rebuilders push at once, and all are found with the image, whether the registry
// lists referrers itself or not.
func TestAttachAtOnce(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		repo, subject := repositoryOf(t, referrers)
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				if _, err := Attach(t.Context(), repo, subject, fmt.Appendf(nil, `{"bundle":%d}`, i)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		img, err := inspect.Open(t.Context(), "docker://"+repo.String()+":1", inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if referrers && len(img.Attestations) != 8 || len(img.Attestations) < 1 {
			t.Errorf("referrers %t: %d statements found", referrers, len(img.Attestations))
		}
	}
}

// A rebuilder's own repository has the statement, and not the image.
func TestAttachElsewhere(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		theirs, subject := repositoryOf(t, true)
		ours, _ := repositoryOf(t, referrers)
		ours = ours.Registry.Repo("statements")
		first, err := Attach(t.Context(), ours, subject, []byte(`{"a":"bundle"}`))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Attach(t.Context(), ours, subject, []byte(`{"a":"bundle"}`))
		if err != nil || first != again {
			t.Errorf("%v, then %v: %v", first, again, err)
		}
		img, err := inspect.Open(t.Context(), "docker://"+theirs.String()+":1", inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(img.Attestations) != 0 {
			t.Errorf("%d statements in the image's own repository", len(img.Attestations))
		}
		if err := inspect.AddStatements(t.Context(), img, ours.String(), inspect.Options{}); err != nil {
			t.Fatal(err)
		}
		if len(img.Attestations) != 1 || string(img.Attestations[0].Raw) != `{"a":"bundle"}` {
			t.Errorf("%+v", img.Attestations)
		}
	}
}

func TestAttachToLayout(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}`
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":%q},"layers":[]}`,
		types.OCIManifestSchema1, len(config), digest.Of([]byte(config)).Hash())
	subject := v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: int64(len(manifest)), Digest: digest.Of([]byte(manifest)).Hash()}
	write("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	write("index.json", fmt.Sprintf(`{"schemaVersion":2,"kept":"as it is","manifests":[{"mediaType":%q,"size":%d,"digest":%q}]}`, subject.MediaType, subject.Size, subject.Digest))
	for _, blob := range []string{config, manifest} {
		write("blobs/sha256/"+digest.Of([]byte(blob)).Hash().Hex, blob)
	}
	for range 2 { // the second time nothing is added
		if _, err := AttachToLayout(dir, subject, []byte(`{"a":"bundle"}`)); err != nil {
			t.Fatal(err)
		}
		img, err := inspect.Open(t.Context(), dir, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(img.Attestations) != 1 || string(img.Attestations[0].Raw) != `{"a":"bundle"}` || img.Attestations[0].Refers != subject.Digest {
			t.Errorf("%+v", img.Attestations)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "index.json")); err != nil || !strings.Contains(string(raw), `"kept":"as it is"`) {
		t.Errorf("%s, %v", raw, err)
	}
	if _, err := AttachToLayout(dir, v1.Descriptor{Digest: hash("1")}, []byte(`{}`)); err == nil || !strings.Contains(err.Error(), "does not list the image") {
		t.Error(err)
	}
}

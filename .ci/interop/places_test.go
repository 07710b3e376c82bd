package interop

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ociremote "github.com/sigstore/cosign/v3/pkg/oci/remote"
	ctypes "github.com/sigstore/cosign/v3/pkg/types"

	"audit/inspect"
	"audit/provenance/evidence"
	"audit/provenance/statement"
	"audit/report/attest"
)

// copyTag lets another tag name what a tag names.
func copyTag(t *testing.T, repo name.Repository, from, to string) {
	t.Helper()
	d, err := remote.Get(repo.Tag(from))
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Put(repo.Tag(to), d); err != nil {
		t.Fatal(err)
	}
}

// Under the tag of several platforms a statement about one of them is found by audit
// for that platform alone, and by cosign by the digest of the platform's manifest. One
// about the index is about no platform.
func TestPlatforms(t *testing.T) {
	for _, kind := range kinds() {
		if !kind.asks {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			repo := repositoryAt(t, kind.start(t), "lab/image")
			index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
			for _, architecture := range []string{"amd64", "arm64"} {
				index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: newImage(t, architecture),
					Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
			}
			if err := remote.WriteIndex(repo.Tag("all"), index); err != nil {
				t.Fatal(err)
			}
			list, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			key, reference := keys(t)["ed25519"], repo.String()+":all"
			amd64 := list.Manifests[0]
			if _, err := attest.Attach(t.Context(), repo, amd64, bundleOf(t, statementAbout(amd64.Digest), key)); err != nil {
				t.Fatal(err)
			}
			if err := byCosign(t, repo.String()+"@"+amd64.Digest.String(), key.Public()); err != nil {
				t.Error(err)
			}
			if err := byCosign(t, reference, key.Public()); err == nil {
				t.Error("cosign finds it by the tag: the printed command may say that")
			}
			for platform, want := range map[string]string{"linux/amd64": `referrer sigstore-bundle about "manifest"; verified ed25519`, "linux/arm64": ""} {
				if got := onPlatform(t, reference, platform, key.Public()); got != want {
					t.Errorf("%s: %s, want %s", platform, got, want)
				}
			}
			digest, err := index.Digest()
			if err != nil {
				t.Fatal(err)
			}
			size, err := index.Size()
			if err != nil {
				t.Fatal(err)
			}
			whole := v1.Descriptor{MediaType: types.OCIImageIndex, Digest: digest, Size: size}
			if _, err := attest.Attach(t.Context(), repo, whole, bundleOf(t, statementAbout(digest), key)); err != nil {
				t.Fatal(err)
			}
			if err := byCosign(t, reference, key.Public()); err != nil {
				t.Error(err)
			}
			if got, want := onPlatform(t, reference, "linux/arm64", key.Public()), `referrer sigstore-bundle about "index"; verified ed25519`; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func onPlatform(t *testing.T, reference, platform string, key statement.Key) string {
	t.Helper()
	img, err := inspect.Open(t.Context(), "docker://"+reference, inspect.Options{Platform: platform})
	if err != nil {
		t.Fatal(err)
	}
	return summary(evidence.Of(img, nil, trusting(key)))
}

// What BuildKit wrote beside an image, unsigned, is signed by who signs its manifest,
// as Docker does: with a bundle, and with cosign's older form.
func TestSecondHop(t *testing.T) {
	key, stranger := keys(t)["ed25519"], keys(t)["ed25519"]
	c := newCosigner(t)
	for _, kind := range kinds() {
		if !kind.asks {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			repo := repositoryAt(t, kind.start(t), "docker/image")
			const sample = "../../fixtures/docker/buildkit-git-provenance.oci.tar"
			copying := exec.CommandContext(t.Context(), "skopeo", "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false", "oci-archive:"+sample, "docker://"+repo.String()+":1")
			if out, err := copying.CombinedOutput(); err != nil {
				t.Fatalf("skopeo: %v: %s", err, out)
			}
			before := statementsOf(t, "docker://"+repo.String()+":1", trusting(key.Public()))
			if got := summary(before); got != `index statement about "manifest"` {
				t.Fatal(got)
			}
			d := attestationManifest(t, repo)
			if _, err := attest.Attach(t.Context(), repo, d, bundleOf(t, statementOf(d.Digest, ctypes.CosignSignPredicateType), key)); err != nil {
				t.Fatal(err)
			}
			if err := byCosign(t, repo.String()+"@"+d.Digest.String(), key.Public()); err != nil {
				t.Error(err)
			}
			signed := `index statement about "manifest"; verified ed25519 statement/by-its-manifest` + "\n" + `referrer sigstore-bundle about "statements"; verified ed25519`
			if got := summary(statementsOf(t, "docker://"+repo.String()+":1", trusting(key.Public()))); got != signed {
				t.Errorf("%s\nwant %s", got, signed)
			}
			if got := summary(statementsOf(t, "docker://"+repo.String()+":1", trusting(stranger.Public()))); strings.Contains(got, "verified "+key.Public().Name) {
				t.Errorf("by a stranger: %s", got)
			}
			digest := repo.Digest(d.Digest.String())
			if err := ociremote.WriteSignaturesExperimentalOCI(digest, c.entity(t, digest, statementAbout(d.Digest))); err != nil {
				t.Fatal(err)
			}
			if got := summary(statementsOf(t, "docker://"+repo.String()+":1", trusting(c.public))); !strings.Contains(got, `index statement about "manifest"; untrusted  statement/unknown-signer; verified cosign statement/by-its-manifest`) {
				t.Error(got)
			}
		})
	}
}

// attestationManifest is that of the image under tag 1.
func attestationManifest(t *testing.T, repo name.Repository) v1.Descriptor {
	t.Helper()
	index, err := remote.Index(repo.Tag("1"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list.Manifests {
		if d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			d.Platform, d.Annotations = nil, nil
			return d
		}
	}
	t.Fatal("the sample has no attestation manifest")
	return v1.Descriptor{}
}

package evidence

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/provenance/statement"
	"audit/provenance/statement/keyless"
)

const manifest = `{"an":"image"}`

// image is one whose manifest is known, with documents beside it.
func imageWith(beside ...image.Attestation) *inspect.Image {
	img := &inspect.Image{Index: digest.Of([]byte("index")).Hash(), Archive: digest.Of([]byte("file")).Hash(), Attestations: beside}
	img.Manifest = image.Manifest{Digest: digest.Of([]byte(manifest)).Hash(), Origin: image.Computed}
	img.Config.Digest = digest.Of([]byte("config")).Hash()
	img.Config.File.RootFS.DiffIDs = []v1.Hash{digest.Of([]byte("layer")).Hash()}
	img.Layers = []*inspect.Layer{{DiffID: digest.Of([]byte("layer")).Hash(), ClaimedDiffID: digest.Of([]byte("layer")).Hash()}}
	return img
}

// beside is a document that lies beside an image, listed by a manifest of its own.
func beside(kind, text string, annotations map[string]string) image.Attestation {
	raw := []byte("manifest of " + text)
	return image.Attestation{Place: image.Referring, Manifest: digest.Of(raw).Hash(), ManifestRaw: raw, MediaType: types.MediaType(kind),
		Digest: digest.Of([]byte(text)).Hash(), Annotations: annotations, Raw: []byte(text)}
}

// about is a statement about bytes.
func about(what string) string {
	return fmt.Sprintf(`{"_type":%q,"subject":[{"digest":{"sha256":"%x"}}],"predicateType":"https://example.org/p"}`, statement.TypeV1, sha256.Sum256([]byte(what)))
}

func key(t *testing.T, name string) *statement.PrivateKey {
	t.Helper()
	k, _, err := statement.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func bundle(t *testing.T, text string, k *statement.PrivateKey) string {
	t.Helper()
	e, err := statement.Sign(statement.PayloadType, []byte(text), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := statement.NewBundle(e, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// words says in a line what was found of a statement.
func words(s Statement) string {
	text := fmt.Sprintf("%s %s", s.Form, s.About)
	for _, g := range s.Signatures {
		text += fmt.Sprintf("; %s %s %s", g.Status, g.Signer, g.Why.Code)
	}
	return text + s.Unread.Code
}

func TestStatements(t *testing.T) {
	a, stranger := key(t, "a"), key(t, "stranger")
	good := bundle(t, about(manifest), a)
	payload := fmt.Sprintf(`{"critical":{"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"}}`, digest.Of([]byte(manifest)).Hash())
	for _, c := range []struct {
		name     string
		document image.Attestation
		want     string
	}{
		{"bare", beside("application/vnd.in-toto+json", about(manifest), nil), "statement manifest"},
		{"about the config", beside("", about("config"), nil), "statement config"},
		{"about the file", beside("", about("file"), nil), "statement archive"},
		{"about the index", beside("", about("index"), nil), "statement index"},
		{"about something else, whatever lies beside it", beside("", about("other"), map[string]string{"predicateType": "https://slsa.dev/provenance/v1"}), "statement "},
		{"about a layer, which other images have", beside("", about("layer"), nil), "statement "},
		{"signed", beside(statement.BundleType, good, nil), "sigstore-bundle manifest; verified a "},
		{"by a stranger", beside("", bundle(t, about(manifest), stranger), nil), "sigstore-bundle manifest; untrusted  statement/unknown-signer"},
		{"by the key that it names, and changed", beside("", strings.Replace(good, `"sig":"`, `"sig":"AAAA`, 1), nil), "sigstore-bundle manifest; invalid a statement/invalid-signature"},
		{"no JSON", beside("", "nothing", nil), " statement/unreadable"},
		{"other bytes than its digest", image.Attestation{Digest: digest.Of([]byte("x")).Hash(), Raw: []byte("y")}, " statement/other-digest"},
		{"not there", image.Attestation{Digest: digest.Of([]byte("x")).Hash()}, " statement/not-read"},
		{"COSE", beside(statement.NotationCOSE, "x", nil), "notation ; not-verified  statement/cose"},
		{"simple signing without a signature", beside(statement.SimpleSigningType, payload, nil), "simple-signing manifest; invalid  statement/no-signature"},
		{"simple signing by a stranger", beside(statement.SimpleSigningType, payload, map[string]string{statement.SimpleSigningAnnotation: base64.StdEncoding.EncodeToString([]byte("x"))}), "simple-signing manifest; untrusted  statement/unknown-signer"},
	} {
		all := Of(imageWith(c.document), nil, Trust{Keys: []statement.Key{a.Public()}, Now: time.Now()})
		if len(all) != 1 || words(all[0]) != c.want {
			t.Errorf("%s: %q, want %q", c.name, words(all[0]), c.want)
		}
	}
}

// With no key nothing is verified, and nobody is called a stranger.
func TestNoKeys(t *testing.T) {
	all := Of(imageWith(beside("", bundle(t, about(manifest), key(t, "a")), nil)), nil, Trust{})
	if got := words(all[0]); got != "sigstore-bundle manifest; not-verified  statement/no-key" {
		t.Error(got)
	}
}

// A signature over the manifest that lists statements is one over these.
func TestSecondHop(t *testing.T) {
	a := key(t, "a")
	bare := beside("application/vnd.in-toto+json", about(manifest), nil)
	text := about("manifest of " + about(manifest))
	over := beside(statement.BundleType, bundle(t, strings.Replace(text, "https://example.org/p", statement.SignType, 1), a), nil)
	trust := Trust{Keys: []statement.Key{a.Public()}}
	all := Of(imageWith(bare, over), nil, trust)
	if got := words(all[0]); got != "statement manifest; verified a statement/by-its-manifest" {
		t.Error(got)
	}
	if got := words(all[1]); got != "sigstore-bundle statements; verified a " {
		t.Error(got)
	}
	scanned := beside(statement.BundleType, bundle(t, text, a), nil) // which says something else of it
	if got := words(Of(imageWith(bare, scanned), nil, trust)[0]); got != "statement manifest" {
		t.Error(got)
	}
	bare.ManifestRaw = []byte("another manifest") // than its digest says
	if got := words(Of(imageWith(bare, over), nil, trust)[0]); got != "statement manifest" {
		t.Error(got)
	}
}

// An image whose config describes other layers is not bound by it.
func TestConfigOfOtherLayers(t *testing.T) {
	img := imageWith(beside("", about("config"), nil))
	img.Layers[0].ClaimedDiffID = digest.Of([]byte("another layer")).Hash()
	if got := words(Of(img, nil, Trust{})[0]); got != "statement " {
		t.Error(got)
	}
}

func TestKeyless(t *testing.T) {
	envelope := bundle(t, about(manifest), key(t, "a"))
	text := strings.Replace(envelope, `"publicKey":{"hint":`, `"certificate":{"rawBytes":`, 1)
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "verified me@example.org "}, {keyless.ErrIdentity, "untrusted me@example.org statement/unknown-identity"},
		{errors.New("no log has it"), "invalid me@example.org statement/keyless-refused"},
	} {
		trust := Trust{Keyless: func([]byte) (string, error) { return "me@example.org", c.err }}
		if got := words(Of(imageWith(beside("", text, nil)), nil, trust)[0]); got != "sigstore-bundle manifest; "+c.want {
			t.Error(got)
		}
	}
	if got := words(Of(imageWith(beside("", text, nil)), nil, Trust{})[0]); got != "sigstore-bundle manifest; not-verified  statement/no-trusted-root" {
		t.Error(got)
	}
}

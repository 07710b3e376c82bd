package interop

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-core-go/testhelper"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	cbundle "github.com/sigstore/cosign/v3/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v3/pkg/oci"
	"github.com/sigstore/cosign/v3/pkg/oci/mutate"
	ociremote "github.com/sigstore/cosign/v3/pkg/oci/remote"
	"github.com/sigstore/cosign/v3/pkg/oci/static"
	ctypes "github.com/sigstore/cosign/v3/pkg/types"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	sigsig "github.com/sigstore/sigstore/pkg/signature"
	sigdsse "github.com/sigstore/sigstore/pkg/signature/dsse"
	"github.com/sigstore/sigstore/pkg/signature/payload"

	"audit/provenance/evidence"
	"audit/provenance/statement"
)

// A cosigner signs as cosign does with a key pair that it made.
type cosigner struct {
	sigsig.SignerVerifier
	public statement.Key
}

func newCosigner(t *testing.T) cosigner {
	t.Helper()
	password := []byte("secret")
	pair, err := cosign.GenerateKeyPair(func(bool) ([]byte, error) { return password, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := statement.ParsePrivateKey("cosign", pair.PrivateBytes); err == nil || !strings.Contains(err.Error(), "it is encrypted (ENCRYPTED SIGSTORE PRIVATE KEY)") {
		t.Errorf("cosign's private key: %v", err)
	}
	signer, err := cosign.LoadPrivateKey(pair.PrivateBytes, password, nil)
	if err != nil {
		t.Fatal(err)
	}
	public, err := statement.ParseKey("cosign", pair.PublicBytes)
	if err != nil {
		t.Fatal(err)
	}
	return cosigner{signer, public}
}

// The methods by which sigstore-go asks a key for signatures.
func (c cosigner) GetHashAlgorithm() protocommon.HashAlgorithm {
	return protocommon.HashAlgorithm_SHA2_256
}
func (c cosigner) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}
func (c cosigner) GetHint() []byte {
	id := c.public.ID()
	return []byte(base64.StdEncoding.EncodeToString(id[:]))
}
func (c cosigner) GetKeyAlgorithm() string { return "ECDSA" }
func (c cosigner) GetPublicKey() crypto.PublicKey {
	public, err := c.PublicKey()
	if err != nil {
		panic(err)
	}
	return public
}
func (c cosigner) GetPublicKeyPem() (string, error) { return string(c.public.PEM()), nil }
func (c cosigner) SignData(_ context.Context, data []byte) ([]byte, []byte, error) {
	sum := sha256.Sum256(data)
	sig, err := c.SignMessage(bytes.NewReader(data))
	return sig, sum[:], err
}

// bundle is what `cosign sign` and `cosign attest` with a key and without a log write.
func (c cosigner) bundle(t *testing.T, payload []byte) []byte {
	t.Helper()
	services, err := root.NewSigningConfig(root.SigningConfigMediaType02, nil, nil, nil, root.ServiceConfiguration{}, nil, root.ServiceConfiguration{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := cbundle.SignData(t.Context(), &sign.DSSEData{Data: payload, PayloadType: statement.PayloadType}, c, "", nil, nil, services, nil, cbundle.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// envelope is the older form of an attestation.
func (c cosigner) envelope(t *testing.T, payload []byte) oci.Signature {
	t.Helper()
	raw, err := sigdsse.WrapSigner(c, statement.PayloadType).SignMessage(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	att, err := static.NewAttestation(raw, static.WithLayerMediaType(ctypes.DssePayloadType))
	if err != nil {
		t.Fatal(err)
	}
	return att
}

// signature is the older form of a signature.
func (c cosigner) signature(t *testing.T, image name.Digest) oci.Signature {
	t.Helper()
	text, err := json.Marshal(payload.Cosign{Image: image})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.SignMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := static.NewSignature(text, base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// entity is an image with an older signature and an older attestation.
func (c cosigner) entity(t *testing.T, digest name.Digest, text []byte) oci.SignedEntity {
	t.Helper()
	entity, err := ociremote.SignedEntity(digest)
	if err == nil {
		entity, err = mutate.AttachSignatureToEntity(entity, c.signature(t, digest))
	}
	if err == nil {
		entity, err = mutate.AttachAttestationToEntity(entity, c.envelope(t, text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return entity
}

// All that cosign writes with a key is found and verified: a bundle, the tags of
// versions 1 and 2, and what it lets refer to the image in their stead.
func TestOfCosign(t *testing.T) {
	c, stranger := newCosigner(t), newCosigner(t)
	for _, kind := range kinds() {
		if !kind.asks {
			continue // cosign would lose what it writes there
		}
		for _, form := range []struct {
			name  string
			write func(t *testing.T, d name.Digest, text []byte) error
			want  []string // forms
		}{
			{"a bundle", func(t *testing.T, d name.Digest, text []byte) error {
				return ociremote.WriteAttestationNewBundleFormat(d, c.bundle(t, text), predicateType)
			}, []string{`referrer sigstore-bundle about "manifest"`}},
			{"tags", func(t *testing.T, d name.Digest, text []byte) error {
				entity := c.entity(t, d, text)
				if err := ociremote.WriteSignatures(d.Repository, entity); err != nil {
					return err
				}
				return ociremote.WriteAttestations(d.Repository, entity)
			}, []string{`tag simple-signing about "manifest"`, `tag dsse about "manifest"`}},
			{"referrers with the older forms", func(t *testing.T, d name.Digest, text []byte) error {
				entity := c.entity(t, d, text)
				if err := ociremote.WriteSignaturesExperimentalOCI(d, entity); err != nil {
					return err
				}
				return ociremote.WriteAttestationsReferrer(d, entity)
			}, []string{`referrer simple-signing about "manifest"`, `referrer dsse about "manifest"`}},
		} {
			t.Run(kind.name+", "+form.name, func(t *testing.T) {
				repo := repositoryAt(t, kind.start(t), "lab/image")
				subject := pushed(t, repo)
				if err := form.write(t, repo.Digest(subject.Digest.String()), statementAbout(subject.Digest)); err != nil {
					t.Fatal(err)
				}
				for _, trust := range []struct {
					keys []statement.Key
					want string
				}{
					{[]statement.Key{c.public}, "; verified cosign"},
					{[]statement.Key{stranger.public}, "; untrusted  statement/unknown-signer"},
					{nil, "; not-verified  statement/no-key"},
				} {
					got := summary(statementsOf(t, "docker://"+repo.String()+":1", trusting(trust.keys...)))
					for _, want := range form.want {
						if !strings.Contains(got, want+trust.want) || strings.Count(got, "\n")+1 != len(form.want) {
							t.Errorf("%s\nwant %s%s", got, want, trust.want)
						}
					}
				}
			})
		}
	}
}

// What cosign put there for one image, and somebody copied beside another, is about
// the first.
func TestOfCosignCopied(t *testing.T) {
	c := newCosigner(t)
	repo := repositoryAt(t, serve(t, inProcess(true)), "lab/image")
	first := pushed(t, repo)
	digest := repo.Digest(first.Digest.String())
	second := pushed(t, repo)
	refer(t, repo, second, statement.BundleType, statement.BundleType, c.bundle(t, statementAbout(first.Digest)))
	entity := c.entity(t, digest, statementAbout(first.Digest))
	if err := ociremote.WriteSignatures(repo, entity); err != nil {
		t.Fatal(err)
	}
	tag := "sha256-" + first.Digest.Hex + ".sig"
	copied := strings.Replace(tag, first.Digest.Hex, second.Digest.Hex, 1)
	copyTag(t, repo, tag, copied)
	got := summary(statementsOf(t, "docker://"+repo.String()+":1", trusting(c.public)))
	for _, want := range []string{`referrer sigstore-bundle about ""; verified cosign`, `tag simple-signing about ""; verified cosign`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// A notary signs as notation does.
type notary struct {
	roots *x509.CertPool
	chain []*x509.Certificate
	key   crypto.PrivateKey
}

func notaries() map[string]notary {
	pool := func(c *x509.Certificate) *x509.CertPool {
		roots := x509.NewCertPool()
		roots.AddCert(c)
		return roots
	}
	rsa, rsaRoot := testhelper.GetRSALeafCertificate(), testhelper.GetRSARootCertificate()
	ec, ecRoot := testhelper.GetECLeafCertificate(), testhelper.GetECRootCertificate()
	return map[string]notary{
		"rsa": {pool(rsaRoot.Cert), []*x509.Certificate{rsa.Cert, rsaRoot.Cert}, rsa.PrivateKey},
		"ec":  {pool(ecRoot.Cert), []*x509.Certificate{ec.Cert, ecRoot.Cert}, ec.PrivateKey},
	}
}

func (n notary) sign(t *testing.T, content []byte, signed, expires time.Time) []byte {
	t.Helper()
	signer, err := signature.NewLocalSigner(n.chain, n.key)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := signature.NewEnvelope(jws.MediaTypeEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := envelope.Sign(&signature.SignRequest{
		Payload: signature.Payload{ContentType: "application/vnd.cncf.notary.payload.v1+json", Content: content},
		Signer:  signer, SigningTime: signed, Expiry: expires, SigningScheme: signature.SigningSchemeX509, SigningAgent: "interop"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What notation signs is verified against its root; and not against another root, once
// it expired, when it was changed, or for another image.
func TestOfNotation(t *testing.T) {
	all := notaries()
	now := time.Now()
	for kind, n := range all {
		other := all[map[string]string{"rsa": "ec", "ec": "rsa"}[kind]]
		for _, c := range []struct {
			name    string
			digest  string // "" for that of the image
			expires time.Time
			root    *x509.CertPool
			now     time.Time
			change  func([]byte) []byte
			want    string
		}{
			{"good", "", time.Time{}, n.roots, now, nil, `about "manifest"; verified notary`},
			{"another root", "", time.Time{}, other.roots, now, nil, `about "manifest"; untrusted  statement/chain-refused`},
			{"no root", "", time.Time{}, nil, now, nil, `about "manifest"; not-verified  statement/no-trusted-root`},
			{"not yet expired", "", now.Add(time.Hour), n.roots, now, nil, `about "manifest"; verified notary`},
			{"expired", "", now.Add(time.Hour), n.roots, now.Add(2 * time.Hour), nil, `about "manifest"; untrusted  statement/chain-refused`},
			{"expired certificate", "", time.Time{}, n.roots, now.AddDate(200, 0, 0), nil, `about "manifest"; untrusted  statement/chain-refused`},
			{"another image", "sha256:" + strings.Repeat("a", 64), time.Time{}, n.roots, now, nil, `about ""; verified notary`},
			{"changed", "", time.Time{}, n.roots, now, swapDigest, `about ""; invalid  statement/invalid-signature`},
		} {
			t.Run(kind+", "+c.name, func(t *testing.T) {
				repo := repositoryAt(t, serve(t, inProcess(false)), "lab/image")
				subject := pushed(t, repo)
				digest := subject.Digest.String()
				if c.digest != "" {
					digest = c.digest
				}
				content := fmt.Appendf(nil, `{"targetArtifact":{"mediaType":%q,"digest":%q,"size":%d}}`, subject.MediaType, digest, subject.Size)
				raw := n.sign(t, content, now, c.expires)
				if c.change != nil {
					raw = c.change(raw)
				}
				refer(t, repo, subject, "application/vnd.cncf.notary.signature", jws.MediaTypeEnvelope, raw)
				trust := evidence.Trust{Now: c.now}
				if c.root != nil {
					trust.Roots = map[string]*x509.CertPool{"notary": c.root}
				}
				if got := summary(statementsOf(t, "docker://"+repo.String()+":1", trust)); got != "referrer notation "+c.want {
					t.Errorf("%s\nwant %s", got, c.want)
				}
			})
		}
	}
}

// swapDigest lets a signature of notation name another digest.
func swapDigest(raw []byte) []byte {
	var envelope map[string]json.RawMessage
	var text string
	if err := json.Unmarshal(raw, &envelope); err != nil {
		panic(err)
	}
	if err := json.Unmarshal(envelope["payload"], &text); err != nil {
		panic(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	i := bytes.Index(payload, []byte("sha256:")) + len("sha256:")
	copy(payload[i:], strings.Repeat("a", 64))
	envelope["payload"] = fmt.Appendf(nil, "%q", base64.RawURLEncoding.EncodeToString(payload))
	out, err := json.Marshal(envelope)
	if err != nil {
		panic(err)
	}
	return out
}

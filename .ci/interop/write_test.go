package interop

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"audit/provenance/statement"
	"audit/report/attest"
)

// bySigstore verifies a bundle with sigstore-go, for a digest and a key.
func bySigstore(t *testing.T, raw []byte, digest v1.Hash, key statement.Key) error {
	t.Helper()
	verifier, err := signature.LoadVerifier(publicKey(t, key), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
	v, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := hex.DecodeString(digest.Hex)
	if err != nil {
		t.Fatal(err)
	}
	b := new(bundle.Bundle)
	if err := b.UnmarshalJSON(raw); err != nil {
		return err
	}
	_, err = v.Verify(b, verify.NewPolicy(verify.WithArtifactDigest("sha256", sum), verify.WithKey()))
	return err
}

// byCosign verifies the attestations of an image with cosign's library, as
// `cosign verify-attestation --key KEY --insecure-ignore-tlog` does.
func byCosign(t *testing.T, reference string, key statement.Key) error {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signature.LoadVerifier(publicKey(t, key), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = cosign.VerifyImageAttestations(t.Context(), ref, &cosign.CheckOpts{
		SigVerifier: verifier, IgnoreTlog: true, NewBundleFormat: true, ClaimVerifier: cosign.IntotoSubjectClaimVerifier})
	return err
}

// A bundle of audit is verified by sigstore-go and by openssl, and by neither for
// another digest, another key or another payload.
func TestOurBundle(t *testing.T) {
	for kind, key := range keys(t) {
		t.Run(kind, func(t *testing.T) {
			digest, other := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}, v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("b", 64)}
			payload := statementAbout(digest)
			raw := bundleOf(t, payload, key)
			if err := bySigstore(t, raw, digest, key.Public()); err != nil {
				t.Error(err)
			}
			if err := bySigstore(t, raw, other, key.Public()); err == nil {
				t.Error("sigstore-go takes it for another digest")
			}
			stranger := keys(t)[kind]
			if err := bySigstore(t, raw, digest, stranger.Public()); err == nil {
				t.Error("sigstore-go takes it for another key")
			}
			got, err := byHand(t, raw, key.Public())
			if err != nil || !bytes.Equal(got, payload) {
				t.Errorf("by hand: %v: %s", err, got)
			}
			if _, err := byHand(t, raw, stranger.Public()); err == nil {
				t.Error("by hand it is one by another key")
			}
			changed := bytes.Replace(raw, []byte(`"payload":"eyJf`), []byte(`"payload":"eyJg`), 1)
			if err := bySigstore(t, changed, digest, key.Public()); err == nil || bytes.Equal(changed, raw) {
				t.Error("sigstore-go takes another payload")
			}
			if _, err := byHand(t, changed, key.Public()); err == nil {
				t.Error("by hand another payload is good")
			}
		})
	}
}

// byHand runs the script beside this file.
func byHand(t *testing.T, raw []byte, key statement.Key) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "bundle.json"), raw)
	writeFile(t, filepath.Join(dir, "key.pub"), key.PEM())
	return exec.CommandContext(t.Context(), "./by-hand", filepath.Join(dir, "bundle.json"), filepath.Join(dir, "key.pub")).Output()
}

// Keys that openssl makes are taken as they are.
func TestKeysOfOpenssl(t *testing.T) {
	for _, c := range [][]string{
		{"genpkey", "-algorithm", "ed25519"},
		{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		{"ecparam", "-name", "prime256v1", "-genkey", "-noout"},
	} {
		dir := t.TempDir()
		private, public := filepath.Join(dir, "k.pem"), filepath.Join(dir, "k.pub")
		for _, args := range [][]string{append(c, "-out", private), {"pkey", "-in", private, "-pubout", "-out", public}} {
			if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
				t.Fatalf("openssl %q: %v: %s", args, err, out)
			}
		}
		key := newKey(t, "k", readFile(t, private))
		have, err := statement.ParseKey("k", readFile(t, public))
		if err != nil || have.ID() != key.Public().ID() {
			t.Errorf("%q: %v", c, err)
		}
		digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
		if err := bySigstore(t, bundleOf(t, statementAbout(digest), key), digest, have); err != nil {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What audit attaches is found and verified by cosign and by audit, in registries of
// every kind: beside the image, and in a repository of the rebuilder's own.
func TestAttached(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			host := kind.start(t)
			beside, own := repositoryAt(t, host, "lab/image"), repositoryAt(t, host, "rebuilder/statements")
			subject := pushed(t, beside)
			for _, key := range keys(t) {
				name := key.Public().Name
				for _, repo := range []string{beside.String(), own.String()} {
					to := repositoryAt(t, host, strings.TrimPrefix(repo, host+"/"))
					if _, err := attest.Attach(t.Context(), to, subject, bundleOf(t, statementAbout(subject.Digest), key)); err != nil {
						t.Fatalf("%s: %v", repo, err)
					}
					err := byCosign(t, repo+"@"+subject.Digest.String(), key.Public())
					if kind.asks && err != nil {
						t.Errorf("cosign, %s by %s: %v", repo, name, err)
					}
					if err := byCosign(t, repo+"@"+subject.Digest.String(), keys(t)[name].Public()); err == nil {
						t.Errorf("cosign takes %s for a stranger's", name)
					}
				}
				all := statementsOf(t, "docker://"+beside.String()+":1", trusting(key.Public()))
				want := `referrer sigstore-bundle about "manifest"; verified ` + name
				if got := summary(all); !strings.Contains(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
}

// Rebuilders that push at once to a repository with the referrers API lose nothing; and
// with repositories of their own, nothing anywhere.
func TestPushersAtOnce(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			host := kind.start(t)
			subject := pushed(t, repositoryAt(t, host, "lab/image"))
			var wait sync.WaitGroup
			for i := range 4 {
				own, key := repositoryAt(t, host, fmt.Sprintf("rebuilder%d/statements", i)), keys(t)["ed25519"]
				bundle := bundleOf(t, statementAbout(subject.Digest), key)
				wait.Go(func() {
					for _, repo := range []name.Repository{own, repositoryAt(t, host, "lab/image")} {
						if _, err := attest.Attach(t.Context(), repo, subject, bundle); err != nil {
							t.Error(err)
						}
					}
					if err := byCosign(t, own.String()+"@"+subject.Digest.String(), key.Public()); err != nil && kind.asks {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			all := statementsOf(t, "docker://"+host+"/lab/image:1", trusting())
			t.Logf("%d of 4 in the repository that they share", len(all))
			if len(all) == 0 || kind.name == "with the referrers API" && len(all) != 4 {
				t.Errorf("%d of 4 statements", len(all))
			}
		})
	}
}

// The whole way: a report, a statement, and the command that audit prints for it.
func TestCommandLine(t *testing.T) {
	host := serve(t, inProcess(false))
	beside := repositoryAt(t, host, "lab/image")
	subject := pushed(t, beside)
	dir := t.TempDir()
	audit(t, dir, false, "keygen", "lab")
	audit(t, dir, false, "-o", "found", "docker://"+beside.String()+":1")
	out := audit(t, dir, false, "attest", "--sign", "lab.key", "--attach", "docker://"+beside.String(), "--to", "docker://"+host+"/own/statements", "found/report.json")
	want := fmt.Sprintf("cosign verify-attestation --key lab.pub --insecure-ignore-tlog --type %s %s@%s", attest.PredicateType, beside, subject.Digest)
	if !strings.Contains(out, want) {
		t.Errorf("%s, want %s", out, want)
	}
	key, err := statement.ParseKey("lab", readFile(t, filepath.Join(dir, "lab.pub")))
	if err != nil {
		t.Fatal(err)
	}
	for _, repo := range []string{beside.String(), host + "/own/statements"} {
		if err := byCosign(t, repo+"@"+subject.Digest.String(), key); err != nil {
			t.Errorf("%s: %v", repo, err)
		}
	}
	if err := bySigstore(t, readFile(t, filepath.Join(dir, "found/audit.sigstore.json")), subject.Digest, key); err != nil {
		t.Error(err)
	}
	if _, err := byHand(t, readFile(t, filepath.Join(dir, "found/audit.sigstore.json")), key); err != nil {
		t.Error(err)
	}
	out = audit(t, dir, true, "verify", "--key", "lab=lab.pub", "--from", "docker://"+host+"/own/statements", "docker://"+beside.String()+":1")
	if !strings.Contains(out, "no-vote   lab: it did not build the image itself") {
		t.Error(out)
	}
}

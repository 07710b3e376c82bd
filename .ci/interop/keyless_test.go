package interop

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"google.golang.org/protobuf/encoding/protojson"

	"audit/provenance/evidence"
	"audit/provenance/statement"
	"audit/provenance/statement/keyless"
)

const (
	workflow = "builder@example.org"
	issuer   = "https://issuer.example.org"
)

// A sigstore is one of its own: a certificate authority, a log, and a timestamp
// authority.
type sigstore struct{ *ca.VirtualSigstore }

func newSigstore(t *testing.T) sigstore {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	return sigstore{v}
}

// root is its trusted root; the logs' IDs are bytes there, which the library has in
// hexadecimal.
func (s sigstore) root(t *testing.T) []byte {
	t.Helper()
	logs := s.RekorLogs()
	for id, l := range logs {
		raw, err := hex.DecodeString(id)
		if err != nil {
			t.Fatal(err)
		}
		l.ID = raw
		l.ValidityPeriodStart, l.ValidityPeriodEnd = l.ValidityPeriodStart.Add(-time.Hour), l.ValidityPeriodEnd.Add(time.Hour)
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, s.FulcioCertificateAuthorities(), nil, s.TimestampingAuthorities(), logs)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := trusted.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// attest makes a bundle whose signature the log saw at a time.
func (s sigstore) attest(t *testing.T, payload []byte, logged time.Time) *protobundle.Bundle {
	t.Helper()
	entity, err := s.AttestAtTime(workflow, issuer, payload, logged, true)
	if err != nil {
		t.Fatal(err)
	}
	b := newBundle(t, entity, payload)
	for _, entry := range b.VerificationMaterial.TlogEntries {
		s.promise(t, entry)
	}
	return b
}

// attestV2 makes a bundle with an entry of Rekor 2, which has no time of its own.
func (s sigstore) attestV2(t *testing.T, payload []byte) *protobundle.Bundle {
	t.Helper()
	entity, err := s.AttestHashedRekordV2(workflow, issuer, payload)
	if err != nil {
		t.Fatal(err)
	}
	b := newBundle(t, entity, payload)
	for _, entry := range b.VerificationMaterial.TlogEntries {
		entry.IntegratedTime = 0
	}
	return b
}

// promise completes a log entry by what the library leaves out of it: its kind, and the
// log's signature over its time.
func (s sigstore) promise(t *testing.T, entry *protorekor.TransparencyLogEntry) {
	t.Helper()
	entry.KindVersion = &protorekor.KindVersion{Kind: "dsse", Version: "0.0.1"}
	set, err := s.RekorSignPayload(tlog.RekorPayload{Body: base64.StdEncoding.EncodeToString(entry.CanonicalizedBody),
		IntegratedTime: entry.IntegratedTime, LogIndex: entry.LogIndex, LogID: hex.EncodeToString(entry.LogId.KeyId)})
	if err != nil {
		t.Fatal(err)
	}
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
}

func newBundle(t *testing.T, entity *ca.TestEntity, payload []byte) *protobundle.Bundle {
	t.Helper()
	content, err := entity.VerificationContent()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := entity.SignatureContent()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := entity.TlogEntries()
	if err != nil {
		t.Fatal(err)
	}
	stamps, err := entity.Timestamps()
	if err != nil {
		t.Fatal(err)
	}
	material := &protobundle.VerificationMaterial{
		Content:                   &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: content.Certificate().Raw}},
		TimestampVerificationData: new(protobundle.TimestampVerificationData),
	}
	for _, entry := range entries {
		material.TlogEntries = append(material.TlogEntries, entry.TransparencyLogEntry())
	}
	for _, stamp := range stamps {
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	return &protobundle.Bundle{MediaType: statement.BundleType, VerificationMaterial: material,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{Payload: payload, PayloadType: statement.PayloadType,
			Signatures: []*protodsse.Signature{{Sig: signed.Signature()}}}}}
}

// encoded is the bundle as sigstore-go writes it.
func encoded(t *testing.T, b *protobundle.Bundle) []byte {
	t.Helper()
	raw, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A signature without a key is verified against the trusted root, and refused when
// anything of it is another's or out of time.
func TestKeyless(t *testing.T) {
	ours, theirs := newSigstore(t), newSigstore(t)
	repo := repositoryAt(t, serve(t, inProcess(true)), "lab/image")
	subject := pushed(t, repo)
	payload := statementAbout(subject.Digest)
	soon := time.Now().Add(5 * time.Minute)
	none := func(*protobundle.Bundle) {}
	noTime := func(b *protobundle.Bundle) { b.VerificationMaterial.TimestampVerificationData = nil }
	id := keyless.Identity{Name: workflow, Issuer: issuer}
	other := ours.attest(t, payload, soon)
	for _, c := range []struct {
		name   string
		bundle *protobundle.Bundle
		change func(*protobundle.Bundle)
		by     sigstore
		id     keyless.Identity
		want   string
		why    string // of the library
	}{
		{"a log entry and a timestamp", ours.attest(t, payload, soon), none, ours, id, "verified " + workflow, ""},
		{"a log entry alone", ours.attest(t, payload, soon), noTime, ours, id, "verified " + workflow, ""},
		{"Rekor 2 and a timestamp", ours.attestV2(t, payload), none, ours, id, "verified " + workflow, ""},
		{"Rekor 2 without one", ours.attestV2(t, payload), noTime, ours, id, "invalid  statement/keyless-refused", "threshold not met for verified signed & log entry integrated timestamps: 0 < 1"},
		{"another root", ours.attest(t, payload, soon), none, theirs, id, "invalid  statement/keyless-refused", "not enough verified log entries from transparency log"},
		{"another identity", ours.attest(t, payload, soon), none, ours, keyless.Identity{Name: "x" + workflow, Issuer: issuer}, "untrusted " + workflow + " statement/unknown-identity", ""},
		{"another issuer", ours.attest(t, payload, soon), none, ours, keyless.Identity{Name: workflow, Issuer: issuer + ".example"}, "untrusted " + workflow + " statement/unknown-identity", ""},
		{"no log entry", ours.attest(t, payload, soon), func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }, ours, id, "invalid  statement/keyless-refused", "not enough verified log entries from transparency log"},
		{"the log entry of another bundle", ours.attest(t, payload, soon), func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = other.VerificationMaterial.TlogEntries
		}, ours, id, "invalid  statement/keyless-refused", "transparency log signature does not match"},
		{"another payload", ours.attest(t, payload, soon), func(b *protobundle.Bundle) {
			b.GetDsseEnvelope().Payload = statementAbout(v1.Hash{Algorithm: "sha256", Hex: subject.Digest.Hex})[:len(payload)-1]
			b.GetDsseEnvelope().Payload = append(b.GetDsseEnvelope().Payload, ' ', '}')
		}, ours, id, "invalid  statement/keyless-refused", "does not match envelope payload hash"},
		{"logged an hour later", ours.attest(t, payload, soon.Add(time.Hour)), noTime, ours, id, "invalid  statement/keyless-refused", "integrated time outside certificate validity"},
		{"logged an hour before", ours.attest(t, payload, soon.Add(-time.Hour)), noTime, ours, id, "invalid  statement/keyless-refused", "integrated time outside certificate validity"},
		{"the timestamp of another bundle", ours.attestV2(t, payload), func(b *protobundle.Bundle) {
			b.VerificationMaterial.TimestampVerificationData = other.VerificationMaterial.TimestampVerificationData
		}, ours, id, "invalid  statement/keyless-refused", "hashed messages don't match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change(c.bundle)
			v, err := keyless.New(c.by.root(t), []keyless.Identity{c.id})
			if err != nil {
				t.Fatal(err)
			}
			raw := encoded(t, c.bundle)
			d, err := statement.Read(raw)
			if err != nil {
				t.Fatal(err)
			}
			all := statementsOf(t, "docker://"+repo.String()+":1", evidence.Trust{Keyless: v.Signer}, d)
			got := summary(all)
			if want := `file sigstore-bundle about "manifest"; ` + c.want; got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			if why := fmt.Sprint(all[0].Signatures[0].Why.Args["error"]); c.why != "" && !strings.Contains(why, c.why) {
				t.Errorf("%s, want %s", why, c.why)
			}
		})
	}
}

// The same by the command line, from the registry.
func TestKeylessCommandLine(t *testing.T) {
	ours := newSigstore(t)
	repo := repositoryAt(t, serve(t, inProcess(false)), "lab/image")
	subject := pushed(t, repo)
	raw := encoded(t, ours.attest(t, statementAbout(subject.Digest), time.Now().Add(5*time.Minute)))
	if err := new(bundle.Bundle).UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	refer(t, repo, subject, statement.BundleType, statement.BundleType, raw)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "root.json"), ours.root(t))
	out := audit(t, dir, false, "inspect", "--trusted-root", "root.json", "--identity", workflow, "--issuer", issuer, "docker://"+repo.String()+":1")
	if !strings.Contains(out, "signed by: "+workflow+" (verified)") {
		t.Error(out)
	}
	out = audit(t, dir, false, "inspect", "docker://"+repo.String()+":1")
	if !strings.Contains(out, "(not-verified)") {
		t.Error(out)
	}
}

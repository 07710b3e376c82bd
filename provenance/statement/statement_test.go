package statement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
)

const tiny = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"tiny","digest":{"sha256":"6f889e15"}}],` +
	`"predicateType":"https://example.org/p/v1","predicate":{"http_proxy":"a","HTTP_PROXY":"b"}}`

func newTestKey(t testing.TB, name string) *PrivateKey {
	t.Helper()
	k, _, err := GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ecKey is a key as openssl writes it.
func ecKey(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestSignAndVerify(t *testing.T) {
	p256, err := ParsePrivateKey("p256", ecKey(t, elliptic.P256()))
	if err != nil {
		t.Fatal(err)
	}
	stranger := newTestKey(t, "stranger").Public()
	for _, key := range []*PrivateKey{newTestKey(t, "ed25519"), p256} {
		t.Run(key.Public().Name, func(t *testing.T) {
			e, err := Sign(PayloadType, []byte(tiny), key)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := NewBundle(e, key.Public())
			if err != nil {
				t.Fatal(err)
			}
			d, err := Read(raw)
			if err != nil {
				t.Fatal(err)
			}
			public, err := ParseKey(key.Public().Name, key.Public().PEM())
			if err != nil {
				t.Fatal(err)
			}
			if by := d.Envelope.SignedBy([]Key{stranger, public, public}); len(by) != 2 || by[0].ID() != key.Public().ID() {
				t.Errorf("signed by %v", by)
			}
			if d.Statement.About("sha256:00") || d.Statement.About(":") || !d.Statement.About("sha256:6F889E15") {
				t.Errorf("about %v", d.Statement.Subjects)
			}
			d.Envelope.PayloadType = "application/json"
			if by := d.Envelope.SignedBy([]Key{public}); len(by) != 0 {
				t.Error("a signature over another type is taken")
			}
		})
	}
}

// A bundle of the same statement by the same key of Ed25519 is the same.
func TestBundleIsDeterministic(t *testing.T) {
	key := newTestKey(t, "a")
	var all [2][]byte
	for i := range all {
		e, err := Sign(PayloadType, []byte(tiny), key)
		if err != nil {
			t.Fatal(err)
		}
		if all[i], err = NewBundle(e, key.Public()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(all[0], all[1]) {
		t.Errorf("%s\n%s", all[0], all[1])
	}
}

func TestKeysOfOtherKinds(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no weak keys:", err)
	}
	der, _ := x509.MarshalPKIXPublicKey(&weak.PublicKey)
	for _, c := range []struct{ name, text, want string }{
		{"no PEM", "ssh-ed25519 AAAA", "no PEM file"},
		{"a private key", string(ecKey(t, elliptic.P256())), "it is a private key"},
		{"a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no PUBLIC KEY"},
		{"a weak key", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "1024 bits"},
		{"two keys", string(newTestKey(t, "a").Public().PEM()) + string(newTestKey(t, "b").Public().PEM()), "something follows"},
	} {
		if _, err := ParseKey("k", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"cosign's own", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "it is encrypted"},
		{"a public key", string(newTestKey(t, "a").Public().PEM()), "it is a public key"},
		{"another curve", string(ecKey(t, elliptic.P384())), "Ed25519 or of ECDSA over P-256"},
	} {
		if _, err := ParsePrivateKey("k", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// envelope is an envelope around a payload, which nobody signed.
func envelope(payload string) string {
	return `{"payload":"` + base64.StdEncoding.EncodeToString([]byte(payload)) + `","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA","keyid":"any"}]}`
}

func bundle(envelope string) string {
	return `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":` + envelope + `}`
}

func TestReadsItsForms(t *testing.T) {
	standard := base64.StdEncoding.EncodeToString([]byte(tiny + "   "))
	url := base64.URLEncoding.EncodeToString([]byte(tiny + "   "))
	for _, c := range []struct {
		text string
		form Form
	}{
		{tiny, Bare}, {envelope(tiny), DSSE}, {bundle(envelope(tiny)), Sigstore},
		{strings.Replace(bundle(envelope(tiny)), ".v0.3+json", "+json;version=0.1", 1), Sigstore},
		{strings.Replace(envelope(tiny+"   "), standard, url, 1), DSSE},
	} {
		d, err := Read([]byte(c.text))
		if err != nil || d.Form != c.form || d.Statement.PredicateType != "https://example.org/p/v1" {
			t.Errorf("%s: %+v, %v", c.text, d, err)
		}
	}
	if all, err := ReadLines([]byte(envelope(tiny) + "\n\n" + tiny + "\n")); err != nil || len(all) != 2 {
		t.Errorf("lines: %v, %v", all, err)
	}
}

// Where readers of JSON could take different things from a document, it is refused.
func TestStrictness(t *testing.T) {
	swap := func(text, was, now string) string {
		if !strings.Contains(text, was) {
			t.Fatalf("no %q in %s", was, text)
		}
		return strings.Replace(text, was, now, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"a key twice", swap(tiny, `"predicateType"`, `"predicateType":"x","predicateType"`), "stands twice"},
		{"a key twice, by an escape", swap(tiny, `"predicateType"`, `"predicat\u0065Type":"x","predicateType"`), "stands twice"},
		{"a key twice, deep inside", swap(tiny, `"HTTP_PROXY"`, `"http_proxy"`), "stands twice"},
		{"a key in another case beside it", swap(tiny, `"predicateType"`, `"PredicateType":"x","predicateType"`), "another case"},
		{"a key in another case", swap(tiny, `"subject"`, `"Subject"`), "another case"},
		{"a digest in another case", swap(tiny, `"digest"`, `"DIGEST"`), "another case"},
		{"bytes after the end", tiny + "{}", "follow the end"},
		{"no UTF-8", swap(tiny, "tiny", "t\xffny"), "no UTF-8"},
		{"too deep", swap(tiny, `"a"`, strings.Repeat("[", 100)+strings.Repeat("]", 100)), "nested deeper"},
		{"cut", tiny[:50], "unexpected EOF"},
		{"another type", swap(tiny, "Statement/v1", "Statement/v9"), "no in-toto statement"},
		{"no predicateType", swap(tiny, `"https://example.org/p/v1"`, `""`), "no predicateType"},
		{"a number for a digest", swap(tiny, `"6f889e15"`, `6`), "digest is no object of texts"},
		{"envelope: a key twice", swap(envelope(tiny), `"payloadType"`, `"payloadType":"x","payloadType"`), "stands twice"},
		{"envelope: another case", swap(envelope(tiny), `"payloadType"`, `"PAYLOADTYPE":"x","payloadType"`), "another case"},
		{"envelope: the Kelvin sign", swap(envelope(tiny), `"keyid"`, `"\u212aeyid":"x","keyid"`), "another case"},
		{"envelope: another payload", swap(envelope(tiny), "vnd.in-toto+json", "json"), "no in-toto statement"},
		{"envelope: no base64", swap(envelope(tiny), `"payload":"`, `"payload":"!`), "no base64"},
		{"envelope: an empty signature", swap(envelope(tiny), `"AAAA"`, `""`), "it is empty"},
		{"payload: a key twice", envelope(swap(tiny, `"predicateType"`, `"predicateType":"x","predicateType"`)), "stands twice"},
		{"payload: bytes after the end", envelope(tiny + "x"), "follow the end"},
		{"bundle: two signatures", bundle(swap(envelope(tiny), `[{`, `[{"sig":"AAAA"},{`)), "exactly one"},
		{"bundle: no signature", bundle(swap(envelope(tiny), `{"sig":"AAAA","keyid":"any"}`, ``)), "exactly one"},
		{"bundle: an unknown key", swap(bundle(envelope(tiny)), `"verificationMaterial"`, `"x":1,"verificationMaterial"`), "keys other than"},
		{"bundle: another version", swap(bundle(envelope(tiny)), "v0.3", "v9"), "no bundle that is known"},
		{"bundle: neither key nor certificate", swap(bundle(envelope(tiny)), `"publicKey":{"hint":"x"}`, ``), "neither a key nor a certificate"},
		{"something else", `{"a":1}`, "neither an in-toto statement"},
		{"a list", `[]`, "no JSON object"},
		{"null", `null`, "no JSON object"},
	} {
		if _, err := Read([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestPayloadOfCosign(t *testing.T) {
	const good = `{"critical":{"identity":{"docker-reference":"example.org/a"},"image":{"docker-manifest-digest":"sha256:00"},"type":"cosign container image signature"},"optional":null}`
	p, err := ParsePayload([]byte(good))
	if err != nil || p.Digest != "sha256:00" || p.Reference != "example.org/a" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{
		strings.Replace(good, "cosign container", "atomic container", 1), strings.Replace(good, `"sha256:00"`, `""`, 1),
		strings.Replace(good, `"image"`, `"Image"`, 1), strings.Replace(good, `"image":`, `"image":{},"image":`, 1), `{}`,
	} {
		if p, err := ParsePayload([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}

// What is read never panics, and what is written is read again as it was.
func FuzzRead(f *testing.F) {
	key := newTestKey(f, "a")
	f.Add([]byte(tiny))
	f.Add([]byte(envelope(tiny)))
	f.Add([]byte(bundle(envelope(tiny))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = ParsePayload(raw)
		_, _ = ParseNotation(raw)
		d, err := Read(raw)
		if err != nil {
			return
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			t.Fatal("no JSON object is read")
		}
		if d.Envelope == nil {
			return
		}
		again, err := json.Marshal(d.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parseEnvelope(again)
		if err != nil || !bytes.Equal(e.Payload, d.Envelope.Payload) || e.PayloadType != d.Envelope.PayloadType || len(e.Signatures) != len(d.Envelope.Signatures) {
			t.Fatalf("%s: %v", again, err)
		}
		if len(e.SignedBy([]Key{key.Public()})) > 0 {
			t.Fatal("a signature that nobody made")
		}
	})
}

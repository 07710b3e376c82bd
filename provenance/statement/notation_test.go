package statement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// An authority is a root, or what a root certified.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, name string, by *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: day.AddDate(-1, 0, 0),
		NotAfter: day.AddDate(1, 0, 0), IsCA: by == nil, BasicConstraintsValid: true}
	a := &authority{key: key, cert: template}
	parent := a
	if by != nil {
		parent = by
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, &key.PublicKey, parent.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a signature as notation's JWS has it.
func (a *authority) sign(t *testing.T, payload, protected string) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	message := enc([]byte(protected)) + "." + enc([]byte(payload))
	digest := sha512.Sum384([]byte(message))
	r, s, err := ecdsa.Sign(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)
	out, err := json.Marshal(map[string]any{"payload": enc([]byte(payload)), "protected": enc([]byte(protected)),
		"header": map[string]any{"x5c": [][]byte{a.cert.Raw}}, "signature": enc(signature)})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestNotation(t *testing.T) {
	const payload = `{"targetArtifact":{"mediaType":"m","digest":"sha256:00","size":1}}`
	const protected = `{"alg":"ES384","cty":"application/vnd.cncf.notary.payload.v1+json","crit":["io.cncf.notary.signingScheme"],"io.cncf.notary.signingScheme":"notary.x509"}`
	root := newAuthority(t, "root", nil)
	leaf := newAuthority(t, "leaf", root)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	swap := func(was, now string) string { return strings.Replace(protected, was, now, 1) }
	for _, c := range []struct {
		name, text string
		now        time.Time
		want       string // of the error, "" for none
	}{
		{"good", leaf.sign(t, payload, protected), day, ""},
		{"not yet expired", leaf.sign(t, payload, swap(`"alg"`, `"io.cncf.notary.expiry":"2026-01-03T00:00:00Z","alg"`)), day, ""},
		{"expired", leaf.sign(t, payload, swap(`"alg"`, `"io.cncf.notary.expiry":"2026-01-01T00:00:00Z","alg"`)), day, "expired on 2026-01-01"},
		{"a certificate that is too old", leaf.sign(t, payload, protected), day.AddDate(2, 0, 0), "expired"},
		{"another root", newAuthority(t, "leaf", newAuthority(t, "root", nil)).sign(t, payload, protected), day, "unknown authority"},
		{"another algorithm than the key's", leaf.sign(t, payload, swap("ES384", "ES256")), day, ErrInvalid.Error()},
		{"no algorithm", leaf.sign(t, payload, swap("ES384", "none")), day, ErrInvalid.Error()},
		{"a header that is not known", leaf.sign(t, payload, swap(`"crit":[`, `"crit":["x",`)), day, "must be understood"},
		{"another content type", leaf.sign(t, payload, swap("payload.v1", "payload.v9")), day, "no payload of notation"},
		{"another payload", strings.Replace(leaf.sign(t, payload, protected), base64.RawURLEncoding.EncodeToString([]byte(payload)),
			base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(payload, "00", "11", 1))), 1), day, ErrInvalid.Error()},
		{"a key twice", leaf.sign(t, strings.Replace(payload, `"size"`, `"digest":"sha256:11","size"`, 1), protected), day, "stands twice"},
	} {
		s, err := ParseNotation([]byte(c.text))
		if err == nil {
			err = s.Verify(roots, c.now)
		}
		switch {
		case c.want == "" && (err != nil || s.Digest != "sha256:00"):
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := ParseNotation([]byte(`{}`)); err == nil || errors.Is(err, ErrInvalid) {
		t.Error("an empty object is a signature:", err)
	}
}

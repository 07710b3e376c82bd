package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"audit/fixtures/deb"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
	"audit/provenance/vouch/rebuilders"
	"audit/report"
)

// The chain is whole: the archive's key, its index, the package, the files of the image;
// and the rebuilder's key, the same package, the same files. Of a package that it has not
// built the archive alone vouches.
func TestRebuiltPackages(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	one := deb.Package{Name: "one", Version: "1:2.0-1", Files: []deb.File{{Path: "usr/"}, {Path: "usr/bin/"}, {Path: "usr/bin/one", Body: "one", Mode: 0o755}}}
	two := deb.Package{Name: "two", Files: []deb.File{{Path: "usr/bin/two", Body: "two", Mode: 0o755}}}
	dir := t.TempDir()
	sign, ring := clearsigner(t)
	for name, data := range (deb.Mirror{Packages: []deb.Package{one, two}, Sign: sign}).Write() {
		if err := writeFile(filepath.Join(dir, "mirror", name), data); err != nil {
			t.Fatal(err)
		}
	}
	image := filepath.Join(dir, "image.tar")
	if err := writeFile(image, deb.Tar(deb.Root(one, two))); err != nil {
		t.Fatal(err)
	}
	source, err := packages.Open(filepath.Join(dir, "mirror"), packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	address, keys, asked := rebuilderOf(t, one)
	l := &line{builder: "none", farms: farms{vendors: ring}, packages: []*packages.Source{source}, dir: t.TempDir(),
		rebuilders: rebuilders.Options{Servers: []string{address}, Keys: keys}}
	a, err := l.run(t.Context(), image)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]vouch.Kind{"usr/bin/one": vouch.Rebuilt, "usr/bin/two": vouch.Signed} {
		if w, _ := a.vouched.Word(path); w.Kind != want {
			t.Errorf("%s: %+v, want %s", path, w, want)
		}
	}
	if c := l.checks[check.Signatures]; c.Status != check.Pass {
		t.Errorf("%s, %v", c.Status, c.Findings)
	}
	if again := stored(t, a.report); shareOf(again, "rebuilt") != 1 || shareOf(again, "signed") == 0 {
		t.Errorf("the report has %+v", again.Coverage.Vouchers)
	}
	if len(*asked) == 0 {
		t.Error("nobody was asked")
	}
	*asked = nil
	l = &line{builder: "none", farms: farms{vendors: ring}, packages: []*packages.Source{source}, dir: t.TempDir()}
	if _, err := l.run(t.Context(), image); err != nil || len(*asked) > 0 {
		t.Errorf("unasked: %v, %v", *asked, err)
	}
}

func shareOf(r *report.Report, kind string) (files int) {
	for _, s := range r.Coverage.Vouchers {
		if string(s.Kind) == kind {
			files = s.Files
		}
	}
	return files
}

// clearsigner signs as an archive does.
func clearsigner(t *testing.T) (sign func([]byte) []byte, ring openpgp.Keyring) {
	t.Helper()
	born := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	config := &packet.Config{Time: func() time.Time { return born }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256}
	e, err := pgp.NewEntity("An Archive", "", "", config)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	if ring, err = openpgp.ReadKeyring(t.Context(), public.Bytes()); err != nil {
		t.Fatal(err)
	}
	return func(text []byte) []byte {
		var out bytes.Buffer
		w, err := clearsign.Encode(&out, e.PrivateKey, config)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		w.Close()
		return out.Bytes()
	}, ring
}

// rebuilderOf serves, as rebuilderd does, that a package was built again.
func rebuilderOf(t *testing.T, p deb.Package) (address string, keys []rebuilders.Key, asked *[]string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = rebuilders.ParseKeys("lab", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); err != nil {
		t.Fatal(err)
	}
	signed := fmt.Sprintf(`{"_type":"link","byproducts":{},"command":[],"environment":null,"materials":{},"name":"rebuild %[1]s","products":{"%[1]s":{"sha256":"%[2]x"}}}`,
		p.FileName(), sha256.Sum256(p.Write()))
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		switch {
		case strings.HasSuffix(r.URL.Path, "/attestation"):
			fmt.Fprintf(w, `{"signatures":[{"keyid":%q,"sig":"%x"}],"signed":%s}`, keys[0].ID, ed25519.Sign(private, []byte(signed)), signed)
		case r.URL.Query().Get("name") == p.Name:
			fmt.Fprintf(w, `{"total":1,"records":[{"name":%q,"version":%q,"status":"GOOD","build_id":1,"artifact_id":2,"attestation_log_id":3}]}`, p.Name, p.Version)
		default:
			fmt.Fprint(w, `{"total":0,"records":[]}`)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, keys, asked
}

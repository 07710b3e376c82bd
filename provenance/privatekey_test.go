package provenance

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
)

// aKey is a private key in PEM, the same each time.
func aKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A private key is one under any name, and after certificates; what documentation and tests
// of packages have is known to everybody, and a text about keys is none.
func TestPrivateKeys(t *testing.T) {
	key := aKey(t)
	ssh := string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: make([]byte, 200)}))
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: make([]byte, 300)}))
	encrypted := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: make([]byte, 600)}))
	files := map[string]string{ // with what they have
		"srv/key.pem": key, "srv/app/deploy": ssh, "srv/haproxy": certificate + key, "srv/x": encrypted, "root/id_rsa": ssh,
		"srv/tests/key.pem": key, // of no package
	}
	for p, body := range map[string]string{
		"usr/share/doc/x/key.pem": key, "usr/lib/python3/dist-packages/x/tests/certs/key.pem": key, "app/node_modules/x/test/server.key": key,
		"srv/cert.pem": certificate, "srv/about": "How one begins:\n" + key, "srv/cut": key[:40] + strings.Repeat("x", 100),
		"srv/template": "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("(your key here)\n", 10) + "-----END PRIVATE KEY-----\n",
		"srv/big":      certificate + strings.Repeat("#\n", maxKey) + key, "srv/empty": "",
	} {
		files[p] = body
	}
	var all []fixtures.File
	for p, body := range files {
		all = append(all, fixtures.File{Name: p, Body: body})
	}
	slices.SortFunc(all, func(x, y fixtures.File) int { return strings.Compare(x.Name, y.Name) })
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, fixtures.Docker{Layers: [][]fixtures.File{all}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Watch: WatchKeys})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range img.Layers[0].Entries {
		if Dangerous(img, 0, e) == "closure/private-key" {
			got = append(got, e.Path)
		}
	}
	want := "root/id_rsa srv/app/deploy srv/haproxy srv/key.pem srv/tests/key.pem srv/x"
	if strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

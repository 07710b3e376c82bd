package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/rogpeppe/go-internal/testscript"

	"audit/fixtures"
	"audit/fixtures/apk"
	"audit/fixtures/rpm"
)

// packaged writes images of signed packages, whole and changed, with the keys that signed
// them: rpm.tar, rpm-changed.tar and vendor.asc; apk.tar, the folder apks and alpine.rsa.pub.
func packaged(ts *testscript.TestScript, _ bool, _ []string) {
	files := packagedFiles(ts.Check)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		ts.Check(writeFile(ts.MkAbs(name), files[name]))
	}
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

func packagedFiles(check func(error)) map[string][]byte {
	born := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	config := &packet.Config{Time: func() time.Time { return born }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256}
	vendor, err := pgp.NewEntity("A Vendor", "", "", config)
	check(err)
	var public, armored bytes.Buffer
	check(vendor.Serialize(&public))
	w, err := armor.Encode(&armored, pgp.PublicKeyType, nil)
	check(err)
	_, err = w.Write(public.Bytes())
	check(err)
	check(w.Close())
	sign := func(region []byte) []byte {
		var sig bytes.Buffer
		check(pgp.DetachSign(&sig, vendor, bytes.NewReader(region), config))
		return sig.Bytes()
	}
	tiny := rpm.Package{Name: "tiny", Version: "1.2", Release: "3", Arch: "x86_64", Sign: sign, Files: []rpm.File{{Path: "/usr/bin/tiny", Body: "tiny", Mode: 0o100755}}}
	root := func(body, at, database string) []byte {
		layer := []fixtures.File{{Name: "usr/bin/tiny", Body: body, Mode: 0o755}, {Name: at, Body: database}}
		return fixtures.Docker{Layers: [][]fixtures.File{layer}, History: []fixtures.Step{{By: "ADD root.tar.xz / # buildkit"}}}.Archive()
	}
	database := string(rpm.Ndb(tiny.Header()))

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(err)
	alpine := apk.Package{Name: "tiny", Version: "1.2-r3", Arch: "x86_64", Files: []apk.File{{Name: "usr/bin/tiny", Body: "tiny", Mode: 0o755}}}
	return map[string][]byte{
		"rpm.tar":                 root("tiny", "var/lib/rpm/Packages.db", database),
		"rpm-changed.tar":         root("evil", "var/lib/rpm/Packages.db", database),
		"vendor.asc":              armored.Bytes(),
		"vendor.gpg":              public.Bytes(),
		"apk.tar":                 root("tiny", "lib/apk/db/installed", apk.Installed(alpine)),
		"apk-changed.tar":         root("evil", "lib/apk/db/installed", apk.Installed(alpine)),
		"alpine.rsa.pub":          pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"apks/tiny-1.2-r3.apk":    alpine.Write(apk.Signer{Name: "alpine.rsa.pub", Key: key}),
		"private.pem":             pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"apks/x86_64/readme.text": []byte("no package"),
	}
}

// A file of trusted keys is for what its content says.
func TestTrustedKeys(t *testing.T) {
	dir := t.TempDir()
	files := packagedFiles(func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	files["farm.pub"] = []byte("cache.example-1:" + strings.Repeat("A", 43) + "=\n")
	for name, want := range map[string][3]int{
		"vendor.asc": {1, 0, 0}, "vendor.gpg": {1, 0, 0}, "alpine.rsa.pub": {0, 1, 0}, "farm.pub": {0, 0, 1},
	} {
		var f farms
		path := dir + "/" + name
		if err := writeFile(path, files[name]); err != nil {
			t.Fatal(err)
		}
		if err := f.trust(t.Context(), path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := [3]int{len(f.vendors.Keys()), len(f.alpine), len(f.keys)}; got != want {
			t.Errorf("%s: %v keys, want %v", name, got, want)
		}
	}
	for _, name := range []string{"rpm.tar", "private.pem"} {
		var f farms
		if err := writeFile(dir+"/"+name, files[name]); err != nil {
			t.Fatal(err)
		}
		if err := f.trust(t.Context(), dir+"/"+name); err == nil {
			t.Errorf("%s: no error, %v", name, f.keys)
		}
	}
}

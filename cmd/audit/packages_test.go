package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"

	made "audit/fixtures/deb"
	"audit/inspect/check"
)

// TestPackages verifies the packages of an image by the command: those of a signed
// archive pass, one that is other is a claim that is broken, and nothing is fetched or
// believed that was not given.
func TestPackages(t *testing.T) {
	dir := t.TempDir()
	tool := made.Package{Name: "tool", Files: []made.File{{Path: "usr/"}, {Path: "usr/bin/"}, {Path: "usr/bin/tool", Body: "program", Mode: 0o755}}}
	keyring := writeMirror(t, dir, tool)
	root := made.Root(tool)
	image, changed := filepath.Join(dir, "image.tar"), filepath.Join(dir, "changed.tar")
	putFile(t, image, made.Tar(root))
	for i := range root {
		root[i].Body = strings.Replace(root[i].Body, "program", "progrem", 1)
	}
	putFile(t, changed, made.Tar(root))

	packages := filepath.Join(dir, "mirror")
	for name, test := range map[string]struct {
		args   []string
		status int
		says   string // on standard output or error
		check  check.Status
	}{
		"verified":             {[]string{"--trusted-key", keyring, "--packages", packages, image}, 0, "1 of 1 package signed by a trusted key", check.Pass},
		"other than signed":    {[]string{"--trusted-key", keyring, "--packages", packages, changed}, exitPolicy, "contradicted", check.Fail},
		"no packages":          {[]string{"--trusted-key", keyring, image}, 0, "no Release file that a trusted key signed", check.Skipped},
		"no key":               {[]string{"--packages", packages, image}, 0, "no key of an archive is trusted", check.Skipped},
		"a folder not there":   {[]string{"--packages", filepath.Join(dir, "none"), image}, exitUsage, "--packages", check.Unknown},
		"no address":           {[]string{"--packages", "https://", image}, exitUsage, "--packages", check.Unknown},
		"installed by nothing": {[]string{"--debian-packages", packages, image}, exitUsage, "--debian-keyring", check.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			out := filepath.Join(t.TempDir(), "results")
			if status := Main(append([]string{"audit", "--builder", "none", "--output", out}, test.args...), nil, &said, &said); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if text := strings.Join(strings.Fields(said.String()), " "); !strings.Contains(text, test.says) {
				t.Errorf("%s\ndoes not say %q", said.String(), test.says)
			}
			if test.status != exitUsage && signaturesOf(t, out) != test.check {
				t.Errorf("signatures: %s, want %s", signaturesOf(t, out), test.check)
			}
		})
	}
}

// writeMirror writes an archive with a package into the folder mirror, and returns the
// keyring that verifies it.
func writeMirror(t *testing.T, dir string, p made.Package) (keyring string) {
	t.Helper()
	key, err := pgp.NewEntity("An Archive", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text []byte) []byte {
		var b bytes.Buffer
		w, err := clearsign.Encode(&b, key.PrivateKey, nil)
		if err == nil {
			_, err = w.Write(text)
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, content := range (made.Mirror{Packages: []made.Package{p}, Sign: sign}).Write() {
		putFile(t, filepath.Join(dir, "mirror", name), content)
	}
	var ring bytes.Buffer
	if err := key.Serialize(&ring); err != nil {
		t.Fatal(err)
	}
	keyring = filepath.Join(dir, "keyring.gpg")
	putFile(t, keyring, ring.Bytes())
	return keyring
}

func putFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func signaturesOf(t *testing.T, out string) check.Status {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Checks []struct {
			ID     check.ID
			Status check.Status
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.ID == check.Signatures {
			return c.Status
		}
	}
	t.Fatal("no check named signatures")
	return check.Unknown
}

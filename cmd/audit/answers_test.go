package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
)

// answer audits an image and returns what is printed, with the exit status.
func answer(t *testing.T, image []byte, flags ...string) (text string, status int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir()) // no builder is here
	var out bytes.Buffer
	status = Main(append([]string{"audit", "-o", filepath.Join(t.TempDir(), "out"), path}, flags...), strings.NewReader(""), &out, &out)
	return strings.Join(strings.Fields(out.String()), " "), status
}

// A private key is named in the answer under any name, and is none that lends rights.
func TestKeysInTheAnswer(t *testing.T) {
	key := string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: make([]byte, 200)}))
	got, _ := answer(t, fixtures.Docker{
		Layers:  [][]fixtures.File{{{Name: "srv/deploy", Body: key}, {Name: "srv/key.pem", Body: key}, {Name: "usr/share/doc/x/key.pem", Body: key}}},
		History: []fixtures.Step{{By: "RUN /bin/sh -c make # buildkit"}},
	}.Archive())
	if want := "No package answers for 2 private keys; the first is srv/deploy "; !strings.Contains(got, want) || strings.Contains(got, "lend") {
		t.Errorf("no %q in %s", want, got)
	}
}

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

// A run that has no results takes those of an earlier one out of the folder that it was to
// write; a mistake of the command line changes nothing.
func TestNoEarlierReportStays(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	home := t.TempDir()
	good, bad, dir := filepath.Join(home, "good.tar"), filepath.Join(home, "bad.tar"), filepath.Join(home, "out")
	img := fixtures.Docker{Layers: [][]fixtures.File{{{Name: "f", Body: "x"}}}, History: []fixtures.Step{{By: "COPY . / # buildkit"}}}.Archive()
	for path, data := range map[string][]byte{good: img, bad: img[:len(img)/3]} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report := filepath.Join(dir, "report.json")
	for name, tc := range map[string]struct {
		args   []string
		status int
		stays  bool
	}{
		"unreadable":   {[]string{bad}, exitUnreadable, false},
		"missing":      {[]string{filepath.Join(home, "no.tar")}, exitUnreadable, false},
		"compared":     {[]string{"compare", good, bad}, exitUnreadable, false},
		"unknown flag": {[]string{"--nosuch", bad}, exitUsage, true},
		"wrong value":  {[]string{"--builder", "nosuch", bad}, exitUsage, true},
	} {
		var out bytes.Buffer
		if status := Main([]string{"audit", "-q", "-o", dir, good}, strings.NewReader(""), &out, &out); status != exitHolds || !exists(report) {
			t.Fatalf("%d: %s", status, &out)
		}
		out.Reset()
		args := append([]string{"audit"}, tc.args...)
		if status := Main(append(args, "-o", dir), strings.NewReader(""), &out, &out); status != tc.status || exists(report) != tc.stays {
			t.Errorf("%s: %d, the report is there: %v: %s", name, status, exists(report), &out)
		}
		if got := strings.Contains(out.String(), "The results of an earlier run in "+dir+" are removed: this run has none."); got == tc.stays {
			t.Errorf("%s: %s", name, &out)
		}
		if left, err := os.ReadDir(dir); err != nil || !tc.stays && len(left) > 0 {
			t.Errorf("%s: %v %v", name, left, err)
		}
	}
	other := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := Main([]string{"audit", "-o", dir, bad}, strings.NewReader(""), &out, &out); status != exitUsage || !exists(other) {
		t.Errorf("%d: %s", status, &out)
	}
}

// The same of several platforms, each in a folder of its own.
func TestNoEarlierPlatformStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	var out bytes.Buffer
	if err := os.MkdirAll(filepath.Join(dir, "platform-linux-amd64"), 0o777); err != nil {
		t.Fatal(err)
	}
	args := []string{"audit", "--platform", "all", "-o", dir, filepath.Join(t.TempDir(), "no.tar")}
	if status := Main(args, strings.NewReader(""), &out, &out); status != exitUnreadable {
		t.Errorf("%d: %s", status, &out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

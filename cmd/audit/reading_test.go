package main

import (
	"archive/tar"
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// commanded runs a command line and returns its status and all that it prints.
func commanded(stdin string, args ...string) (int, string) {
	var out bytes.Buffer
	status := Main(append([]string{"audit"}, args...), strings.NewReader(stdin), &out, &out)
	return status, out.String()
}

// certificates writes the authority of a server into a folder.
func certificates(t *testing.T, server *httptest.Server) string {
	t.Helper()
	dir := t.TempDir()
	text := "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(server.Certificate().Raw) + "\n-----END CERTIFICATE-----\n"
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPublishedChecksum: what is at an address is looked into only when it is the file
// that was published, and the report says what that was known by.
func TestPublishedChecksum(t *testing.T) {
	const path = "../../fixtures/guix/images/tiny.tar.gz"
	sample, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	weak, strong := fmt.Sprintf("%x", md5.Sum(sample)), sha256.Sum256(sample)
	good := hex.EncodeToString(strong[:])
	var server *httptest.Server
	asked := 0
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/records/17":
			fmt.Fprintf(w, `{"files":[{"key":"image.tar.gz","checksum":"md5:%s","links":{"self":"%s/image.tar.gz"}}]}`, weak, server.URL)
		case "/image.tar.gz":
			asked++
			w.Write(sample)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir, url := certificates(t, server), server.URL+"/image.tar.gz"
	for _, c := range []struct {
		about  string
		args   []string
		status int
		want   string
	}{
		{"the file", []string{"--sha256", good, url}, exitHolds, "the published checksum that was given, sha256:" + good},
		{"the file by its MD5", []string{"--md5", weak, url}, exitHolds, "MD5 shows that the copy is whole"},
		{"another file", []string{"--sha256", strings.Repeat("0", 64), url}, exitUnreadable, "it is not the file that was published"},
		{"no checksum", []string{url}, exitUsage, "published checksum"},
		{"half a checksum", []string{"--sha256", "00", url}, exitUsage, "64 hexadecimal digits"},
		{"two checksums", []string{"--sha256", good, "--md5", weak, url}, exitUsage, "choose one"},
		{"no such file", []string{"--sha256", good, url + "x"}, exitUnreadable, "404"},
		{"plain http", []string{"--sha256", good, strings.Replace(url, "https", "http", 1)}, exitUnreadable, "only https"},
		{"a DOI", []string{"--doi-server", server.URL, "--doi-file", "image.tar.gz", "doi:10.5281/zenodo.17"}, exitHolds, "that the record " + server.URL + "/api/records/17 has of it"},
		{"a DOI and one's own checksum", []string{"--doi-server", server.URL, "--sha256", good, "doi:10.5281/zenodo.17"}, exitHolds, "sha256:" + good},
		{"a file of this machine", []string{"--sha256", good, path}, exitHolds, "sha256:" + good},
		{"another of this machine", []string{"--md5", good[:32], path}, exitUnreadable, "it is not the file that was published"},
		{"what is no file", []string{"--sha256", good, "docker://127.0.0.1:1/x:1"}, exitUsage, "one file"},
		{"a file of no record", []string{"--doi-file", "x", path}, exitUsage, "would not be used"},
	} {
		status, out := commanded("", append([]string{"inspect", "--cert-dir", dir}, c.args...)...)
		if status != c.status || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d\n%s", c.about, status, out)
		}
	}
	if status, out := commanded("", "inspect", "--sha256", good, url); status != exitUnreadable || !strings.Contains(out, "certificate") {
		t.Errorf("a certificate of nobody: status %d\n%s", status, out)
	}
	asked = 0
	out := filepath.Join(t.TempDir(), "out")
	if status, text := commanded("", "--cert-dir", dir, "--sha256", good, "-o", out, url); status != exitHolds || asked != 1 {
		t.Errorf("the whole line: status %d, fetched %d times\n%s", status, asked, text)
	}
}

// private is a registry that wants a user and a password.
func private(t *testing.T, user, password string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	open := httptest.NewServer(inner)
	t.Cleanup(open.Close)
	push(t, "../../fixtures/guix/images/tiny.tar.gz", strings.TrimPrefix(open.URL, "http://")+"/lab/tool:1")
	return strings.TrimPrefix(server.URL, "http://")
}

// TestRegistryCredentials: they reach their registry, and no output.
func TestRegistryCredentials(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	host := private(t, "me", "S3CR3Tx")
	image, plain := "docker://"+host+"/lab/tool:1", "--tls-verify=false"
	file := filepath.Join(t.TempDir(), "auth.json")
	auth := base64.StdEncoding.EncodeToString([]byte("me:S3CR3Tx"))
	if err := os.WriteFile(file, []byte(`{"auths":{"`+host+`":{"auth":"`+auth+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		about, stdin string
		args         []string
		status       int
		want         string
	}{
		{"none", "", []string{image}, exitUnreadable, "--authfile and --creds"},
		{"over plain HTTP", "", []string{"--tls-verify", "--creds", "me:S3CR3Tx", image}, exitUnreadable, "plain HTTP is taken with --tls-verify=false alone"},
		{"with credentials over plain HTTP of this machine", "", []string{"--creds", "me:S3CR3Tx", image}, exitUnreadable, "credentials go over plain HTTP with --tls-verify=false alone"},
		{"typed", "", []string{plain, "--creds", "me:S3CR3Tx", image}, exitHolds, "integrity/unverified-registry"},
		{"from standard input", "S3CR3Tx\n", []string{plain, "--creds", "me", image}, exitHolds, "verdict"},
		{"nothing there", "", []string{"--creds", "me", image}, exitUsage, "there is none"},
		{"wrong", "", []string{plain, "--creds", "me:S3CR3Ty", image}, exitUnreadable, "it refuses"},
		{"of a file", "", []string{plain, "--authfile", file, image}, exitHolds, "verdict"},
		{"of no file", "", []string{"--authfile", file + "x", image}, exitUsage, "--authfile: there is no file "},
		{"for no registry", "", []string{"--creds", "me:S3CR3Tx", "image.tar"}, exitUsage, "would not be used"},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		status, out := commanded(c.stdin, append([]string{"-o", dir, "--format", "json"}, c.args...)...)
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out += string(text)
		}
		if status != c.status || !strings.Contains(out, c.want) || strings.Contains(out, "S3CR3T") || strings.Contains(out, auth) {
			t.Errorf("%s: status %d\n%.2000s", c.about, status, out)
		}
	}
	t.Setenv("AUDIT_CREDS", "me:S3CR3Tx")
	if status, out := commanded("", "inspect", plain, image); status != exitHolds || strings.Contains(out, "S3CR3T") {
		t.Errorf("of a variable: status %d\n%s", status, out)
	}
	if status, out := commanded("", "config"); status != exitHolds || strings.Contains(out, "S3CR3T") {
		t.Errorf("audit config: status %d\n%s", status, out)
	}
}

// TestMirror: a mirror is asked first, the report names it, and where it has nothing the
// registry itself is asked.
func TestMirror(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host, empty := strings.TrimPrefix(serve(t), "http://"), strings.TrimPrefix(serve(t), "http://")
	push(t, "../../fixtures/guix/images/tiny.tar.gz", host+"/copy/tool:1")
	status, out := commanded("", "inspect", "--mirror", "registry.example/lab="+host+"/copy", "docker://registry.example/lab/tool:1")
	if status != exitHolds || !strings.Contains(out, "read from the mirror "+host+"/copy/tool, in place of registry.example/lab/tool") {
		t.Errorf("status %d\n%s", status, out)
	}
	status, out = commanded("", "inspect", "--mirror", host+"/copy="+empty, "docker://"+host+"/copy/tool:1")
	if status != exitHolds || strings.Contains(out, "mirror") {
		t.Errorf("an empty mirror: status %d\n%s", status, out)
	}
	status, out = commanded("", "inspect", "--mirror", host+"="+empty, "docker://"+host+"/no/tool:1")
	if status != exitUnreadable || !strings.Contains(out, "nor its mirrors") || !strings.Contains(out, empty+"/no/tool:1; ") || !strings.Contains(out, host+"/no/tool:1") {
		t.Errorf("an image that nobody has: status %d\n%s", status, out)
	}
}

// TestProxy: the variables of the environment are obeyed, and without TLS only where that
// is asked for.
func TestProxy(t *testing.T) {
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	open := httptest.NewServer(inner)
	defer open.Close()
	push(t, "../../fixtures/guix/images/tiny.tar.gz", strings.TrimPrefix(open.URL, "http://")+"/lab/tool:1")
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			http.Error(w, "no TLS here", http.StatusMethodNotAllowed)
			return
		}
		asked = append(asked, r.URL.Host)
		inner.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	r := newRunner(t)
	env := map[string]string{"HTTP_PROXY": proxy.URL, "HTTPS_PROXY": proxy.URL, "DOCKER_CONFIG": t.TempDir()}
	status, out := r.run(t, "audit inspect --tls-verify=false docker://registry.invalid/lab/tool:1", env)
	if status != exitHolds || len(asked) == 0 || asked[0] != "registry.invalid" {
		t.Errorf("status %d, and the proxy was asked for %q\n%s", status, asked, out)
	}
	asked = nil
	if status, out := r.run(t, "audit inspect docker://registry.invalid/lab/tool:1", env); status != exitUnreadable || len(asked) > 0 || !strings.Contains(out, "the proxy "+proxy.URL+" answers 405") {
		t.Errorf("without TLS: status %d, and the proxy was asked for %q\n%s", status, asked, out)
	}
}

// TestImageInAnArchive: what archives keep is often an image packed once more. It is named,
// and taken neither for an image that lacks something nor for a file system of one file.
func TestImageInAnArchive(t *testing.T) {
	for name, want := range map[string]string{
		"tool.tar":          `it is no image, but has "tool.tar" in it: unpack it, and audit that`,
		"paper/tool.tar.gz": `it is no image, but has "paper/tool.tar.gz" in it and no other file: unpack it, and audit that`,
		"paper/tool":        "",
	} {
		path := filepath.Join(t.TempDir(), "packed.tar")
		var text bytes.Buffer
		w := tar.NewWriter(&text)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		status := Main([]string{"audit", "inspect", path}, nil, &out, &errs)
		if want != "" && (status != exitUnreadable || !strings.Contains(errs.String(), want)) || want == "" && status != 0 {
			t.Errorf("%s: status %d: %s", name, status, errs.String())
		}
	}
}

package web

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"audit/inspect/registry/access"
)

func newFetcher(t *testing.T) *Fetcher {
	t.Helper()
	f, err := NewFetcher(&access.Options{Insecure: true}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.pause = time.Millisecond
	return f
}

func newFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func content(t *testing.T, f *os.File) string {
	t.Helper()
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseChecksum(t *testing.T) {
	sum := strings.Repeat("0A", sha256.Size)
	if c, err := ParseChecksum("sha256", sum); err != nil || c.String() != "sha256:"+strings.ToLower(sum) {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := ParseChecksum("md5", "md5:"+strings.Repeat("0", 2*md5.Size)); err != nil {
		t.Error(err)
	}
	for _, c := range [][2]string{{"sha256", ""}, {"sha256", sum[2:]}, {"sha256", "x" + sum[1:]}, {"crc32", "00000000"}, {"", ""}} {
		if got, err := ParseChecksum(c[0], c[1]); err == nil {
			t.Errorf("%q is %v", c, got)
		}
	}
}

// A DOI as people have it.
func TestDeposit(t *testing.T) {
	for text, want := range map[string]string{
		"doi:10.5281/zenodo.17": "10.5281/zenodo.17", "DOI:10.5281/zenodo.17": "10.5281/zenodo.17", "10.5281/zenodo.17": "10.5281/zenodo.17",
		"https://doi.org/10.5281/zenodo.17": "10.5281/zenodo.17", "http://dx.doi.org/10.5281/zenodo.17": "10.5281/zenodo.17",
		"doi.org/10.5281/zenodo.17": "10.5281/zenodo.17", "https://www.doi.org/10.1000/abc": "10.1000/abc", "doi:https://doi.org/10.5281/zenodo.17": "10.5281/zenodo.17",
		"https://zenodo.org/records/17": "10.5281/zenodo.17", "zenodo.org/record/17": "10.5281/zenodo.17", "https://zenodo.org/records/17/": "10.5281/zenodo.17",
		"https://zenodo.org/doi/10.5281/zenodo.17": "10.5281/zenodo.17", "https://zenodo.org/records/17?preview=1#files": "10.5281/zenodo.17",
		"https://zenodo.org/records/17/files/image.tar?download=1": "", "https://h/10.5281/zenodo.17": "", "10.1.2.3/x": "", "10.0.0.1/lab/tool": "", "": "",
	} {
		if want != "" {
			want = "doi:" + want
		}
		if got := Deposit(text); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
	if doi, file := DepositFile("https://zenodo.org/records/17/files/image%20a.tar?download=1"); doi != "doi:10.5281/zenodo.17" || file != "image a.tar" {
		t.Errorf("a file is %q of %q", file, doi)
	}
	for _, text := range []string{"https://h/records/17/files/a.tar", "https://zenodo.org/records/17", "https://%zz", ""} {
		if doi, file := DepositFile(text); doi+file != "" {
			t.Errorf("%s is %q of %q", text, file, doi)
		}
	}
	for _, text := range []string{"10.5281/zenodo.17", "doi.org/10.5281/zenodo.17", "docker://doi.org/10.5281/x"} {
		if IsDOI(text) {
			t.Errorf("%s is taken for a DOI", text)
		}
	}
}

func TestCheck(t *testing.T) {
	sum := sha256.Sum256([]byte("archive"))
	c := Checksum{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
	if err := c.Check(t.Context(), strings.NewReader("archive")); err != nil {
		t.Error(err)
	}
	mismatch, ok := errors.AsType[*MismatchError](c.Check(t.Context(), strings.NewReader("another")))
	if !ok || mismatch.Want != c || mismatch.Hex == c.Hex {
		t.Errorf("another file: %+v", mismatch)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := c.Check(stopped, strings.NewReader("archive")); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped reading: %v", err)
	}
}

// A connection that is cut is taken up where it was, of a server that has ranges and of
// one that has none.
func TestFetchResumes(t *testing.T) {
	archive := bytes.Repeat([]byte("0123456789"), 100_000)
	for _, ranges := range []bool{true, false} {
		asked := 0
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			if !ranges {
				r.Header.Del("Range")
			}
			if asked < 3 {
				w = &cutting{w, 300_000 * asked}
			}
			w.Header().Set("ETag", `"one"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(archive))
		}))
		f := newFile(t)
		if err := newFetcher(t).Fetch(t.Context(), server.URL+"/image.tar", f); err != nil || content(t, f) != string(archive) {
			t.Errorf("ranges %v: %d of %d bytes after %d questions: %v", ranges, len(content(t, f)), len(archive), asked, err)
		}
		server.Close()
	}
}

// cutting ends a connection after some bytes.
type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// So is one of HTTP/2, also where it is cut before anything has come.
func TestFetchResumesStreams(t *testing.T) {
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.ProtoMajor != 2 {
			t.Errorf("the protocol is %s", r.Proto)
		}
		if asked%3 != 0 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "archive")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	f := newFile(t)
	if err := newFetcher(t).Fetch(t.Context(), server.URL, f); err != nil || content(t, f) != "archive" || asked != 3 {
		t.Errorf("%q after %d questions: %v", content(t, f), asked, err)
	}
}

func TestFetchRefuses(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/plain":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case "/meta":
			http.Redirect(w, r, "https://169.254.169.254/latest", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for address, want := range map[string]string{
		server.URL + "/plain": "not https", server.URL + "/meta": "inner network", server.URL + "/round": "on and on", server.URL + "/absent": "404",
		"http://127.0.0.1:1/": "only https", "https://": "no address", "https://%zz/": "no address",
	} {
		if err := newFetcher(t).Fetch(t.Context(), address, newFile(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	verified, err := NewFetcher(nil, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := verified.Fetch(t.Context(), server.URL, newFile(t)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
}

func TestRecord(t *testing.T) {
	sum := fmt.Sprintf("%x", md5.Sum([]byte("archive")))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/records/17":
			fmt.Fprintf(w, `{"files":[{"key":"paper.pdf","checksum":"md5:00","links":{"self":"x"}},{"key":"image.tar.gz","checksum":"md5:%s","links":{"self":"https://h/f/content"}}]}`, sum)
		case "/api/records/16":
			fmt.Fprintf(w, `{"files":[{"key":"only.tar","checksum":"md5:%s","links":{"self":"https://169.254.169.254/latest"}}]}`, sum)
		case "/api/records/18":
			fmt.Fprintf(w, `{"files":[{"key":"only.tar","checksum":"md5:%s","links":{"self":"https://h/o/content"}}]}`, sum)
		default:
			fmt.Fprint(w, "<html>")
		}
	}))
	defer server.Close()
	for _, c := range []struct{ doi, file, address, err string }{
		{"doi:10.5281/zenodo.17", "image.tar.gz", "https://h/f/content", ""},
		{"doi:10.5281/zenodo.18", "", "https://h/o/content", ""},
		{"doi:10.5281/zenodo.16", "", "", "inner network"},
		{"doi:10.5281/zenodo.17", "", "", "choose one with --doi-file: paper.pdf, image.tar.gz"},
		{"doi:10.5281/zenodo.17", "image.tgz", "", "there is paper.pdf, image.tar.gz"},
		{"doi:10.5281/zenodo.17", "paper.pdf", "", "no checksum"},
		{"doi:10.5281/zenodo.19", "", "", "no record"},
		{"doi:10.1000/abc", "", "", "zenodo.NUMBER"},
		{"doi:", "", "", "zenodo.NUMBER"},
	} {
		address, found, err := newFetcher(t).Record(t.Context(), server.URL, c.doi, c.file)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s %s: %v", c.doi, c.file, err)
		case c.err == "" && (err != nil || address != c.address || found.Hex != sum || !strings.HasPrefix(found.From, server.URL)):
			t.Errorf("%s %s: %s, %+v, %v", c.doi, c.file, address, found, err)
		}
	}
}

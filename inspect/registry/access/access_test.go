package access

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

func TestParseMirror(t *testing.T) {
	for text, want := range map[string]Mirror{
		"registry.example=mirror.example/x/": {"registry.example", "mirror.example/x"},
		"docker.io=mirror.example":           {"index.docker.io", "mirror.example"},
		"docker.io/library=m.example/hub":    {"index.docker.io/library", "m.example/hub"},
	} {
		if got, err := ParseMirror(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "=b", "a=", "https://a=b", "a.example=b.example=", "a.example=b.example/UPPER", "a.example=b c"} {
		if m, err := ParseMirror(text); err == nil {
			t.Errorf("%q is the mirror %+v", text, m)
		}
	}
}

// A mirror is one of a path, and never of a name that only begins like it.
func TestPlaces(t *testing.T) {
	o := &Options{Mirrors: []Mirror{{"r.example/lab", "m.example/x"}, {"r.example", "n.example"}, {"index.docker.io", "hub.example"}}}
	for repo, want := range map[string]string{
		"r.example/lab/tool":  "m.example/x/tool n.example/lab/tool r.example/lab/tool",
		"r.example/labs/tool": "n.example/labs/tool r.example/labs/tool",
		"r.example.org/lab":   "r.example.org/lab",
		"alpine":              "hub.example/library/alpine index.docker.io/library/alpine",
	} {
		r, err := name.NewRepository(repo)
		if err != nil {
			t.Fatal(err)
		}
		places, err := o.Places(r)
		var names []string
		for _, p := range places {
			names = append(names, p.Name())
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s lies in %s (%v)", repo, got, err)
		}
	}
}

func TestCredentialsGoToTheirRegistryAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.json")
	auth := func(s string) string { return `{"auth":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}` }
	text := `{"auths":{"r.example":` + auth("of:registry") + `,"r.example/lab":` + auth("of:path") + `}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &Options{AuthFile: file, Credentials: &Credentials{"own.example", "me", "secret"}}
	for repo, want := range map[string]string{
		"r.example/lab/tool": "of:path", "r.example/lab": "of:path", "r.example/labs": "of:registry",
		"own.example/x": "me:secret", "other.example/x": ":",
	} {
		r, err := name.NewRepository(repo)
		if err != nil {
			t.Fatal(err)
		}
		found, err := authn.Resolve(t.Context(), o.Keychain(), r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := found.Authorization()
		if err != nil || c.Username+":"+c.Password != want {
			t.Errorf("%s gets %+v, %v", repo, c, err)
		}
	}
	if err := (&Options{AuthFile: file + "x"}).CheckAuthFile(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.CheckAuthFile(); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a file that is none: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Second, "Sun, 01 Nov 2026 00:00:10 GMT": 10 * time.Second, "Sat, 31 Oct 2026 00:00:10 GMT": 0,
	} {
		if got, ok := retryAfter(text, now); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-1", "soon", "99999999999999"} {
		if got, ok := retryAfter(text, now); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// answers sends one status after another, the last for ever, and counts.
func answers(t *testing.T, header string, statuses ...int) (*httptest.Server, *int) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(statuses[min(asked, len(statuses)-1)])
		asked++
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

func TestRetrying(t *testing.T) {
	for _, c := range []struct {
		about, header string
		statuses      []int
		status, asked int
	}{
		{"a short outage", "0", []int{503, 200}, 200, 2},
		{"too many requests", "0", []int{429, 200}, 200, 2},
		{"a time that is too long", "3600", []int{429, 200}, 429, 1},
		{"a refusal", "", []int{403, 200}, 403, 1},
		{"what is not there", "", []int{404, 200}, 404, 1},
	} {
		server, asked := answers(t, c.header, c.statuses...)
		transport, err := (*Options)(nil).Transport(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err != nil || resp.StatusCode != c.status || *asked != c.asked {
			t.Errorf("%s: %v, %v after %d questions", c.about, resp, err, *asked)
		}
	}
	server, asked := answers(t, "60", 429)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (retrying{http.DefaultTransport}).RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) || *asked != 1 {
		t.Errorf("a wait ends with its context: %v after %d questions", err, *asked)
	}
}

// Certificates are verified unless nobody wants that, and the folder adds to those of the
// system.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "yes") }))
	defer server.Close()
	dir := t.TempDir()
	ca := server.Certificate()
	text := "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(ca.Raw) + "\n-----END CERTIFICATE-----\n"
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for about, c := range map[string]struct {
		options *Options
		works   bool
	}{"by itself": {nil, false}, "unverified": {&Options{Insecure: true}, true}, "with its authority": {&Options{CertDir: dir}, true}} {
		transport, err := c.options.Transport(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&http.Client{Transport: transport}).Get(server.URL)
		if (err == nil) != c.works {
			t.Errorf("%s: %v", about, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "b.crt"), []byte("no"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&Options{CertDir: dir}).CheckCertDir(); err == nil {
		t.Error("a certificate that is none is taken")
	}
}

// A connection that ends before the answer is one that was cut.
func TestCutBeforeAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	_, err := (&http.Client{Transport: idleTransport{http.DefaultTransport, time.Minute}}).Get(server.URL)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "the connection was cut") {
		t.Error(err)
	}
}

// A stream that is reset is a connection that was cut, and no jargon.
func TestCut(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport, err := (&Options{Insecure: true}).Transport(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if string(text) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "the connection was cut" {
		t.Errorf("%q, %v", text, err)
	}
}

// A proxy that refuses is named, without its password.
func TestProxyRefuses(t *testing.T) {
	proxy, err := url.Parse("http://me:s3cr3t@proxy.example:3128")
	if err != nil {
		t.Fatal(err)
	}
	err = judgeProxy(t.Context(), proxy, nil, &http.Response{StatusCode: 403, Status: "403 Forbidden"})
	if err == nil || err.Error() != "the proxy http://proxy.example:3128 answers 403 Forbidden" {
		t.Error(err)
	}
	if err := judgeProxy(t.Context(), proxy, nil, &http.Response{StatusCode: 200}); err != nil {
		t.Error(err)
	}
}

// What may be asked: over plain HTTP this machine alone, without what is secret.
func TestRefused(t *testing.T) {
	ask := func(address, header, value string) *http.Request {
		req := httptest.NewRequest(http.MethodGet, address, nil)
		if header != "" {
			req.Header.Set(header, value)
		}
		return req
	}
	led := func(from, to string) *http.Request {
		req := ask(to, "", "")
		req.Response = &http.Response{Request: ask(from, "", "")}
		return req
	}
	twice := led("https://c.example/", "https://10.0.0.1/")
	twice.Response.Request = led("https://r.example/", "https://c.example/")
	for _, c := range []struct {
		about                 string
		req                   *http.Request
		usually, open, strict string // the error by itself, when Insecure and when Verified
	}{
		{"TLS", ask("https://r.example/v2/", "Authorization", "Basic x"), "", "", ""},
		{"plain HTTP", ask("http://r.example/v2/", "", ""), "plain HTTP is taken", "", "plain HTTP is taken"},
		{"in an inner network", ask("http://10.0.0.1:5000/v2/", "Authorization", "Basic x"), "plain HTTP is taken", "", "plain HTTP is taken"},
		{"by a name of the network", ask("http://a.local/v2/", "", ""), "plain HTTP is taken", "", "plain HTTP is taken"},
		{"this machine", ask("http://127.0.0.1:5000/v2/", "", ""), "", "", "plain HTTP is taken"},
		{"with credentials", ask("http://localhost:5000/v2/", "Authorization", "Basic x"), "credentials go", "", "plain HTTP is taken"},
		{"with a token", ask("http://[::1]:5000/token", "Content-Type", "application/x-www-form-urlencoded"), "credentials go", "", "plain HTTP is taken"},
		{"with a password in the address", ask("http://u:p@localhost/v2/", "", ""), "credentials go", "", "plain HTTP is taken"},
		{"led to a store", led("https://r.example/v2/", "https://cdn.example/x"), "", "", ""},
		{"led to plain HTTP", led("https://127.0.0.1/v2/", "http://127.0.0.1/x"), "from https", "", "from https"},
		{"led to the metadata of a cloud", led("https://127.0.0.1/v2/", "https://169.254.169.254/x"), "address of this machine", "address of this machine", "address of this machine"},
		{"led inwards in two steps", twice, "address of this machine", "address of this machine", "address of this machine"},
		{"led within a network", led("https://10.0.0.1/v2/", "https://10.0.0.2/x"), "", "", ""},
	} {
		for options, want := range map[*Options]string{nil: c.usually, {Insecure: true}: c.open, {Verified: true}: c.strict} {
			err := options.refused(c.req)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err != nil && strings.Contains(err.Error(), "u:p") {
				t.Errorf("%s, %+v: %v, want %q", c.about, options, err, want)
			}
		}
	}
}

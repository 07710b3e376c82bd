package inspect

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/registry/access"
)

// overHTTP is the note on an image that comes over plain HTTP, as those of [serve] do.
const overHTTP = "unverified-registry"

// serve starts a registry that holds the images of a layout as NAME:1, and
// returns the name of its host. Answers pass through edit.
func serve(t testing.TB, l layout, edit func(w http.ResponseWriter, r *http.Request, honest http.Handler)) string {
	t.Helper()
	honest := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	editing := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if editing {
			edit(w, r, honest)
			return
		}
		honest.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := strings.TrimPrefix(server.URL, "http://")
	push(t, l, host+"/lab/image:1")
	editing = edit != nil
	return host
}

func push(t testing.TB, l layout, to string) {
	t.Helper()
	index, err := ocilayout.ImageIndexFromPath(l.folder(t))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(to)
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) > 1 {
		err = remote.WriteIndex(ref, index)
	} else {
		var img v1.Image
		if img, err = index.Image(m.Manifests[0].Digest); err == nil {
			err = remote.Write(ref, img)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRegistry(t *testing.T) {
	one, m := imagesOf(t, "s390x")
	host := serve(t, one, nil)
	for _, ref := range []string{"docker://" + host + "/lab/image:1", "docker://" + host + "/lab/image@" + digestOf(m["s390x"])} {
		img := mustOpen(t, ref)
		if img.Manifest.Digest.String() != digestOf(m["s390x"]) || img.Manifest.Origin != image.Computed || rules(img) != overHTTP {
			t.Errorf("%s: manifest %v, %s; findings %q", ref, img.Manifest.Digest, img.Manifest.Origin, rules(img))
		}
		if img.Transport != image.Registry || img.Index.Hex != "" {
			t.Errorf("%s: transport %s, index %v", ref, img.Transport, img.Index)
		}
	}
	for ref, want := range map[string]string{
		"docker://" + host + "/lab/image:2":                      "the registry has no image",
		"docker://" + host + "/lab/other":                        "the registry has no image",
		"docker://" + host + "/Lab/image:A":                      "nearest is docker://" + host + "/lab/image:A",
		"docker:" + host + "/lab/image":                          "nearest is docker://" + host + "/lab/image",
		"docker://":                                              "HOST/NAME",
		host + "/lab/image:1":                                    "no such file",
		"docker://" + host + "/lab/image@" + "sha256:" + v1ID(3): "the registry has no image",
	} {
		if _, err := Open(context.Background(), ref, pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
	}
}

func TestRegistryIndex(t *testing.T) {
	l, m := imagesOf(t, "s390x", "arm/v7")
	host := serve(t, l, nil)
	img, err := Open(context.Background(), "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), Platform: "linux/arm/v7"})
	if err != nil {
		t.Fatal(err)
	}
	if img.Manifest.Digest.String() != digestOf(m["arm/v7"]) || img.Index.String() != digestOf(l["index.json"]) || rules(img) != overHTTP {
		t.Errorf("manifest %v, index %v, findings %q", img.Manifest.Digest, img.Index, rules(img))
	}
}

// A registry may send anything: what does not fit the digest that was asked for
// is a finding.
func TestLyingRegistry(t *testing.T) {
	l, m := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	other := string(tarOf(t, regular("platform", "evil!")))
	instead := func(of, send string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			if strings.HasSuffix(r.URL.Path, of) {
				w.Header().Set("Content-Type", manifestType)
				w.Header().Set("Docker-Content-Digest", digestOf(m["s390x"]))
				_, _ = io.WriteString(w, send)
				return
			}
			honest.ServeHTTP(w, r)
		}
	}
	for name, test := range map[string]struct {
		edit func(http.ResponseWriter, *http.Request, http.Handler)
		ref  string
		want string
		err  string
	}{
		"a layer":           {edit: instead("blobs/"+digestOf(layer), other), want: "diffid-mismatch digest-mismatch"},
		"a layer cut":       {edit: instead("blobs/"+digestOf(layer), layer[:700]), want: "diffid-mismatch digest-mismatch unended-layer layer-size-mismatch"},
		"the manifest":      {edit: instead("manifests/1", m["s390x"]+" "), want: "document-digest-mismatch"},
		"by digest":         {edit: instead("manifests/"+digestOf(m["s390x"]), m["s390x"]+" "), ref: "@" + digestOf(m["s390x"]), want: "document-digest-mismatch"},
		"no manifest":       {edit: instead("manifests/1", "<html>"), err: "not the JSON document"},
		"an endless answer": {edit: instead("manifests/1", strings.Repeat(" ", 20<<20)), err: "JSON bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			host := serve(t, l, test.edit)
			if test.ref == "" {
				test.ref = ":1"
			}
			img, err := Open(context.Background(), "docker://"+host+"/lab/image"+test.ref, pass.Options{Stores: fixtures.Stores()})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(img); got != overHTTP+" "+test.want || img.Integrity().Status != check.Fail {
				t.Errorf("findings %q, want %q: %v", got, test.want, img.Problems)
			}
		})
	}
}

// A connection that breaks is a fault of the network and not of the image.
func TestBreakingRegistry(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if strings.HasSuffix(r.URL.Path, digestOf(layer)) {
			w.Header().Set("Content-Length", "10240")
			_, _ = io.WriteString(w, layer[:700])
			return
		}
		honest.ServeHTTP(w, r)
	})
	if _, err := Open(context.Background(), "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("a broken connection: %v", err)
	}
}

// A layer whose connection is cut is fetched on from there; what is put together has
// to be the blob that was asked for.
func TestCutConnections(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	cut := func(w http.ResponseWriter, text string, n int) {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = io.WriteString(w, text[:n])
	}
	part := func(w http.ResponseWriter, from int, text string, n int) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(layer)-1, len(layer)))
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, text[:n])
	}
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter, from int)
		err    string
		asked  int
	}{
		"once":             {func(w http.ResponseWriter, from int) { part(w, from, layer[from:], len(layer)-from) }, "", 2},
		"every 2000 bytes": {func(w http.ResponseWriter, from int) { part(w, from, layer[from:], min(2000, len(layer)-from)) }, "", 2 + (len(layer)-700-1)/2000},
		"every 200 bytes":  {func(w http.ResponseWriter, from int) { part(w, from, layer[from:], 200) }, "unexpected EOF", 6},
		"no ranges":        {func(w http.ResponseWriter, from int) { cut(w, layer, len(layer)) }, "", 2},
		"another range":    {func(w http.ResponseWriter, from int) { part(w, from-1, layer[from-1:], len(layer)-from+1) }, "sends the range", 6},
		"a lie": {func(w http.ResponseWriter, from int) {
			part(w, from, strings.Repeat("x", len(layer)-from), len(layer)-from)
		}, "does not go with", 2},
		"gone": {func(w http.ResponseWriter, from int) { w.WriteHeader(http.StatusNotFound) }, "does not have it", 6},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
				if !strings.HasSuffix(r.URL.Path, digestOf(layer)) {
					honest.ServeHTTP(w, r)
					return
				}
				asked++
				from := 0
				if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil {
					cut(w, layer, 700)
					return
				}
				test.answer(w, from)
			})
			cache := t.TempDir()
			img, err := Open(t.Context(), "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), LayerCache: cache})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want one with %q", err, test.err)
				}
			} else if err != nil || img.Integrity().Status != check.Pass {
				t.Errorf("%v, %v", img, err)
			}
			if asked != test.asked {
				t.Errorf("asked %d times, want %d", asked, test.asked)
			}
			left, _ := filepath.Glob(filepath.Join(cache, "*", "*"))
			hidden, _ := filepath.Glob(filepath.Join(cache, "*", ".*"))
			if want := map[bool]int{true: 1}[test.err == ""]; len(left) != want || len(hidden) > 0 {
				t.Errorf("the cache has %q, %q", left, hidden)
			}
		})
	}
}

// Whoever stops waits for no attempt, and leaves nothing.
func TestCutConnectionStopped(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	ctx, stop := context.WithCancel(t.Context())
	host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if strings.HasSuffix(r.URL.Path, digestOf(layer)) {
			w.Header().Set("Content-Length", strconv.Itoa(len(layer)))
			_, _ = io.WriteString(w, layer[:700])
			stop()
			return
		}
		honest.ServeHTTP(w, r)
	})
	cache := t.TempDir()
	if _, err := Open(ctx, "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), LayerCache: cache}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*", ".*")); len(left) > 0 {
		t.Errorf("the cache has %q", left)
	}
}

// A layer in the cache is not fetched, and is used only when it is what it should be.
func TestLayerCache(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	layer := string(tarOf(t, regular("platform", "s390x")))
	asked := 0
	host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if strings.HasSuffix(r.URL.Path, digestOf(layer)) {
			asked++
		}
		honest.ServeHTTP(w, r)
	})
	cache := t.TempDir()
	path := filepath.Join(cache, "sha256", strings.TrimPrefix(digestOf(layer), "sha256:"))
	for i, want := range []int{1, 1, 2, 2} {
		if i == 2 {
			if err := os.WriteFile(path, []byte(strings.Replace(layer, "s390x", "evil!", 1)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		img, err := Open(t.Context(), "docker://"+host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), LayerCache: cache})
		if err != nil || img.Integrity().Status != check.Pass || asked != want {
			t.Errorf("%d: %v, %v; asked %d times, want %d", i, img, err, asked, want)
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != layer {
			t.Errorf("%d: the cache has another layer: %v", i, err)
		}
	}
}

// The credentials are those that docker login stores. Over plain HTTP they go to no
// registry but where that is wanted.
func TestCredentials(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	secret := base64.StdEncoding.EncodeToString([]byte("lab:secret"))
	var seen []string
	host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		seen = append(seen, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Basic "+secret {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		honest.ServeHTTP(w, r)
	})
	opt := pass.Options{Stores: fixtures.Stores()}
	open := func() (*image.Image, error) { return Open(t.Context(), "docker://"+host+"/lab/image:1", opt) }
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "docker login") {
		t.Errorf("without credentials: %v, want a hint at docker login", err)
	}
	config := `{"auths":{"` + host + `":{"auth":"` + secret + `"}}}`
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open()
	if refused, ok := errors.AsType[*access.RefusedError](err); !ok || !strings.Contains(err.Error(), "--tls-verify=false") {
		t.Errorf("over plain HTTP: %v, %v", refused, err)
	}
	if sent := strings.Join(seen, ""); sent != "" {
		t.Errorf("over plain HTTP the registry got %q", sent)
	}
	opt.Access = &access.Options{Insecure: true}
	if img, err := open(); err != nil || rules(img) != overHTTP {
		t.Errorf("where that is wanted: %v", err)
	}
	opt.Access = &access.Options{Verified: true}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "plain HTTP is taken with") {
		t.Errorf("where TLS is demanded: %v", err)
	}
}

// A registry leads to no plain HTTP when it was asked over TLS, and not into the network
// of who asks. What is said of that has no secret of the address.
func TestRedirects(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	plain := serve(t, l, nil)
	to := ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") && to != "" {
			http.Redirect(w, r, to+r.URL.Path+"?signature=s3cr3t", http.StatusTemporaryRedirect)
			return
		}
		r.URL.Scheme, r.URL.Host = "http", plain
		resp, err := http.Get(r.URL.String())
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	certs := t.TempDir()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(certs, "ca.crt"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	opt := pass.Options{Stores: fixtures.Stores(), Access: &access.Options{CertDir: certs}}
	for _, test := range []struct{ to, want string }{
		{"", ""},
		{"http://user:s3cr3t@" + plain, server.URL + " leads to http://" + plain + ", which is not asked"},
		{"https://169.254.169.254", "leads to https://169.254.169.254, which is not asked"},
		{"https://user:s3cr3t@127.0.0.1:1", "connection refused"},
	} {
		to = test.to
		img, err := Open(t.Context(), "docker://"+strings.TrimPrefix(server.URL, "https://")+"/lab/image:1", opt)
		if test.want == "" {
			if err != nil || rules(img) != "" {
				t.Errorf("over TLS: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("to %s: %v, want %q", test.to, err, test.want)
		}
	}
}

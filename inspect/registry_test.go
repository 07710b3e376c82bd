package inspect

import (
	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/pass"
	"context"
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

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
	for _, ref := range []string{"docker://" + host + "/lab/image:1", host + "/lab/image:1", host + "/lab/image@" + digestOf(m["s390x"])} {
		img := mustOpen(t, ref)
		if img.Manifest.Digest.String() != digestOf(m["s390x"]) || img.Manifest.Origin != image.Computed || rules(img) != "" {
			t.Errorf("%s: manifest %v, %s; findings %q", ref, img.Manifest.Digest, img.Manifest.Origin, rules(img))
		}
		if img.Transport != image.Registry || img.Index.Hex != "" {
			t.Errorf("%s: transport %s, index %v", ref, img.Transport, img.Index)
		}
	}
	for ref, want := range map[string]string{
		host + "/lab/image:2": "the registry has no image",
		host + "/lab/other":   "the registry has no image",
		host + "/Lab/image":   "the reference",
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
	img, err := Open(context.Background(), host+"/lab/image:1", pass.Options{Stores: fixtures.Stores(), Platform: "linux/arm/v7"})
	if err != nil {
		t.Fatal(err)
	}
	if img.Manifest.Digest.String() != digestOf(m["arm/v7"]) || img.Index.String() != digestOf(l["index.json"]) || rules(img) != "" {
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
			img, err := Open(context.Background(), host+"/lab/image"+test.ref, pass.Options{Stores: fixtures.Stores()})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(img); got != test.want || img.Integrity().Status != check.Fail {
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
	if _, err := Open(context.Background(), host+"/lab/image:1", pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("a broken connection: %v", err)
	}
}

// The credentials are those that docker login stores.
func TestCredentials(t *testing.T) {
	l, _ := imagesOf(t, "s390x")
	secret := base64.StdEncoding.EncodeToString([]byte("lab:secret"))
	host := serve(t, l, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if r.Header.Get("Authorization") != "Basic "+secret {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		honest.ServeHTTP(w, r)
	})
	_, err := Open(context.Background(), host+"/lab/image:1", pass.Options{Stores: fixtures.Stores()})
	if err == nil || !strings.Contains(err.Error(), "docker login") {
		t.Errorf("without credentials: %v, want a hint at docker login", err)
	}
	config := `{"auths":{"` + host + `":{"auth":"` + secret + `"}}}`
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if img := mustOpen(t, host+"/lab/image:1"); rules(img) != "" {
		t.Errorf("findings %q", rules(img))
	}
}

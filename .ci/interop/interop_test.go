// Package interop tests what audit signs and verifies against the tools of the field:
// the libraries of Sigstore, cosign and notation, openssl, and registries of several
// kinds. Everything runs on this machine; no service of Sigstore is asked.
package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect"
	"audit/provenance/evidence"
	"audit/provenance/statement"
)

// program is the audit that was built from this checkout.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "audit")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", program, "./cmd/audit").CombinedOutput(); err != nil {
		log.Fatalf("building audit: %v\n%s", err, out)
	}
	// No credentials or settings of who runs the tests are used.
	os.Setenv("DOCKER_CONFIG", dir)
	os.Setenv("HOME", dir)
	return m.Run()
}

// audit runs the program in a folder and returns what it prints; fails says that its
// exit status must not be 0.
func audit(t *testing.T, dir string, fails bool, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); (err != nil) != fails {
		t.Fatalf("audit %q: %v\n%s%s", args, err, out.String(), stderr.String())
	}
	return out.String() + stderr.String()
}

// keys are one of each kind that statements are signed with.
func keys(t *testing.T) map[string]*statement.PrivateKey {
	t.Helper()
	return map[string]*statement.PrivateKey{"ed25519": newKey(t, "ed25519", ed25519Key(t)), "p256": newKey(t, "p256", p256Key(t))}
}

func newKey(t *testing.T, name string, text []byte) *statement.PrivateKey {
	t.Helper()
	k, err := statement.ParsePrivateKey(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ed25519Key(t *testing.T) []byte {
	t.Helper()
	_, text, err := statement.GenerateKey("")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func p256Key(t *testing.T) []byte {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// publicKey is the key as crypto has it.
func publicKey(t *testing.T, k statement.Key) any {
	t.Helper()
	block, _ := pem.Decode(k.PEM())
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

const predicateType = "https://example.org/predicate/v1"

// statementAbout is a statement about an image manifest.
func statementAbout(digest v1.Hash) []byte { return statementOf(digest, predicateType) }

func statementOf(digest v1.Hash, predicateType string) []byte {
	return fmt.Appendf(nil, `{"_type":%q,"subject":[{"name":"image","digest":{"sha256":%q}}],"predicateType":%q,"predicate":{"a":"b"}}`,
		statement.TypeV1, digest.Hex, predicateType)
}

func bundleOf(t *testing.T, payload []byte, key *statement.PrivateKey) []byte {
	t.Helper()
	envelope, err := statement.Sign(statement.PayloadType, payload, key)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := statement.NewBundle(envelope, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// A kind is one of registry.
type kind struct {
	name  string
	start func(t *testing.T) (host string)
	asks  bool // whether tools that ask for referrers find those that are listed under a tag
}

func kinds() []kind {
	return []kind{
		{"with the referrers API", func(t *testing.T) string { return serve(t, inProcess(true)) }, true},
		{"without it", func(t *testing.T) string { return serve(t, inProcess(false)) }, true},
		{"with one that is always empty", func(t *testing.T) string { return serve(t, alwaysEmpty(inProcess(false))) }, false},
		{"docker-registry", dockerRegistry, true},
	}
}

func inProcess(referrers bool) http.Handler {
	return registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers))
}

// alwaysEmpty answers that nothing refers to anything.
func alwaysEmpty(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			w.Header().Set("Content-Type", string(types.OCIImageIndex))
			io.WriteString(w, `{"schemaVersion":2,"mediaType":"`+string(types.OCIImageIndex)+`","manifests":[]}`)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// dockerRegistry starts Debian's, which has no referrers API.
func dockerRegistry(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "registry.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\nhttp: {addr: %s}\n", filepath.Join(dir, "store"), host)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "docker-registry", "serve", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	for range 300 {
		if resp, err := http.Get("http://" + host + "/v2/"); err == nil {
			resp.Body.Close()
			return host
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("docker-registry does not answer")
	return ""
}

func repositoryAt(t *testing.T, host, path string) name.Repository {
	t.Helper()
	repo, err := name.NewRepository(host + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// newImage makes an image of one layer for a platform.
func newImage(t *testing.T, architecture string) v1.Image {
	t.Helper()
	made, err := random.Image(256, 1)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := made.Layers()
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{OS: "linux", Architecture: architecture})
	if err != nil {
		t.Fatal(err)
	}
	image, err = mutate.AppendLayers(mutate.ConfigMediaType(image, types.OCIConfigJSON), layers...)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// pushed puts an image into a repository, tagged 1.
func pushed(t *testing.T, repo name.Repository) v1.Descriptor {
	t.Helper()
	image := newImage(t, "amd64")
	if err := remote.Write(repo.Tag("1"), image); err != nil {
		t.Fatal(err)
	}
	d, err := partial.Descriptor(image)
	if err != nil {
		t.Fatal(err)
	}
	return *d
}

// A rawManifest is one whose bytes are given.
type rawManifest []byte

func (m rawManifest) RawManifest() ([]byte, error)        { return m, nil }
func (m rawManifest) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// refer pushes an artifact with one layer that refers to a manifest.
func refer(t *testing.T, repo name.Repository, subject v1.Descriptor, artifactType string, mediaType types.MediaType, document []byte) v1.Descriptor {
	t.Helper()
	put := func(raw []byte, mediaType types.MediaType) v1.Hash {
		layer := static.NewLayer(raw, mediaType)
		if err := remote.WriteLayer(repo, layer); err != nil {
			t.Fatal(err)
		}
		digest, err := layer.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":%q},`+
		`"layers":[{"mediaType":%q,"size":%d,"digest":%q}],"subject":{"mediaType":%q,"size":%d,"digest":%q}}`,
		types.OCIManifestSchema1, artifactType, put([]byte("{}"), "application/vnd.oci.empty.v1+json"),
		mediaType, len(document), put(document, mediaType), subject.MediaType, subject.Size, subject.Digest)
	digest, size, err := v1.SHA256(strings.NewReader(string(manifest)))
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Put(repo.Digest(digest.String()), rawManifest(manifest)); err != nil {
		t.Fatal(err)
	}
	return v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: size, Digest: digest}
}

// statementsOf reads an image, and what is said of it.
func statementsOf(t *testing.T, reference string, trust evidence.Trust, given ...*statement.Document) []evidence.Statement {
	t.Helper()
	img, err := inspect.Open(t.Context(), reference, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if trust.Now.IsZero() {
		trust.Now = time.Now()
	}
	return evidence.Of(img, given, trust)
}

// summary is a line a statement: where it lies, its form, what it is about, and the
// signatures, sorted, since a registry lists them by digest.
func summary(all []evidence.Statement) string {
	var lines []string
	for _, s := range all {
		line := fmt.Sprintf("%s %s about %q", s.Source, s.Form, s.About)
		if !s.Unread.IsZero() {
			line += " unread: " + s.Unread.Code
		}
		var signatures []string
		for _, g := range s.Signatures {
			signatures = append(signatures, strings.TrimSpace(fmt.Sprintf("; %s %s %s", g.Status, g.Signer, g.Why.Code)))
		}
		slices.Sort(signatures)
		lines = append(lines, line+strings.Join(signatures, ""))
	}
	return strings.Join(lines, "\n")
}

func trusting(keys ...statement.Key) evidence.Trust { return evidence.Trust{Keys: keys} }

func writeFile(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

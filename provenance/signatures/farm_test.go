package signatures

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/edwards25519"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
)

const (
	guixFarm = "../../fixtures/guix/publish"
	nixCache = "../../fixtures/nix/cache-mini"
)

// items returns the store items of a sample image.
func items(t testing.TB, image string) []inspect.StoreItem {
	t.Helper()
	img, err := inspect.Open(t.Context(), "../../fixtures/"+image, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Items) == 0 {
		t.Fatalf("%s holds no store item", image)
	}
	return img.Items
}

// itemNamed returns the item of that name and its index.
func itemNamed(t testing.TB, all []inspect.StoreItem, name string) (inspect.StoreItem, int) {
	t.Helper()
	for i, it := range all {
		if strings.HasSuffix(it.Path, "-"+name) {
			return it, i
		}
	}
	t.Fatalf("no item %s", name)
	return inspect.StoreItem{}, 0
}

func readKeys(t testing.TB, path string) []Key {
	t.Helper()
	keys, err := ReadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func farmKeys(t testing.TB) []Key  { return readKeys(t, guixFarm+"/signing-key.pub") }
func cacheKeys(t testing.TB) []Key { return readKeys(t, "../../fixtures/nix/keys/public") }

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// serve starts a server and returns its address.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// dir serves a folder.
func dir(path string) http.Handler { return http.FileServer(http.Dir(path)) }

// changed serves a folder, each narinfo after change.
func changed(t testing.TB, path string, change func(name, text string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		text, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, change(name, string(text)))
	})
}

func address(t testing.TB, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return "file://" + full
}

// check asks with short patience.
func checked(t testing.TB, all []inspect.StoreItem, opt Options) (check.Check, []Outcome) {
	t.Helper()
	if opt.RequestTimeout == 0 {
		opt.RequestTimeout = 5 * time.Second
	}
	return Check(t.Context(), all, opt)
}

// word returns the outcome of an item by the first server.
func word(t testing.TB, outcomes []Outcome, name string) Outcome {
	t.Helper()
	for _, o := range outcomes {
		if strings.HasSuffix(o.Path, "-"+name) {
			return o
		}
	}
	t.Fatalf("no outcome about %s", name)
	return Outcome{}
}

// rules lists the rules of findings of a level, in order.
func rules(c check.Check, level check.Level) string {
	var all []string
	for _, f := range c.Findings {
		if f.Level == level {
			_, rule, _ := strings.Cut(f.Code, "/")
			all = append(all, rule)
		}
	}
	return strings.Join(all, " ")
}

// A secret is a private key of ECDSA over Ed25519.
type secret int64

func (s secret) point() *edwards25519.Point {
	return new(edwards25519.Point).ScalarBaseMult(scalar(big.NewInt(int64(s))))
}

func (s secret) publicKey() string {
	return fmt.Sprintf("(public-key (ecc (curve Ed25519) (q #%X#)))", s.point().Bytes())
}

func (s secret) keys(t testing.TB, name string) []Key {
	t.Helper()
	keys, err := ParseKeys(name, []byte(s.publicKey()))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// ecdsa signs a SHA-256 hash, with a nonce that is good enough for tests.
func (s secret) ecdsa(hash [sha256.Size]byte) (r, sig *big.Int) {
	n := order()
	nonce := sha256.Sum256(hash[:])
	k := new(big.Int).SetBytes(nonce[:31])
	r = new(big.Int).SetBytes(xOf(new(edwards25519.Point).ScalarBaseMult(scalar(k))))
	r.Mod(r, n)
	sig = new(big.Int).Mul(r, big.NewInt(int64(s)))
	sig.Add(sig, new(big.Int).Rsh(new(big.Int).SetBytes(hash[:]), 3))
	sig.Mul(sig, new(big.Int).ModInverse(k, n))
	return r, sig.Mod(sig, n)
}

// sign signs anew what stands before the signature of a narinfo of Guix.
func (s secret) sign(narinfo string) string {
	text, _, _ := strings.Cut(narinfo, signatureLine)
	hash := sha256.Sum256([]byte(text))
	r, v := s.ecdsa(hash)
	form := fmt.Sprintf("(signature (data (flags rfc6979) (hash sha256 #%X#)) (sig-val (ecdsa (r #%X#) (s #%X#))) %s)", hash, r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32)), s.publicKey())
	return text + signatureLine + " 1;test;" + base64.StdEncoding.EncodeToString([]byte(form)) + "\n"
}

// cancelled is a context that has ended.
func cancelled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// reasonsOf writes why a check ended as it did.
func reasonsOf(c check.Check) string {
	var all []string
	for _, m := range c.Reasons {
		all = append(all, m.String())
	}
	return strings.Join(all, "; ")
}

package signatures

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	upstream "github.com/nix-community/go-nix/pkg/narinfo"

	"audit/inspect"
	"audit/inspect/check"
)

// On real narinfo of Nix, another reader sees the same.
func TestNarinfoUpstream(t *testing.T) {
	files, err := filepath.Glob(nixCache + "/*.narinfo")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "testdata/cache.nixos.org.narinfo") {
		text := read(t, file)
		got, err := parseNarinfo(text)
		if err != nil {
			t.Fatal(err)
		}
		want, err := upstream.Parse(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got.path != want.StorePath || !bytes.Equal(got.narHash[:], want.NarHash.Digest()) || uint64(got.narSize) != want.NarSize ||
			!slices.Equal(got.references, want.References) || got.fingerprint() != want.Fingerprint() || len(got.sigs) != len(want.Signatures) {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}

// Nix signs the references in order, each once, however they are listed.
func TestFingerprintOrder(t *testing.T) {
	a, b := strings.Repeat("a", 32)+"-a", strings.Repeat("b", 32)+"-b"
	text := "StorePath: /nix/store/" + a + "\nNarHash: sha256:" + strings.Repeat("0", 52) + "\nNarSize: 1\nReferences: " + b + " " + a + "  " + b + "\n"
	info, err := parseNarinfo([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "1;/nix/store/" + a + ";sha256:" + strings.Repeat("0", 52) + ";1;/nix/store/" + a + ",/nix/store/" + b
	if got := info.fingerprint(); got != want {
		t.Errorf("%s", got)
	}
}

func TestNarinfoErrors(t *testing.T) {
	good := string(read(t, nixCache+"/c74vd3v4h465mkqqz3687yavpimpygqj.narinfo"))
	for why, change := range map[string]func(string) string{
		"is no store path": replace("/nix/store/c74", "/nix/store/C74"),
		`StorePath ""`: func(s string) string {
			return "Sig: x\n" + strings.Replace(s, "/nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0", "", 1)
		},
		"is no size":            replace("NarSize: 456", "NarSize: -456"),
		`NarSize "0"`:           replace("NarSize: 456", "NarSize: 0"),
		`NarSize ""`:            replace("NarSize: 456\n", ""),
		"is no field":           replace("Compression: xz", "Compression"),
		"two fields NarSize":    replace("Compression: xz", "NarSize: 456"),
		"two fields StorePath":  replace("Compression: xz", "StorePath: /nix/store/x"),
		"two fields References": replace("Compression: xz", "References: x"),
		"12 characters":         replace("NarHash: sha256:00diw0cgxrr97gc6qvamqnrml39p8kr3bpjvcjhxfwy8ac0fsi6r", "NarHash: sha256:00diw0cgxrr9"),
		"not in Nix alphabet":   replace("NarHash: sha256:00diw", "NarHash: sha256:00die"),
		"non-zero padding":      replace("NarHash: sha256:00diw", "NarHash: sha256:z0diw"),
		"no store item":         replace("References: ", "References: ../../etc"),
	} {
		if _, err := parseNarinfo([]byte(change(good))); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
	}
}

// Whatever a server answers, only the bytes that the key signed prove an item:
// with all of the text before the signature as it was, and none changed.
func FuzzNarinfo(f *testing.F) {
	const name = "y1wsz33i13663zsn6ndw4qxjl7pici3r"
	guix := read(f, guixFarm+"/"+name+".narinfo")
	nix := read(f, nixCache+"/c74vd3v4h465mkqqz3687yavpimpygqj.narinfo")
	for _, seed := range [][]byte{guix, nix, read(f, "testdata/rsa.narinfo"), read(f, "testdata/canonical.narinfo"), []byte("StorePath: x")} {
		f.Add(seed)
	}
	keys := append(farmKeys(f), cacheKeys(f)...)
	packed, _ := itemNamed(f, items(f, "guix/images/tiny.tar.gz"), "tiny-hello-3.2")
	words, _ := itemNamed(f, items(f, "nix/images-mini/single.tar.gz"), "words-1.0")
	signed, _, _ := bytes.Cut(guix, []byte(signatureLine))
	fingerprint := parsed(f, nix).fingerprint()
	f.Fuzz(func(t *testing.T, text []byte) {
		if o := judge(about(packed, "s"), packed, text, keys); o.isProof() && !bytes.HasPrefix(text, append(slices.Clone(signed), signatureLine...)) {
			t.Errorf("%v on the word of %q", o, text)
		}
		o := judge(about(words, "s"), words, text, keys)
		if o.isProof() && parsed(t, text).fingerprint() != fingerprint {
			t.Errorf("%v on the word of %q", o, text)
		}
		if o.Word < Unknown || o.Word > Untrusted {
			t.Errorf("no word: %+v", o)
		}
		c := Conclude([]inspect.StoreItem{words}, []Outcome{o}, Terms{})
		if (c.Status == check.Unknown) == (o.isProof() || o.Word == BadSignature) || (c.Status == check.Pass) != (o.Word == Signed) {
			t.Errorf("%v of %v", c.Status, o)
		}
	})
}

func parsed(t testing.TB, text []byte) *narinfo {
	t.Helper()
	info, err := parseNarinfo(text)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

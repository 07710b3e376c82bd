package signatures

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseKeys(t *testing.T) {
	const (
		one   = `(public-key (ecc (curve Ed25519) (q #465B048FC8B655520B2592E5F01D90A62AE5DA741A948CBB8D75D9F0BA2678F9#)))`
		two   = `(public-key (ecc (curve Ed25519) (q #7D602902D3A2DBB83F8A0FB98602A754C5493B0B778C8D1DD4E0F41DE14DE34F#)))`
		nixos = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="
	)
	allow := func(key, tag string) string { return "(entry " + key + " (tag (guix " + tag + ")))" }
	cases := []struct{ name, text, want string }{
		{"Guix", one, "k"},
		{"two of Guix", one + "\n" + two, "k#1 k#2"},
		{"access control list", "(acl " + allow(one, "import") + allow(two, "import") + ")", "k#1 k#2"},
		{"not allowed to import", "(acl " + allow(one, "export") + allow(two, "import") + "(entry) (entry " + one + "))", "k"},
		{"Nix", nixos + "\n", "cache.nixos.org-1"},
		{"two of Nix", nixos + " other-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=", "cache.nixos.org-1 other-1"},
		{"RSA", `(public-key (rsa (n #00F1#) (e #03#)))`, "k"},

		{"nothing", " \n", "error: no public key"},
		{"an empty list of access", "(acl)", "error: no public key"},
		{"private key", "(private-key (ecc))", "error: keep this one"},
		{"key pair", "(key-data (public-key) (private-key))", "error: keep this one"},
		{"secret key of Nix", "a-1:" + strings.Repeat("A", 86) + "==", "error: neither (public-key …)"},
		{"something else", "-----BEGIN PUBLIC KEY-----", "error: neither (public-key …)"},
		{"another form", "(hello)", "error: belongs here"},
		{"an empty form", "()", "error: belongs here"},
		{"not closed", "(public-key (ecc", "error: ends in the middle"},
		{"another kind", "(public-key (dsa (p #01#)))", "error: neither ecc nor rsa"},
		{"another curve", `(public-key (ecc (curve "NIST P-256") (q #04#)))`, `error: the curve "NIST P-256"`},
		{"for EdDSA", `(public-key (ecc (curve Ed25519) (flags eddsa) (q #465B048FC8B655520B2592E5F01D90A62AE5DA741A948CBB8D75D9F0BA2678F9#)))`, "error: EdDSA"},
		{"short", "(public-key (ecc (curve Ed25519) (q #465B#)))", "error: a point of 2 bytes"},
		{"no point", "(public-key (ecc (curve Ed25519) (q #475B048FC8B655520B2592E5F01D90A62AE5DA741A948CBB8D75D9F0BA2678F9#)))", "error: not a point"},
		{"no point, both", "(public-key (ecc (curve Ed25519) (q #04" + strings.Repeat("01", 64) + "#)))", "error: not a point"},
		{"y beyond the field", "(public-key (ecc (curve Ed25519) (q #EE" + strings.Repeat("FF", 30) + "7F#)))", "error: not a point"},
		{"minus zero", "(public-key (ecc (curve Ed25519) (q #01" + strings.Repeat("00", 30) + "80#)))", "error: not a point"},
		{"endless RSA", "(public-key (rsa (n #" + strings.Repeat("FF", 4096) + "#) (e #03#)))", "error: an RSA key of 32768 bits"},
		{"RSA with a huge exponent", "(public-key (rsa (n #F1#) (e #FFFFFFFFFF#)))", "error: exponent of 40"},
		{"RSA without exponent", "(public-key (rsa (n #F1#)))", "error: (e …)"},
	}
	for _, tt := range cases {
		keys, err := ParseKeys("k", []byte(tt.text))
		got := strings.Join(names(keys), " ")
		if want, bad := strings.CutPrefix(tt.want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.name, err, want)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

// The three notations of a point are one key.
func TestFingerprint(t *testing.T) {
	k := farmKeys(t)[0]
	if want := "ecc:465B048FC8B655520B2592E5F01D90A62AE5DA741A948CBB8D75D9F0BA2678F9"; k.Fingerprint() != want {
		t.Errorf("%s", k.Fingerprint())
	}
	short := k.ecc.Bytes()
	y := slices.Clone(short)
	slices.Reverse(y)
	y[0] &= 0x7f
	long := slices.Concat([]byte{4}, xOf(k.ecc), y)
	for _, q := range [][]byte{short, append([]byte{0x40}, short...), long} {
		p, err := decodePoint(q)
		if err != nil || string(p.Bytes()) != string(short) {
			t.Errorf("%X: %v", q, err)
		}
	}
	for _, at := range []int{1, 32, 33, 64} {
		bad := slices.Clone(long)
		bad[at] ^= 0x80
		if _, err := decodePoint(bad); err != errNoPoint {
			t.Errorf("%X: %v", bad, err)
		}
	}
}

func TestReadKeys(t *testing.T) {
	if got := farmKeys(t); len(got) != 1 || got[0].Name != "signing-key" {
		t.Errorf("%v", got)
	}
	if got := cacheKeys(t); len(got) != 1 || got[0].Name != "audit-test-1" {
		t.Errorf("%v", got)
	}
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, make([]byte, keyFileBytes+1), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/no/such/file", t.TempDir(), guixFarm + "/nix-cache-info", long} {
		if keys, err := ReadKeys(path); err == nil {
			t.Errorf("%s: %v", path, keys)
		} else if !strings.HasPrefix(err.Error(), "reading ") || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%v", err)
		}
	}
}

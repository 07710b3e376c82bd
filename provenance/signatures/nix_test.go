package signatures

import (
	"strings"
	"testing"

	"audit/inspect/check"
)

func TestNix(t *testing.T) {
	for _, image := range []string{"single", "layered"} {
		for name, server := range map[string]string{"http": serve(t, dir(nixCache)), "file": address(t, nixCache) + "?compression=xz"} {
			t.Run(image+" "+name, func(t *testing.T) {
				all := items(t, "nix/images-mini/"+image+".tar.gz")
				c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: cacheKeys(t)})
				if c.Status != check.Pass || len(c.Findings) > 0 {
					t.Errorf("%v: %s %v", c.Status, reasonsOf(c), c.Findings)
				}
				for _, o := range outcomes {
					if o.Word != Signed || strings.Join(names(o.Keys), " ") != "audit-test-1" || o.Agree != 1 {
						t.Errorf("%s: %v", o.Path, o)
					}
				}
				if len(outcomes) != 3 || reasonsOf(c) != `signatures/signed items="3" keys="audit-test-1" signed="3"` {
					t.Errorf("%d outcomes: %s", len(outcomes), reasonsOf(c))
				}
			})
		}
	}
}

// No item of Nix is left out of the question by its name.
func TestNixUnknown(t *testing.T) {
	c, outcomes := checked(t, items(t, "nix/images-mini/stamped-A.tar.gz"), Options{Servers: []string{address(t, nixCache)}, Keys: cacheKeys(t)})
	if word(t, outcomes, "words-1.0").Word != Signed || word(t, outcomes, "stamped-1.0").Word != Unknown || c.Status != check.Unknown {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
	if got := rules(c, check.Undecided); got != "unknown-item" {
		t.Errorf("undecided %s", got)
	}
}

// One byte of an item changed: what the key signed is another hash.
func TestNixChanged(t *testing.T) {
	all := items(t, "nix/images-mini/single.tar.gz")
	_, i := itemNamed(t, all, "words-1.0")
	all[i].NarHash.Hex = strings.Repeat("0", 64)
	c, outcomes := checked(t, all, Options{Servers: []string{address(t, nixCache)}, Keys: cacheKeys(t)})
	if c.Status != check.Fail || word(t, outcomes, "words-1.0").Word != Differs || word(t, outcomes, "greeter-1.0").Word != Signed {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
	if f := c.Findings[0]; f.Code != "signatures/hash-differs" || f.Args.String("keys") != "audit-test-1" {
		t.Errorf("%+v", f)
	}
}

func TestNixBadSignatures(t *testing.T) {
	foreign, err := ParseKeys("", []byte("someone-1:"+strings.TrimPrefix(string(read(t, "../../fixtures/nix/keys/public")), "audit-test-1:")))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(string) string
		keys   []Key
		why    string // "" for a signature that holds
	}{
		{"tampered hash", replace("NarHash: sha256:00di", "NarHash: sha256:00dj"), cacheKeys(t), "not one of this text by this key"},
		{"tampered size", replace("NarSize: 456", "NarSize: 457"), cacheKeys(t), "not one of this text by this key"},
		{"tampered references", replace("References: ", "References: c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0"), cacheKeys(t), "not one of this text by this key"},
		{"key of another name", same, foreign, `answer/untrusted-key key="audit-test-1"`},
		{"no key", same, nil, `answer/untrusted-key key="audit-test-1"`},
		{"key of Guix", same, farmKeys(t), "answer/untrusted-key"},
		{"truncated", func(s string) string { return s[:len(s)-9] + "\n" }, cacheKeys(t), "signature is corrupt"},
		{"unsigned", func(s string) string { s, _, _ = strings.Cut(s, "Sig:"); return s }, cacheKeys(t), "bears no signature"},
		{"another hash function", replace("NarHash: sha256:", "NarHash: sha512:"), cacheKeys(t), "not a SHA-256 digest"},
		{"another signer too", func(s string) string { return s + "Sig: someone-2:" + strings.Repeat("A", 86) + "==\n" }, cacheKeys(t), ""},
		{"a liar before", func(s string) string { return "Sig: audit-test-1:" + strings.Repeat("A", 86) + "==\n" + s }, cacheKeys(t), ""},
		{"other fields", func(s string) string {
			return "CA: text:sha256:0\n" + strings.Replace(s, "Compression: xz", "Compression: none", 1)
		}, cacheKeys(t), ""},
		{"too many signers", func(s string) string {
			return strings.Repeat("Sig: audit-test-1:"+strings.Repeat("A", 86)+"==\n", 64) + s
		}, cacheKeys(t), "more than 64 lines Sig"},
		{"hexadecimal", replace("sha256:00diw0cgxrr97gc6qvamqnrml39p8kr3bpjvcjhxfwy8ac0fsi6r", "sha256:"+wordsHex(t)), cacheKeys(t), ""},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, changed(t, nixCache, func(name, text string) string {
				if strings.HasPrefix(name, "c74vd") {
					return tt.change(text)
				}
				return text
			}))
			c, outcomes := checked(t, items(t, "nix/images-mini/single.tar.gz"), Options{Servers: []string{server}, Keys: tt.keys})
			o := word(t, outcomes, "words-1.0")
			if tt.why == "" {
				if o.Word != Signed || c.Status != check.Pass {
					t.Errorf("%v, %v", o, c.Status)
				}
				return
			}
			word, status := BadSignature, check.Fail
			if strings.HasPrefix(tt.why, "answer/untrusted-key") {
				word, status = Untrusted, check.Unknown
			}
			if o.Word != word || !strings.Contains(whyText(o), tt.why) || c.Status != status {
				t.Errorf("%v, %v", o, c.Status)
			}
		})
	}
}

func same(s string) string { return s }

func wordsHex(t *testing.T) string {
	it, _ := itemNamed(t, items(t, "nix/images-mini/single.tar.gz"), "words-1.0")
	return it.NarHash.Hex
}

// The key of a farm is the one that signs for it, and the farm's operator's.
func TestFarmKeys(t *testing.T) {
	keys, err := FarmKeys([]Farm{
		{Server: "https://cache.nixos.org", Operator: "NixOS", Key: "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="},
		{Server: "https://farm.example", Operator: "me", Name: "farm", Key: secret(4).publicKey()},
	})
	if err != nil || len(keys) != 2 || keys[0].Operator != "NixOS" || keys[1].Name != "farm" || keys[1].Operator != "me" {
		t.Fatalf("%+v, %v", keys, err)
	}
	info, err := parseNarinfo(read(t, "testdata/cache.nixos.org.narinfo"))
	if err != nil {
		t.Fatal(err)
	}
	signers, err := info.signers(keys)
	if err != nil || len(signers) != 1 || signers[0].Name != "cache.nixos.org-1" {
		t.Errorf("signed by %v, %v", signers, err)
	}
	if _, err := FarmKeys([]Farm{{Server: "https://x", Key: "no key"}}); err == nil {
		t.Error("a farm whose key is none")
	}
}

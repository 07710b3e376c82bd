package signatures

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
)

// A farm that signed what the image holds: its packages are proven, and what
// was made for the image itself is left out by name.
func TestTiny(t *testing.T) {
	for name, server := range map[string]string{"http": serve(t, dir(guixFarm)), "file": address(t, guixFarm)} {
		t.Run(name, func(t *testing.T) {
			all := items(t, "guix/images/tiny.tar.gz")
			c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(all)})
			if c.ID != check.Signatures || c.Status != check.Pass {
				t.Errorf("%s: %v, %s", c.ID, c.Status, reasonsOf(c))
			}
			want := map[string]Word{"tiny-lib-2.1": Signed, "tiny-data-1.0": Signed, "tiny-hello-3.2": Signed, "info-dir": Unknown, "emacs-subdirs": Unknown, "profile": Unknown}
			if len(outcomes) != len(want) {
				t.Fatalf("%d outcomes", len(outcomes))
			}
			var bytes int64
			for name, w := range want {
				o := word(t, outcomes, name)
				if o.Word != w || len(o.Missing)+len(o.Unsigned) > 0 {
					t.Errorf("%s: %v, missing %q, unsigned %q", name, o, o.Missing, o.Unsigned)
				}
				if it, _ := itemNamed(t, all, name); w == Signed {
					bytes += it.Bytes
				}
			}
			if o := word(t, outcomes, "tiny-lib-2.1"); o.Word != Signed || strings.Join(names(o.Keys), " ") != "signing-key" || o.Agree != 1 || o.SignedHash != o.NarHash {
				t.Errorf("%+v", o)
			}
			if c.Bytes != bytes || bytes == 0 {
				t.Errorf("%d bytes, want %d", c.Bytes, bytes)
			}
			if got := rules(c, check.Note); got != "follows follows follows" || rules(c, check.Problem) != "" {
				t.Errorf("notes %q, problems %q", got, rules(c, check.Problem))
			}
			for _, part := range []string{`signatures/signed items="6" keys="signing-key" signed="3"`, `signatures/following beyond="0" count="3"`, "-profile"} {
				if !strings.Contains(reasonsOf(c), part) {
					t.Errorf("%q is not in the summary: %s", part, reasonsOf(c))
				}
			}
		})
	}
}

// madeForTiny are terms by which what the packer made for an image follows from its
// packages: all that is not called tiny-….
func madeForTiny(all []inspect.StoreItem) Terms {
	follows := make(map[string]bool)
	for _, it := range all {
		follows[it.Path] = !strings.Contains(it.Path, "-tiny-") && !strings.Contains(it.Path, "-hello-")
	}
	return Terms{Follows: follows}
}

// The farm built stamp-A; stamp-B embeds another time.
func TestStamp(t *testing.T) {
	opt := Options{Servers: []string{serve(t, dir(guixFarm))}, Keys: farmKeys(t)}
	opt.Terms = madeForTiny(items(t, "guix/images/stamp-A.tar.gz"))
	if c, _ := checked(t, items(t, "guix/images/stamp-A.tar.gz"), opt); c.Status != check.Pass {
		t.Errorf("stamp-A: %v, %s", c.Status, reasonsOf(c))
	}
	all := items(t, "guix/images/stamp-B.tar.gz")
	c, outcomes := checked(t, all, opt)
	o := word(t, outcomes, "tiny-stamp-0.1")
	if c.Status != check.Fail || o.Word != Differs || o.Agree != 0 {
		t.Errorf("stamp-B: %v, %v", c.Status, o)
	}
	f := c.Findings[0]
	for _, part := range []string{o.NarHash.String(), o.SignedHash.String(), "signing-key", opt.Servers[0]} {
		if f.Code != "signatures/hash-differs" || f.Level != check.Problem || !strings.HasSuffix(f.Path, "-tiny-stamp-0.1") || !strings.Contains(f.Message.String(), part) {
			t.Errorf("%q is not in %+v", part, f)
		}
	}
	hello, _ := itemNamed(t, all, "hello-2.12.2")
	if c.Bytes != hello.Bytes {
		t.Errorf("%d bytes are vouched for, want those of hello, %d", c.Bytes, hello.Bytes)
	}
}

// What can be wrong with an answer, and that it neither proves the image nor
// speaks against it.
func TestBadSignatures(t *testing.T) {
	const lib, hello = "4bpymp7xj89wli1jyf186frx9lxyq7bj.narinfo", "y1wsz33i13663zsn6ndw4qxjl7pici3r.narinfo"
	swap := string(read(t, guixFarm+"/"+lib))
	cases := []struct {
		name   string
		change func(text string) string
		word   Word
		why    string
	}{
		{"changed hash", replace("NarHash: sha256:1wp7", "NarHash: sha256:1wp8"), BadSignature, "what is signed is another text"},
		{"changed size", replace("NarSize: 584", "NarSize: 585"), BadSignature, "what is signed is another text"},
		{"one more space", replace("NarSize: 584", "NarSize:  584"), BadSignature, "what is signed is another text"},
		{"foreign key", secret(77).sign, Untrusted, "answer/untrusted-key key=ecc:"},
		{"truncated signature", inSignature(func(s string) string { return s[:len(s)/2/4*4] }), BadSignature, "cut off or damaged"},
		{"truncated in a group", inSignature(func(s string) string { return s[:len(s)-3] }), BadSignature, "cut off or damaged"},
		{"empty signature", inSignature(func(string) string { return "" }), BadSignature, "0 S-expressions"},
		{"no signature", func(s string) string { s, _, _ = strings.Cut(s, signatureLine); return s }, BadSignature, "bears no signature"},
		{"blank signature", func(s string) string { s, _, _ = strings.Cut(s, signatureLine); return s + "Signature: \n" }, BadSignature, "empty Signature"},
		{"two signatures", func(s string) string { return s + "Signature: 1;vm;KCk=\n" }, BadSignature, "two lines Signature"},
		{"signature first", func(s string) string { return "Signature: 1;vm;KCk=\n" + s }, BadSignature, "two lines Signature"},
		{"version 2", replace("Signature: 1;", "Signature: 2;"), BadSignature, `version "2"`},
		{"other r", inSexp(`(r #029B`, `(r #029C`), BadSignature, "not one of this text by this key"},
		{"r beyond the group", inSexp(`(r #02`, `(r #F2`), BadSignature, "not one of this text by this key"},
		{"hash of another kind", inSexp(`sha256`, `sha384`), BadSignature, "not a SHA-256 hash"},
		{"EdDSA", inSexp(`rfc6979`, `eddsa`), BadSignature, `the flag "eddsa"`},
		{"two keys", inSexp("(public-key", "(public-key) (public-key"), BadSignature, "2 times (public-key"},
		{"key that is no point", inSexp(`(q #465B`, `(q #475B`), BadSignature, "not a point"},
		{"swapped narinfo", func(string) string { return swap }, BadSignature, "answer/other-item item="},
		{"two hashes", replace("NarSize", "NarHash: sha256:1wp7fya5c5vlxckf4bgm811m1pa20g2jja9vmy29ada84m0vrxqd\nNarSize"), BadSignature, "two fields NarHash"},
		{"no references", secretly(replace("References: 4bpymp7xj89wli1jyf186frx9lxyq7bj-tiny-lib-2.1\n", "")), BadSignature, "references are not among"},
		{"impossible size", secretly(replace("NarSize: 584", "NarSize: 585")), BadSignature, "answer/contradictory"},
		{"a login page", func(string) string { return "<html><body>Welcome to our hotel</body></html>" }, Unreachable, "answer/no-narinfo"},
		{"nothing", func(string) string { return "" }, Unreachable, "answer/no-narinfo"},
	}
	keys := append(farmKeys(t), secret(5).keys(t, "second")...)
	all := items(t, "guix/images/tiny.tar.gz")
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, changed(t, guixFarm, func(name, text string) string {
				if name == hello {
					return tt.change(text)
				}
				return text
			}))
			c, outcomes := checked(t, all, Options{Servers: []string{server}, Keys: keys})
			o := word(t, outcomes, "tiny-hello-3.2")
			if o.Word != tt.word || !strings.Contains(whyText(o), tt.why) {
				t.Errorf("%v, want %v because of %q", o, tt.word, tt.why)
			}
			if (c.Status == check.Fail) != (tt.word == BadSignature) || c.Status == check.Pass {
				t.Errorf("%v: %s", c.Status, reasonsOf(c))
			}
			if !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Level != check.Note && f.Path == o.Path }) {
				t.Errorf("no finding names the item: %+v", c.Findings)
			}
			if w := word(t, outcomes, "tiny-lib-2.1").Word; w != Signed {
				t.Errorf("the other item is %v", w)
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("nothing to replace: " + old)
		}
		return strings.Replace(s, old, new, 1)
	}
}

// secretly changes what is signed and signs it with a key that is trusted.
func secretly(change func(string) string) func(string) string {
	return func(s string) string { return secret(5).sign(change(s)) }
}

// inSignature changes the base64 of a signature.
func inSignature(change func(string) string) func(string) string {
	return func(s string) string {
		at := strings.Index(s, "1;vm;") + len("1;vm;")
		n := strings.IndexByte(s[at:], '\n')
		return s[:at] + change(s[at:at+n]) + s[at+n:]
	}
}

func inSexp(old, new string) func(string) string {
	return inSignature(func(s string) string {
		text, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return base64.StdEncoding.EncodeToString([]byte(replace(old, new)(string(text))))
	})
}

// What stands after the signature is not read, whatever it says.
func TestAfterSignature(t *testing.T) {
	server := serve(t, changed(t, guixFarm, func(_, text string) string {
		return text + "NarHash: sha256:0000000000000000000000000000000000000000000000000000\nStorePath: /gnu/store/x\nno field\n"
	}))
	all := items(t, "guix/images/tiny.tar.gz")
	c, _ := checked(t, all, Options{Servers: []string{server}, Keys: farmKeys(t), Terms: madeForTiny(all)})
	if c.Status != check.Pass {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
}

// A signed list of references that is not the one found is told, and the item
// stays signed: its bytes are.
func TestReferences(t *testing.T) {
	const data, other = "szdbpxjpmifp9p8m03bl90kxdklrw480-tiny-data-1.0", "00000000000000000000000000000000-other"
	server := serve(t, changed(t, guixFarm, func(name, text string) string {
		if name != "4bpymp7xj89wli1jyf186frx9lxyq7bj.narinfo" {
			return text
		}
		return secret(5).sign(replace("References: "+data, "References: "+other)(text))
	}))
	c, outcomes := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{server}, Keys: append(farmKeys(t), secret(5).keys(t, "second")...), Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz"))})
	o := word(t, outcomes, "tiny-lib-2.1")
	if o.Word != Signed || !slices.Equal(o.Missing, []string{"/gnu/store/" + other}) || !slices.Equal(o.Unsigned, []string{"/gnu/store/" + data}) {
		t.Errorf("%v, missing %q, unsigned %q", o, o.Missing, o.Unsigned)
	}
	if c.Status != check.Pass || !strings.HasPrefix(rules(c, check.Note), "references-differ") {
		t.Errorf("%v, notes %s", c.Status, rules(c, check.Note))
	}
}

// Two farms that sign with two keys agree by two; the same key twice is one.
func TestAgreement(t *testing.T) {
	first := serve(t, dir(guixFarm))
	mirror := address(t, guixFarm)
	second := serve(t, changed(t, guixFarm, func(name, text string) string {
		if strings.HasPrefix(name, "y1wsz") {
			return secret(9).sign(text)
		}
		return text
	}))
	keys := append(farmKeys(t), secret(9).keys(t, "other-farm")...)
	keys = append(keys, readKeys(t, guixFarm+"/signing-key.pub")...)
	c, outcomes := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{first, mirror, second}, Keys: keys, Terms: madeForTiny(items(t, "guix/images/tiny.tar.gz"))})
	if n := word(t, outcomes, "tiny-hello-3.2").Agree; n != 2 {
		t.Errorf("%d keys agree on tiny-hello", n)
	}
	if n := word(t, outcomes, "tiny-lib-2.1").Agree; n != 1 {
		t.Errorf("%d keys agree on tiny-lib", n)
	}
	if c.Status != check.Pass || !strings.Contains(reasonsOf(c), `agreement="1 by 2, 2 by 1" items="6" operators="other-farm, signing-key"`) {
		t.Errorf("%v: %s", c.Status, reasonsOf(c))
	}
	for i, o := range outcomes {
		if want := []string{first, mirror, second}[i%3]; o.Server != want || i > 0 && o.Path < outcomes[i-1].Path {
			t.Errorf("outcome %d is out of order: %s, %s", i, o.Path, o.Server)
		}
	}
}

// Signatures that libgcrypt made with the other kinds of keys.
func TestLibgcrypt(t *testing.T) {
	for _, name := range []string{"rsa", "ecc-prefixed", "ecc-uncompressed", "canonical"} {
		t.Run(name, func(t *testing.T) {
			keys := readKeys(t, "testdata/"+name+".pub")
			info, err := parseNarinfo(read(t, "testdata/"+name+".narinfo"))
			if err != nil {
				t.Fatal(err)
			}
			signers, err := info.signers(append(farmKeys(t), keys...))
			if err != nil || len(signers) != 1 || signers[0].Name != name {
				t.Errorf("signed by %v, %v", signers, err)
			}
			if _, err := info.signers(farmKeys(t)); err == nil {
				t.Error("a key that is not trusted was taken")
			}
			info.signed[len(info.signed)-2]++
			if _, err := info.signers(keys); err == nil {
				t.Error("a changed text was taken")
			}
		})
	}
}

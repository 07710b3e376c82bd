package signatures

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// The status over every combination of what two servers can say of a package
// and of a profile: fail when any trusted key differs, or when a bad signature is
// all there is; pass when every package is proven, else unknown.
func TestStatus(t *testing.T) {
	key := OfficialKeys()[0]
	all := []Word{Unknown, Signed, Differs, BadSignature, Unreachable}
	for _, a := range all {
		for _, b := range all {
			for _, p := range all {
				items := []inspect.StoreItem{{Path: store('a', "pack-1"), Bytes: 10}, {Path: store('b', "profile"), Bytes: 1}}
				outcomes := []Outcome{{Word: a, Why: "x"}, {Word: b, Why: "x"}, {Word: p, Why: "x"}, {Word: Unknown}}
				for i := range outcomes {
					if outcomes[i].isProof() {
						outcomes[i].Keys = []Key{key}
					}
				}
				c := conclude(items, outcomes, nil)
				want, bytes := check.Unknown, int64(0)
				if a == Signed || b == Signed {
					want = check.Pass
				}
				if p == BadSignature || want != check.Pass && (a == BadSignature || b == BadSignature) {
					want = check.Fail
				}
				if a == Differs || b == Differs || p == Differs {
					want = check.Fail
				}
				if (a == Signed || b == Signed) && a != Differs && b != Differs {
					bytes = 10
				}
				if p == Signed {
					bytes++
				}
				if c.Status != want || c.Bytes != bytes {
					t.Errorf("%v, %v and profile %v: %v with %d bytes, want %v with %d", a, b, p, c.Status, c.Bytes, want, bytes)
				}
				problems := slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Level == check.Problem })
				if problems == (want == check.Pass) {
					t.Errorf("%v, %v and profile %v: %v, problems %q", a, b, p, want, rules(c, check.Problem))
				}
			}
		}
	}
}

func store(hash byte, name string) string {
	return "/gnu/store/" + strings.Repeat(string(hash), 32) + "-" + name
}

// Nothing that is examined is never success.
func TestNothing(t *testing.T) {
	if c, outcomes := Check(t.Context(), items(t, "guix/images/tiny.tar.gz"), Options{Keys: OfficialKeys()}); c.Status != check.Skipped || outcomes != nil || c.Summary == "" {
		t.Errorf("without servers: %v, %q", c.Status, c.Summary)
	}
	opt := Options{Servers: []string{address(t, guixFarm)}, Keys: farmKeys(t)}
	for name, all := range map[string][]inspect.StoreItem{
		"no items":       nil,
		"only a profile": {{Path: store('a', "profile")}},
		"no NAR hash":    {{Path: "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2", Problem: "its layer can be read only in part"}},
		"no store path":  {{Path: "/gnu/store/../y1wsz", NarHash: v1.Hash{Algorithm: "sha256", Hex: "00"}}},
	} {
		c, _ := checked(t, all, opt)
		if c.Status != check.Unknown || c.Bytes != 0 || c.Summary == "" {
			t.Errorf("%s: %v, %q", name, c.Status, c.Summary)
		}
		for _, it := range all {
			if !strings.Contains(c.Summary, it.Path[strings.LastIndexByte(it.Path, '/')+1:]) {
				t.Errorf("%s: the summary does not name it: %s", name, c.Summary)
			}
		}
	}
}

// A profile that a farm does know is held to what it signed.
func TestKnownProfile(t *testing.T) {
	path := store('b', "profile")
	for hash, want := range map[string]check.Status{strings.Repeat("2", 64): check.Pass, strings.Repeat("1", 64): check.Fail} {
		text := secret(8).sign("StorePath: " + path + "\nNarHash: sha256:" + strings.Repeat("2", 64) + "\nNarSize: 9\nReferences: \n" + guixLine)
		item := inspect.StoreItem{Path: path, NarHash: v1.Hash{Algorithm: "sha256", Hex: hash}, NarSize: 9}
		o := judge(about(item, "s"), item, []byte(text), secret(8).keys(t, "k"))
		if c := conclude([]inspect.StoreItem{item}, []Outcome{o}, nil); c.Status != want {
			t.Errorf("%v: %s", c.Status, c.Summary)
		}
	}
}

// Keys that are not trusted are counted, each by server.
func TestUntrustedCounted(t *testing.T) {
	server := serve(t, dir(guixFarm))
	c, _ := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{server}, Keys: OfficialKeys()})
	f := c.Findings[0]
	if c.Status != check.Fail || f.Rule != "untrusted-key" || f.Level != check.Problem ||
		!strings.Contains(f.Words, server+": what it says of 3 store items is signed by the key ecc:465B048F") {
		t.Errorf("%v, %+v", c.Status, f)
	}
	if got := rules(c, check.Problem); got != "untrusted-key bad-signature bad-signature bad-signature" {
		t.Errorf("problems %s", got)
	}
}

func TestWords(t *testing.T) {
	for w := Unknown; w <= Unreachable; w++ {
		text, err := w.MarshalText()
		var again Word
		if err != nil || again.UnmarshalText(text) != nil || again != w || string(text) != w.String() {
			t.Errorf("%s, %v", text, again)
		}
	}
	if err := new(Word).UnmarshalText([]byte("good")); err == nil {
		t.Error("a word that is none")
	}
	var zero Word
	if zero != Unknown {
		t.Error("nothing is known before anything is asked")
	}
}

func TestIsLocal(t *testing.T) {
	for path, want := range map[string]bool{
		store('a', "profile"): true, store('a', "info-dir"): true, store('a', "fonts-dir"): true,
		store('a', "hello-2.12"): false, store('a', "my-profile"): false, store('a', "profile-1.0"): false,
		"/nix" + store('a', "profile")[4:]: false, "/gnu/store/profile": false,
	} {
		if isLocal(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

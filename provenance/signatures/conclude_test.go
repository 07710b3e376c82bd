package signatures

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// The status over every combination of what two servers can say of a package
// and of an item that follows from others: fail when any trusted key differs, or
// when a bad signature is all there is; pass when every package is proven, else
// unknown.
func TestStatus(t *testing.T) {
	key := secret(3).keys(t, "k")[0]
	all := []Word{Unknown, Signed, Differs, BadSignature, Unreachable}
	for _, a := range all {
		for _, b := range all {
			for _, p := range all {
				items := []inspect.StoreItem{{Path: storePath('a', "pack-1"), Bytes: 10}, {Path: storePath('b', "profile"), Bytes: 1}}
				outcomes := []Outcome{{Word: a, Why: check.Say("answer/error", "error", "x")}, {Word: b, Why: check.Say("answer/error", "error", "x")}, {Word: p, Why: check.Say("answer/error", "error", "x")}, {Word: Unknown}}
				for i := range outcomes {
					if outcomes[i].isProof() {
						outcomes[i].Keys = []Key{key}
					}
				}
				c := Conclude(items, outcomes, Terms{Follows: map[string]bool{items[1].Path: true}})
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
				if problems := rules(c, check.Problem) != ""; problems != (want == check.Fail) {
					t.Errorf("%v, %v and profile %v: %v, problems %q", a, b, p, want, rules(c, check.Problem))
				}
				if why := rules(c, check.Undecided) != ""; why != (want == check.Unknown) && want != check.Fail {
					t.Errorf("%v, %v and profile %v: %v, undecided %q", a, b, p, want, rules(c, check.Undecided))
				}
			}
		}
	}
}

func storePath(hash byte, name string) string {
	return "/gnu/store/" + strings.Repeat(string(hash), 32) + "-" + name
}

// Nothing that is examined is never success.
func TestNothing(t *testing.T) {
	if c, outcomes := Check(t.Context(), items(t, "guix/images/tiny.tar.gz"), Options{Keys: farmKeys(t)}); c.Status != check.Skipped || outcomes != nil || reasonsOf(c) != "signatures/not-asked" {
		t.Errorf("without servers: %v, %q", c.Status, reasonsOf(c))
	}
	opt := Options{Servers: []string{address(t, guixFarm)}, Keys: farmKeys(t)}
	for name, all := range map[string][]inspect.StoreItem{
		"no items":       nil,
		"only a profile": {{Path: storePath('a', "profile")}},
		"no NAR hash":    {{Path: "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2", Problem: check.Say("item/layer-broken")}},
		"no store path":  {{Path: "/gnu/store/../y1wsz", NarHash: v1.Hash{Algorithm: "sha256", Hex: "00"}}},
	} {
		c, _ := checked(t, all, opt)
		if c.Status != check.Unknown || c.Bytes != 0 || len(c.Reasons) == 0 {
			t.Errorf("%s: %v, %q", name, c.Status, reasonsOf(c))
		}
		for _, it := range all {
			if !strings.Contains(reasonsOf(c), it.Path[strings.LastIndexByte(it.Path, '/')+1:]) {
				t.Errorf("%s: the reasons do not name it: %s", name, reasonsOf(c))
			}
		}
	}
	profile := []inspect.StoreItem{{Path: storePath('a', "profile")}}
	opt.Terms.Follows = map[string]bool{profile[0].Path: true}
	if c, _ := checked(t, profile, opt); c.Status != check.Unknown || rules(c, check.Note) != "follows" {
		t.Errorf("only what follows from others: %v, %q", c.Status, reasonsOf(c))
	}
}

// A profile that a farm does know must be what it signed, whatever it follows from.
func TestKnownProfile(t *testing.T) {
	path := storePath('b', "profile")
	for hash, want := range map[string]check.Status{strings.Repeat("2", 64): check.Pass, strings.Repeat("1", 64): check.Fail} {
		text := secret(8).sign("StorePath: " + path + "\nNarHash: sha256:" + strings.Repeat("2", 64) + "\nNarSize: 9\nReferences: \n" + signatureLine)
		item := inspect.StoreItem{Path: path, NarHash: v1.Hash{Algorithm: "sha256", Hex: hash}, NarSize: 9}
		o := judge(about(item, "s"), item, []byte(text), secret(8).keys(t, "k"))
		if c := Conclude([]inspect.StoreItem{item}, []Outcome{o}, Terms{Follows: map[string]bool{path: true}}); c.Status != want {
			t.Errorf("%v: %s", c.Status, reasonsOf(c))
		}
	}
}

// Keys that are not trusted are counted, each by server.
func TestUntrustedCounted(t *testing.T) {
	server := serve(t, dir(guixFarm))
	c, _ := checked(t, items(t, "guix/images/tiny.tar.gz"), Options{Servers: []string{server}, Keys: cacheKeys(t)})
	f := c.Findings[0]
	if c.Status != check.Unknown || f.Code != "signatures/untrusted-key" || f.Level != check.Undecided || f.Args.String("server") != server ||
		f.Args.Int("count") != 3 || !strings.HasPrefix(f.Args.String("key"), "ecc:465B048F") {
		t.Errorf("%v, %+v", c.Status, f)
	}
	if got := rules(c, check.Problem); got != "" {
		t.Errorf("problems %s", got)
	}
}

// No item is left out of the question by its name: a script that somebody has put
// into one that is called like a profile, or like what a hook makes, is not covered.
func TestNamesExcuseNothing(t *testing.T) {
	for _, name := range []string{"profile", "info-dir", "manual-database", "fonts-dir"} {
		all := append(items(t, "guix/images/tiny.tar.gz"), inspect.StoreItem{Path: storePath('a', name), NarHash: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("5", 64)}, NarSize: 9, Bytes: 9})
		follows := make(map[string]bool)
		for _, it := range all[:len(all)-1] {
			follows[it.Path] = true
		}
		c, _ := checked(t, all, Options{Servers: []string{address(t, guixFarm)}, Keys: farmKeys(t), Terms: Terms{Follows: follows}})
		if c.Status != check.Unknown || rules(c, check.Undecided) != "unknown-item" || c.Findings[0].Path != storePath('a', name) {
			t.Errorf("%s: %v, %+v", name, c.Status, c.Findings)
		}
	}
}

// At least so many operators must have signed, and one has one voice whatever the
// number of its keys.
func TestOperators(t *testing.T) {
	item := inspect.StoreItem{Path: storePath('b', "pack-1"), NarHash: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("2", 64)}, NarSize: 9, Bytes: 10}
	key := func(n secret, operator string) Key {
		k := n.keys(t, operator+string(rune('a'+n)))[0]
		k.Operator = operator
		return k
	}
	one, again, other := key(1, "one"), key(2, "one"), key(3, "other")
	signed := func(keys ...Key) (all []Outcome) {
		for _, k := range keys {
			o := about(item, "https://"+k.Name)
			o.Word, o.Keys = Signed, []Key{k}
			all = append(all, o)
		}
		return all
	}
	differs := signed(other)
	differs[0].Word = Differs
	for _, tc := range []struct {
		name      string
		outcomes  []Outcome
		atLeast   int
		status    check.Status
		operators string
		finding   string
	}{
		{"one of one", signed(one), 0, check.Pass, "one", ""},
		{"two keys of one operator", signed(one, again), 2, check.Unknown, "one", "too-few-operators"},
		{"two operators", signed(one, other), 2, check.Pass, "one other", ""},
		{"three keys of two operators", signed(one, again, other), 2, check.Pass, "one other", ""},
		{"two of three", signed(one, other), 3, check.Unknown, "one other", "too-few-operators"},
		{"one signed another hash", append(signed(one), differs...), 1, check.Fail, "", "hash-differs"},
	} {
		c := Conclude([]inspect.StoreItem{item}, tc.outcomes, Terms{AtLeast: tc.atLeast})
		got := rules(c, check.Problem) + rules(c, check.Undecided)
		if c.Status != tc.status || got != tc.finding || c.Bytes != 10 && tc.status == check.Pass {
			t.Errorf("%s: %v, %s, %d bytes", tc.name, c.Status, got, c.Bytes)
		}
		if by := strings.Join(Operators(tc.outcomes)[item.Path], " "); by != tc.operators {
			t.Errorf("%s: signed by %q", tc.name, by)
		}
	}
}

// Farms that signed different hashes of an item are all named, with their hashes, that
// of the image first; who agree vouch, and are not known to have built.
func TestFarmsDisagree(t *testing.T) {
	hash := func(digit string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(digit, 64)} }
	item := inspect.StoreItem{Path: storePath('b', "pack-1"), NarHash: hash("2"), NarSize: 9, Bytes: 10}
	answer := func(n secret, operator, digit string) Outcome {
		o := about(item, "https://"+operator)
		o.Word, o.Keys, o.SignedHash = Signed, n.keys(t, operator), hash(digit)
		if o.Keys[0].Operator = operator; digit != "2" {
			o.Word = Differs
		}
		return o
	}
	for _, tc := range []struct {
		name     string
		outcomes []Outcome
		signed   string
		notes    string
	}{
		{"they agree", []Outcome{answer(1, "one", "2"), answer(2, "two", "2")}, "", "vouching"},
		{"one operator", []Outcome{answer(1, "one", "2"), answer(2, "one", "2")}, "", ""},
		{"the image is of one", []Outcome{answer(1, "one", "1"), answer(2, "two", "2")}, "22 (two); 11 (one)", "farms-disagree"},
		{"the image is of none", []Outcome{answer(1, "one", "3"), answer(2, "two", "1"), answer(3, "more", "3")}, "11 (two); 33 (more, one)", "farms-disagree"},
	} {
		c := Conclude([]inspect.StoreItem{item}, tc.outcomes, Terms{})
		if got := rules(c, check.Note); got != tc.notes {
			t.Errorf("%s: notes %s", tc.name, got)
		}
		var got []string
		for _, f := range c.Findings {
			if f.Code == "signatures/farms-disagree" {
				for _, s := range f.Args["signed"].([]string) {
					got = append(got, strings.TrimPrefix(s, "sha256:")[62:])
				}
			}
		}
		if signed := strings.Join(got, "; "); signed != tc.signed || strings.Contains(reasonsOf(c), "disagreeing") != (signed != "") {
			t.Errorf("%s: %q, want %q: %s", tc.name, signed, tc.signed, reasonsOf(c))
		}
	}
}

// Other bytes signed under the same name contradict the image, unless two builds
// in this run differ from each other.
func TestUnstable(t *testing.T) {
	all := items(t, "guix/images/stamp-B.tar.gz")
	stamp, _ := itemNamed(t, all, "tiny-stamp-0.1")
	opt := Options{Servers: []string{address(t, guixFarm)}, Keys: farmKeys(t)}
	c, outcomes := checked(t, all, opt)
	if c.Status != check.Fail || rules(c, check.Problem) != "hash-differs" {
		t.Errorf("%v, problems %s", c.Status, rules(c, check.Problem))
	}
	c = Conclude(all, outcomes, Terms{Unstable: map[string]bool{stamp.Path: true}})
	if c.Status != check.Unknown || c.Findings[0].Code != "signatures/hash-differs-as-builds-do" || c.Findings[0].Level != check.Undecided {
		t.Errorf("%v, %+v", c.Status, c.Findings)
	}
}

// One public key is one voice, whatever its names.
func TestOneKeyOfTwoOperators(t *testing.T) {
	keys := []Key{{Operator: "b", fingerprint: "1"}, {Operator: "a", fingerprint: "1"}, {Operator: "c", fingerprint: "2"}, {Operator: "c", fingerprint: "3"}}
	if got := strings.Join(operators(keys), " "); got != "a c" {
		t.Errorf("operators are %s", got)
	}
}

// The operator of a key is its name, without the number of its renewal.
func TestOperatorOf(t *testing.T) {
	for name, want := range map[string]string{"cache.example-1": "cache.example", "cache.example-12": "cache.example", "farm": "farm", "acl#2": "acl", "farm1": "farm1", "-1": "-1", "7": "7"} {
		if got := operatorOf(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	keys := []Key{{Name: "a"}, {Name: "b", fingerprint: "ecc:00"}}
	if Operated(keys, "a", "x") != nil || Operated(keys, "ecc:00", "y") != nil || Operated(keys, "c", "z") == nil || keys[0].Operator != "x" || keys[1].Operator != "y" {
		t.Errorf("%+v", keys)
	}
}

package attest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/evidence"
	"audit/provenance/statement"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func hash(digit string) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(digit, 64)}
}

// tiny is an image of one layer.
func tiny() *inspect.Image {
	img := &inspect.Image{Archive: hash("a")}
	img.Config.Digest = hash("c")
	img.Config.File.OS, img.Config.File.Architecture = "linux", "amd64"
	img.Config.File.RootFS.DiffIDs = []v1.Hash{hash("d")}
	img.Layers = []*inspect.Layer{{DiffID: hash("d"), ClaimedDiffID: hash("d")}}
	return img
}

// found is what a rebuilder says that built tiny itself.
func found() Predicate {
	p := Predicate{
		Auditor: Auditor{ID: "https://a.example", Version: map[string]string{"audit": "devel"}},
		Time:    now.Add(-time.Hour), Verdict: rebuild.Reproducible,
		Image:   Image{ConfigDigest: hash("c").String(), Platform: "linux/amd64", DiffIDs: []string{hash("d").String()}},
		Recipe:  []Material{},
		Rebuild: &Rebuild{Status: report.Built, Builder: "b", Result: compare.Identical, Items: []Item{{Path: "/s/1", From: rebuild.Built, Operators: []string{}}}, Inputs: []Item{}, Config: hash("c").String()},
		Policy:  Policy{"consistent", true},
		Report:  Resource{"report.json without run", map[string]string{"sha256": "00"}},
	}
	for _, id := range check.IDs() {
		p.Checks = append(p.Checks, Check{id, check.Pass})
	}
	return p
}

// written is a statement of a predicate about tiny's config.
func written(t testing.TB, p Predicate) string {
	t.Helper()
	raw, err := compact(p)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"_type":%q,"subject":[{"name":"tiny (config)","digest":{"sha256":%q}}],"predicateType":%q,"predicate":%s}`,
		statement.TypeV1, hash("c").Hex, PredicateType, raw)
}

func newKey(t testing.TB, name string) *statement.PrivateKey {
	t.Helper()
	k, _, err := statement.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, text string, key *statement.PrivateKey) *statement.Document {
	t.Helper()
	e, err := statement.Sign(statement.PayloadType, []byte(text), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := statement.NewBundle(e, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	d, err := statement.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// agreed asks for so many of the keys, each of an operator of its name.
func agreed(img *inspect.Image, atLeast int, keys []*statement.PrivateKey, documents ...*statement.Document) Agreement {
	terms := Terms{AtLeast: atLeast, Require: rebuild.RequireReproducible, Now: now}
	trust := evidence.Trust{Now: now}
	for _, k := range keys {
		trust.Keys = append(trust.Keys, k.Public())
		terms.Rebuilders = append(terms.Rebuilders, Rebuilder{Operator: k.Public().Name, Key: k.Public().Name})
	}
	return Verify(img, evidence.Of(img, documents, trust), terms)
}

func TestTwoAgree(t *testing.T) {
	a, b := newKey(t, "a"), newKey(t, "b")
	text := written(t, found())
	got := agreed(tiny(), 2, []*statement.PrivateKey{a, b}, signed(t, text, a), signed(t, text, b))
	if !got.Holds || got.Agree != 2 || got.Least != 2 || got.Why.Code != "verify/enough" || len(got.Other) != 0 {
		t.Errorf("%+v", got)
	}
}

// What one statement must not be, each with the reason that is given.
func TestOneStatement(t *testing.T) {
	a, maker := newKey(t, "a"), newKey(t, "maker")
	swap := func(was, now string) func(string) string {
		return func(text string) string {
			if !strings.Contains(text, was) {
				t.Fatalf("no %q in %s", was, text)
			}
			return strings.Replace(text, was, now, 1)
		}
	}
	edit := func(change func(*Predicate)) string {
		p := found()
		change(&p)
		return written(t, p)
	}
	same := func(text string) string { return text }
	for _, c := range []struct {
		name   string
		text   string
		change func(string) string
		by     *statement.PrivateKey
		want   string // the code of the reason
	}{
		{"good", written(t, found()), same, a, "verify/agrees"},
		{"by the digest of the file", written(t, found()), swap(hash("c").Hex+`"}}]`, hash("a").Hex+`"}}]`), a, "verify/agrees"},
		{"another image", written(t, found()), swap(hash("c").Hex+`"}}]`, hash("e").Hex+`"}}]`), a, "verify/other-image"},
		{"the same layers with another config", edit(func(p *Predicate) {
			p.Image.ConfigDigest, p.Rebuild.Config = hash("e").String(), hash("e").String()
		}), swap(hash("c").Hex+`"}}]`, hash("e").Hex+`"}}]`), a, "verify/same-layers-other-config"},
		{"another image with other layers", edit(func(p *Predicate) { p.Image.DiffIDs[0] = hash("e").String() }), swap(hash("c").Hex+`"}}]`, hash("e").Hex+`"}}]`), a, "verify/other-image"},
		{"other layers", edit(func(p *Predicate) { p.Image.DiffIDs[0] = hash("e").String() }), same, a, "verify/other-layers"},
		{"another platform", edit(func(p *Predicate) { p.Image.Platform = "linux/arm64" }), same, a, "verify/other-platform"},
		{"another predicateType", written(t, found()), swap(PredicateType, "https://slsa.dev/verification_summary/v1"), a, "verify/other-predicate"},
		{"an old statement", written(t, found()), swap(statement.TypeV1, statement.TypeV01), a, "verify/old-statement"},
		{"a stranger's key", written(t, found()), same, newKey(t, "stranger"), "verify/untrusted"},
		{"who made it", written(t, found()), same, maker, "verify/maker"},
		{"it was given", edit(func(p *Predicate) {
			p.Rebuild.Status, p.Rebuild.Given, p.Verdict, p.Rebuild.Items[0].From = report.Given, true, rebuild.Matching, rebuild.Carried
		}), same, a, "verify/not-built"},
		{"nothing was rebuilt", edit(func(p *Predicate) { p.Rebuild, p.Verdict = nil, rebuild.Unverified }), same, a, "verify/not-built"},
		{"a good verdict with a check that fails", edit(func(p *Predicate) { p.Checks[2].Status = check.Fail }), same, a, "verify/unreadable"},
		{"too few checks", edit(func(p *Predicate) { p.Checks = p.Checks[1:] }), same, a, "verify/unreadable"},
		{"a check twice", edit(func(p *Predicate) { p.Checks[1] = p.Checks[0] }), same, a, "verify/unreadable"},
		{"another config came out", edit(func(p *Predicate) { p.Rebuild.Config = hash("e").String() }), same, a, "verify/unreadable"},
		{"reproducible, and only reused", edit(func(p *Predicate) { p.Rebuild.Items[0].From = rebuild.Reused }), same, a, "verify/unreadable"},
		{"reproducible, of nothing", edit(func(p *Predicate) { p.Rebuild.Items = []Item{} }), same, a, "verify/unreadable"},
		{"equivalent", edit(func(p *Predicate) { p.Rebuild.Result, p.Verdict = compare.Equivalent, rebuild.Equivalent }), same, a, "verify/verdict-too-weak"},
		{"from the future", edit(func(p *Predicate) { p.Time = now.Add(time.Hour) }), same, a, "verify/from-the-future"},
		{"too old", edit(func(p *Predicate) { p.Time = now.AddDate(-2, 0, 0) }), same, a, "verify/too-old"},
		{"before the key is trusted", edit(func(p *Predicate) { p.Time = now.AddDate(0, -3, 0) }), same, a, "verify/key-not-in-force"},
		{"unreproducible", edit(func(p *Predicate) { p.Rebuild.Result, p.Verdict = compare.Different, rebuild.Unreproducible }), same, a, "verify/dissents"},
		{"contradicted", edit(func(p *Predicate) { p.Checks[0].Status, p.Verdict = check.Fail, rebuild.Contradicted }), same, a, "verify/dissents"},
		{"a key that is not known", written(t, found()), swap(`"verdict"`, `"x":1,"verdict"`), a, "verify/unreadable"},
		{"a key in another case", written(t, found()), swap(`"timeAudited"`, `"TimeAudited"`), a, "verify/unreadable"},
		{"an unknown verdict", written(t, found()), swap(`"verdict":"reproducible"`, `"verdict":"excellent"`), a, "verify/unreadable"},
		{"no platform", edit(func(p *Predicate) { p.Image.Platform = "" }), same, a, "verify/other-platform"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := Terms{AtLeast: 1, Require: rebuild.RequireReproducible, MaxAge: 365 * 24 * time.Hour, Now: now, Rebuilders: []Rebuilder{
				{Operator: "a", Key: "a", From: now.AddDate(0, -1, 0)}, {Operator: "maker", Key: "maker", Maker: true}}}
			if c.name == "too old" {
				terms.Rebuilders[0].From = time.Time{}
			}
			trust := evidence.Trust{Keys: []statement.Key{a.Public(), maker.Public()}, Now: now}
			got := Verify(tiny(), evidence.Of(tiny(), []*statement.Document{signed(t, c.change(c.text), c.by)}, trust), terms)
			var why []string
			for _, v := range got.Voices {
				why = append(why, v.Why.Code)
			}
			for _, o := range got.Other {
				why = append(why, o.Why.Code)
			}
			if all := strings.Join(why, " "); !strings.Contains(all, c.want) || got.Holds != (c.want == "verify/agrees") {
				t.Errorf("%s, holds %t, want %s", all, got.Holds, c.want)
			}
		})
	}
}

// What several statements come to.
func TestSeveralStatements(t *testing.T) {
	a, b, c := newKey(t, "a"), newKey(t, "b"), newKey(t, "c")
	good := found()
	text := written(t, good)
	later := good
	later.Time = good.Time.Add(time.Minute)
	laterBad := later
	laterBad.Verdict = rebuild.Unreproducible
	different := *good.Rebuild
	different.Result = compare.Different
	laterBad.Rebuild = &different
	sameTimeBad := laterBad
	sameTimeBad.Time = good.Time
	substituted := *good.Rebuild
	substituted.Items = []Item{{Path: "/s/1", From: rebuild.Built, Operators: []string{}}, {Path: "/s/2", From: rebuild.Substituted, Server: "ci.example", Operators: []string{"x", "y"}}}
	fromFarm := good
	fromFarm.Rebuild = &substituted

	for _, test := range []struct {
		name      string
		atLeast   int
		documents []*statement.Document
		want      string
		agree     int
	}{
		{"the same bundle twice", 2, []*statement.Document{signed(t, text, a), signed(t, text, a)}, "verify/too-few", 1},
		{"two statements by one key", 2, []*statement.Document{signed(t, text, a), signed(t, written(t, later), a)}, "verify/too-few", 1},
		{"one of three", 1, []*statement.Document{signed(t, text, b)}, "verify/enough", 1},
		{"two of three", 2, []*statement.Document{signed(t, text, b), signed(t, text, c)}, "verify/enough", 2},
		{"one who is trusted dissents", 1, []*statement.Document{signed(t, text, a), signed(t, text, b), signed(t, written(t, laterBad), c)}, "verify/dissent", 2},
		{"taken back later", 1, []*statement.Document{signed(t, text, a), signed(t, written(t, laterBad), a)}, "verify/dissent", 0},
		{"better again later", 1, []*statement.Document{signed(t, written(t, sameTimeBad), a), signed(t, written(t, later), a)}, "verify/enough", 1},
		{"at the same time the worse", 1, []*statement.Document{signed(t, written(t, sameTimeBad), a), signed(t, text, a)}, "verify/dissent", 0},
		{"a farm that both had an item from, signed by two", 2, []*statement.Document{signed(t, written(t, fromFarm), a), signed(t, written(t, fromFarm), b)}, "verify/shared-parts", 2},
		{"none", 1, nil, "verify/too-few", 0},
	} {
		got := agreed(tiny(), test.atLeast, []*statement.PrivateKey{a, b, c}, test.documents...)
		if got.Why.Code != test.want || got.Agree != test.agree {
			t.Errorf("%s: %s, %d agree, want %s, %d", test.name, got.Why.Code, got.Agree, test.want, test.agree)
		}
	}
}

// A server that several had an item from is one party, however many had it.
func TestSharedServer(t *testing.T) {
	a, b := newKey(t, "a"), newKey(t, "b")
	p := found()
	p.Rebuild.Items = append(p.Rebuild.Items, Item{Path: "/s/2", From: rebuild.Substituted, Server: "ci.example", Operators: []string{"x"}})
	p.Verdict = rebuild.Vouched
	got := agreed(tiny(), 2, []*statement.PrivateKey{a, b}, signed(t, written(t, p), a), signed(t, written(t, p), b))
	if got.Why.Code != "verify/too-few" { // vouched is not reproducible
		t.Errorf("%+v", got.Why)
	}
	least, shared := (&verification{img: tiny()}).voices([]Voice{{Operator: "a", predicate: &p}, {Operator: "b", predicate: &p}})
	if least != 1 || fmt.Sprint(shared) != "[ci.example]" { // whoever is said to have signed it
		t.Errorf("%d, %v", least, shared)
	}
}

// What nobody of those who agree built was built by nobody, whatever farms they name; and
// the parts that count are those of the image.
func TestBuiltByNobody(t *testing.T) {
	a, b := newKey(t, "a"), newKey(t, "b")
	for name, change := range map[string]func(*Predicate){
		"substituted": func(p *Predicate) {
			p.Rebuild.Items[0] = Item{Path: "/s/1", From: rebuild.Substituted, Server: "ci.example", Operators: []string{"x", "y"}}
		},
		"reused": func(p *Predicate) {
			p.Rebuild.Items[0] = Item{Path: "/s/1", From: rebuild.Reused, Operators: []string{"as a calls it", "as b calls it"}}
		},
		"a part that the image does not have": func(p *Predicate) { p.Rebuild.Items[0].Path = "/s/other" },
	} {
		p := found()
		change(&p)
		img := tiny()
		img.Items = []inspect.StoreItem{{Path: "/s/1"}}
		got := agreed(img, 1, []*statement.PrivateKey{a, b}, signed(t, written(t, p), a), signed(t, written(t, p), b))
		if got.Holds {
			t.Errorf("%s: %+v", name, got.Why)
		}
	}
}

// A statement that a key cannot have made then takes no place of one that it made while
// it was trusted; one that is too old to count dissents all the same.
func TestDissentStays(t *testing.T) {
	a, c := newKey(t, "a"), newKey(t, "c")
	bad := found()
	bad.Verdict, bad.Rebuild.Result = rebuild.Unreproducible, compare.Different
	bad.Time = now.AddDate(0, -2, 0)
	later, future := found(), found()
	later.Time, future.Time = now.Add(-time.Minute), now.AddDate(1, 0, 0)
	trust := evidence.Trust{Keys: []statement.Key{a.Public(), c.Public()}, Now: now}
	terms := Terms{AtLeast: 1, Require: rebuild.RequireReproducible, MaxAge: 30 * 24 * time.Hour, Now: now,
		Rebuilders: []Rebuilder{{Operator: "a", Key: "a"}, {Operator: "c", Key: "c", To: now.AddDate(0, -1, 0)}}}
	documents := []*statement.Document{signed(t, written(t, found()), a), signed(t, written(t, bad), c), signed(t, written(t, later), c), signed(t, written(t, future), c)}
	if got := Verify(tiny(), evidence.Of(tiny(), documents, trust), terms); got.Why.Code != "verify/dissent" {
		t.Errorf("%+v", got)
	}
}

// What a trusted key says of this very image and nobody understands takes its vote away.
func TestDoubt(t *testing.T) {
	a := newKey(t, "a")
	text := written(t, found())
	for _, other := range []string{
		strings.Replace(text, `"verdict":"reproducible"`, `"verdict":"of-a-later-version"`, 1),
		strings.Replace(text, `"platform":"linux/amd64"`, `"platform":"linux/arm64"`, 1),
		strings.Replace(text, `"configDigest":"`+hash("c").String(), `"configDigest":"`+hash("0").String(), 1),
	} {
		if got := agreed(tiny(), 1, []*statement.PrivateKey{a}, signed(t, text, a), signed(t, other, a)); got.Holds || got.Agree != 0 {
			t.Errorf("%s: %+v", other, got)
		}
	}
}

// An operator with two keys has one voice: it dissents when either does.
func TestOneOperator(t *testing.T) {
	a, b := newKey(t, "a"), newKey(t, "b")
	bad := found()
	bad.Verdict, bad.Rebuild.Result = rebuild.Unreproducible, compare.Different
	trust := evidence.Trust{Keys: []statement.Key{a.Public(), b.Public()}, Now: now}
	terms := Terms{AtLeast: 1, Require: rebuild.RequireReproducible, Now: now, Rebuilders: []Rebuilder{{Operator: "lab", Key: "a"}, {Operator: "lab", Key: "b"}}}
	for text, want := range map[string]string{written(t, found()): "verify/enough", written(t, bad): "verify/dissent"} {
		documents := []*statement.Document{signed(t, written(t, found()), a), signed(t, text, b)}
		got := Verify(tiny(), evidence.Of(tiny(), documents, trust), terms)
		if got.Why.Code != want || len(got.Voices) != 1 {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}

// Where a list of statements was cut, somebody may dissent in those that were not read.
func TestCutList(t *testing.T) {
	a := newKey(t, "a")
	img := tiny()
	img.MoreAttestations = true
	if got := agreed(img, 1, []*statement.PrivateKey{a}, signed(t, written(t, found()), a)); got.Holds || got.Why.Code != "verify/cut" {
		t.Errorf("%+v", got)
	}
}

// An image whose config does not describe its layers is bound by its file alone.
func TestConfigOfOtherLayers(t *testing.T) {
	a := newKey(t, "a")
	img := tiny()
	img.Layers[0].DiffID = hash("9")
	got := agreed(img, 1, []*statement.PrivateKey{a}, signed(t, written(t, found()), a))
	if got.Holds || len(got.Other) != 1 || got.Other[0].Why.Code != "verify/other-image" {
		t.Errorf("%+v", got)
	}
}

func TestParseTrust(t *testing.T) {
	key := func(name string) string {
		text, err := json.Marshal(string(newKey(t, name).Public().PEM()))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a := key("a")
	good := `{"schemaVersion":"1","rebuilders":[{"name":"a","key":` + a + `,"operator":"lab","from":"2026-01-01","to":"2026-12-31"}],"atLeast":1,"require":"equivalent","maxAge":"90d"}`
	trust, err := ParseTrust([]byte(good))
	if err != nil || trust.Rebuilders[0].Operator != "lab" || trust.MaxAge != 90*24*time.Hour || trust.Require != rebuild.RequireEquivalent || trust.Rebuilders[0].To.Day() != 1 {
		t.Errorf("%+v, %v", trust, err)
	}
	for _, c := range []struct{ text, want string }{
		{`[]`, "no trust file"},
		{good + "x", "something follows"},
		{strings.Replace(good, `"atLeast":1`, `"atLeast":1,"atleast":2`, 1), "stands there twice"},
		{strings.Replace(good, `"1"`, `"2"`, 1), "schemaVersion"},
		{strings.Replace(good, `"lab"`, `"lab","x":1`, 1), "unknown field"},
		{strings.Replace(good, "2026-01-01", "soon", 1), "no day"},
		{strings.Replace(good, "90d", "-1d", 1), "no age"},
		{strings.Replace(good, `"name":"a"`, `"name":""`, 1), "no name"},
		{strings.Replace(good, `"operator"`, `"Operator"`, 1), "unknown field"},
		{strings.Replace(good, `"atLeast":1`, `"atLeast":0`, 1), "at least one operator"},
		{strings.Replace(good, `"equivalent"`, `"consistent"`, 1), "nothing that rebuilders can agree on"},
		{strings.Replace(good, "90d", "-9999999999d", 1), "no age"},
		{strings.Replace(good, `"lab"`, `"lab "`, 1), "is no name"},
		{strings.Replace(good, "2026-12-31", "2020-12-31", 1), "is no time"},
		{`{"schemaVersion":"1"}`, "no rebuilders"},
		{`{"schemaVersion":"1","rebuilders":[{"name":"a","key":` + a + `},{"name":"b","key":` + a + `}]}`, "given twice"},
		{`{"schemaVersion":"1","rebuilders":[{"name":"a","key":` + a + `},{"name":"a","key":` + key("b") + `}]}`, "given twice"},
	} {
		if _, err := ParseTrust([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestPublicName(t *testing.T) {
	for address, want := range map[string]string{
		"https://ci.guix.gnu.org": "ci.guix.gnu.org", "http://10.0.0.7:8080": "private", "http://127.0.0.1": "private", "http://[fe80::1]/": "private",
		"file:///srv/cache": "private", "https://cache": "private", "https://user:secret@cache.example/x": "cache.example", "%": "private",
	} {
		if got := publicName(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestParseOfOthers(t *testing.T) {
	if _, err := parse(&statement.Statement{Type: statement.TypeV1, PredicateType: "x"}); !errors.Is(err, errOther) {
		t.Error(err)
	}
}

// A verification summary is made of nothing but a build that was made here, with
// equivalent or reproducible demanded.
func TestSummary(t *testing.T) {
	built := func(change func(*report.Report)) *report.Report {
		r := &report.Report{Verdict: rebuild.Reproducible, Policy: report.Policy{Require: "equivalent", Holds: true}, Rebuild: &report.Rebuild{Status: report.Built}}
		r.Image.ArchiveDigest = hash("a").String()
		change(r)
		return r
	}
	for _, c := range []struct {
		name   string
		change func(*report.Report)
		want   string // a part of the statement, or of the error
	}{
		{"reproducible", func(*report.Report) {}, `"verificationResult":"PASSED","verifiedLevels":["AUDIT_REPRODUCIBLE"]`},
		{"equivalent", func(r *report.Report) { r.Verdict = rebuild.Equivalent }, `["AUDIT_EQUIVALENT"]`},
		{"it does not hold", func(r *report.Report) { r.Verdict, r.Policy.Holds = rebuild.Unreproducible, false }, `"FAILED","verifiedLevels":["FAILED"]`},
		{"consistent", func(r *report.Report) { r.Policy.Require = "consistent" }, "has to be equivalent or reproducible"},
		{"matching", func(r *report.Report) { r.Policy.Require = "matching" }, "has to be equivalent or reproducible"},
		{"given", func(r *report.Report) { r.Rebuild.Status = report.Given }, "was not built here"},
		{"nothing", func(r *report.Report) { r.Rebuild = nil }, "was not built here"},
		{"no subject", func(r *report.Report) { r.Image.ArchiveDigest = "" }, "no digest that binds"},
	} {
		text, err := NewSummary(built(c.change), "https://a.example", "registry.example/a@sha256:0", now)
		if err != nil {
			text = []byte(err.Error())
		}
		if !strings.Contains(string(text), c.want) || strings.Contains(string(text), "SLSA_") {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

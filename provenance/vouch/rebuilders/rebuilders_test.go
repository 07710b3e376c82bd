package rebuilders

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/vouch"
)

// A rebuilder signs attestations.
type rebuilder struct {
	private ed25519.PrivateKey
	key     Key
}

func newRebuilder(t testing.TB, operator string) rebuilder {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(operator, publicPEM(public, true))
	if err != nil {
		t.Fatal(err)
	}
	return rebuilder{private, keys[0]}
}

// publicPEM writes a key as rebuilderd does, with a NULL, or as RFC 8410 says.
func publicPEM(public ed25519.PublicKey, null bool) []byte {
	head := "302a300506032b6570032100"
	if null {
		head = "302c300706032b65700500032100"
	}
	prefix, _ := hex.DecodeString(head)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: append(prefix, public...)})
}

// attest writes an attestation as rebuilderd does: its keys in no order.
func (r rebuilder) attest(file, sum string) string {
	signed := `{"_type":"link","name":"rebuild ` + file + `","materials":{"tiny_1.2-3_amd64.buildinfo":{"sha512":"00","sha256":"01"}},"products":{"` + file + `":{"sha256":"` + sum + `","sha512":"02"}},"environment":null,"byproducts":{},"command":[]}`
	canonical := `{"_type":"link","byproducts":{},"command":[],"environment":null,"materials":{"tiny_1.2-3_amd64.buildinfo":{"sha256":"01","sha512":"00"}},"name":"rebuild ` + file + `","products":{"` + file + `":{"sha256":"` + sum + `","sha512":"02"}}}`
	return fmt.Sprintf(`{"signatures":[{"keyid":%q,"sig":"%x"}],"signed":%s}`, r.key.ID, ed25519.Sign(r.private, []byte(canonical)), signed)
}

var (
	tinySum = digest.Of([]byte("tiny"))
	tiny    = vouch.Archive{By: "deb tiny 1:1.2-3", Name: "tiny", Version: "1:1.2-3", Arch: "amd64", Sum: tinySum}
	other   = vouch.Archive{By: "deb other 1", Name: "other", Version: "1", Arch: "all", Sum: digest.Of([]byte("other"))}
)

const tinyFile = "tiny_1.2-3_amd64.deb"

func hexOf(s digest.Sum) string { return hex.EncodeToString(s[:]) }

// serve is a server with these answers, by path and query; it counts the requests.
func serve(t testing.TB, answers map[string]string) (address string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		text, ok := answers[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

const (
	listV1 = "/api/v1/packages/binary?name=tiny&version=1%3A1.2-3"
	linkV1 = "/api/v1/builds/7/artifacts/8/attestation"
	listV0 = "/api/v0/pkgs/list?name=tiny"
	linkV0 = "/api/v0/builds/7/attestation"
)

func v1(status, attestation string) string {
	return `{"total":1,"records":[{"id":1,"name":"tiny","version":"1:1.2-3","distribution":"debian","release":"bookworm","component":"main","architecture":"amd64","url":"x","status":` + status + `,"build_id":7,"artifact_id":8,"diffoscope_log_id":null,"attestation_log_id":` + attestation + `}]}`
}

func v0(status string, attestation bool) string {
	return fmt.Sprintf(`[{"name":"tiny","version":"1:1.1-1","status":"BAD","build_id":6,"has_attestation":true},{"name":"tiny","version":"1:1.2-3","status":%q,"distro":"debian","suite":"main","architecture":"amd64","artifact_url":"x","build_id":7,"built_at":"2025-01-01T00:00:00","has_diffoscope":false,"has_attestation":%v}]`, status, attestation)
}

// image has a file of each of two packages.
func image() *vouch.Table {
	t := vouch.New(&inspect.Image{Layers: []*inspect.Layer{{Entries: []*inspect.Entry{
		{Path: "a", Type: '0', Size: 10}, {Path: "b", Type: '0', Size: 5}, {Path: "c", Type: '0', Size: 1},
	}}}})
	t.Vouch("a", vouch.Word{Kind: vouch.Signed, By: tiny.By, Keys: []string{"ARCHIVE"}})
	t.Vouch("b", vouch.Word{Kind: vouch.Signed, By: other.By, Keys: []string{"ARCHIVE"}})
	return t
}

func codes(list []check.Finding) string {
	var all []string
	for _, f := range list {
		all = append(all, f.Level.String()+" "+strings.TrimPrefix(f.Code, "signatures/"))
	}
	return strings.Join(all, "\n")
}

// What a trusted rebuilder attests makes the words on the files stronger, and nothing
// else does.
func TestCheck(t *testing.T) {
	one, stranger := newRebuilder(t, "one"), newRebuilder(t, "stranger")
	link := one.attest(tinyFile, hexOf(tinySum))
	altered := strings.Replace(link, "rebuild tiny", "rebuild tIny", 1)
	for name, test := range map[string]struct {
		answers map[string]string
		want    string
		kind    vouch.Kind
	}{
		"v1":                    {map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: link}, "note not-rebuilt\nnote rebuilt", vouch.Rebuilt},
		"v0":                    {map[string]string{listV0: v0("GOOD", true), linkV0: link}, "note not-rebuilt\nnote rebuilt", vouch.Rebuilt},
		"a status alone":        {map[string]string{listV1: v1(`"GOOD"`, "null")}, "note not-rebuilt\nnote rebuilder-hearsay", vouch.Signed},
		"v0, a status alone":    {map[string]string{listV0: v0("GOOD", false)}, "note not-rebuilt\nnote rebuilder-hearsay", vouch.Signed},
		"bad":                   {map[string]string{listV0: v0("BAD", false)}, "note not-rebuilt\nnote rebuilder-failed", vouch.Signed},
		"nothing":               {map[string]string{listV1: v1("null", "null")}, "note not-rebuilt", vouch.Signed},
		"another key":           {map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: stranger.attest(tinyFile, hexOf(tinySum))}, "note not-rebuilt\nnote rebuilder-hearsay\nundecided rebuilder-not-verified", vouch.Signed},
		"altered":               {map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: altered}, "note not-rebuilt\nnote rebuilder-hearsay\nundecided rebuilder-not-verified", vouch.Signed},
		"another digest":        {map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: one.attest(tinyFile, hexOf(other.Sum))}, "note not-rebuilt\nundecided rebuilder-differs\nnote rebuilder-hearsay", vouch.Signed},
		"another file":          {map[string]string{listV0: v0("GOOD", true), linkV0: one.attest("tiny-doc_1.2-3_all.deb", hexOf(other.Sum))}, "note not-rebuilt\nnote rebuilder-hearsay", vouch.Signed},
		"no attestation there":  {map[string]string{listV1: v1(`"GOOD"`, "9")}, "note not-rebuilt\nnote rebuilder-hearsay", vouch.Signed},
		"no JSON":               {map[string]string{listV1: "<html>"}, "note not-rebuilt\nundecided rebuilder-unreachable", vouch.Signed},
		"no JSON for a link":    {map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: "<html>"}, "note not-rebuilt\nnote rebuilder-hearsay\nundecided rebuilder-not-verified", vouch.Signed},
		"no server of its kind": {nil, "note not-rebuilt\nundecided rebuilder-unreachable", vouch.Signed},
		"too long":              {map[string]string{listV1: strings.Repeat(" ", maxList+1)}, "note not-rebuilt\nundecided rebuilder-unreachable", vouch.Signed},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := serve(t, test.answers)
			table := image()
			found, keys := Check(t.Context(), table, []vouch.Archive{tiny}, Options{Servers: []string{address}, Keys: []Key{one.key}})
			want := test.want
			if test.kind == vouch.Rebuilt {
				want = "note rebuilt"
			}
			if got := codes(found); got != want {
				t.Errorf("findings:\n%s\nwant:\n%s\nasked: %v", got, want, *asked)
			}
			w, _ := table.Word("a")
			if w.Kind != test.kind {
				t.Errorf("the word is %+v", w)
			}
			if test.kind != vouch.Rebuilt {
				return
			}
			id := strings.ToUpper(one.key.ID)
			if diff := cmp.Diff([]vouch.Key{{Fingerprint: id, Name: "one", Trusted: true}}, keys); diff != "" {
				t.Error(diff)
			}
			if len(w.Keys) != 2 || w.By != tiny.By {
				t.Errorf("%+v", w)
			}
			if w, _ := table.Word("b"); w.Kind != vouch.Signed {
				t.Errorf("that of another package is %+v", w)
			}
		})
	}
}

// Each operator has one voice, whatever the number of its keys and servers.
func TestOperators(t *testing.T) {
	one, again, two := newRebuilder(t, "one"), newRebuilder(t, "one"), newRebuilder(t, "two")
	at := func(r rebuilder) string {
		address, _ := serve(t, map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: r.attest(tinyFile, hexOf(tinySum))})
		return address
	}
	same := one.key
	same.Operator = "another name"
	keys := []Key{one.key, same, again.key, two.key}
	if CheckKeys(keys) == nil || CheckKeys([]Key{one.key, one.key, two.key}) != nil {
		t.Error("a key of two operators is taken, or one that is given twice is not")
	}
	for _, test := range []struct {
		servers []string
		atLeast int
		want    vouch.Kind
	}{
		{[]string{at(one)}, 1, vouch.Rebuilt},
		{[]string{at(one)}, 2, vouch.Signed},
		{[]string{at(one), at(again)}, 2, vouch.Signed},
		{[]string{at(one), at(again), at(two)}, 2, vouch.Rebuilt},
		{[]string{at(one), at(two)}, 3, vouch.Signed},
	} {
		table := image()
		found, _ := Check(t.Context(), table, []vouch.Archive{tiny}, Options{Servers: test.servers, Keys: keys, AtLeast: test.atLeast})
		if w, _ := table.Word("a"); w.Kind != test.want {
			t.Errorf("%d servers, at least %d: %s\n%s", len(test.servers), test.atLeast, w.Kind, codes(found))
		}
	}
}

// What is said of one architecture is not said of another of the same name.
func TestArchitectures(t *testing.T) {
	one := newRebuilder(t, "one")
	address, _ := serve(t, map[string]string{listV1: v1(`"GOOD"`, "9"), linkV1: one.attest(tinyFile, hexOf(tinySum))})
	foreign := tiny
	foreign.Arch, foreign.Sum = "i386", other.Sum
	table := image()
	found, _ := Check(t.Context(), table, []vouch.Archive{tiny, foreign}, Options{Servers: []string{address}, Keys: []Key{one.key}})
	if w, _ := table.Word("a"); w.Kind != vouch.Signed {
		t.Errorf("%+v\n%s", w, codes(found))
	}
}

// A server that is away is asked no more after some tries, and decides nothing.
func TestOutage(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n++; w.WriteHeader(http.StatusBadGateway) }))
	defer s.Close()
	many := make([]vouch.Archive, 20)
	for i := range many {
		many[i] = vouch.Archive{By: fmt.Sprintf("deb p%d 1", i), Name: fmt.Sprint("p", i), Version: "1"}
	}
	found, _ := Check(t.Context(), image(), many, Options{Servers: []string{s.URL}})
	if n != giveUp || check.Worst(found) != check.Unknown {
		t.Errorf("%d requests, %s", n, codes(found))
	}
	if strings.Contains(fmt.Sprint(found[1].Args), "user:secret") {
		t.Error("a password is shown")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if found, _ := Check(ended, image(), many, Options{Servers: []string{s.URL}}); check.Worst(found) != check.Unknown {
		t.Errorf("ended: %s", codes(found))
	}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	began := time.Now()
	if found, _ := Check(t.Context(), image(), many, Options{Servers: []string{slow.URL}, Timeout: 200 * time.Millisecond}); check.Worst(found) != check.Unknown || time.Since(began) > 10*time.Second {
		t.Errorf("slow: %s", codes(found))
	}
}

func TestCanonicalize(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1, "a":[true,null,"x\"\\ü"],"_":{}}`: `{"_":{},"a":[true,null,"x\"\\ü"],"b":1}`,
		`"\u00fc/\/"`: `"ü//"`,
		`-12`:         `-12`,
	} {
		if got, err := canonicalize([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{`1.5`, `1e3`, `"a\nb"`, `{} {}`, `{`, strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if got, err := canonicalize([]byte(text)); err == nil {
			t.Errorf("%s is %s", text, got)
		}
	}
}

// Keys are read in both encodings, and are of the operator that their file names.
func TestReadKeys(t *testing.T) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "reproduce.example.pub")
	if err := os.WriteFile(file, append(publicPEM(public, true), publicPEM(public, false)...), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := ReadKeys(file)
	if err != nil || len(keys) != 2 || keys[0].ID != keys[1].ID || keys[0].Operator != "reproduce.example" || len(keys[0].ID) != 64 {
		t.Errorf("%+v, %v", keys, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "private": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "another kind": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	} {
		if keys, err := ParseKeys("x", []byte(text)); err == nil {
			t.Errorf("%s: %+v", name, keys)
		}
	}
}

func TestCheckServer(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://reproduce.debian.net/amd64": true, "http://localhost:1/": true, "file:///x": false, "reproduce.debian.net": false, "https://x/?a": false, "": false,
	} {
		if err := CheckServer(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// FuzzVerify: no attestation counts that the key did not sign.
func FuzzVerify(f *testing.F) {
	one := newRebuilder(f, "one")
	f.Add([]byte(one.attest(tinyFile, "00")))
	// As reproduce.debian.net has signed it, by a key that is not here.
	f.Add([]byte(`{"signatures":[{"keyid":"c25d","sig":"8cd7"}],"signed":{"_type":"link","name":"rebuild x","materials":{},"products":{},"environment":null,"byproducts":{},"command":[]}}`))
	keys := []Key{newRebuilder(f, "two").key}
	f.Fuzz(func(t *testing.T, text []byte) {
		if a, err := verify(text, keys); err == nil {
			t.Errorf("%+v", a)
		}
	})
}

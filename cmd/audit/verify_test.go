package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"audit/inspect/check"
	"audit/provenance/statement"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
	"audit/report/attest"
)

// A scene is an image in a registry, which nobody has to have built, and the keys of
// those who may speak of it.
type scene struct {
	repo     name.Repository
	image    v1.Descriptor
	config   string
	diffID   string
	dir      string
	a, b, c  *statement.PrivateKey
	stranger *statement.PrivateKey
	now      time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := &scene{dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Second)}
	var err error
	if s.repo, err = name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/lab/image"); err != nil {
		t.Fatal(err)
	}
	layer := static.NewLayer(make([]byte, 1024), types.OCIUncompressedLayer) // the end of a tar archive
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{OS: "linux", Architecture: "amd64"})
	if err == nil {
		image, err = mutate.AppendLayers(image, layer)
	}
	if err == nil {
		err = remote.Write(s.repo.Tag("1"), image)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := partial.Descriptor(image)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	diffID, err := layer.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	s.image, s.config, s.diffID = *d, config.String(), diffID.String()
	for at, key := range map[string]**statement.PrivateKey{"a": &s.a, "b": &s.b, "c": &s.c, "stranger": &s.stranger} {
		if *key, _, err = statement.GenerateKey(at); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, at+".pub"), (*key).Public().PEM(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// found is what somebody says who built the image.
func (s *scene) found() *attest.Predicate {
	p := &attest.Predicate{
		Auditor: attest.Auditor{ID: "https://a.example", Version: map[string]string{"audit": "devel"}},
		Time:    s.now.Add(-time.Hour), Verdict: rebuild.Reproducible,
		Image:  attest.Image{ConfigDigest: s.config, ManifestDigest: s.image.Digest.String(), Platform: "linux/amd64", DiffIDs: []string{s.diffID}},
		Recipe: []attest.Material{},
		Rebuild: &attest.Rebuild{Status: report.Built, Builder: "b", Result: compare.Identical, Config: s.config, Inputs: []attest.Item{},
			Items: []attest.Item{{Path: "/s/1", From: rebuild.Built, Operators: []string{}}}},
		Policy: attest.Policy{Require: "consistent", Holds: true},
		Report: attest.Resource{Name: "report.json without run", Digest: map[string]string{"sha256": "00"}},
	}
	for _, id := range check.IDs() {
		p.Checks = append(p.Checks, attest.Check{ID: id, Status: check.Pass})
	}
	return p
}

// says is a statement of audit about the image's manifest.
func (s *scene) says(t *testing.T, change ...func(*attest.Predicate)) string {
	t.Helper()
	p := s.found()
	for _, c := range change {
		c(p)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"_type":%q,"subject":[{"name":"image","digest":{"sha256":%q}}],"predicateType":%q,"predicate":%s}`,
		statement.TypeV1, s.image.Digest.Hex, attest.PredicateType, raw)
}

// bundle signs a statement, as audit does.
func bundle(t *testing.T, text string, key *statement.PrivateKey) string {
	t.Helper()
	e, err := statement.Sign(statement.PayloadType, []byte(text), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := statement.NewBundle(e, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// envelope is one of DSSE with signatures by keys, each under a keyid of any kind.
func envelope(t *testing.T, text string, keys ...*statement.PrivateKey) string {
	t.Helper()
	var signatures []string
	for i, k := range keys {
		e, err := statement.Sign(statement.PayloadType, []byte(text), k)
		if err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, fmt.Sprintf(`{"keyid":"any %d","sig":%q}`, i, base64.StdEncoding.EncodeToString(e.Signatures[0])))
	}
	return fmt.Sprintf(`{"payloadType":%q,"payload":%q,"signatures":[%s]}`, statement.PayloadType,
		base64.URLEncoding.EncodeToString([]byte(text)), strings.Join(signatures, ","))
}

func swap(t *testing.T, text, was, now string) string {
	t.Helper()
	if !strings.Contains(text, was) {
		t.Fatalf("no %q in %s", was, text)
	}
	return strings.Replace(text, was, now, 1)
}

// push puts a document beside the image, as an artifact that refers to it.
func (s *scene) push(t *testing.T, document string) {
	t.Helper()
	if _, err := attest.Attach(t.Context(), s.repo, s.image, []byte(document)); err != nil {
		t.Fatal(err)
	}
}

// verify runs audit verify with the keys a, b and c, where no others are given.
func (s *scene) verify(args ...string) (int, string) {
	var out bytes.Buffer
	line := []string{"audit", "verify"}
	if len(args) == 0 || !strings.HasPrefix(args[0], "--key") {
		for _, k := range []string{"a", "b", "c"} {
			line = append(line, "--key", k+"="+filepath.Join(s.dir, k+".pub"))
		}
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "@", s.dir+"/")
	}
	status := Main(append(append(line, args...), "docker://"+s.repo.String()+":1"), nil, &out, &out)
	return status, out.String()
}

// What statements beside an image come to: each that must not count is refused with its
// reason, and what may differ between honest ones is taken.
func TestVerify(t *testing.T) {
	type predicate = attest.Predicate
	good := func(t *testing.T, s *scene) []string { return []string{bundle(t, s.says(t), s.a)} }
	changed := func(change func(*predicate)) func(*testing.T, *scene) []string {
		return func(t *testing.T, s *scene) []string { return []string{bundle(t, s.says(t, change), s.a)} }
	}
	swapped := func(was, now string) func(*testing.T, *scene) []string {
		return func(t *testing.T, s *scene) []string { return []string{bundle(t, swap(t, s.says(t), was, now), s.a)} }
	}
	around := func(was, now string) func(*testing.T, *scene) []string {
		return func(t *testing.T, s *scene) []string { return []string{swap(t, bundle(t, s.says(t), s.a), was, now)} }
	}
	worse := func(p *predicate) {
		p.Verdict, p.Time = rebuild.Unreproducible, p.Time.Add(time.Minute)
		p.Rebuild.Result = compare.Different
	}
	one := []string{"--at-least", "1"}
	for _, c := range []struct {
		name      string
		documents func(*testing.T, *scene) []string
		args      []string
		status    int
		want      string
	}{
		{"one agrees", good, one, 0, "agrees    a: the verdict is reproducible; 1 of 1 parts built by itself"},
		{"two agree", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t), s.b)}
		}, []string{"--at-least", "2"}, 0, "2 of 3 independent rebuilders agree"},
		{"nobody says anything", func(*testing.T, *scene) []string { return nil }, one, 1, "no-vote   a: there is no statement by it"},

		{"about another image", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, strings.ReplaceAll(s.says(t, func(p *predicate) { p.Image.DiffIDs[0] = "sha256:" + strings.Repeat("0", 64) }), s.image.Digest.Hex, strings.Repeat("0", 64)), s.a)}
		}, one, 1, "it is about another image"},
		{"of a stranger's subject beside the image's", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, swap(t, s.says(t), `"subject":[`, `"subject":[{"name":"x","digest":{"sha256":"00"}},`), s.a)}
		}, one, 0, "1 of 3"},
		{"for another platform", changed(func(p *predicate) { p.Image.Platform = "linux/arm64" }), one, 1, "it is about the image for linux/arm64"},
		{"of other layers", changed(func(p *predicate) { p.Image.DiffIDs[0] = "sha256:" + strings.Repeat("0", 64) }), one, 1, "it is about other layers than these"},
		{"a VSA", swapped(attest.PredicateType, "https://slsa.dev/verification_summary/v1"), one, 1, "something else than that the image was audited (https://slsa.dev/verification_summary/v1)"},
		{"an SBOM", swapped(attest.PredicateType, "https://spdx.dev/Document"), one, 1, "something else"},
		{"cosign's plain signature", swapped(attest.PredicateType, "https://sigstore.dev/cosign/sign/v1"), one, 1, "something else"},
		{"an old statement", swapped(statement.TypeV1, statement.TypeV01), one, 1, "it has the type " + statement.TypeV01},
		{"another payloadType, under which it was not signed", around("application/vnd.in-toto+json", "application/json"), one, 1, "no in-toto statement"},
		{"another payloadType, under which it was signed", func(t *testing.T, s *scene) []string {
			e, err := statement.Sign("application/json", []byte(s.says(t)), s.a)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := statement.NewBundle(e, s.a.Public())
			if err != nil {
				t.Fatal(err)
			}
			return []string{swap(t, string(raw), "application/json", statement.PayloadType)}
		}, one, 1, "no key that is trusted signed it"},

		{"by a stranger", func(t *testing.T, s *scene) []string { return []string{bundle(t, s.says(t), s.stranger)} }, one, 1, "no key that is trusted signed it"},
		{"unsigned", func(t *testing.T, s *scene) []string { return []string{s.says(t)} }, one, 1, "no key that is trusted signed it"},
		{"the same twice", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t), s.a)}
		}, []string{"--at-least", "2"}, 1, "1 of 3"},
		{"two by one key", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t, func(p *predicate) { p.Time = p.Time.Add(time.Minute) }), s.a)}
		}, []string{"--at-least", "2"}, 1, "1 of 3"},
		{"a signature twice under two keyids", func(t *testing.T, s *scene) []string { return []string{envelope(t, s.says(t), s.a, s.a)} }, []string{"--at-least", "2"}, 1, "1 of 3"},
		{"an envelope that two signed", func(t *testing.T, s *scene) []string {
			return []string{envelope(t, s.says(t), s.a, s.stranger, s.b)}
		}, []string{"--at-least", "2"}, 0, "2 of 3"},
		{"a bundle with two signatures", func(t *testing.T, s *scene) []string {
			text := bundle(t, s.says(t), s.a)
			return []string{swap(t, text, `"signatures":[`, `"signatures":[{"sig":"AAAA"},`)}
		}, one, 1, "a bundle has exactly one"},
		{"two keys of one operator", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t), s.b)}
		}, []string{"--at-least", "2", "--operator", "a=lab", "--operator", "b=lab"}, 1, "1 of 2"},
		{"one key under two names", good, []string{"--key", "a=@a.pub", "--key", "b=@a.pub"}, 2, "one key has one name"},
		{"a key for every name", good, []string{"--key", "a=@a.pub", "--key", "a=@b.pub"}, 2, "the name is given twice"},
		{"an identity of the name of a key", good, []string{"--key", "a=@a.pub", "--trusted-root", "@a.pub", "--identity", "a", "--issuer", "https://issuer.example"}, 2, "the name is given twice"},
		{"a threshold of nothing", good, []string{"--at-least", "0"}, 2, "at least one operator agrees"},
		{"a threshold that nobody can meet", good, []string{"--at-least", "4"}, 2, "there are 3 operators"},
		{"a threshold above the operators", good, []string{"--at-least", "3", "--operator", "a=lab", "--operator", "b=lab"}, 2, "there are 2 operators"},
		{"by who made it", good, []string{"--at-least", "1", "--maker", "a"}, 1, "who made the image does not count"},

		{"of a rebuild that was given", changed(func(p *predicate) {
			p.Rebuild.Status, p.Rebuild.Given, p.Verdict, p.Rebuild.Items[0].From = report.Given, true, rebuild.Matching, rebuild.Carried
		}), one, 1, "it did not build the image itself (rebuild given)"},
		{"of a rebuild that was given, and called built", changed(func(p *predicate) { p.Rebuild.Given = true }), one, 1, "contradicts itself"},
		{"of no rebuild", changed(func(p *predicate) { p.Rebuild, p.Verdict = nil, rebuild.Unverified }), one, 1, "it did not build the image itself (rebuild not-tried)"},
		{"a good verdict with a check that fails", changed(func(p *predicate) { p.Checks[0].Status = check.Fail }), one, 1, "contradicts itself"},
		{"too few checks", changed(func(p *predicate) { p.Checks = p.Checks[1:] }), one, 1, "contradicts itself"},
		{"another config came out", changed(func(p *predicate) { p.Rebuild.Config = "sha256:00" }), one, 1, "contradicts itself"},
		{"built of nothing", changed(func(p *predicate) { p.Rebuild.Items = []attest.Item{} }), one, 1, "contradicts itself"},
		{"equivalent", changed(func(p *predicate) { p.Verdict, p.Rebuild.Result = rebuild.Equivalent, compare.Equivalent }), one, 1, "the verdict is equivalent, and reproducible is demanded"},
		{"equivalent, where that is enough", changed(func(p *predicate) { p.Verdict, p.Rebuild.Result = rebuild.Equivalent, compare.Equivalent }), []string{"--at-least", "1", "--require", "equivalent"}, 0, "1 of 3"},
		{"too old", changed(func(p *predicate) { p.Time = p.Time.AddDate(0, 0, -100) }), []string{"--at-least", "1", "--max-age", "90d"}, 1, "it is too old"},
		{"old, where that is no matter", changed(func(p *predicate) { p.Time = p.Time.AddDate(-20, 0, 0) }), one, 0, "1 of 3"},
		{"from the future", changed(func(p *predicate) { p.Time = p.Time.Add(2 * time.Hour) }), one, 1, "it is from the future"},
		{"taken back", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t, worse), s.a)}
		}, one, 1, "dissents  a: the verdict is unreproducible"},
		{"one of three dissents", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t), s.b), bundle(t, s.says(t, worse), s.c)}
		}, one, 1, "NO: c, who is trusted, dissents"},
		{"a stranger dissents", func(t *testing.T, s *scene) []string {
			return []string{bundle(t, s.says(t), s.a), bundle(t, s.says(t, worse), s.stranger)}
		}, one, 0, "1 of 3"},

		{"a key twice in the statement", swapped(`"verdict":`, `"verdict":"unreproducible","verdict":`), one, 1, "stands twice"},
		{"a key in another case in the statement", swapped(`"subject":`, `"Subject":[],"subject":`), one, 1, "another case"},
		{"a key in another case in the predicate", swapped(`"verdict":`, `"Verdict":`), one, 1, "not written as audit writes them"},
		{"an unknown key in the predicate", swapped(`"verdict":`, `"x":1,"verdict":`), one, 1, "unknown field"},
		{"bytes after the statement", func(t *testing.T, s *scene) []string { return []string{bundle(t, s.says(t)+"{}", s.a)} }, one, 1, "follow the end"},
		{"a key twice in the envelope", around(`"payloadType":`, `"payloadType":"x","payloadType":`), one, 1, "stands twice"},
		{"a key in another case in the envelope", around(`"payload":`, `"PAYLOAD":"x","payload":`), one, 1, "another case"},
		{"bytes after the bundle", func(t *testing.T, s *scene) []string { return []string{bundle(t, s.says(t), s.a) + "x"} }, one, 1, "follow the end"},
		{"no JSON", func(*testing.T, *scene) []string { return []string{"nothing"} }, one, 1, "reading a statement"},
		{"a bundle without a hint", func(t *testing.T, s *scene) []string {
			text := bundle(t, s.says(t), s.a)
			hint := text[strings.Index(text, `"hint"`):strings.Index(text, `}}`)]
			return []string{swap(t, text, hint, "")}
		}, one, 0, "1 of 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			for _, d := range c.documents(t, s) {
				s.push(t, d)
			}
			status, out := s.verify(c.args...)
			if status != c.status || !strings.Contains(out, c.want) {
				t.Errorf("status %d, want %d, and %q in\n%s", status, c.status, c.want, out)
			}
			if yes := strings.HasPrefix(out, "YES"); yes != (status == 0) {
				t.Errorf("status %d of\n%s", status, out)
			}
		})
	}
}

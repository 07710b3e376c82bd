package sbom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/package-url/packageurl-go"
	spdxjson "github.com/spdx/tools-golang/json"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/nix"
	"audit/provenance/records"
)

func writeSPDX(t testing.TB, b *Bill) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.WriteSPDX(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func writeCycloneDX(t testing.TB, b *Bill) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.WriteCycloneDX(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// guixStore and nixStore are those that images of tests have items of.
var (
	guixStore = Store{Folder: "/gnu/store", Ecosystem: "guix"}
	nixStore  = Store{Folder: "/nix/store", Ecosystem: "nix", StartsVersion: nix.StartsVersion}
)

// collect makes the bill of an image file.
func collect(t testing.TB, name string, opt Options) *Bill {
	t.Helper()
	img, err := inspect.Open(context.Background(), name, inspect.Options{
		Stores: fixtures.Stores(), Keep: func(p string) bool { return guix.Keep(p) || Keep(p) }, Watch: records.Watch,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := inspect.Complete(t.Context(), img, records.Wanted(img), inspect.Options{}); err != nil {
		t.Fatal(err)
	}
	ev, err := provenance.Recover(img, nil, []guix.System{{}})
	if err != nil {
		t.Fatal(err)
	}
	opt.Stores = []Store{guixStore, nixStore}
	return Collect(img, ev, opt)
}

func sample(name string) string { return filepath.Join("../fixtures/guix", name) }

// made writes an image of its own and returns its name.
func made(t testing.TB, spec fixtures.Spec) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fixtures.Write(f, spec); err != nil {
		t.Fatal(err)
	}
	return name
}

// bills are all the bills that documents are made of in tests.
func bills(t testing.TB) map[string]*Bill {
	t.Helper()
	img, ev := hostile()
	return map[string]*Bill{
		"tiny":          collect(t, sample("images/tiny.tar.gz"), Options{}),
		"tiny-layers4":  collect(t, sample("images/tiny-layers4.tar.gz"), Options{Version: "v1.0 (devel)"}),
		"hello":         collect(t, sample("images/hello.tar.gz"), Options{}),
		"realpack":      collect(t, sample("realpack/real-hello-guile-numpy-docker-pack.tar.gz"), Options{}),
		"era":           collect(t, sample("eras/era-v1.0.1-single-gzip.tar.gz"), Options{}),
		"no provenance": collect(t, sample("eras/era-v1.5.0-single-gzip-noprov.tar.gz"), Options{}),
		"made":          collect(t, made(t, fixtures.Spec{Seed: 1, Items: 60, MaxLayers: 9}), Options{}),
		"empty":         Collect(&inspect.Image{}, nil, Options{}),
		"no recipe":     Collect(stranger(), nil, Options{Stores: []Store{nixStore}}),
		"hostile":       Collect(img, ev, Options{Version: "\x00\n", Sources: hostileSources()}),
		"sources":       collect(t, sample("images/hello.tar.gz"), Options{Sources: madeFrom()}),
		"half read":     Collect(halfRead(), nil, Options{Stores: []Store{nixStore}}),
		"sources alone": Collect(stranger(), nil, Options{Stores: []Store{nixStore}, Sources: madeFrom()}),
		"mixed":         collect(t, docker(t, mixed()), Options{Files: true}),
		"needing":       collect(t, needing(t), Options{}),
		"nix":           collect(t, "../fixtures/nix/images-forms/stream-2311.tar.gz", Options{}),
	}
}

// halfRead is the stranger with a layer that was not read and one that was read in part.
func halfRead() *inspect.Image {
	img := stranger()
	img.Layers[0].Broken = errors.New("unexpected EOF")
	img.Layers = append(img.Layers, &inspect.Layer{
		Index: 1, Member: "sha256:a", Digest: digest("a"), Unknown: true, MediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Broken: errors.New("no tar"),
	}, &inspect.Layer{Index: 2, Member: "sha256:b", Digest: digest("b")})
	return img
}

// Layers that were not read to the end are named in both forms, and the image is incomplete.
func TestUnreadLayers(t *testing.T) {
	b := Collect(halfRead(), nil, Options{Stores: []Store{nixStore}})
	b.Closure = check.Pass // whatever the check says
	var bom cdx.BOM
	if err := json.Unmarshal(writeCycloneDX(t, b), &bom); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range *bom.Compositions {
		if c.Assemblies != nil {
			got = append(got, fmt.Sprint(c.Aggregate, *c.Assemblies))
		}
	}
	if want := []string{"incomplete[image]", "incomplete[layer-0 layer-1]"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i, want := range []string{"layer-unread", "layer-not-read", ""} {
		why := ""
		for _, p := range *(*bom.Metadata.Component.Components)[i].Properties {
			if p.Name == "audit:layer:problem" {
				why = p.Value
			}
		}
		if (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("layer %d: %q", i, why)
		}
	}
	doc, err := spdxjson.Read(bytes.NewReader(writeSPDX(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Not looked into: sha256:e in layer 0: closure/layer-unread", "Not looked into: sha256:a in layer 1: closure/layer-not-read"} {
		if !strings.Contains(doc.DocumentComment, want) {
			t.Errorf("no %q in %q", want, doc.DocumentComment)
		}
	}
	for i, want := range []string{"Incomplete: closure/layer-unread", "Incomplete: closure/layer-not-read", ""} {
		if p := doc.Packages[i+1]; !strings.HasPrefix(p.PackageComment, want) || (p.PackageComment == "") != (want == "") {
			t.Errorf("%s: %q", p.PackageName, p.PackageComment)
		}
	}
}

func digest(text string) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(text, 64)[:64]}
}

// stranger is an image of a registry, of Nix, with a manifest and no recipe.
func stranger() *inspect.Image {
	const glibc, hello = "/nix/store/1234567890abcdfghijklmnpqrsvwxyz-glibc-2.35", "/nix/store/0234567890abcdfghijklmnpqrsvwxyz-hello-2.12.1-lib"
	return &inspect.Image{
		Tags:     []string{"ghcr.io/some/hello:1.2"},
		Config:   inspect.Config{Digest: digest("c"), File: v1.ConfigFile{OS: "linux", Architecture: "arm64", Created: v1.Time{Time: time.Date(2024, 5, 6, 7, 8, 9, 10, time.FixedZone("", 3600))}}},
		Manifest: image.Manifest{Digest: digest("d"), Origin: image.Computed},
		Layers: []*inspect.Layer{{
			Member: "sha256:e", Digest: digest("e"), DiffID: digest("f"), Size: 9,
			Entries: []*inspect.Entry{{Path: glibc[1:], Type: '5'}, {Path: hello[1:], Type: '0'}},
		}},
		Items: []inspect.StoreItem{
			{Path: hello, NarHash: digest("1"), NarSize: 7, References: []string{glibc, hello}},
			{Path: glibc, Problem: check.Say("item/layer-broken")},
		},
	}
}

// hostile is an image in which every text is one that breaks formats.
func hostile() (*inspect.Image, *provenance.Evidence) {
	const bad = "\x00\n\r\x1b[31m\u202e\xff\xfe\"',;<&>#?%@/\\ \U000e0001é"
	const prefix = "/gnu/store/1234567890abcdfghijklmnpqrsvwxyz-"
	layer := &inspect.Layer{Index: 0, Member: bad, Digest: v1.Hash{Algorithm: bad, Hex: bad}, DiffID: digest("a")}
	img := &inspect.Image{
		Reference: bad,
		Tags:      []string{bad + ":" + bad, "", bad},
		Config:    inspect.Config{Digest: digest("b"), File: v1.ConfigFile{OS: bad, Architecture: bad, Created: v1.Time{Time: time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)}}},
		Layers:    []*inspect.Layer{layer, layer},
	}
	ev := &provenance.Evidence{Recipe: provenance.Recipe{
		System: "guix", Status: provenance.Partial, Packer: bad,
		Channels:  []provenance.Channel{{Name: bad, URL: bad, Commit: bad}},
		Locations: []provenance.Location{{Layer: 0, Path: bad}},
		Root:      bad,
	}}
	for i, name := range []string{bad, "a b-1", "a-b-1", "a_b-1", "-1", "x", bad + "-1" + bad, "DOCUMENT", "\xff-1", "\xfe-1"} {
		path := prefix + name
		img.Items = append(img.Items, inspect.StoreItem{Path: path, Layer: i - 1, NarHash: v1.Hash{Algorithm: "sha256", Hex: bad}, Problem: check.Say(bad),
			References: []string{path, bad, prefix + "x", prefix + "x", prefix + "absent"}})
		if i%2 == 0 {
			ev.Recipe.Packages = append(ev.Recipe.Packages, provenance.Package{Name: bad, Version: bad, Output: bad, Path: path, Channel: bad})
		}
	}
	ev.Recipe.Packages = append(ev.Recipe.Packages, provenance.Package{Path: prefix + "x"}, provenance.Package{Path: "absent"})
	return img, ev
}

// madeFrom are sources of the sample hello, one of each kind.
func madeFrom() []Source {
	return []Source{
		{Name: "hello-2.12.2.tar.gz", Derivation: "/gnu/store/x.drv", Method: "url", Addresses: []string{"mirror://gnu/hello", "https://ftp.gnu.org/gnu/hello"},
			Algorithm: "sha256", Hash: strings.Repeat("a", 64), SWHID: "swh:1:cnt:" + strings.Repeat("b", 40), Items: []string{"/gnu/store/absent"}},
		{Name: "bash", Method: "url", Algorithm: "sha256", Hash: strings.Repeat("c", 64), Recursive: true, Seed: "builder"},
		{Name: "lib-checkout", Method: "git-commit", Repository: true, Addresses: []string{"https://git.example/lib"}, Revision: strings.Repeat("d", 40),
			Algorithm: "sha256", Hash: strings.Repeat("e", 64), Recursive: true},
	}
}

func hostileSources() []Source {
	const bad = "\x00\n\r\x1b[31m\u202e\xff\xfe\"',;<&>#?%@/\\ \U000e0001é"
	all := []Source{{Name: bad, Derivation: bad, Method: bad, Addresses: []string{bad, "https://" + bad}, Revision: bad, Algorithm: "sha256", Hash: bad, Seed: bad, Items: []string{bad}}}
	all = append(all, all[0], all[0])
	all[1].Recursive = true
	all[2].Repository, all[2].Method, all[2].Addresses = true, "git-ref", []string{"https://git.example/x"}
	return all
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"tiny", "hello"} {
		b := collect(t, sample("images/"+name+".tar.gz"), Options{Version: "test"})
		for suffix, got := range map[string][]byte{"spdx.json": writeSPDX(t, b), "cdx.json": writeCycloneDX(t, b)} {
			golden := filepath.Join("testdata", name+"."+suffix)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		}
	}
}

// The same image is the same documents, wherever it lies and in whatever order
// it was found.
func TestIsDeterministic(t *testing.T) {
	const name = "images/tiny-layers4.tar.gz"
	other := filepath.Join(t.TempDir(), "other name.tar.gz")
	raw, err := os.ReadFile(sample(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	one, two := collect(t, sample(name), Options{}), collect(t, other, Options{})
	t.Setenv("TZ", "Asia/Kolkata")
	if !bytes.Equal(writeSPDX(t, one), writeSPDX(t, two)) || !bytes.Equal(writeCycloneDX(t, one), writeCycloneDX(t, two)) {
		t.Error("the documents differ")
	}
	img := stranger()
	want := writeSPDX(t, Collect(img, nil, Options{}))
	slices.Reverse(img.Items)
	if got := writeSPDX(t, Collect(img, nil, Options{})); !bytes.Equal(got, want) {
		t.Error("the order of items in the image changes the document")
	}
}

// What was written can be read by the libraries that others use, and says what
// the bill says.
func TestReadBack(t *testing.T) {
	for name, b := range bills(t) {
		t.Run(name, func(t *testing.T) {
			checkSPDX(t, b, writeSPDX(t, b))
			checkCycloneDX(t, b, writeCycloneDX(t, b))
		})
	}
}

func checkSPDX(t testing.TB, b *Bill, raw []byte) {
	t.Helper()
	var doc spdx.Document
	if err := spdxjson.ReadInto(bytes.NewReader(raw), &doc); err != nil {
		t.Fatal(err)
	}
	if err := spdxlib.ValidateDocument(&doc); err != nil {
		t.Errorf("%v", err)
	}
	ids := map[string]bool{"DOCUMENT": true}
	for _, p := range doc.Packages {
		id := string(p.PackageSPDXIdentifier)
		if ids[id] || !regexp.MustCompile(`^[A-Za-z0-9.-]+$`).MatchString(id) {
			t.Errorf("identifier %q is used twice or has other characters than SPDX allows", id)
		}
		ids[id] = true
		for _, ref := range p.PackageExternalReferences {
			if strings.ContainsAny(ref.Locator, " \n") {
				t.Errorf("locator %q has a space", ref.Locator)
			}
		}
	}
	if want := 1 + len(b.Layers) + len(b.Items) + len(b.Parts) + len(b.Files) + len(b.Sources); len(doc.Packages) != want {
		t.Errorf("%d packages, want %d", len(doc.Packages), want)
	}
	count := make(map[string]int)
	for _, r := range doc.Relationships {
		from, to := string(r.RefA.ElementRefID), string(r.RefB.ElementRefID)
		if !ids[from] || !ids[to] {
			t.Errorf("%s %s %s: one of them is not there", from, r.Relationship, to)
		}
		if from == to {
			t.Errorf("%s %s itself", from, r.Relationship)
		}
		count[r.Relationship]++
	}
	want := map[string]int{"DESCRIBES": 1}
	if n := len(b.Layers) + len(b.Items) + len(b.Parts) + len(b.Files); n > 0 {
		want["CONTAINS"] = n
	}
	if n := len(b.Roots) + edges(b); n > 0 {
		want["DEPENDS_ON"] = n
	}
	if n := len(b.Sources); n > 0 { // none of those here is said to be needed by an item of the image
		want["GENERATED_FROM"] = n
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("relationships (-want +got):\n%s", diff)
	}
}

// The error of a writer is not lost.
func TestWriteErrors(t *testing.T) {
	b := Collect(stranger(), nil, Options{Stores: []Store{nixStore}})
	full := errors.New("the disk is full")
	if err := b.WriteSPDX(failing{full}); !errors.Is(err, full) {
		t.Errorf("SPDX: error %v, want that of the writer", err)
	}
	if err := b.WriteCycloneDX(failing{full}); !errors.Is(err, full) {
		t.Errorf("CycloneDX: error %v, want that of the writer", err)
	}
	if err := b.WriteSPDXTagValue(failing{full}); !errors.Is(err, full) {
		t.Errorf("tags and values: error %v, want that of the writer", err)
	}
	if err := b.WriteCycloneDXXML(failing{full}); !errors.Is(err, full) {
		t.Errorf("XML: error %v, want that of the writer", err)
	}
}

type failing struct{ err error }

func (w failing) Write([]byte) (int, error) { return 0, w.err }

// edges counts the references between items of the bill, and what packages
// depend on.
func edges(b *Bill) int {
	n := 0
	for _, it := range b.Items {
		for _, ref := range it.DependsOn {
			if slices.ContainsFunc(b.Items, func(other Item) bool { return other.Path == ref }) {
				n++
			}
		}
	}
	for _, p := range b.Parts {
		n += len(p.DependsOn)
	}
	return n
}

func checkCycloneDX(t testing.TB, b *Bill, raw []byte) {
	t.Helper()
	var doc cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.SpecVersion != cdx.SpecVersion1_6 {
		t.Errorf("version %s, want 1.6", doc.SpecVersion)
	}
	refs := map[string]bool{doc.Metadata.Component.BOMRef: true}
	components := flat(slices.Concat(all(doc.Components), all(doc.Metadata.Component.Components)))
	for _, c := range components {
		if refs[c.BOMRef] {
			t.Errorf("bom-ref %q is used twice", c.BOMRef)
		}
		refs[c.BOMRef] = true
		if c.PackageURL != "" {
			if _, err := packageurl.FromString(c.PackageURL); err != nil {
				t.Errorf("%s: %v", c.PackageURL, err)
			}
		}
		if strings.ContainsAny(c.Name+c.Version, "\n\x00\x1b\u202e\ufffd") {
			t.Errorf("%q %q: want what cannot be shown escaped", c.Name, c.Version)
		}
	}
	if want := len(b.Layers) + len(b.Items) + len(b.Parts) + len(b.Files); len(components) != want {
		t.Errorf("%d components, want %d", len(components), want)
	}
	n := 0
	for _, d := range *doc.Dependencies {
		for _, ref := range append(all(d.Dependencies), d.Ref) {
			if !refs[ref] {
				t.Errorf("dependency on %q, which is not there", ref)
			}
		}
		n += len(all(d.Dependencies))
	}
	if want := len(b.Roots) + edges(b); n != want {
		t.Errorf("%d dependencies, want %d", n, want)
	}
}

// flat returns components and all that are in them.
func flat(components []cdx.Component) []cdx.Component {
	var list []cdx.Component
	for _, c := range components {
		list = append(append(list, c), flat(all(c.Components))...)
	}
	return list
}

// all returns the elements of a list that may be missing.
func all[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

func TestCollectTiny(t *testing.T) {
	b := collect(t, sample("images/tiny.tar.gz"), Options{})
	const hello, lib, profile = "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2", "/gnu/store/4bpymp7xj89wli1jyf186frx9lxyq7bj-tiny-lib-2.1",
		"/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile"
	byPath := make(map[string]Item)
	for _, it := range b.Items {
		byPath[it.Path] = it
	}
	const manifest = "gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile/manifest"
	it := byPath[hello]
	want := Item{
		Path: hello, Name: "tiny-hello", Version: "3.2", Kind: Package, Named: true, Ecosystem: "guix", NarHash: it.NarHash, NarSize: it.NarSize,
		Channel: &provenance.Channel{Name: "fixtures", URL: "https://example.org/fixtures.git", Branch: "main", Commit: "488c9a441ca97277bd9cd5c9b2ad0369d17551b1"},
		PURL: "pkg:guix/tiny-hello@3.2?commit=488c9a441ca97277bd9cd5c9b2ad0369d17551b1&outputhash=y1wsz33i13663zsn6ndw4qxjl7pici3r" +
			"&repository_url=https:%2F%2Fexample.org%2Ffixtures.git",
		CPE:       "cpe:2.3:a:tiny-hello:tiny-hello:3.2:*:*:*:*:*:*:*",
		DependsOn: []string{lib},
		Evidence:  []Place{{0, hello}, {0, manifest}},
	}
	if diff := cmp.Diff(want, it); diff != "" {
		t.Errorf("tiny-hello (-want +got):\n%s", diff)
	}
	if it := byPath[lib]; it.Named || it.Kind != Package || it.Name != "tiny-lib" || it.Version != "2.1" || it.Channel != nil {
		t.Errorf("tiny-lib: %+v", it)
	}
	if it := byPath[profile]; it.Kind != Data || it.PURL != "" || len(it.DependsOn) != 3 {
		t.Errorf("profile: %+v", it)
	}
	if diff := cmp.Diff([]string{profile}, b.Roots); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if b.Image.PURL != "pkg:docker/tiny-hello@"+b.Image.Config.String() {
		t.Errorf("package URL of the image: %s", b.Image.PURL)
	}
	if b.Closure != check.Pass || b.Recipe != provenance.Complete {
		t.Errorf("closure %v and recipe %v, want pass and complete", b.Closure, b.Recipe)
	}
}

// The NAR hashes are those that guix publish signed.
func TestNarHashes(t *testing.T) {
	b := collect(t, sample("images/hello.tar.gz"), Options{})
	i := slices.IndexFunc(b.Items, func(it Item) bool { return it.Name == "hello" })
	if i < 0 || b.Items[i].NarHash.Algorithm != "sha256" || !bytes.Contains(writeSPDX(t, b), []byte(b.Items[i].NarHash.Hex)) ||
		!bytes.Contains(writeCycloneDX(t, b), []byte(b.Items[i].NarHash.Hex)) {
		t.Error("the NAR hash of hello is not in the documents")
	}
}

func TestStranger(t *testing.T) {
	b := Collect(stranger(), nil, Options{Stores: []Store{nixStore}})
	if want := "pkg:oci/hello@" + digest("d").String() + "?repository_url=ghcr.io%2Fsome%2Fhello&tag=1.2"; b.Image.PURL != want {
		t.Errorf("package URL of the image: %s, want %s", b.Image.PURL, want)
	}
	if want := "2024-05-06T06:08:09Z"; b.Created.Format(time.RFC3339) != want {
		t.Errorf("created %s, want %s", b.Created.Format(time.RFC3339), want)
	}
	hello := b.Items[0]
	if hello.PURL != "pkg:nix/hello@2.12.1?output=lib&outputhash=0234567890abcdfghijklmnpqrsvwxyz" || hello.Output != "lib" {
		t.Errorf("hello: %+v", hello)
	}
	if b.Closure == check.Pass || !bytes.Contains(writeCycloneDX(t, b), []byte(`"aggregate": "unknown"`)) {
		t.Error("an image without recipe must not be said to be complete")
	}
}

func TestOrigin(t *testing.T) {
	one, two := provenance.Channel{Name: "guix", Commit: "1"}, provenance.Channel{Name: "guix", Commit: "2"}
	for _, tt := range []struct {
		name     string
		p        provenance.Package
		channels []provenance.Channel
		want     *provenance.Channel
	}{
		{"its own", provenance.Package{Channel: "guix", Origin: &two}, []provenance.Channel{one}, &two},
		{"by name", provenance.Package{Channel: "guix"}, []provenance.Channel{one}, &one},
		{"ambiguous", provenance.Package{Channel: "guix"}, []provenance.Channel{one, two}, nil},
		{"unknown", provenance.Package{Channel: "other"}, []provenance.Channel{one}, nil},
		{"none", provenance.Package{}, []provenance.Channel{{}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, origin(&tt.p, tt.channels)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreated(t *testing.T) {
	date := time.Date(2030, 1, 2, 3, 4, 5, 6, time.FixedZone("", -3600))
	for _, tt := range []struct {
		option, image time.Time
		want          string
	}{
		{date, time.Unix(5, 0), "2030-01-02T04:04:05Z"},
		{time.Time{}, time.Unix(5, 0), "1970-01-01T00:00:05Z"},
		{time.Unix(0, 0), date, "1970-01-01T00:00:00Z"},
		{time.Time{}, time.Time{}, "1970-01-01T00:00:01Z"},
		{time.Time{}, time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), "1970-01-01T00:00:01Z"},
		{time.Time{}, time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), "1970-01-01T00:00:01Z"},
	} {
		if got := created(tt.option, tt.image).Format(time.RFC3339); got != tt.want {
			t.Errorf("%v, %v: %s, want %s", tt.option, tt.image, got, tt.want)
		}
	}
}

// An image that breaks its own claims is another one than the image it was
// made from.
func TestIdentity(t *testing.T) {
	honest, other := stranger(), stranger()
	other.Layers[0].DiffID = digest("0")
	a, b := Collect(honest, nil, Options{}), Collect(other, nil, Options{})
	if a.ID == b.ID || a.namespace() == b.namespace() {
		t.Error("two images have one id")
	}
	if want := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !want.MatchString(a.uuid()) {
		t.Errorf("%s is no UUID of version 8", a.uuid())
	}
}

func TestSplitName(t *testing.T) {
	for _, tt := range []struct {
		base, name, version, output string
		nix                         bool
	}{
		{"hello-2.12.1", "hello", "2.12.1", "", false},
		{"gcc-11.3.0-lib", "gcc", "11.3.0", "lib", false},
		{"glib-2.70.2-bin", "glib", "2.70.2", "bin", false},
		{"guile-json-4.7.3", "guile-json", "4.7.3", "", false},
		{"bash-static-5.1.16", "bash-static", "5.1.16", "", false},
		{"python-3.10.7", "python", "3.10.7", "", false},
		{"xterm-1.0-1.abcdef1", "xterm", "1.0-1.abcdef1", "", false},
		{"foo-0.9.1b-custom", "foo", "0.9.1b-custom", "", false},
		{"font-adobe-100dpi-1.0", "font-adobe", "100dpi-1.0", "", false},
		{"profile", "profile", "", "", false},
		{"info-dir", "info-dir", "", "", false},
		{"foo-lib", "foo-lib", "", "", false},
		{"foo-", "foo-", "", "", false},
		{"-1.0", "-1.0", "", "", false},
		{"", "", "", "", false},
		{"foo-1-lib", "foo", "1", "lib", false},
		{"foo-_1", "foo-_1", "", "", false},
		{"foo-_1", "foo", "_1", "", true},
		{"python3.11-requests-2.31.0", "python3.11-requests", "2.31.0", "", true},
		{"hello-2.12.1-man", "hello", "2.12.1", "man", true},
		{"customisation-layer", "customisation-layer", "", "", true},
	} {
		store := guixStore
		if tt.nix {
			store = nixStore
		}
		if name, version, output := store.splitName(tt.base); name != tt.name || version != tt.version || output != tt.output {
			t.Errorf("%q: %q, %q, %q; want %q, %q, %q", tt.base, name, version, output, tt.name, tt.version, tt.output)
		}
	}
}

func TestImagePURL(t *testing.T) {
	id, zero := digest("c"), v1.Hash{}
	for _, tt := range []struct {
		reference        string
		config, manifest v1.Hash
		want             string
	}{
		{"hello", id, zero, "pkg:docker/hello@" + id.String()},
		{"some/hello", id, zero, "pkg:docker/some/hello@" + id.String()},
		{"ghcr.io/some/hello", id, zero, "pkg:docker/some/hello@" + id.String() + "?repository_url=ghcr.io"},
		{"localhost/hello", id, zero, "pkg:docker/hello@" + id.String() + "?repository_url=localhost"},
		{"ghcr.io/some/hello", id, id, "pkg:oci/hello@" + id.String() + "?repository_url=ghcr.io%2Fsome%2Fhello"},
		{"", id, id, ""},
		{"", id, zero, ""},
		{"hello", zero, zero, ""},
	} {
		if got := imagePURL(tt.reference, "", tt.config, tt.manifest); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.reference, got, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"hello 日本 é", "hello 日本 é"},
		{`say "hi"`, `say "hi"`},
		{"a\nb\x00\x1b[0m", `a\nb\x00\x1b[0m`},
		{"\xff", `\xff`},
		{"\u202e", `\u202e`},
		{"\u00a0", "\u00a0"},
		{"", ""},
	} {
		if got := clean(tt.text); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// Many items whose names come out alike cost no more than others.
func TestNames(t *testing.T) {
	n := make(names)
	seen := make(map[string]bool)
	for i := range 200_000 {
		name := n.pick([]string{"a", "a-2", "a-3", "b"}[i%4])
		if seen[name] {
			t.Fatalf("%q was given out twice", name)
		}
		seen[name] = true
	}
}

// Whatever the names, the documents are valid JSON that the libraries read.
func FuzzWrite(f *testing.F) {
	f.Add("hello-2.12", "hello", "2.12", "out", "https://example.org/x.git")
	f.Add("\xff\x00-1", "\u202e", "@/?#", "%", ":\n")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, base, name, version, output, url string) {
		const prefix = "/gnu/store/1234567890abcdfghijklmnpqrsvwxyz-"
		img := &inspect.Image{Tags: []string{name + ":" + version}, Config: inspect.Config{Digest: digest("c")},
			Items: []inspect.StoreItem{{Path: prefix + base, References: []string{prefix + name}}, {Path: prefix + name}, {Path: prefix + version}}}
		ev := &provenance.Evidence{Recipe: provenance.Recipe{
			Channels: []provenance.Channel{{Name: name, URL: url, Commit: version}},
			Packages: []provenance.Package{{Name: name, Version: version, Output: output, Path: prefix + base, Channel: name}},
		}}
		b := Collect(img, ev, Options{})
		for _, raw := range [][]byte{writeSPDX(t, b), writeCycloneDX(t, b)} {
			if !json.Valid(raw) {
				t.Fatalf("invalid JSON: %q", raw)
			}
		}
		checkSPDX(t, b, writeSPDX(t, b))
		checkCycloneDX(t, b, writeCycloneDX(t, b))
	})
}

func BenchmarkWrite(b *testing.B) {
	bill := collect(b, made(b, fixtures.Spec{Seed: 1, Items: 1000, Files: 1000}), Options{})
	for name, write := range map[string]func() []byte{
		"SPDX":      func() []byte { return writeSPDX(b, bill) },
		"CycloneDX": func() []byte { return writeCycloneDX(b, bill) },
	} {
		b.Run(fmt.Sprintf("%s/%d items", name, len(bill.Items)), func(b *testing.B) {
			for b.Loop() {
				write()
			}
		})
	}
}

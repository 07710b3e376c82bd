package inspect

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/oci"
	"audit/inspect/pass"
)

// A layout is the content of an OCI image layout, by path.
type layout map[string]string

// layoutOf returns a layout of documents and layers under an index.
func layoutOf(index string, blobs ...string) layout {
	l := layout{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`, "index.json": index}
	for _, b := range blobs {
		l["blobs/sha256/"+digest.Of([]byte(b)).Hash().Hex] = b
	}
	return l
}

// folder writes the layout to disk and returns where.
func (l layout) folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for path, data := range l {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (l layout) archive(t testing.TB) []byte {
	t.Helper()
	var members []archiveMember
	for path, data := range l {
		members = append(members, regular(path, data))
	}
	return tarOf(t, members...)
}

func platformOf(arch, variant string) map[string]string {
	p := map[string]string{"os": "linux", "architecture": arch}
	if variant != "" {
		p["variant"] = variant
	}
	return p
}

// imagesOf returns a layout with an image for each platform ("ARCH" or
// "ARCH/VARIANT"), and the manifests by platform.
func imagesOf(t testing.TB, platforms ...string) (layout, map[string]string) {
	var listed []any
	var blobs []string
	manifests := make(map[string]string)
	for _, p := range platforms {
		arch, variant, _ := strings.Cut(p, "/")
		layer := string(tarOf(t, regular("platform", p)))
		config := marshal(t, map[string]any{"architecture": arch, "os": "linux", "variant": variant, "rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(layer)}}})
		manifests[p] = manifestOf(t, config, layer)
		blobs = append(blobs, layer, config, manifests[p])
		listed = append(listed, descriptorOf(manifestType, manifests[p], "platform", platformOf(arch, variant)))
	}
	return layoutOf(indexOf(t, listed...), blobs...), manifests
}

func TestPlatforms(t *testing.T) {
	here, foreign := runtime.GOARCH, "s390x"
	for name, test := range map[string]struct {
		have []string
		ask  string
		want string // a platform, or a part of the error
	}{
		"the machine's own":     {have: []string{foreign, here, "mips"}, want: here},
		"the only one":          {have: []string{foreign}, want: foreign},
		"asked":                 {have: []string{foreign, here}, ask: "linux/" + foreign, want: foreign},
		"asked, not there":      {have: []string{foreign, here}, ask: "linux/mips", want: `no image "linux/mips": there is linux/s390x sha256:`},
		"the only one is other": {have: []string{foreign}, ask: "linux/mips", want: `no image "linux/mips"`},
		"none of this machine":  {have: []string{foreign, "mips"}, want: "several images: choose one with --platform"},
		"exactly":               {have: []string{here + "/v3", here}, want: here},
		"variant":               {have: []string{"arm/v6", "arm/v7"}, ask: "linux/arm/v7", want: "arm/v7"},
		"any variant of one":    {have: []string{"arm/v7", here}, ask: "linux/arm", want: "arm/v7"},
		"any variant of two":    {have: []string{"arm/v6", "arm/v7"}, ask: "linux/arm", want: "linux/arm/v6"},
		"no platform":           {have: []string{here}, ask: "linux/a/b/c", want: "OS/ARCH"},
	} {
		t.Run(name, func(t *testing.T) {
			l, manifests := imagesOf(t, test.have...)
			for form, ref := range l.forms(t) {
				img, err := Open(context.Background(), ref, pass.Options{Stores: fixtures.Stores(), Platform: test.ask})
				if err != nil {
					if manifests[test.want] != "" || !strings.Contains(err.Error(), test.want) {
						t.Errorf("%s: %v, want %q", form, err, test.want)
					}
					continue
				}
				if img.Manifest.Digest.String() != digestOf(manifests[test.want]) || rules(img) != "" {
					t.Errorf("%s: manifest %v, want that of %s; findings %q", form, img.Manifest.Digest, test.want, rules(img))
				}
				if len(img.Platforms) != len(test.have) {
					t.Errorf("%s: %d entries, want %d", form, len(img.Platforms), len(test.have))
				}
				for i, e := range img.Platforms {
					want := image.IndexEntry{Digest: e.Digest, Platform: "linux/" + test.have[i], Kind: image.ImageEntry, Chosen: test.have[i] == test.want}
					if e != want || e.Digest.String() != digestOf(manifests[test.have[i]]) {
						t.Errorf("%s: entry %+v, want %+v", form, e, want)
					}
				}
			}
		})
	}
}

// What lies in a layout beside an image, and is none, is not chosen from; what an index
// names and a file does not hold is not either.
func TestBesideAnImage(t *testing.T) {
	here := runtime.GOARCH
	l, manifests := imagesOf(t, here, "s390x")
	signature := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, `{"os":"","architecture":""}`),
		"layers": []any{descriptorOf("application/vnd.dev.cosign.simplesigning.v1+json", "{}")}})
	soci := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf("application/vnd.amazon.soci.index.v1+json", "{}"),
		"layers": []any{descriptorOf("application/octet-stream", "ztoc")}})
	image := descriptorOf(manifestType, manifests[here])
	of := func(arch string) any {
		return descriptorOf(manifestType, manifests[arch], "platform", platformOf(arch, ""))
	}
	named := func(arch, name string) any {
		return descriptorOf(manifestType, manifests[arch], "platform", platformOf(here, ""), "annotations", map[string]string{"org.opencontainers.image.ref.name": name})
	}
	unknown := map[string]string{"os": "unknown", "architecture": "unknown"}
	absent := descriptorOf(indexType, "absent", "platform", platformOf("s390x", ""))
	for name, test := range map[string]struct {
		listed   []any
		platform string
		want     string // of a manifest's platform, or a part of the error
		rules    string
	}{
		"a signature and a SOCI index":     {listed: []any{image, descriptorOf(manifestType, signature), descriptorOf(manifestType, soci)}, want: here},
		"they come first":                  {listed: []any{descriptorOf(manifestType, soci), descriptorOf(manifestType, signature), image}, want: here},
		"of a platform that is unknown":    {listed: []any{descriptorOf(manifestType, signature, "platform", unknown), image}, want: here},
		"an index that is absent":          {listed: []any{of(here), absent}, want: here, rules: "index-absent"},
		"nothing but it is asked for":      {listed: []any{of(here), absent}, platform: "linux/s390x", want: digestOf("absent")[7:]},
		"a manifest that is absent":        {listed: []any{descriptorOf(manifestType, "absent", "platform", platformOf(here, "")), of("s390x")}, want: "s390x"},
		"it is asked for":                  {listed: []any{descriptorOf(manifestType, "absent", "platform", platformOf(here, "")), of("s390x")}, platform: "linux/" + here, want: digestOf("absent")[7:]},
		"two of a platform":                {listed: []any{named(here, "a"), named("s390x", "b")}, platform: "linux/" + here, want: "several images \"linux/" + here + "\": choose one with its name"},
		"two of a platform, none is asked": {listed: []any{named(here, "a"), named("s390x", "b")}, want: "several images: choose one"},
	} {
		t.Run(name, func(t *testing.T) {
			l["index.json"] = indexOf(t, test.listed...)
			for _, doc := range []string{signature, soci, "{}"} {
				l["blobs/sha256/"+digestOf(doc)[7:]] = doc
			}
			img, err := Open(t.Context(), l.folder(t), pass.Options{Stores: fixtures.Stores(), Platform: test.platform})
			switch {
			case err != nil && (manifests[test.want] != "" || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			case err == nil && (img.Manifest.Digest.String() != digestOf(manifests[test.want]) || rules(img) != test.rules):
				t.Errorf("manifest %v, want that of %s; findings %q", img.Manifest.Digest, test.want, rules(img))
			case err == nil && img.Integrity().Status != check.Pass:
				t.Errorf("integrity %v", img.Integrity().Status)
			}
		})
	}
}

// forms writes the layout as a folder and as an archive.
func (l layout) forms(t testing.TB) map[string]string {
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, l.archive(t), 0o644); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"folder": l.folder(t), "archive": path}
}

func TestOCI(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1")))
	config := configOf(t, layer)
	manifest := manifestOf(t, config, layer)
	image := descriptorOf(manifestType, manifest)
	inner := indexOf(t, image)
	middle := indexOf(t, descriptorOf(indexType, inner))
	deep := middle
	var deeper []string
	for range 4 {
		deeper = append(deeper, deep)
		deep = indexOf(t, descriptorOf(indexType, deep))
	}
	self := indexOf(t, map[string]any{"mediaType": indexType, "digest": "sha256:" + v1ID(7), "size": 1})
	looping := layoutOf(self)
	looping["blobs/sha256/"+v1ID(7)] = self
	withConfig := func(kind, config string) layout {
		m := marshal(t, map[string]any{"schemaVersion": 2, "artifactType": "application/x-thing", "config": descriptorOf(kind, config), "layers": []any{descriptorOf(layerType, layer)}})
		return layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, config, layer)
	}
	withLayer := func(d map[string]any, blobs ...string) layout {
		m := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, config), "layers": []any{d}})
		return layoutOf(indexOf(t, descriptorOf(manifestType, m)), append(blobs, m, config)...)
	}
	both := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, config), "layers": []any{descriptorOf(layerType, layer)}, "manifests": []any{image}})
	lying := layoutOf(indexOf(t, image), manifest, config, layer)
	lying["blobs/sha256/"+digest.Of([]byte(config)).Hash().Hex] = config + " "
	for name, test := range map[string]struct {
		layout layout
		want   string // rules of the findings
		err    string
		status check.Status
	}{
		"plain":              {layout: layoutOf(indexOf(t, image), manifest, config, layer), status: check.Pass},
		"listed twice":       {layout: layoutOf(indexOf(t, image, image), manifest, config, layer), status: check.Pass},
		"nested":             {layout: layoutOf(indexOf(t, descriptorOf(indexType, middle)), middle, inner, manifest, config, layer), status: check.Pass},
		"nested too deep":    {layout: layoutOf(indexOf(t, descriptorOf(indexType, deep)), append(deeper, deep, inner, manifest, config, layer)...), err: "more than 4 deep"},
		"includes itself":    {layout: looping, err: "it includes itself"},
		"empty":              {layout: layoutOf(indexOf(t)), err: "lists no image"},
		"no config":          {layout: layoutOf(indexOf(t, descriptorOf(manifestType, `{"schemaVersion":2}`)), `{"schemaVersion":2}`), err: "names no config"},
		"schema 1":           {layout: layoutOf(indexOf(t, descriptorOf(manifestType, `{"schemaVersion":1}`)), `{"schemaVersion":1}`), err: "schema 1"},
		"an artifact":        {layout: withConfig("application/vnd.oci.empty.v1+json", "{}"), err: `an artifact of type "application/x-thing"`},
		"two at once":        {layout: layoutOf(indexOf(t, descriptorOf(manifestType, both)), both, config, layer), want: "ambiguous-manifest", status: check.Fail},
		"another media type": {layout: layoutOf(indexOf(t, descriptorOf("application/vnd.docker.distribution.manifest.v2+json", manifest)), manifest, config, layer), want: "media-type-mismatch", status: check.Fail},
		"a lying config":     {layout: lying, want: "document-digest-mismatch size-mismatch", status: check.Fail},
		"a lying size":       {layout: withLayer(descriptorOf(layerType, layer, "size", 7), layer), want: "layer-size-mismatch", status: check.Fail},
		"a lying layer":      {layout: withLayer(descriptorOf(layerType, layer, "digest", digestOf(config))), want: "diffid-mismatch broken-layer layer-size-mismatch", status: check.Fail},
		"a lying type":       {layout: withLayer(descriptorOf(layerType+"+gzip", layer), layer), want: "compression-mismatch", status: check.Fail},
		"a layer elsewhere":  {layout: withLayer(descriptorOf(layerType, layer, "urls", []string{"https://example.org/l"})), want: "layer-elsewhere", status: check.Unknown},
		"no layer":           {layout: withLayer(descriptorOf(layerType, layer)), err: "reading layer 0"},
		"a bad digest":       {layout: withLayer(descriptorOf(layerType, layer, "digest", "sha256:abc")), err: "wrong number of hex digits"},
		"an unknown digest":  {layout: withLayer(descriptorOf(layerType, layer, "digest", "blake3:"+v1ID(1))), err: "unsupported hash"},
		"embedded config":    {layout: withData(t, config, config, layer), status: check.Pass},
		"embedded otherwise": {layout: withData(t, config, strings.Replace(config, "linux", "Linux", 1), layer), want: "document-digest-mismatch ambiguous-data", status: check.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			for form, ref := range test.layout.forms(t) {
				img, err := Open(context.Background(), ref, pass.Options{Stores: fixtures.Stores()})
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "\n") {
						t.Errorf("%s: error %v, want one with %q", form, err, test.err)
					}
					continue
				}
				if err != nil {
					t.Fatal(form, err)
				}
				if got := rules(img); got != test.want || img.Integrity().Status != test.status {
					t.Errorf("%s: findings %q, want %q; integrity %v, want %v: %v", form, got, test.want, img.Integrity().Status, test.status, img.Problems)
				}
			}
		})
	}
}

// withData returns a layout whose config is embedded in its descriptor; where
// that is the honest one it lies nowhere else.
func withData(t testing.TB, config, embedded, layer string) layout {
	d := descriptorOf(configType, config, "data", []byte(embedded))
	m := marshal(t, map[string]any{"schemaVersion": 2, "config": d, "layers": []any{descriptorOf(layerType, layer)}})
	blobs := []string{m, layer}
	if embedded != config {
		blobs = append(blobs, config)
	}
	return layoutOf(indexOf(t, descriptorOf(manifestType, m)), blobs...)
}

func TestSHA512(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1")))
	config := configOf(t, layer)
	for name, lie := range map[string]string{"honest": "", "lying": "x"} {
		sum := fmt.Sprintf("%x", sha512.Sum512([]byte(layer+lie)))
		m := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, config), "layers": []any{descriptorOf(layerType, layer, "digest", "sha512:"+sum)}})
		l := layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, config)
		l["blobs/sha512/"+sum] = layer
		for form, ref := range l.forms(t) {
			img := mustOpen(t, ref)
			if want := map[string]string{"": "", "x": "digest-mismatch"}[lie]; rules(img) != want {
				t.Errorf("%s %s: findings %q, want %q: %v", name, form, rules(img), want, img.Problems)
			}
			if img.Layers[0].ClaimedDigest.Hex != sum {
				t.Errorf("claimed is %v", img.Layers[0].ClaimedDigest)
			}
		}
	}
}

// A layout may hold many images: tags and digests tell them apart.
func TestNames(t *testing.T) {
	one, m1 := imagesOf(t, "amd64")
	two, m2 := imagesOf(t, "s390x")
	named := func(m, name string) any {
		return descriptorOf(manifestType, m, "annotations", map[string]string{"org.opencontainers.image.ref.name": name})
	}
	maps.Copy(one, two)
	one["index.json"] = indexOf(t, named(m1["amd64"], "v1"), named(m2["s390x"], "example.org/lab/b:v2"))
	dir := one.folder(t)
	for ref, want := range map[string]string{"v1": m1["amd64"], "v2": m2["s390x"], "example.org/lab/b:v2": m2["s390x"], digestOf(m2["s390x"]): m2["s390x"]} {
		if img := mustOpen(t, "oci:"+dir+":"+ref); img.Manifest.Digest.String() != digestOf(want) {
			t.Errorf("%s: %v", ref, img.Manifest.Digest)
		}
	}
	if _, err := Open(context.Background(), "oci:"+dir+":v3", pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), `no image "v3": there is v1, example.org/lab/b:v2`) {
		t.Error(err)
	}
}

// What is of other images of a layout is not of the one that is asked for: neither
// platforms, nor signatures, nor indexes that are absent. The index is read once for all.
func TestOneOfMany(t *testing.T) {
	l, m := imagesOf(t, "amd64", "s390x")
	named := func(kind string, doc, name string) any {
		l["blobs/sha256/"+digestOf(doc)[7:]] = doc
		return descriptorOf(kind, doc, "annotations", map[string]string{"org.opencontainers.image.ref.name": name})
	}
	signature := func(text string, more map[string]any) string {
		l["blobs/sha256/"+digestOf(text)[7:]] = text
		doc := map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, "{}"),
			"layers": []any{descriptorOf("application/vnd.dev.cosign.simplesigning.v1+json", text)}}
		maps.Copy(doc, more)
		return marshal(t, doc)
	}
	of := func(arch string) map[string]any {
		return map[string]any{"subject": descriptorOf(manifestType, m[arch])}
	}
	tag := func(arch string) string { return "sha256-" + digestOf(m[arch])[7:] + ".sig" }
	absent := descriptorOf(indexType, "absent", "annotations", map[string]string{"org.opencontainers.image.ref.name": "c"})
	l["index.json"] = indexOf(t, named(manifestType, m["amd64"], "a"), named(manifestType, m["s390x"], "b"), absent,
		named(manifestType, signature("own", of("amd64")), "x"), named(manifestType, signature("other", of("s390x")), "y"),
		named(manifestType, signature("tagged", nil), tag("amd64")), named(manifestType, signature("other's", nil), tag("s390x")))
	dir := l.folder(t)
	opt := pass.Options{Stores: fixtures.Stores(), Known: pass.NewForgetful(1000)}
	open := func(name string) *Image {
		t.Helper()
		img, err := Open(t.Context(), "oci:"+dir+":"+name, opt)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	img := open("a")
	if len(img.Platforms) != 1 || img.Platforms[0].Name != "a" || len(img.Problems) != 0 {
		t.Errorf("entries %+v, problems %v", img.Platforms, img.Problems)
	}
	var texts []string
	for _, a := range img.Attestations {
		texts = append(texts, string(a.Raw))
	}
	if !slices.Equal(texts, []string{"own", "tagged"}) {
		t.Errorf("signatures %q", texts)
	}
	var layouts oci.Layouts
	before, _, err := layouts.Pin(dir, "b")
	if err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "index.json")
	info, err := os.Stat(index)
	if err != nil {
		t.Fatal(err)
	}
	write := func(at time.Time) {
		if err := errors.Join(os.WriteFile(index, []byte(strings.Repeat(" ", int(info.Size()))), 0o644), os.Chtimes(index, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	write(info.ModTime())
	if img := open("b"); img.Manifest.Digest.String() != digestOf(m["s390x"]) {
		t.Errorf("manifest %v", img.Manifest.Digest)
	}
	if after, _, err := layouts.Pin(dir, "b"); after != before || before.String() != digestOf(m["s390x"]) || err != nil {
		t.Errorf("b is %v, then %v, %v", before, after, err)
	}
	write(info.ModTime().Add(time.Second))
	if _, err := Open(t.Context(), "oci:"+dir+":b", opt); err == nil {
		t.Error("an index that has changed was not read again")
	}
	if _, _, err := layouts.Pin(dir, "b"); err == nil {
		t.Error("a name of an index that has changed was not looked for again")
	}
}

// A layout cannot lead out of its folder.
func TestLayoutEscapes(t *testing.T) {
	l, m := imagesOf(t, runtime.GOARCH)
	dir := l.folder(t)
	blob := filepath.Join(dir, "blobs/sha256", digest.Of([]byte(m[runtime.GOARCH])).Hash().Hex)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Rename(blob, outside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, blob); err != nil {
		t.Fatal(err)
	}
	if img, err := Open(context.Background(), dir, pass.Options{Stores: fixtures.Stores()}); err == nil {
		t.Errorf("a link led out of the layout to %v", img.Manifest.Digest)
	}
}

// A folder that skopeo wrote as dir: is named as such.
func TestSkopeoFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"version", "manifest.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), dir, pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), "skopeo copy dir:"+dir) {
		t.Error(err)
	}
}

// A layout keeps blobs of images that it has no more: that breaks no claim. A blob
// that is not what its name says does, and so does any other member.
func TestStaleBlobs(t *testing.T) {
	l, _ := imagesOf(t, "amd64")
	for name, c := range map[string]struct{ path, body, want string }{
		"a blob":          {digest.BlobPath(digest.Of([]byte("stale")).Hash()), "stale", "unreferenced-blob"},
		"another content": {digest.BlobPath(digest.Of([]byte("stale")).Hash()), "other", "unreferenced-member"},
		"another place":   {"blobs/stale", "stale", "unreferenced-member"},
	} {
		var b bytes.Buffer
		whole := l.archive(t)
		b.Write(whole[:len(whole)-1024]) // without its end
		b.Write(tarOf(t, regular(c.path, c.body)))
		img, err := openBytes(t, b.Bytes(), pass.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		found := img.Integrity()
		if len(found.Findings) != 1 || found.Findings[0].Code != "integrity/"+c.want || (found.Status == check.Pass) != (c.want == "unreferenced-blob") {
			t.Errorf("%s: %v, %+v", name, found.Status, found.Findings)
		}
	}
}

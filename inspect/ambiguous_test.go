package inspect

import (
	"archive/tar"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/digest"
)

// indexed is an index of images, each of one file with its name as content, and of
// what the descriptors are to have beside.
func indexed(t testing.TB, names []string, more ...map[string]any) (layout, map[string]string) {
	t.Helper()
	var blobs []string
	var entries []any
	digests := make(map[string]string)
	for i, name := range names {
		layer := string(tarOf(t, regular("name", name)))
		config := configOf(t, layer)
		manifest := manifestOf(t, config, layer)
		d := descriptorOf(manifestType, manifest)
		for key, value := range more[i] {
			d[key] = value
		}
		entries = append(entries, d)
		blobs = append(blobs, layer, config, manifest)
		digests[digestOf(manifest)] = name
	}
	return layoutOf(indexOf(t, entries...), blobs...), digests
}

// The image of an index is the one that engines take, whatever labels say; where
// they take different ones it is ambiguous.
func TestImageOfAnIndex(t *testing.T) {
	here := func(more map[string]string) map[string]any {
		p := map[string]string{"os": "linux", "architecture": runtime.GOARCH}
		for key, value := range more {
			p[key] = value
		}
		return map[string]any{"platform": p}
	}
	with := func(m map[string]any, key string, value any) map[string]any { m[key] = value; return m }
	label := map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	zstd := map[string]string{"io.github.containers.compression.zstd": "true"}
	unknown := map[string]any{"platform": map[string]string{"os": "unknown", "architecture": "unknown"}, "annotations": label}
	foreign := map[string]any{"platform": map[string]string{"os": "linux", "architecture": "s390x"}}
	for name, test := range map[string]struct {
		first, second map[string]any
		want, rules   string
	}{
		"two of a platform":       {here(nil), here(nil), "first", ""},
		"labelled attestation":    {with(here(nil), "annotations", label), here(nil), "first", ""},
		"with os.version":         {here(map[string]string{"os.version": "10.0"}), here(nil), "first", ""},
		"with artifactType":       {with(here(nil), "artifactType", "application/x-thing"), here(nil), "first", ""},
		"a real attestation":      {unknown, here(nil), "second", ""},
		"without platform":        {nil, here(nil), "second", ""},
		"another platform":        {foreign, here(nil), "second", ""},
		"zstd comes second":       {here(nil), with(here(nil), "annotations", zstd), "first", "ambiguous-index"},
		"zstd comes first":        {with(here(nil), "annotations", zstd), here(nil), "first", ""},
		"label, no platforms":     {map[string]any{"annotations": label}, nil, "first", ""},
		"an unknown variant":      {here(map[string]string{"variant": "v9"}), here(nil), "second", ""},
		"feature of the platform": {with(here(nil), "artifactType", ""), here(nil), "first", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, digests := indexed(t, []string{"first", "second"}, test.first, test.second)
			for form, reference := range l.forms(t) {
				img, err := Open(t.Context(), reference, Options{Stores: fixtures.Stores()})
				if err != nil {
					t.Fatal(err)
				}
				if got := digests[img.Manifest.Digest.String()]; got != test.want || rules(img) != test.rules {
					t.Errorf("%s: the %s image, findings %q; want the %s, %q", form, got, rules(img), test.want, test.rules)
				}
				if len(img.Platforms) != 2 || img.Platforms[0].Chosen != (test.want == "first") || img.Platforms[1].Chosen == img.Platforms[0].Chosen {
					t.Errorf("%s: entries %+v", form, img.Platforms)
				}
				if test.rules != "" && img.Integrity().Status != check.Fail {
					t.Errorf("%s: integrity %v", form, img.Integrity().Status)
				}
			}
		})
	}
}

// A key that stands twice is ambiguous where an engine reads it, and data is data.
func TestRepeatedKeys(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1")))
	ids := fmt.Sprintf(`"os":"linux","architecture":%q,"rootfs":{"type":"layers","diff_ids":[%q]}`, runtime.GOARCH, digestOf(layer))
	for name, test := range map[string]struct{ config, keys string }{
		"none":                   {`{` + ids + `}`, ""},
		"exactly":                {`{` + ids + `,"config":{"User":"a"},"config":{"User":"b"}}`, "config"},
		"another case":           {`{` + ids + `,"config":{"User":"a"},"Config":{"User":"b"}}`, "Config"},
		"a letter that folds":    {`{` + ids + `,"config":{"User":"a","U\u017fer":"b"}}`, "config.Uſer"},
		"in the config":          {`{` + ids + `,"config":{"Entrypoint":["/a"],"entrypoint":["/b"]}}`, "config.entrypoint"},
		"one in another case":    {`{` + ids + `,"config":{"env":["A=1"]}}`, ""},
		"labels in another case": {`{` + ids + `,"config":{"Labels":{"a":"1","A":"2"},"Volumes":{"/x":{},"/X":{}}}}`, ""},
		"labels exactly":         {`{` + ids + `,"config":{"Labels":{"a":"1","a":"2"}}}`, "config.Labels.a"},
		"ports exactly":          {`{` + ids + `,"config":{"ExposedPorts":{"80/tcp":{},"80/tcp":{}}}}`, "config.ExposedPorts.80/tcp"},
		"not read by any":        {`{` + ids + `,"x-mine":1,"x-mine":2,"x-other":{"config":1,"config":2}}`, ""},
		"of the old container":   {`{` + ids + `,"container_config":{"User":"a","user":"b"}}`, "container_config.user"},
		"in a list":              {`{` + ids + `,"history":[{"created_by":"a"},{"created_by":"b","Created_By":"c"}]}`, "history.Created_By"},
	} {
		t.Run(name, func(t *testing.T) {
			m := manifestOf(t, test.config, layer)
			l := layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, test.config, layer)
			img, err := Open(t.Context(), l.folder(t), Options{Stores: fixtures.Stores()})
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, f := range img.Problems {
				keys = append(keys, f.Args.String("key"))
			}
			if got := strings.Join(keys, " "); got != test.keys || (got != "") != (img.Integrity().Status == check.Fail) {
				t.Errorf("keys %q, want %q; %v", got, test.keys, img.Problems)
			}
		})
	}
}

// So it is in the index, the image manifest and the manifest of a docker-archive.
func TestRepeatedKeysOfDocuments(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1")))
	config := configOf(t, layer)
	m := manifestOf(t, config, layer)
	index := indexOf(t, descriptorOf(manifestType, m))
	twice := func(document, key, value string) string {
		return strings.TrimSuffix(document, "}") + fmt.Sprintf(",%q:%s}", key, value)
	}
	inManifest := twice(m, "Layers", fmt.Sprintf(`[%s]`, marshal(t, descriptorOf(layerType, layer))))
	for name, l := range map[string]layout{
		"index":    layoutOf(twice(index, "Manifests", fmt.Sprintf(`[%s]`, marshal(t, descriptorOf(manifestType, m)))), m, config, layer),
		"manifest": layoutOf(indexOf(t, descriptorOf(manifestType, inManifest)), inManifest, config, layer),
	} {
		img, err := Open(t.Context(), l.folder(t), Options{Stores: fixtures.Stores()})
		if err != nil || rules(img) != "ambiguous-key" {
			t.Errorf("%s: %v, %v", name, img, err)
		}
	}
	members := imageOf(t, []byte(layer))
	for i := range members {
		if members[i].hdr.Name == "manifest.json" {
			members[i].data = []byte(strings.Replace(string(members[i].data), `"Layers"`, `"layers":[],"Layers"`, 1))
		}
	}
	if img, err := openBytes(t, tarOf(t, members...), Options{Stores: fixtures.Stores()}); err != nil || rules(img) != "ambiguous-key" {
		t.Errorf("docker-archive: %v, %v", img, err)
	}
}

// A descriptor that embeds other bytes than its blob has is ambiguous.
func TestEmbeddedData(t *testing.T) {
	layer := string(tarOf(t, regular("a", "1")))
	config := configOf(t, layer)
	for name, test := range map[string]struct {
		data  []byte
		rules string
	}{"the same": {[]byte(layer), ""}, "another": {tarOf(t, regular("a", "2")), "ambiguous-data"}} {
		d := descriptorOf(layerType, layer, "data", test.data)
		m := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, config), "layers": []any{d}})
		img, err := Open(t.Context(), layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, config, layer).folder(t), Options{Stores: fixtures.Stores()})
		if err != nil || rules(img) != test.rules {
			t.Errorf("%s: findings %q, want %q (%v)", name, rules(img), test.rules, err)
		}
	}
}

// An owner that is no number of a file system is what the system makes of it.
func TestImpossibleOwners(t *testing.T) {
	for claimed, want := range map[int]int{0: 0, 1000: 1000, 1<<32 - 2: 1<<32 - 2, 1 << 32: 0, 1<<32 + 5: 5, -1: 0, -2: 1<<32 - 2, 1<<32 - 1: 0} {
		layer := tarOf(t, archiveMember{tar.Header{Name: "sh", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: claimed, Format: tar.FormatGNU}, []byte("x")})
		img, err := openBytes(t, tarOf(t, imageOf(t, layer)...), Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		rule := ""
		if claimed != want {
			rule = "owner-range"
		}
		if e := img.Layers[0].Entries[0]; e.UID != want || rules(img) != rule || e.Digest != digest.Of([]byte("x")) {
			t.Errorf("%d: owner %d, want %d; findings %q", claimed, e.UID, want, rules(img))
		}
	}
}

package inspect

import (
	"archive/tar"
	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/pass"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func blobOf(data string) archiveMember {
	return regular("blobs/sha256/"+digest.Of([]byte(data)).Hash().Hex, data)
}

func digestOf(data string) string { return digest.Of([]byte(data)).String() }

// descriptorOf returns the descriptor of a blob, with whatever else is given
// as keys and values.
func descriptorOf(mediaType, data string, more ...any) map[string]any {
	d := map[string]any{"mediaType": mediaType, "digest": digestOf(data), "size": len(data)}
	for i := 0; i < len(more); i += 2 {
		d[more[i].(string)] = more[i+1]
	}
	return d
}

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// configOf returns the config of an image of layers.
func configOf(t testing.TB, layers ...string) string {
	var ids []string
	for _, l := range layers {
		ids = append(ids, digestOf(l))
	}
	return marshal(t, map[string]any{"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": ids}})
}

// manifestOf returns the image manifest of uncompressed layers.
func manifestOf(t testing.TB, config string, layers ...string) string {
	var ds []any
	for _, l := range layers {
		ds = append(ds, descriptorOf(layerType, l))
	}
	return marshal(t, map[string]any{"schemaVersion": 2, "mediaType": manifestType, "config": descriptorOf(configType, config), "layers": ds})
}

func indexOf(t testing.TB, manifests ...any) string {
	return marshal(t, map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests})
}

// docker25 returns what docker save writes since Docker 25: a docker-archive
// that is an OCI layout as well.
func docker25(t testing.TB, index, config string, layers ...string) []archiveMember {
	var paths []string
	members := []archiveMember{folder("blobs/"), folder("blobs/sha256/")}
	for _, l := range layers {
		paths = append(paths, "blobs/sha256/"+digest.Of([]byte(l)).Hash().Hex)
		members = append(members, blobOf(l))
	}
	manifest := marshal(t, []any{map[string]any{"Config": "blobs/sha256/" + digest.Of([]byte(config)).Hash().Hex, "RepoTags": []string{"a:1"}, "Layers": paths}})
	return append(members, blobOf(config), regular("index.json", index), regular("manifest.json", manifest), regular("oci-layout", `{"imageLayoutVersion":"1.0.0"}`))
}

func TestDocker25(t *testing.T) {
	one, two := string(tarOf(t, regular("a", "1"))), string(tarOf(t, regular("b", "2")))
	config := configOf(t, one, two)
	manifest := manifestOf(t, config, one, two)
	statement := `{"_type":"https://in-toto.io/Statement/v0.1"}`
	attestation := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, "{}"),
		"layers": []any{descriptorOf("application/vnd.in-toto+json", statement, "annotations", map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"})}})
	inner := indexOf(t, descriptorOf(manifestType, manifest, "platform", map[string]string{"os": "linux", "architecture": "amd64"}),
		descriptorOf(manifestType, "of a platform that is not here", "platform", map[string]string{"os": "linux", "architecture": "s390x"}),
		descriptorOf(manifestType, attestation, "platform", map[string]string{"os": "unknown", "architecture": "unknown"},
			"annotations", map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digestOf(manifest)}))
	swapped := manifestOf(t, config, two, one)
	other := manifestOf(t, configOf(t, one), one)
	named := func(digested string) any {
		return descriptorOf(manifestType, digested, "annotations", map[string]string{"io.containerd.image.name": "docker.io/library/a:1"})
	}
	legacy := func(i int, more string) archiveMember {
		return blobOf(fmt.Sprintf(`{"id":"%s","parent":"%s","os":"linux"%s}`, v1ID(i+1), v1ID(i), more))
	}
	nothing := `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":null}`
	for name, test := range map[string]struct {
		members  []archiveMember
		want     string
		manifest string
		index    string
		stated   int
	}{
		"a manifest": {members: append(docker25(t, indexOf(t, descriptorOf(manifestType, manifest)), config, one, two), blobOf(manifest)), manifest: manifest},
		"an index with an attestation": {
			members:  append(docker25(t, indexOf(t, descriptorOf(indexType, inner)), config, one, two), blobOf(inner), blobOf(manifest), blobOf(attestation), blobOf("{}"), blobOf(statement)),
			manifest: manifest, index: inner, stated: 1},
		"a graph driver's store": {members: append(docker25(t, nothing, config, one, two), blobOf(manifest), legacy(0, ""), legacy(1, "")),
			want: "index-lacks-image legacy-documents unlisted-manifests"},
		"of a layer more": {members: append(docker25(t, nothing, config, one, two), legacy(0, ""), legacy(1, ""), legacy(2, "")),
			want: "index-lacks-image legacy-documents unreferenced-member"},
		"no legacy document":            {members: append(docker25(t, nothing, config, one, two), legacy(0, `,"layers":[]`)), want: "index-lacks-image unreferenced-member"},
		"a manifest of other layers":    {members: append(docker25(t, nothing, config, one, two), blobOf(swapped)), want: "index-lacks-image unreferenced-member"},
		"another image under its name":  {members: append(docker25(t, indexOf(t, named(other)), config, one, two), blobOf(other)), want: "index-mismatch"},
		"another has its name, it none": {members: append(docker25(t, indexOf(t, descriptorOf(manifestType, manifest), named("absent")), config, one, two), blobOf(manifest)), manifest: manifest, want: "index-mismatch"},
		"another image in the index":    {members: append(docker25(t, indexOf(t, descriptorOf(manifestType, other)), config, one, two), blobOf(other)), want: "index-mismatch"},
		"layers in another order":       {members: append(docker25(t, indexOf(t, descriptorOf(manifestType, swapped)), config, one, two), blobOf(swapped)), manifest: swapped, want: "index-mismatch-layers"},
		"a blob more":                   {members: append(docker25(t, indexOf(t, descriptorOf(manifestType, manifest)), config, one, two), blobOf(manifest), blobOf("hidden")), manifest: manifest, want: "unreferenced-member"},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := openBytes(t, tarOf(t, test.members...), pass.Options{Stores: fixtures.Stores()})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(img); got != test.want {
				t.Errorf("findings %q, want %q: %v", got, test.want, img.Problems)
			}
			if (test.manifest != "" && img.Manifest.Digest.String() != digestOf(test.manifest)) || test.manifest == "" && img.Manifest.Origin != image.Synthesised {
				t.Errorf("manifest %v, %s", img.Manifest.Digest, img.Manifest.Origin)
			}
			if test.index != "" && img.Index.String() != digestOf(test.index) {
				t.Errorf("index %v, want %s", img.Index, digestOf(test.index))
			}
			if len(img.Attestations) != test.stated {
				t.Errorf("%d attestations, want %d", len(img.Attestations), test.stated)
			}
			if img.Transport != image.DockerArchive || len(img.Layers) != 2 {
				t.Errorf("read as %s with %d layers", img.Transport, len(img.Layers))
			}
		})
	}
}

// v1Archive returns the legacy form: for each layer, lowest first, a folder
// with what Docker before 1.10 wrote, and the names of the topmost.
func v1Archive(t testing.TB, names map[string]map[string]string, layers ...string) []archiveMember {
	var members []archiveMember
	for i, l := range layers {
		about := map[string]string{"id": v1ID(i), "os": "linux", "architecture": "arm64"}
		if i > 0 {
			about["parent"] = v1ID(i - 1)
		}
		members = append(members, folder(v1ID(i)+"/"), regular(v1ID(i)+"/VERSION", "1.0"), regular(v1ID(i)+"/json", marshal(t, about)), regular(v1ID(i)+"/layer.tar", l))
	}
	if names != nil {
		members = append(members, regular("repositories", marshal(t, names)))
	}
	return members
}

func v1ID(i int) string { return fmt.Sprintf("%064x", i+1) }

func TestLegacyArchive(t *testing.T) {
	one, two, three := string(tarOf(t, regular("a", "1"))), string(tarOf(t, regular("b", "2"))), string(tarOf(t, regular("c", "3")))
	named := map[string]map[string]string{"lab/a": {"1": v1ID(2), "latest": v1ID(2)}, "lab/b": {"x": v1ID(1)}}
	for name, test := range map[string]struct {
		members []archiveMember
		ref     string
		layers  int
		tags    string
		want    string
		err     string
	}{
		"without names":     {members: v1Archive(t, nil, one, two, three), layers: 3, tags: v1ID(2)},
		"one name":          {members: v1Archive(t, map[string]map[string]string{"a": {"1": v1ID(1)}}, one, two), layers: 2, tags: "a:1"},
		"two, one is asked": {members: v1Archive(t, named, one, two, three), ref: "lab/b:x", layers: 2, tags: "lab/b:x"},
		"latest is implied": {members: v1Archive(t, named, one, two, three), ref: "lab/a", layers: 3, tags: "lab/a:1 lab/a:latest"},
		"by place":          {members: v1Archive(t, named, one, two, three), ref: "@1", layers: 2, tags: "lab/b:x"},
		"two, none is":      {members: v1Archive(t, named, one, two, three), err: "lab/a:1, lab/a:latest, lab/b:x"},
		"a layer more":      {members: append(v1Archive(t, map[string]map[string]string{"a": {"1": v1ID(0)}}, one), v1Archive(t, nil, one, two)[4:]...), layers: 1, tags: "a:1", want: "unreferenced-member unreferenced-member unreferenced-member"},
		"a circle":          {members: append(v1Archive(t, map[string]map[string]string{"a": {"1": v1ID(1)}}, one, two), regular(v1ID(0)+"/json", `{"parent":"`+v1ID(1)+`"}`)), err: "lead back to it"},
		"no parent there":   {members: v1Archive(t, map[string]map[string]string{"a": {"1": v1ID(1)}}, one, two)[4:], err: "has no member"},
		"a member more":     {members: append(v1Archive(t, nil, one), regular(v1ID(0)+"/evil", "x")), layers: 1, tags: v1ID(0), want: "unreferenced-member"},
		"another version":   {members: append(v1Archive(t, nil, one)[2:], regular(v1ID(0)+"/VERSION", "#!/bin/sh")), layers: 1, tags: v1ID(0), want: "unreferenced-member"},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := openRef(t, tarOf(t, test.members...), image.DockerArchive, test.ref, pass.Options{Stores: fixtures.Stores()})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(img); got != test.want {
				t.Errorf("findings %q, want %q: %v", got, test.want, img.Problems)
			}
			if len(img.Layers) != test.layers || img.Layers[0].DiffID.String() != digestOf(one) {
				t.Errorf("%d layers, want %d; the lowest is %v", len(img.Layers), test.layers, img.Layers[0].DiffID)
			}
			if got := strings.Join(img.Tags, " "); got != test.tags {
				t.Errorf("tags %q, want %q", got, test.tags)
			}
			if status := img.Integrity().Status; test.want == "" && status != check.Unknown {
				t.Errorf("integrity %v: nothing in this form claims a digest", status)
			}
			if img.Config.File.Architecture != "arm64" {
				t.Errorf("architecture %q", img.Config.File.Architecture)
			}
		})
	}
}

// skopeo and podman name layers by their digest and lead from the folders of
// the legacy form to them.
func TestLinkedLayers(t *testing.T) {
	one := tarOf(t, regular("a", "1"))
	id := digest.Of(one).Hash().Hex
	members := func(parent string) []archiveMember {
		config := configOf(t, string(one), string(one))
		manifest := marshal(t, []any{map[string]any{"Config": digest.Of([]byte(config)).Hash().Hex + ".json", "RepoTags": []string{"a:1"}, "Layers": []string{id + ".tar", v1ID(1) + "/layer.tar"}}})
		return []archiveMember{
			regular(id+".tar", string(one)),
			symlink(v1ID(0)+"/layer.tar", "../"+id+".tar"), regular(v1ID(0)+"/VERSION", "1.0"), regular(v1ID(0)+"/json", `{}`),
			symlink(v1ID(1)+"/layer.tar", "../"+id+".tar"), regular(v1ID(1)+"/VERSION", "1.0"), regular(v1ID(1)+"/json", `{"parent":"`+parent+`"}`),
			regular(digest.Of([]byte(config)).Hash().Hex+".json", config), regular("repositories", `{"a":{"1":"`+v1ID(1)+`"}}`), regular("manifest.json", manifest),
		}
	}
	img, err := openBytes(t, tarOf(t, members(v1ID(0))...), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(img); got != "" || len(img.Layers) != 2 || img.Layers[1].DiffID != img.Layers[0].DiffID {
		t.Errorf("findings %q, %d layers", got, len(img.Layers))
	}
	img, err = openBytes(t, tarOf(t, members("")...), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(img); got != "legacy-differs" || img.Integrity().Status != check.Pass {
		t.Errorf("findings %q, integrity %v: want a note that old engines find one layer", got, img.Integrity().Status)
	}
}

// What belongs to another image of the archive is no stray member, and what
// belongs to none is.
func TestSeveralImages(t *testing.T) {
	one, two := tarOf(t, regular("a", "1")), tarOf(t, regular("b", "2"))
	c1, c2 := configOf(t, string(one)), configOf(t, string(two))
	manifest := marshal(t, []any{
		map[string]any{"Config": "1.json", "RepoTags": []string{"docker.io/library/a:latest"}, "Layers": []string{"1.tar"}},
		map[string]any{"Config": "2.json", "Layers": []string{"2.tar"}}})
	archive := tarOf(t, regular("1.json", c1), regular("2.json", c2), regular("1.tar", string(one)), regular("2.tar", string(two)), regular("manifest.json", manifest))
	for ref, want := range map[string]string{"a": digestOf(c1), "docker.io/library/a:latest": digestOf(c1), "2.json": digestOf(c2), "@1": digestOf(c2)} {
		img, err := openRef(t, archive, image.DockerArchive, ref, pass.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		if img.Config.Digest.String() != want || rules(img) != "" {
			t.Errorf("%s: config %v, want %s; findings %q", ref, img.Config.Digest, want, rules(img))
		}
	}
	if _, err := openBytes(t, archive, pass.Options{Stores: fixtures.Stores()}); err == nil || !strings.Contains(err.Error(), "docker-archive:PATH:REF, where REF is one of: docker.io/library/a:latest, 2.json (@1)") {
		t.Errorf("no reference: %v", err)
	}
}

func TestOddMembers(t *testing.T) {
	layer := tarOf(t, regular("a", "1"))
	pipe := archiveMember{tar.Header{Name: "pipe", Typeflag: tar.TypeFifo}, nil}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"a pipe":        {tarOf(t, append(imageOf(t, layer), pipe)...), "special-member"},
		"no end blocks": {slices.Concat(tarOf(t, imageOf(t, layer)...))[:len(tarOf(t, imageOf(t, layer)...))-1024], "unended-archive"},
	} {
		img, err := openBytes(t, test.data, pass.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := rules(img); got != test.want {
			t.Errorf("%s: findings %q, want %q", name, got, test.want)
		}
	}
}

func TestDigestInName(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	for path, want := range map[string]string{
		"sha256:" + hex + "/layer.tar":       hex,
		"sha256:" + hex:                      hex,
		hex + ".json":                        hex,
		hex + ".tar":                         hex,
		hex + ".tar.gz":                      hex,
		"blobs/sha256/" + hex:                hex,
		"blobs/sha256/" + hex + ".tar.gz":    hex,
		hex + "/layer.tar":                   "",
		hex:                                  "",
		"config.json":                        "",
		"blobs/sha512/" + hex + hex:          "",
		strings.Repeat("g", 64) + ".tar":     "",
		"sha256:" + hex[1:] + "/layer.tar":   "",
		"other/" + hex + ".tar":              "",
		"blobs/sha256/" + hex + "/layer.tar": "",
	} {
		if got := digest.InName(path); got.Hex != want || want == "" && got != (v1.Hash{}) {
			t.Errorf("%s: %v, want %q", path, got, want)
		}
	}
}

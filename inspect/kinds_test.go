package inspect

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/pass"
)

const tocAnnotation = "containerd.io/snapshot/stargz/toc.digest"

// described is a layout of one image with one layer: its blob, what it expands to, and
// what its descriptor says.
func described(t testing.TB, mediaType string, blob, expanded []byte, annotations map[string]string) layout {
	config := configOf(t, string(expanded))
	d := descriptorOf(mediaType, string(blob), "annotations", annotations)
	m := marshal(t, map[string]any{"schemaVersion": 2, "config": descriptorOf(configType, config), "layers": []any{d}})
	return layoutOf(indexOf(t, descriptorOf(manifestType, m)), string(blob), config, m)
}

// Layers that cannot be read are unknown, and named; other claims are held against
// their bytes all the same.
func TestLayersOfOtherKinds(t *testing.T) {
	tar := tarOf(t, regular("a", "1"))
	noise := []byte("neither a tar nor packed")
	wrong := func(l layout) layout {
		l["blobs/sha256/"+digestOf(string(noise))[7:]] = "other bytes"
		return l
	}
	gone := func(l layout) layout {
		delete(l, "blobs/sha256/"+digestOf(string(noise))[7:])
		return l
	}
	for name, test := range map[string]struct {
		layout  layout
		rules   string
		status  check.Status
		entries int
	}{
		"Nydus":                 {layout: described(t, "application/vnd.oci.image.layer.nydus.blob.v1", noise, noise, nil), rules: "layer-unread", status: check.Unknown},
		"its diffID is its own": {layout: described(t, "application/vnd.oci.image.layer.nydus.blob.v1", noise, tar, nil), rules: "layer-unread", status: check.Unknown},
		"encrypted":             {layout: described(t, "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", noise, tar, nil), rules: "layer-unread", status: check.Unknown},
		"wasm":                  {layout: described(t, "application/wasm", noise, noise, nil), rules: "layer-unread", status: check.Unknown},
		"another compression":   {layout: described(t, "application/vnd.oci.image.layer.v1.tar+lz4", noise, tar, nil), rules: "layer-unread", status: check.Unknown},
		"other bytes":           {layout: wrong(described(t, "application/wasm", noise, noise, nil)), rules: "layer-unread digest-mismatch layer-size-mismatch", status: check.Fail},
		"a tar of such a type":  {layout: described(t, "application/wasm", tar, tar, nil), rules: "media-type-unknown", status: check.Unknown, entries: 1},
		"it says it is a tar":   {layout: described(t, layerType, noise, noise, nil), rules: "broken-layer", status: check.Fail},
		"not to be handed on":   {layout: gone(described(t, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", noise, noise, nil)), rules: "layer-absent", status: check.Unknown},
		"of no bytes":           {layout: described(t, layerType, nil, nil, nil), status: check.Pass},
		"of no bytes, packed":   {layout: described(t, layerType+"+gzip", gzipped(t, nil), nil, nil), status: check.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			for form, ref := range test.layout.forms(t) {
				img, err := Open(t.Context(), ref, pass.Options{Stores: fixtures.Stores()})
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if got := rules(img); got != test.rules || img.Integrity().Status != test.status {
					t.Errorf("%s: %v, findings %q, want %v, %q", form, img.Integrity().Status, got, test.status, test.rules)
				}
				if len(img.Layers[0].Entries) != test.entries {
					t.Errorf("%s: %d entries, want %d", form, len(img.Layers[0].Entries), test.entries)
				}
			}
		})
	}
}

// What follows the end of a tar is the table of contents of eStargz, alone and as
// claimed, or a failure.
func TestEStargz(t *testing.T) {
	tar := tarOf(t, regular("a", "1"), symlink("l", "a"))
	table := fmt.Sprintf(`{"version":1,"entries":[{"name":"a","type":"reg","size":1,"digest":"%s"},{"name":"l","type":"symlink","linkName":"a"}]}`, digestOf("1"))
	footer := func(at int) []byte {
		return fmt.Appendf(nil, "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x1a\x00SG\x16\x00%016xSTARGZ\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00", at)
	}
	toc := func(members ...archiveMember) []byte { return tarOf(t, members...) }
	of := func(tail []byte, claimed string) layout {
		first := gzipped(t, tar)
		blob := append(append(bytes.Clone(first), gzipped(t, tail)...), footer(len(first))...)
		annotations := map[string]string{}
		if claimed != "" {
			annotations[tocAnnotation] = digestOf(claimed)
		}
		return described(t, layerType+"+gzip", blob, append(bytes.Clone(tar), tail...), annotations)
	}
	entry := func(table, claimed string) layout {
		whole := tarOf(t, regular("a", "1"), regular("stargz.index.json", table))
		return described(t, layerType, whole, whole, map[string]string{tocAnnotation: digestOf(claimed)})
	}
	for name, test := range map[string]struct {
		layout layout
		rules  string
		status check.Status
	}{
		"as claimed":         {of(toc(regular("stargz.index.json", table)), table), "toc", check.Pass},
		"without a claim":    {of(toc(regular("stargz.index.json", table)), ""), "toc-unclaimed", check.Unknown},
		"another is claimed": {of(toc(regular("stargz.index.json", table)), "{}"), "toc-digest-mismatch", check.Fail},
		"of another file":    {of(toc(regular("stargz.index.json", `{"version":1,"entries":[]}`)), `{"version":1,"entries":[]}`), "toc toc-differs", check.Fail},
		"two of them":        {of(toc(regular("stargz.index.json", table), regular("stargz.index.json", table)), table), "trailing-layer-data toc-missing", check.Fail},
		"another name":       {of(toc(regular("payload", table)), table), "trailing-layer-data toc-missing", check.Fail},
		"no table":           {of(toc(regular("stargz.index.json", "#!/bin/sh")), "#!/bin/sh"), "trailing-layer-data toc-missing", check.Fail},
		"more behind it":     {of(append(toc(regular("stargz.index.json", table)), "payload"...), table), "trailing-layer-data toc-missing", check.Fail},
		"none":               {of(nil, table), "toc-missing", check.Unknown},
		"an entry":           {entry(table, table), "toc", check.Pass},
		"another entry":      {entry(table, "{}"), "toc-digest-mismatch", check.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			for form, ref := range test.layout.forms(t) {
				img, err := Open(t.Context(), ref, pass.Options{Stores: fixtures.Stores()})
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				got := map[string]bool{}
				for _, rule := range strings.Fields(rules(img)) {
					got[rule] = true
				}
				want := strings.Fields(test.rules)
				if img.Integrity().Status != test.status || len(got) != len(want) {
					t.Errorf("%s: %v, findings %q, want %v, %q", form, img.Integrity().Status, rules(img), test.status, test.rules)
				}
				for _, rule := range want {
					if !got[rule] {
						t.Errorf("%s: findings %q, want %q", form, rules(img), test.rules)
					}
				}
			}
		})
	}
}

// What other tools wrote, in the folder that AUDIT_TEST_FIELD names or beside the checkout,
// where it is there.
func TestField(t *testing.T) {
	for path, want := range map[string]struct {
		status check.Status
		err    string
	}{
		"made/01-two-untagged.tar":                   {err: "(@0), blobs/sha256/"},
		"docker-archive:made/01-two-untagged.tar:@1": {status: check.Pass},
		"made/38-nested-absent.tar":                  {status: check.Pass},
		"made/50-dpkg-hl.tar":                        {status: check.Pass},
		"made/51-hl-replaced.tar":                    {status: check.Pass},
		"made/58-zero-layer.oci.tar":                 {status: check.Pass},
		"made/61-estargz.oci.tar":                    {status: check.Pass},
		"made/70-ostree.tar":                         {status: check.Pass},
		"made/93-pnpm.tar":                           {status: check.Pass},
		"made/B1-cosign-soci.tar":                    {status: check.Pass},
		"made/B2-nydus.tar":                          {status: check.Unknown},
		"made/B3-encrypted.tar":                      {status: check.Unknown},
		"real/02-real-v25-tagged.tar":                {status: check.Pass},
		"real/ggcr-hello-world-v25.tar":              {status: check.Pass},
		"real/dive-test-oci-estargz-image.tar":       {status: check.Pass},
		"real/moby-emptyLayer.tar":                   {status: check.Unknown},
	} {
		t.Run(path, func(t *testing.T) {
			form, rest, ok := strings.Cut(path, ":")
			if !ok {
				form, rest = "", path
			}
			rest = filepath.Join(cmp.Or(os.Getenv("AUDIT_TEST_FIELD"), "../../shared/samples/field"), rest)
			if file, _, _ := strings.Cut(rest, ":"); !exists(file) {
				t.Skipf("%s is not there", file)
			}
			if form != "" {
				rest = form + ":" + rest
			}
			img, err := Open(t.Context(), rest, pass.Options{Stores: fixtures.Stores()})
			switch {
			case err != nil && (want.err == "" || !strings.Contains(err.Error(), want.err)):
				t.Error(err)
			case err == nil && (want.err != "" || img.Integrity().Status != want.status):
				t.Errorf("integrity %v, want %v: %v", img.Integrity().Status, want.status, img.Problems)
			}
		})
	}
}

// The skippable frames of zstd:chunked are what the descriptor claims, or not known.
func TestZstdChunked(t *testing.T) {
	tar := tarOf(t, regular("a", strings.Repeat("1", 300_000)))
	frame := func(data string) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{0x50, 0x2a, 0x4d, 0x18}, uint32(len(data))), data...)
	}
	footer := strings.Repeat("\x00", 56) + "GNUlInUx"
	packed := zstdOf(t, tar)
	of := func(annotations map[string]string, frames ...string) layout {
		blob := bytes.Clone(packed)
		for _, f := range frames {
			blob = append(blob, frame(f)...)
		}
		return described(t, layerType+"+zstd", blob, tar, annotations)
	}
	claim := func(data string) map[string]string {
		return map[string]string{
			"io.github.containers.zstd-chunked.manifest-checksum": digestOf(data),
			"io.github.containers.zstd-chunked.manifest-position": fmt.Sprintf("%d:%d:100:1", len(packed)+8, len("table")),
		}
	}
	earlier := func(claims map[string]string) map[string]string { // as skopeo 1.9 names them
		out := make(map[string]string)
		for name, value := range claims {
			out[strings.Replace(name, "io.github.", "io.", 1)] = value
		}
		return out
	}
	for name, test := range map[string]struct {
		layout layout
		rules  string
		status check.Status
	}{
		"plain":              {of(nil), "", check.Pass},
		"pzstd":              {of(nil, "size"), "", check.Pass},
		"as claimed":         {of(claim("table"), "table", footer), "chunked", check.Pass},
		"under first names":  {of(earlier(claim("table")), "table", strings.Repeat("\x00", 32)+"GnUlInUx"), "chunked", check.Pass},
		"and not so":         {of(earlier(claim("other")), "table", footer), "chunked-mismatch", check.Fail},
		"another is claimed": {of(claim("other"), "table", footer), "chunked-mismatch", check.Fail},
		"more than claimed":  {of(claim("table"), "table", "payload", footer), "chunked skippable-frames", check.Unknown},
		"none is there":      {of(claim("table")), "chunked-missing", check.Unknown},
		"nothing is claimed": {of(nil, "payload"), "skippable-frames", check.Unknown},
		"empty frames":       {of(nil, "", ""), "", check.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			for form, ref := range test.layout.forms(t) {
				img, err := Open(t.Context(), ref, pass.Options{Stores: fixtures.Stores()})
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if rules(img) != test.rules || img.Integrity().Status != test.status {
					t.Errorf("%s: %v, findings %q, want %v, %q", form, img.Integrity().Status, rules(img), test.status, test.rules)
				}
			}
		})
	}
}

// zstdOf packs data in several frames, with checksums.
func zstdOf(t testing.TB, data []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	half := len(data) / 2
	return w.EncodeAll(data[half:], w.EncodeAll(data[:half], nil))
}

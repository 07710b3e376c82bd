package inspect

import (
	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/sif"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A sifPiece is an object of a SIF under construction.
type sifPiece struct {
	kind  int32
	name  string
	extra []byte
	data  []byte
}

// sifOf returns a SIF that holds the objects, each at a multiple of 64 bytes,
// with room for two descriptors more.
func sifOf(pieces ...sifPiece) []byte {
	const descriptors = 128
	total := int64(len(pieces) + 2)
	at := aligned(descriptors + total*descriptorSize)
	table, data := []byte(nil), []byte(nil)
	for i, p := range pieces {
		data = append(data, zeros(int(aligned(int64(len(data))))-len(data))...)
		table = numbers(table, p.kind, true, uint32(i+1), uint32(0xf0000001), uint32(0), at+int64(len(data)), int64(len(p.data)), int64(len(p.data)))
		table = append(table, zeros(4*8)...) // times and owners
		table = append(table, padded(p.name, nameSize)...)
		table = append(table, padded(string(p.extra), extraSize)...)
		data = append(data, p.data...)
	}
	img := padded("#!/usr/bin/env run-singularity\n", 32)
	img = append(img, sifMagic+"01\x0002\x00"...)
	img = append(img, zeros(16+2*8)...) // identifier, times
	img = numbers(img, total-int64(len(pieces)), total, int64(descriptors), total*descriptorSize, at, int64(len(data)))
	img = append(img, table...)
	img = append(img, zeros(int(at)-len(img))...)
	return append(img, data...)
}

func aligned(n int64) int64 { return (n + 63) / 64 * 64 }

func padded(s string, n int) []byte { return append([]byte(s), zeros(n-len(s))...) }

// partition returns an object that holds a file system.
func partition(fileSystem, role uint32, data []byte) sifPiece {
	return sifPiece{partitionKind, "", append(numbers(nil, fileSystem, role), "02\x00"...), data}
}

func definition() sifPiece {
	return sifPiece{definitionKind, "Singularity", nil, []byte("Bootstrap: docker\nFrom: debian:12\n")}
}

func readSample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(squashFixtures + name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSIF(t *testing.T) {
	squashfs := readSample(t, "gzip.squashfs")
	labels := sifPiece{labelsKind, "", nil, []byte(`{"org.label-schema.schema-version":"1.0"}`)}
	raw := sifOf(definition(), partition(squashfsPartition, primaryRole, squashfs), labels)
	got, err := openBytes(t, raw, pass.Options{Stores: fixtures.Stores(), Keep: everything})
	if err != nil {
		t.Fatal(err)
	}
	want := mustOpen(t, squashFixtures+"gzip.squashfs")
	sameTree(t, want, got)
	sameBodies(t, want, got)
	if l := got.Layers[0]; got.Transport != image.SIF || l.Digest != digest.Of(squashfs).Hash() || l.Size != int64(len(squashfs)) || l.Member != "2-partition" {
		t.Errorf("transport %s, layer %s of %d bytes with digest %v", got.Transport, l.Member, l.Size, l.Digest)
	}
	if len(got.Documents) != 2 || got.Documents[0].Kind != "definition" || got.Documents[0].Member != "1-definition-Singularity" ||
		!bytes.Equal(got.Documents[0].Raw, definition().data) || got.Documents[1].Kind != "labels" || got.Documents[1].Digest != digest.Of(labels.data).Hash() {
		t.Errorf("documents %+v", got.Documents)
	}
	for i, m := range got.Members {
		if !m.Referenced || m.Digest.Hex == "" {
			t.Errorf("member %d: %+v", i, m)
		}
	}
	if got.Integrity().Status != check.Unknown {
		t.Errorf("integrity %v, where nothing is claimed", got.Integrity().Status)
	}
}

func TestSIFFindings(t *testing.T) {
	primary := partition(squashfsPartition, primaryRole, readSample(t, "gzip.squashfs"))
	honest := sifOf(definition(), primary)
	edited := func(edit func(p []byte) []byte) []byte { return edit(bytes.Clone(honest)) }
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"overlay":       {sifOf(primary, partition(2, 4, []byte("ext3"))), "unread-partition"},
		"data at end":   {append(bytes.Clone(honest), "x"...), "unreferenced-data"},
		"data in a gap": {edited(func(p []byte) []byte { p[128+4*descriptorSize] = 1; return p }), "unreferenced-data"},
		"zeros at end":  {append(bytes.Clone(honest), zeros(100)...), ""},
	} {
		img, err := openBytes(t, test.raw, pass.Options{Stores: fixtures.Stores()})
		if err != nil || rules(img) != test.want {
			t.Errorf("%s: %v, want %q (%v)", name, img, test.want, err)
		}
	}
}

func TestSIFRefused(t *testing.T) {
	squashfs := readSample(t, "gzip.squashfs")
	primary := partition(squashfsPartition, primaryRole, squashfs)
	number := func(at int, n int64) []byte {
		p := sifOf(definition(), primary)
		copy(p[at:], numbers(nil, n))
		return p
	}
	const offset, size = 128 + 17, 128 + 25
	few := limit.DefaultLimits()
	few.Members, few.JSONBytes = 10, 20
	for name, test := range map[string]struct {
		raw    []byte
		limits *limit.Limits
		want   string
	}{
		"nothing in it":       {sifOf(), nil, "no primary partition, and no OCI image"},
		"only a definition":   {sifOf(definition()), nil, "no primary partition"},
		"two primaries":       {sifOf(primary, primary), nil, "both its primary partition"},
		"ext3":                {sifOf(partition(2, primaryRole, squashfs)), nil, "is ext3: audit reads squashfs"},
		"encrypted":           {sifOf(partition(5, primaryRole, squashfs)), nil, "is an encrypted squashfs"},
		"another":             {sifOf(partition(77, primaryRole, squashfs)), nil, "is file system number 77"},
		"no squashfs in it":   {sifOf(partition(squashfsPartition, primaryRole, text(200))), nil, "another magic number"},
		"cut squashfs":        {sifOf(partition(squashfsPartition, primaryRole, squashfs[:5000])), nil, "truncated: 5000 bytes"},
		"version":             {append(append(number(0, 0)[:42], "02\x00"...), zeros(300)...), nil, `version "02\x00"`},
		"cut header":          {sifOf()[:100], nil, "truncated: 100 bytes"},
		"descriptors nowhere": {number(96, 1<<40), nil, "at byte 1099511627776"},
		"descriptors before":  {number(96, 5), nil, "at byte 5"},
		"negative count":      {number(88, -1), nil, "-1 descriptors"},
		"too many":            {number(88, 1<<60), nil, "more than 100000 members"},
		"size of table":       {number(104, 7), nil, "descriptors in 7 bytes"},
		"object nowhere":      {number(offset, 1<<62), nil, "object 1 has 34 bytes at byte"},
		"object in header":    {number(offset, 3), nil, "object 1 has 34 bytes at byte 3"},
		"negative size":       {number(size, -5), nil, "object 1 has -5 bytes"},
		"overlap":             {number(offset, 200), nil, "parts of it overlap at byte"},
		"overlap of objects":  {number(size, 500), nil, "parts of it overlap at byte"},
		"large definition":    {sifOf(definition(), primary), &few, "more than 20 JSON bytes"},
	} {
		_, err := openBytes(t, test.raw, pass.Options{Stores: fixtures.Stores(), Limits: test.limits})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		checkTyped(t, err)
	}
}

func TestSIFTruncation(t *testing.T) {
	honest := sifOf(definition(), partition(squashfsPartition, primaryRole, honestSquashfs()))
	for n := 0; n < len(honest); n += 1 + n/2500*96 { // all of header and table
		_, err := openBytes(t, honest[:n], pass.Options{Stores: fixtures.Stores()})
		if err == nil {
			t.Errorf("cut off at byte %d of %d: no error", n, len(honest))
		}
		if n > sifMagicAt+len(sifMagic) {
			checkTyped(t, err)
		}
	}
}

// ociPieces are the objects of an OCI-SIF with the layers.
func ociPieces(t testing.TB, mediaType types.MediaType, layers ...[]byte) []sifPiece {
	t.Helper()
	var pieces []sifPiece
	describe := func(m types.MediaType, data []byte) v1.Descriptor {
		return v1.Descriptor{MediaType: m, Digest: digest.Of(data).Hash(), Size: int64(len(data))}
	}
	blob := func(m types.MediaType, data []byte) v1.Descriptor {
		d := describe(m, data)
		pieces = append(pieces, sifPiece{blobKind, "", []byte(d.Digest.String()), data})
		return d
	}
	var ids []string
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for _, l := range layers {
		manifest.Layers = append(manifest.Layers, blob(mediaType, l))
		ids = append(ids, digest.Of(l).String())
	}
	manifest.Config = blob(types.OCIConfigJSON, []byte(marshal(t, map[string]any{"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": ids}})))
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{blob(types.OCIManifestSchema1, []byte(marshal(t, manifest)))}}
	return append(pieces, sifPiece{indexKind, "", nil, []byte(marshal(t, index))})
}

// An OCI-SIF makes claims, and they are checked.
func TestOCISIF(t *testing.T) {
	squashfs := readSample(t, "zstd-4k-nofragments.squashfs")
	img, err := openBytes(t, sifOf(ociPieces(t, SquashfsLayer, squashfs)...), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, mustOpen(t, squashFixtures+"zstd-4k-nofragments.squashfs"), img)
	l := img.Layers[0]
	if c := img.Integrity(); c.Status != check.Pass || l.DiffID != digest.Of(squashfs).Hash() || l.Digest != l.DiffID || l.ClaimedDiffID != l.DiffID {
		t.Errorf("integrity %v, layer %v", c, l)
	}
	if img.Transport != image.SIF || img.Manifest.Origin != image.Computed || img.Config.File.Architecture != "amd64" {
		t.Errorf("transport %s, manifest %s, config %+v", img.Transport, img.Manifest.Origin, img.Config.File)
	}
	img, err = openBytes(t, sifOf(ociPieces(t, types.OCIUncompressedLayer, tarOf(t, regular("a", "a")))...), pass.Options{Stores: fixtures.Stores()})
	if err != nil || img.Integrity().Status != check.Pass || sketch(img) != "0 a "+sketchContent(digest.Of([]byte("a")), 1)+"|" {
		t.Errorf("a layer that is a tar: %v, %v", img, err)
	}
}

func TestOCISIFFindings(t *testing.T) {
	plain := readSample(t, "plain-4k.squashfs")
	whiteout := newSquashMaker()
	whiteout.add(whiteout.inode("gone", 5, uint32(1), uint32(0)))
	for name, test := range map[string]struct {
		pieces func() []sifPiece
		want   string
	}{
		"changed layer": {func() []sifPiece {
			p := ociPieces(t, SquashfsLayer, plain)
			p[0].data = bytes.Replace(plain, []byte("the same words"), []byte("The same words"), 1)
			return p
		}, "diffid-mismatch digest-mismatch"},
		"unreferenced blob": {func() []sifPiece {
			return append(ociPieces(t, SquashfsLayer, plain), sifPiece{blobKind, "", []byte(digest.Of(nil).String()), []byte("more")})
		}, "unreferenced-object"},
		"overlayfs":  {func() []sifPiece { return ociPieces(t, SquashfsLayer, plain, whiteout.image()) }, "overlayfs-deletion"},
		"definition": {func() []sifPiece { return append(ociPieces(t, SquashfsLayer, plain), definition()) }, ""},
	} {
		img, err := openBytes(t, sifOf(test.pieces()...), pass.Options{Stores: fixtures.Stores()})
		if err != nil || rules(img) != test.want {
			t.Errorf("%s: %v, want %q (%v)", name, img.Problems, test.want, err)
		}
	}
	lost := ociPieces(t, SquashfsLayer, plain)
	_, err := openBytes(t, sifOf(lost[1:]...), pass.Options{Stores: fixtures.Stores()})
	var format *limit.FormatError
	if !errors.As(err, &format) || !strings.Contains(err.Error(), "no object of the SIF claims this digest") {
		t.Errorf("a layer that is not there: %v", err)
	}
}

// siftool of sylabs/sif writes what is read here.
func TestSiftool(t *testing.T) {
	program, err := exec.LookPath("siftool")
	if err != nil {
		t.Skip("siftool is missing: go install github.com/sylabs/sif/v2/cmd/siftool@v2.24.1 to run this test")
	}
	dir := t.TempDir()
	write(t, dir, "def", string(definition().data))
	path := filepath.Join(dir, "image.sif")
	squashfs, err := filepath.Abs(squashFixtures + "gzip.squashfs")
	if err != nil {
		t.Fatal(err)
	}
	run(t, nil, dir, program, "new", path)
	run(t, nil, dir, program, "add", "--datatype", "1", "--filename", "Singularity", path, "def")
	run(t, nil, dir, program, "add", "--datatype", "4", "--partfs", "1", "--parttype", "2", "--partarch", "2", path, squashfs)
	img, err := Open(context.Background(), path, pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, mustOpen(t, squashFixtures+"gzip.squashfs"), img)
	if len(img.Documents) != 1 || !bytes.Equal(img.Documents[0].Raw, definition().data) {
		t.Errorf("documents %+v", img.Documents)
	}
}

func FuzzSIF(f *testing.F) {
	f.Add(sifOf(definition(), partition(squashfsPartition, primaryRole, honestSquashfs())))
	f.Add(sifOf(ociPieces(f, SquashfsLayer, honestSquashfs())...))
	limits := limit.DefaultLimits()
	limits.Entries, limits.Bytes, limits.KeptBytes, limits.Members, limits.JSONBytes = 2000, 4<<20, 1<<20, 100, 1<<16
	f.Fuzz(func(t *testing.T, raw []byte) {
		img, err := openWith(sif.Form(), raw, limits)
		var choice *choice.Error
		if errors.As(err, &choice) {
			return
		}
		checkTyped(t, err)
		if err != nil {
			return
		}
		var bytes int64
		for _, m := range img.Members {
			bytes += m.Size
		}
		if bytes > int64(len(raw)) || len(img.Layers) == 0 && img.Config.Raw == nil {
			t.Errorf("%d bytes of members in %d, %d layers", bytes, len(raw), len(img.Layers))
		}
	})
}

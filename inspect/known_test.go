package inspect

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/store"
)

func madeImage(t testing.TB, spec fixtures.Spec) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := fixtures.Write(&buf, spec); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// facts are what was read of an image.
func facts(img *Image) []any {
	all := []any{img.Items, img.Dangling, img.Loose, img.Problems, img.Files(), img.Members, img.Dropped}
	for _, l := range img.Layers {
		bare := *l.Bare()
		var kept []string
		for i, e := range l.Entries {
			content, ok := img.Body(l.Index, e.Path)
			kept = append(kept, string(content))
			if ok {
				kept = append(kept, "kept")
			}
			all = append(all, l.Weak(i))
		}
		all = append(all, bare.Entries, bare.Frame, bare.DiffID, bare.Digest, bare.Size, bare.UncompressedSize, bare.Notes, bare.Remarks, bare.Member, bare.Gzip, kept)
	}
	return all
}

// isReused says whether a layer was not taken apart again: then its entries share
// their attributes with those that were read before.
func isReused(a, b *image.Layer) bool { return a.Entries[0].Attributes == b.Entries[0].Attributes }

// largest is the index of the largest layer: small ones are read with the archive.
func largest(img *Image) (at int) {
	for i, l := range img.Layers {
		if l.Size > img.Layers[at].Size {
			at = i
		}
	}
	return at
}

// A layer that another image had is the same as if it were read, with its contents,
// digests and store items, and is not read.
func TestKnownLayers(t *testing.T) {
	for name, spec := range map[string]fixtures.Spec{
		"plain": {Seed: 1, Items: 30, Files: 200, Bytes: 2 << 20},
		"gzip":  {Seed: 2, Items: 30, Files: 200, Bytes: 2 << 20, Layers: fixtures.Gzip, MaxLayers: 3},
		"zstd":  {Seed: 3, Items: 30, Files: 200, Bytes: 2 << 20, Layers: fixtures.Zstd},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeBytes(t, madeImage(t, spec))
			keep := func(p string) bool { return strings.HasSuffix(p, "manifest") }
			weak := func() func(string) digest.Kinds { return func(string) digest.Kinds { return digest.MD5 } }
			for _, opt := range []Options{
				{Stores: fixtures.Stores()},
				{Stores: fixtures.Stores(), Keep: keep},
				{Stores: fixtures.Stores(), Keep: keep, Optional: func(string) bool { return true }},
				{Stores: fixtures.Stores(), Keep: keep, Weak: weak},
				{Stores: fixtures.Stores(), Keep: func(p string) bool { return keep(p) || strings.HasSuffix(p, "1") }},
				{Stores: store.Dirs{"/other/store"}},
			} {
				want, err := Open(t.Context(), path, opt)
				if err != nil {
					t.Fatal(err)
				}
				known := pass.NewKnown()
				first, err := Open(t.Context(), path, Options{Stores: fixtures.Stores(), Keep: keep, Weak: opt.Weak, Known: known})
				if err != nil {
					t.Fatal(err)
				}
				opt.Known = known
				got, err := Open(t.Context(), path, opt)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(facts(got), facts(want)) {
					t.Error("another image came of a layer that was known")
				}
				last := largest(first)
				all := opt.Keep == nil || !opt.Keep("1")
				if can := all && len(opt.Stores) > 1; isReused(first.Layers[last], got.Layers[last]) != can {
					t.Errorf("the largest layer is reused: %v, want %v", !can, can)
				}
			}
		})
	}
}

// One byte more or less, and a blob of the same size is another one, whatever names it.
func TestKnownLayersChanged(t *testing.T) {
	data := madeImage(t, fixtures.Spec{Seed: 1, Items: 30, Files: 200, Bytes: 2 << 20})
	path := writeBytes(t, data)
	known := pass.NewKnown()
	opt := Options{Stores: fixtures.Stores(), Known: known}
	first, err := Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1 // in the layer, which is nearly all
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Open(t.Context(), path, Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(facts(got), facts(want)) || reflect.DeepEqual(facts(got), facts(first)) {
		t.Error("an image with another layer of the same size is not what it is alone")
	}
}

// What a known layer costs counts for each image.
func TestKnownLayersLimits(t *testing.T) {
	path := writeBytes(t, madeImage(t, fixtures.Spec{Seed: 1, Items: 30, Files: 200, Bytes: 2 << 20, Layers: fixtures.Gzip}))
	known := pass.NewKnown()
	if _, err := Open(t.Context(), path, Options{Stores: fixtures.Stores(), Known: known}); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func(*Limits){
		"entries":            func(l *Limits) { l.Entries = 100 },
		"path bytes":         func(l *Limits) { l.PathBytes = 20 },
		"bytes of names":     func(l *Limits) { l.TextBytes = 1000 },
		"frame bytes":        func(l *Limits) { l.FrameBytes = 100 },
		"uncompressed bytes": func(l *Limits) { l.Bytes = 1 << 20 },
	} {
		limits := limit.DefaultLimits()
		set(&limits)
		_, alone := Open(t.Context(), path, Options{Stores: fixtures.Stores(), Limits: &limits})
		_, err := Open(t.Context(), path, Options{Stores: fixtures.Stores(), Limits: &limits, Known: known})
		var over *LimitError
		if !errors.As(err, &over) || alone == nil || err.Error() != alone.Error() {
			t.Errorf("%s: %v, alone %v", name, err, alone)
		}
	}
}

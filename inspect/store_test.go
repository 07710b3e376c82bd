package inspect

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/store"
)

// storeTree is two store items in the order of a NAR: folders, symlinks and
// files, some of which are larger than what a spool holds in memory.
func storeTree(rnd *rand.Rand) []archiveMember {
	var members []archiveMember
	for _, hash := range []string{hashA, hashB} {
		root := "gnu/store/" + hash + "-item"
		members = append(members, folder(root+"/"))
		for i := range 1 + rnd.IntN(4) {
			dir := fmt.Sprintf("%s/d%d", root, i)
			members = append(members, folder(dir+"/"), regular(dir+"/a", "the same in every folder"))
			for j := range rnd.IntN(3) {
				members = append(members, regular(fmt.Sprintf("%s/f%d", dir, j), string(bytes.Repeat([]byte{byte('a' + rnd.IntN(9))}, rnd.IntN(100)))))
			}
			members = append(members, symlink(dir+"/s", "../d0/a"))
		}
		if rnd.IntN(4) == 0 {
			members = append(members, regular(root+"/large", string(bytes.Repeat([]byte("large "), pass.SpoolMemory/6+rnd.IntN(100)))))
		}
	}
	return members
}

// withLinks makes equal files hard links to the first of them, in the same item
// or in both.
func withLinks(members []archiveMember, across bool) []archiveMember {
	first := make(map[string]string)
	members = slices.Clone(members)
	for i, m := range members {
		if m.hdr.Typeflag != '0' {
			continue
		}
		key := string(m.data)
		if !across {
			key += (store.Dirs{"/gnu/store", "/nix/store"}).ItemOf(m.hdr.Name)
		}
		if target, ok := first[key]; ok {
			members[i] = linked(m.hdr.Name, target)
			continue
		}
		first[key] = m.hdr.Name
	}
	return members
}

// itemsOf reads an archive and returns its store items, of which only the
// bytes in the layer may depend on how it was packed.
func itemsOf(t *testing.T, img *image.Image, err error) []StoreItem {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for i := range img.Items {
		if !img.Items[i].Problem.IsZero() || img.Items[i].NarHash.Hex == "" {
			t.Errorf("%s: %s", img.Items[i].Path, img.Items[i].Problem)
		}
		img.Items[i].Bytes = 0
	}
	return img.Items
}

// TestStoreInAnyOrder: the NARs of a layer are the same in whatever order its entries
// come, with hard links and without, read from a file, from a compressed file
// and from a stream.
func TestStoreInAnyOrder(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		members := storeTree(rnd)
		shuffled := slices.Clone(members)
		rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		dir := t.TempDir()
		path, zipped := filepath.Join(dir, "image.tar"), filepath.Join(dir, "image.tar.gz")
		var want []StoreItem
		for name, layer := range map[string][]archiveMember{
			"sorted": members, "shuffled": shuffled, "links": withLinks(members, false), "links across": withLinks(members, true), "shuffled links": withLinks(shuffled, true),
		} {
			archive := tarOf(t, imageOf(t, tarOf(t, layer...))...)
			writeFile(t, path, archive)
			writeFile(t, zipped, gzipped(t, archive))
			for _, file := range []string{path, zipped} {
				img, err := Open(context.Background(), file, pass.Options{Stores: fixtures.Stores(), TempDir: dir})
				got := itemsOf(t, img, err)
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("seed %d, %s, %s: %s", seed, name, filepath.Base(file), diff)
				}
			}
			img, err := openStreamed(archive, Options{Stores: fixtures.Stores(), TempDir: dir})
			if diff := cmp.Diff(want, itemsOf(t, img, err)); diff != "" {
				t.Errorf("seed %d, %s, as a stream: %s", seed, name, diff)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "audit-*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

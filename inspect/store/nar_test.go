package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nix-community/go-nix/pkg/nar"

	"audit/inspect/digest"
	"audit/inspect/digest/sha256mb"
	"audit/inspect/paths"
)

// FuzzNar holds our hash, made from nodes in any order, against the NAR that
// go-nix writes of the same tree on disk.
func FuzzNar(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		root := filepath.Join(t.TempDir(), "item")
		var nodes []NarNode
		grow(t, rnd, root, "", 3, &nodes)

		var want bytes.Buffer
		if err := nar.DumpPath(&want, root); err != nil {
			t.Fatal(err)
		}
		rnd.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		sum, size, err := hashNar(nodes)
		if err != nil {
			t.Fatal(err)
		}
		if expected := sha256.Sum256(want.Bytes()); sum != digest.Sum(expected) || size != int64(want.Len()) {
			t.Errorf("NAR %v of %d bytes, want %s of %d", sum, size, hex.EncodeToString(expected[:]), want.Len())
		}
	})
}

// grow makes a random file, symlink or folder on disk and as nodes.
func grow(t *testing.T, rnd *rand.Rand, disk, path string, depth int, nodes *[]NarNode) {
	t.Helper()
	var err error
	n := NarNode{Path: path, Kind: "025"[rnd.IntN(3)]}
	if depth == 0 && n.Kind == '5' {
		n.Kind = '0'
	}
	switch n.Kind {
	case '0':
		data := make([]byte, rnd.IntN(40))
		n.Executable, n.Size, n.Content = rnd.IntN(2) == 0, int64(len(data)), bytes.NewReader(data)
		err = os.WriteFile(disk, data, map[bool]os.FileMode{true: 0o755, false: 0o644}[n.Executable])
	case '2':
		n.Target = fmt.Sprintf("../t%d", rnd.IntN(100))
		err = os.Symlink(n.Target, disk)
	case '5':
		err = os.Mkdir(disk, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	*nodes = append(*nodes, n)
	if n.Kind != '5' {
		return
	}
	names := []string{"a", "a-b", "a.b", "ab", "B", "é", "z z", "~", "0"}
	for _, i := range rnd.Perm(len(names))[:rnd.IntN(5)] {
		child := names[i]
		if path != "" {
			child = path + "/" + names[i]
		}
		grow(t, rnd, filepath.Join(disk, names[i]), child, depth-1, nodes)
	}
}

func TestNarRefusesDisorder(t *testing.T) {
	dir, file := func(p string) NarNode { return NarNode{Path: p, Kind: '5'} }, func(p string) NarNode { return NarNode{Path: p, Kind: '0', Content: bytes.NewReader(nil)} }
	for name, nodes := range map[string][]NarNode{
		"a file in a file":      {dir(""), file("a"), file("a/b")},
		"a file without parent": {dir(""), file("a/b")},
		"no root":               {file("a")},
		"the same twice":        {dir(""), file("a"), file("a")},
		"two roots":             {dir(""), dir("")},
	} {
		if _, _, err := hashNar(nodes); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestComparePaths(t *testing.T) {
	want := []string{"a", "a/b", "a/b/c", "a/c", "a b", "a-b", "a.b", "ab"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, paths.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted %q, want %q", got, want)
	}
}

// hashNar returns the NAR hash and size of a store item, given its nodes in
// any order.
func hashNar(nodes []NarNode) (digest.Sum, int64, error) {
	group := sha256mb.NewGroup()
	h, buf := NewNarHash(group.NewLane(), nodes), make([]byte, 64<<10)
	for h.Step(buf) {
		group.Run()
	}
	return h.Sum()
}

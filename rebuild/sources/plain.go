package sources

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nar"

	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// A State says what a store has shown of an input that has no derivation. The zero
// value is Absent: nothing is known.
type State int

// The states.
const (
	Absent  State = iota // the store does not have it, or it could not be read
	Fits                 // its name is computed from the content that the store has
	Differs              // its name is not
)

// maxPlain bounds an input that is read to be verified, maxPlains all of them together, in
// bytes. Such inputs are builders, patches and modules; 308 of a real image have 4 MB.
const (
	maxPlain  = 64 << 20
	maxPlains = 1 << 30
)

// Verify reads those plain inputs that are here, and compares their names with their
// content.
func (w *Walk) Verify(g *store.Graph, at rebuild.Derivations) {
	byHash := make(map[string]string)
	for _, p := range w.Plain {
		byHash[hashOf(p.Path)] = p.Path
	}
	for _, n := range g.Near {
		byHash[hashOf(n.Path)] = n.Path
	}
	left := int64(maxPlains)
	for i := range w.Plain {
		p := &w.Plain[i]
		c, unresolved, size, err := contentOf(at, p.Path, byHash, min(left, maxPlain))
		left -= size
		switch {
		case err != nil:
		case c.Fits(p.Path):
			p.State = Fits
		case !unresolved:
			p.State = Differs
		}
	}
}

// contentOf reads a store item. It is not read past a limit. A text can refer to items
// that nothing here names: then its name cannot be computed.
func contentOf(at rebuild.Derivations, p string, byHash map[string]string, limit int64) (c drv.Content, unresolved bool, size int64, err error) {
	file, err := Find(at, p)
	if err != nil {
		return c, false, 0, err
	}
	text := &limited{left: limit}
	if err := nar.DumpPath(text, file); err != nil {
		return c, false, int64(text.Len()), fmt.Errorf("reading %s: %w", p, err)
	}
	c.NAR = sha256.Sum256(text.Bytes())
	for hash := range drv.HashesIn(text.Bytes()) {
		if q, ok := byHash[hash]; ok && q != p {
			c.References = append(c.References, q)
		}
	}
	slices.Sort(c.References)
	unresolved = refersElsewhere(text.Bytes(), path.Dir(p), byHash)
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return c, unresolved, int64(text.Len()), err
	}
	c.Flat, err = flat(file)
	return c, unresolved, int64(text.Len()), err
}

// refersElsewhere says that bytes have the path of a store item that nothing names.
func refersElsewhere(text []byte, dir string, byHash map[string]string) bool {
	const length = 32 // of the hash in a path
	prefix := []byte(dir + "/")
	for {
		i := bytes.Index(text, prefix)
		if i < 0 {
			return false
		}
		text = text[i+len(prefix):]
		if len(text) <= length || text[length] != '-' {
			continue
		}
		if _, named := byHash[string(text[:length])]; !named {
			return true
		}
	}
}

func flat(file string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxPlain)); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// A limited buffer fails when more is written than it may hold.
type limited struct {
	bytes.Buffer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, &inspect.LimitError{Name: "bytes of a plain input", Limit: maxPlain, Where: "a store item"}
	}
	return l.Buffer.Write(p)
}

func hashOf(p string) string {
	hash, _, _ := strings.Cut(path.Base(p), "-")
	return hash
}

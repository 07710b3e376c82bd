package nix

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nar"

	"audit/inspect"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// readGiven reads the derivation that the plan names with all that it needs,
// verifies that each is what its store path says, and makes the check named
// derivation. It needs no Nix.
func (s *session) readGiven() error {
	root := storeDir + filepath.Base(s.details.Derivation)
	s.given = make(drv.Closure)
	g, err := store.ReadGraph(root, func(p string) (*drv.Derivation, error) {
		file, err := s.find(p)
		if err != nil {
			return nil, err
		}
		d, err := drv.Read(file)
		s.given[p] = d
		return d, err
	})
	if err != nil {
		return fmt.Errorf("%w: reading the derivation: %w", rebuild.ErrRefused, err)
	}
	if err := s.given.Verify(); err != nil {
		return fmt.Errorf("%w: a derivation is not what its name says: %w", rebuild.ErrRefused, err)
	}
	s.compare(g)
	return nil
}

// find returns the file or folder of a store path: beside the derivation that
// the plan names, else in the store of this machine.
func (s *session) find(p string) (string, error) {
	if !isStorePath(p) {
		return "", fmt.Errorf("%q is no store path", p)
	}
	for _, file := range []string{filepath.Join(filepath.Dir(s.details.Derivation), filepath.Base(p)), p} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return "", fmt.Errorf("%s is neither beside the derivation nor in the store of this machine", p)
}

// importGiven puts the derivations, and the sources that they name, into the
// store and returns the path of the image's.
func (s *session) importGiven(ctx context.Context) (string, error) {
	name := s.inJob("derivations")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("handing the derivations to Nix: %w", err)
	}
	err = s.export(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("handing the derivations to Nix: %w", err)
	}
	if _, err := s.run(ctx, call{program: "nix-store", words: []string{"--import"}, stdin: name}); err != nil {
		return "", fmt.Errorf("handing the derivations to Nix: %w", err)
	}
	return storeDir + filepath.Base(s.details.Derivation), nil
}

// export writes the derivations in the form of nix-store --export, each after
// what it needs (Nix 2.8, libstore/export-import.cc): for each path the number
// 1, its NAR, a magic number, the path, its references, the path of its
// deriver, the number 0; and the number 0 at the end.
func (s *session) export(w io.Writer) error {
	e := newExporter(s, w)
	for _, p := range slices.Sorted(maps.Keys(s.given)) {
		if err := e.derivation(p); err != nil {
			return err
		}
	}
	return e.number(0)
}

// An exporter writes each store path once.
type exporter struct {
	*session
	w          io.Writer
	done       map[string]bool
	candidates map[string]string // paths that a source can refer to, by the hash in them
}

func newExporter(s *session, w io.Writer) *exporter {
	e := &exporter{w: w, session: s, done: make(map[string]bool), candidates: make(map[string]string)}
	for p, d := range s.given {
		for _, path := range append(slices.Clone(d.Sources), p) {
			hash, _, _ := strings.Cut(filepath.Base(path), "-")
			e.candidates[hash] = path
		}
	}
	return e
}

// exportMagic follows each NAR.
const exportMagic = 0x4558494e

func (e *exporter) derivation(p string) error {
	if e.done[p] {
		return nil
	}
	e.done[p] = true
	d := e.given[p]
	references := slices.Clone(d.Sources)
	for _, src := range d.Sources {
		if err := e.source(src); err != nil {
			return err
		}
	}
	for _, in := range d.Inputs {
		if err := e.derivation(in.Path); err != nil {
			return err
		}
		references = append(references, in.Path)
	}
	slices.Sort(references)
	return e.item(p, references)
}

// source writes a source after those that it refers to: other sources, or
// derivations.
func (e *exporter) source(p string) error {
	if e.done[p] {
		return nil
	}
	e.done[p] = true
	references, err := e.references(p)
	if err != nil {
		return err
	}
	for _, r := range references {
		if e.given[r] != nil {
			err = e.derivation(r)
		} else if r != p {
			err = e.source(r)
		}
		if err != nil {
			return err
		}
	}
	return e.item(p, references)
}

// references returns which of the sources and derivations a source names, as
// Nix finds them: by the hashes in their paths.
func (e *exporter) references(p string) ([]string, error) {
	file, err := e.find(p)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := nar.DumpPath(&limitedWriter{&text, maxSource}, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", p, err)
	}
	var found []string
	for hash := range drv.HashesIn(text.Bytes()) {
		if candidate, ok := e.candidates[hash]; ok {
			found = append(found, candidate)
		}
	}
	slices.Sort(found)
	return found, nil
}

func (e *exporter) item(p string, references []string) error {
	file, err := e.find(p)
	if err != nil {
		return err
	}
	if err := e.number(1); err != nil {
		return err
	}
	if err := nar.DumpPath(e.w, file); err != nil {
		return fmt.Errorf("reading %s: %w", p, err)
	}
	if err := e.number(exportMagic); err != nil {
		return err
	}
	if err := e.text(p); err != nil {
		return err
	}
	if err := e.number(uint64(len(references))); err != nil {
		return err
	}
	for _, r := range references {
		if err := e.text(r); err != nil {
			return err
		}
	}
	return errors.Join(e.text(""), e.number(0))
}

func (e *exporter) number(n uint64) error {
	return binary.Write(e.w, binary.LittleEndian, n)
}

// text writes a string as Nix does: its length, itself, and zeros up to a
// multiple of eight bytes.
func (e *exporter) text(s string) error {
	if err := e.number(uint64(len(s))); err != nil {
		return err
	}
	_, err := io.WriteString(e.w, s+strings.Repeat("\x00", -len(s)&7))
	return err
}

// maxSource bounds a source that lies beside a derivation.
const maxSource = 256 << 20

// A limitedWriter fails when more is written than it may take.
type limitedWriter struct {
	w    io.Writer
	left int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, &inspect.LimitError{Name: "bytes of a source", Limit: maxSource, Where: "a source of the derivation"}
	}
	return w.w.Write(p)
}

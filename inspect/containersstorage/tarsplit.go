package containersstorage

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"audit/inspect/limit"
)

// A piece is a line of a tar-split: bytes of the tar as they are, or a file whose content
// lies on disk.
type piece struct {
	Type    int    `json:"type"` // 1 for a file, 2 for bytes
	Name    string `json:"name"`
	NameRaw []byte `json:"name_raw"` // of a name that is no UTF-8
	Size    int64  `json:"size"`
	Payload []byte `json:"payload"` // the bytes; of a file, a checksum
}

const (
	filePiece  = 1
	bytesPiece = 2
)

// maxSplit bounds what a tar-split expands to, in bytes: without the contents of files.
const maxSplit = 8 << 30

// pieces calls do for each piece of a layer.
func (s store) pieces(ctx context.Context, id string, do func(piece) error) error {
	f, err := os.Open(s.path("-layers", id+".tar-split.gz"))
	if err != nil {
		return readable(err)
	}
	defer f.Close()
	expanded, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return &limit.FormatError{Where: "the tar-split of layer " + id, Err: err}
	}
	bounded := &io.LimitedReader{R: expanded, N: maxSplit}
	decode := json.NewDecoder(bounded)
	for {
		var p piece
		err := decode.Decode(&p)
		switch {
		case bounded.N == 0:
			return &limit.Error{Name: "bytes of a tar-split", Limit: maxSplit, Where: "layer " + id}
		case err == io.EOF:
			return ctx.Err()
		case err != nil:
			return &limit.FormatError{Where: "the tar-split of layer " + id, Err: err}
		case ctx.Err() != nil:
			return ctx.Err()
		case p.Size < 0 || p.Type != filePiece && p.Type != bytesPiece:
			return &limit.FormatError{Where: "the tar-split of layer " + id, Err: errors.New("it has a piece that is none")}
		}
		if err := do(p); err != nil {
			return err
		}
	}
}

// size is how many bytes the tar of a layer has.
func (s store) size(ctx context.Context, id string) (n int64, err error) {
	err = s.pieces(ctx, id, func(p piece) error {
		if p.Type == filePiece {
			n += p.Size
		} else {
			n += int64(len(p.Payload))
		}
		if n < 0 {
			return &limit.FormatError{Where: "the tar-split of layer " + id, Err: errors.New("its sizes are more than there can be")}
		}
		return nil
	})
	return n, err
}

// write puts the tar of a layer together again. No path leads out of the folder of the
// layer's files: see [os.Root].
func (s store) write(ctx context.Context, id string, w io.Writer) error {
	root, err := os.OpenRoot(s.files(id))
	if err != nil {
		return readable(err)
	}
	defer root.Close()
	return s.pieces(ctx, id, func(p piece) error {
		if p.Type == bytesPiece {
			_, err := w.Write(p.Payload)
			return err
		}
		if p.Size == 0 {
			return nil
		}
		return copyFile(root, p, w)
	})
}

// copyFile writes the content of a file, which has to have its size.
func copyFile(root *os.Root, p piece, w io.Writer) error {
	name := p.Name
	if name == "" {
		name = string(p.NameRaw)
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	info, err := root.Lstat(name)
	if err != nil {
		return readable(err)
	}
	if !info.Mode().IsRegular() || info.Size() != p.Size {
		return fmt.Errorf("the store has changed: %s has not the size that it had", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return readable(err)
	}
	defer f.Close()
	if _, err := io.CopyN(w, f, p.Size); err != nil {
		return fmt.Errorf("reading %s of the store: %w", name, err)
	}
	return nil
}

// Image writes an image for measurements, as docker save would, of the files that this
// system has, or of many small ones:
//
//	go run ./.ci/image -bytes 1GB -pack gzip >image.tar
//
// The files of /usr are taken again and again, under other names, until there are as
// many bytes, in a folder where distributions put nothing; -debian takes them at most
// once, where they are, with the database of dpkg.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

var (
	size   = flag.String("bytes", "", "bytes of the files in all, such as 300MB, in about as many in each layer")
	files  = flag.Int("files", 0, "that many files of a few bytes instead")
	salt   = flag.String("salt", "a", "another one makes other contents")
	layers = flag.Int("layers", 1, "how many layers")
	pack   = flag.String("pack", "none", "none, gzip or zstd")
	debian = flag.Bool("debian", false, "the system itself, with the database of its packages")
)

func main() {
	flag.Parse()
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// write writes the archive. A layer is a temporary file first, for its size.
func write(out io.Writer) error {
	bytes, err := parse(*size)
	if err != nil {
		return err
	}
	var names, ids []string
	w := tar.NewWriter(out)
	for i := range *layers {
		name := fmt.Sprintf("%d/layer.tar", i)
		id, err := layer(w, name, i, bytes/int64(*layers))
		if err != nil {
			return err
		}
		names, ids = append(names, name), append(ids, id)
	}
	config := map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": ids}}
	if err := document(w, "config.json", config); err != nil {
		return err
	}
	manifest := []any{map[string]any{"Config": "config.json", "RepoTags": []string{"bench:" + *salt}, "Layers": names}}
	if err := document(w, "manifest.json", manifest); err != nil {
		return err
	}
	return w.Close()
}

func parse(s string) (int64, error) {
	unit := int64(1)
	for name, n := range map[string]int64{"MB": 1e6, "GB": 1e9} {
		if digits, ok := strings.CutSuffix(s, name); ok {
			s, unit = digits, n
		}
	}
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n * unit, err
}

func document(w *tar.Writer, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return member(w, name, int64(len(data)), bytes.NewReader(data))
}

func member(w *tar.Writer, name string, size int64, r io.Reader) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	_, err := io.Copy(w, r)
	return err
}

// layer adds a layer of so many bytes to the archive and returns its diffID.
func layer(w *tar.Writer, name string, i int, bytes int64) (string, error) {
	f, err := os.CreateTemp("", "layer-")
	if err != nil {
		return "", err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	sum, packed := sha256.New(), io.WriteCloser(f)
	switch *pack {
	case "gzip":
		packed = gzip.NewWriter(f)
	case "zstd":
		if packed, err = zstd.NewWriter(f); err != nil {
			return "", err
		}
	}
	if err := content(tar.NewWriter(io.MultiWriter(sum, packed)), i, bytes); err != nil {
		return "", err
	}
	if *pack != "none" {
		if err := packed.Close(); err != nil {
			return "", err
		}
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return "", err
	}
	return id(sum), member(w, name, size, io.NewSectionReader(f, 0, size))
}

func id(sum hash.Hash) string { return fmt.Sprintf("sha256:%x", sum.Sum(nil)) }

// errEnough ends a walk.
var errEnough = errors.New("enough")

func content(w *tar.Writer, layer int, bytes int64) error {
	if *files > 0 {
		for i := range *files / *layers {
			text := fmt.Sprintf("%s %d %d\n", *salt, layer, i)
			if err := member(w, fmt.Sprintf("srv/%d/%d/%d", layer, i/1000, i), int64(len(text)), strings.NewReader(text)); err != nil {
				return err
			}
		}
		return w.Close()
	}
	roots, copies := []string{"/usr/share", "/usr/bin", "/usr/lib"}, 1<<20
	if *debian {
		roots, copies = append([]string{"/etc", "/var/lib/dpkg"}, roots...), 1
	}
	for i := range copies {
		prefix := fmt.Sprintf("srv/%s.%d.%d", *salt, layer, i)
		if *debian {
			prefix = ""
		} else if err := member(w, prefix+"/salt", int64(len(prefix)), strings.NewReader(prefix)); err != nil {
			return err
		}
		for _, root := range roots {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				return add(w, prefix, path, d, &bytes)
			})
			if err == errEnough {
				return w.Close()
			}
			if err != nil {
				return err
			}
		}
	}
	return w.Close()
}

// largest is the size of the largest file that is taken: few images have larger ones.
const largest = 8 << 20

// add adds a file of this system, and counts its bytes.
func add(w *tar.Writer, prefix, path string, d fs.DirEntry, left *int64) error {
	info, err := d.Info()
	if err != nil || info.Mode().IsRegular() && info.Size() > largest || info.Mode()&fs.ModeType&^fs.ModeDir&^fs.ModeSymlink != 0 {
		return err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	hdr, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	hdr.Name, hdr.Uname, hdr.Gname = strings.TrimPrefix(prefix+path, "/"), "", ""
	if err := w.WriteHeader(hdr); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(w, f, hdr.Size); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if *left -= hdr.Size; *left < 0 {
		return errEnough
	}
	return nil
}

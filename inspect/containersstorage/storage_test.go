package containersstorage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/choice"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
)

// layerOf is the tar of a layer with these files, a long name among them.
func layerOf(t *testing.T, files map[string]string, order ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range order {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[name])
	}
	w.Close()
	return out.Bytes()
}

// takeApart writes a tar as the store has it: contents as files, and the rest as pieces.
func takeApart(t *testing.T, raw []byte, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	encode := json.NewEncoder(z)
	r, counter := io.Reader(bytes.NewReader(raw)), 0
	at := func() int { return len(raw) - r.(*bytes.Reader).Len() }
	read := tar.NewReader(r)
	for {
		h, err := read.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		encode.Encode(map[string]any{"type": bytesPiece, "payload": raw[counter:at()]})
		counter = at() + int(h.Size)
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			os.MkdirAll(filepath.Dir(path), 0o755)
			content, _ := io.ReadAll(read)
			err = os.WriteFile(path, content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		encode.Encode(map[string]any{"type": filePiece, "name": h.Name, "size": h.Size, "payload": []byte("checksum")})
	}
	encode.Encode(map[string]any{"type": bytesPiece, "payload": raw[counter:]})
	z.Close()
	return out.Bytes()
}

// newStore makes a store with one image of two layers, and returns its folder and the
// digest of the config.
func newStore(t *testing.T, driver string) (root, config string) {
	t.Helper()
	root = t.TempDir()
	write := func(text []byte, names ...string) {
		path := filepath.Join(append([]string{root}, names...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	long := "usr/share/" + strings.Repeat("long/", 30) + "name"
	files := map[string]string{"etc/passwd": "root\n", long: "content", "empty": "", "etc/": "", "usr/bin/x": strings.Repeat("x", 1000)}
	ids := []string{strings.Repeat("a", 64), strings.Repeat("b", 64)}
	var diffIDs []string
	for i, raw := range [][]byte{layerOf(t, files, "etc/", "etc/passwd", long), layerOf(t, files, "usr/bin/x", "empty")} {
		dir := filepath.Join(root, driver, ids[i], "diff")
		if driver == "vfs" {
			dir = filepath.Join(root, driver, "dir", ids[i])
		}
		write(takeApart(t, raw, dir), driver+"-layers", ids[i]+".tar-split.gz")
		diffIDs = append(diffIDs, digest.Of(raw).Hash().String())
	}
	doc, err := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs}})
	if err != nil {
		t.Fatal(err)
	}
	config = digest.Of(doc).Hash().String()
	id := strings.Repeat("c", 64)
	write(doc, driver+"-images", id, "="+base64.StdEncoding.EncodeToString([]byte(config)))
	write(fmt.Appendf(nil, `{"config":{"digest":%q}}`, config), driver+"-images", id, "manifest")
	write(fmt.Appendf(nil, `[{"id":%q,"digest":"sha256:%064d","names":["localhost/lab/tool:1"],"layer":%q}]`, id, 7, ids[1]), driver+"-images", "images.json")
	write(fmt.Appendf(nil, `[{"id":%q},{"id":%q,"parent":%q}]`, ids[0], ids[1], ids[0]), driver+"-layers", "layers.json")
	return root, config
}

func readImage(t *testing.T, reference string) (*image.Image, error) {
	t.Helper()
	in, err := form.NewInput(pass.New(t.Context(), pass.Options{}), reference)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	return read(in)
}

// TestStore: an image comes out of the store byte for byte, since its layers have their
// diffIDs, whatever the driver and however it is named.
func TestStore(t *testing.T) {
	for _, driver := range []string{"overlay", "vfs"} {
		root, config := newStore(t, driver)
		for _, reference := range []string{
			"[" + root + "]lab/tool:1", "[" + driver + "@" + root + "]localhost/lab/tool:1", "[" + driver + "@" + root + "+/run/x]" + strings.Repeat("c", 12),
			"[" + root + "]lab/tool@sha256:" + fmt.Sprintf("%064d", 7),
		} {
			img, err := readImage(t, reference)
			if err != nil {
				t.Errorf("%s: %v", reference, err)
				continue
			}
			if img.Config.Digest.String() != config || len(img.Layers) != 2 || img.Transport != image.ContainersStorage {
				t.Errorf("%s: config %s, %d layers, %s", reference, img.Config.Digest, len(img.Layers), img.Transport)
			}
			for i, l := range img.Layers {
				if l.DiffID != img.Config.File.RootFS.DiffIDs[i] {
					t.Errorf("%s: layer %d has the diffID %s", reference, i, l.DiffID)
				}
			}
		}
	}
}

func TestStoreWithout(t *testing.T) {
	root, _ := newStore(t, "overlay")
	if _, err := readImage(t, "["+root+"]lab/other:1"); !isChoice(err) {
		t.Errorf("no such image: %v", err)
	}
	if _, err := readImage(t, "[vfs@"+root+"]lab/tool:1"); err == nil || !strings.Contains(err.Error(), "there is no store") {
		t.Errorf("no such store: %v", err)
	}
	if _, err := readImage(t, "[overlay@"+root); err == nil {
		t.Error("a place without an end is taken")
	}
}

func isChoice(err error) bool {
	_, ok := errors.AsType[*choice.Error](err)
	return ok
}

// TestChangedStore: what was changed is read as no image, and no name of a file leads out
// of its layer.
func TestChangedStore(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("root\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	layers := func(text string) func(root, passwd string) error {
		return func(root, _ string) error {
			return os.WriteFile(filepath.Join(root, "overlay-layers", "layers.json"), []byte(text), 0o644)
		}
	}
	for about, change := range map[string]func(root, passwd string) error{
		"a shorter file": func(_, passwd string) error { return os.WriteFile(passwd, []byte("x"), 0o644) },
		"no file":        func(_, passwd string) error { return os.Remove(passwd) },
		"a link to the outside": func(_, passwd string) error {
			return errors.Join(os.Remove(passwd), os.Symlink(outside, passwd))
		},
		"a folder that leads outside": func(_, passwd string) error {
			dir := filepath.Dir(passwd)
			return errors.Join(os.RemoveAll(dir), os.Symlink(filepath.Dir(outside), dir), os.Link(outside, filepath.Join(filepath.Dir(outside), "passwd")))
		},
		"no layer": layers("[]"),
		"a round of layers": layers(fmt.Sprintf(`[{"id":%q,"parent":%q},{"id":%q,"parent":%q}]`,
			strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("b", 64), strings.Repeat("a", 64))),
		"an ID that is a path": layers(fmt.Sprintf(`[{"id":%q,"parent":"../x"},{"id":"../x"}]`, strings.Repeat("b", 64))),
		"no tar-split": func(root, _ string) error {
			return os.WriteFile(filepath.Join(root, "overlay-layers", strings.Repeat("a", 64)+".tar-split.gz"), nil, 0o644)
		},
	} {
		root, _ := newStore(t, "overlay")
		if err := change(root, filepath.Join(root, "overlay", strings.Repeat("a", 64), "diff", "etc", "passwd")); err != nil {
			t.Fatal(err)
		}
		img, err := readImage(t, "["+root+"]lab/tool:1")
		if err == nil {
			t.Errorf("%s: an image of %d layers", about, len(img.Layers))
		}
	}
	var over *limit.Error
	root, _ := newStore(t, "overlay")
	if err := layers(fmt.Sprintf(`[{"id":%q,"parent":%q}]`, strings.Repeat("b", 64), strings.Repeat("b", 64)))(root, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := readImage(t, "["+root+"]lab/tool:1"); !errors.As(err, &over) {
		t.Errorf("a layer upon itself: %v", err)
	}
}

package nix

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Store items for images that are made here.
const (
	toolItem = "/nix/store/00000000000000000000000000000000-tool-1.2"
	libItem  = "/nix/store/11111111111111111111111111111111-lib-3.4"
	goneItem = "/nix/store/22222222222222222222222222222222-gone-5"
)

// An entry is one member of a layer: a folder when it has neither body nor
// link.
type entry struct {
	name string
	body string
	link string
	mode int64
}

// A made image is written by Go's archive/tar, as nix2container and Nixery do;
// a layer that begins with "./" has headers in the format of GNU tar.
type made struct {
	layers [][]entry
	config map[string]any
	mtime  int64
}

// write returns the file of a docker-archive.
func (m made) write(t testing.TB) string {
	t.Helper()
	var archive bytes.Buffer
	out := tar.NewWriter(&archive)
	add := func(name string, data []byte) string {
		if err := out.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		return name
	}
	ids, names := []string{}, []string{}
	for _, entries := range m.layers {
		data := m.layer(t, entries)
		sum := sha256.Sum256(data)
		ids = append(ids, "sha256:"+hex.EncodeToString(sum[:]))
		names = append(names, add(hex.EncodeToString(sum[:])+".tar", data))
	}
	m.config["rootfs"] = map[string]any{"type": "layers", "diff_ids": ids}
	config, err := json.Marshal(m.config)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": add("config.json", config), "RepoTags": []string{"tool:v1"}, "Layers": names}})
	if err != nil {
		t.Fatal(err)
	}
	add("manifest.json", manifest)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (m made) layer(t testing.TB, entries []entry) []byte {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: tar.TypeDir, Mode: e.mode, Size: int64(len(e.body)), Linkname: e.link, ModTime: time.Unix(m.mtime, 0), Uname: "root", Gname: "root"}
		if entries[0].name == "./" {
			h.Format = tar.FormatGNU
		}
		switch {
		case e.link != "":
			h.Typeflag = tar.TypeSymlink
		case e.body != "":
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(e.body))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// config is what an image of nix2container or Nixery says at the least.
func config(more map[string]any) map[string]any {
	c := map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{"Cmd": []string{toolItem + "/bin/tool"}}}
	maps.Copy(c, more)
	return c
}

// toTool is the content of the one layer of a small image.
func toTool() []entry {
	return []entry{
		{name: "/", mode: 0o755}, {name: "/nix", mode: 0o755}, {name: "/nix/store", mode: 0o755},
		{name: toolItem, mode: 0o555}, {name: toolItem + "/bin", mode: 0o555}, {name: toolItem + "/bin/tool", mode: 0o555, body: "#!" + libItem},
		{name: libItem, mode: 0o444, body: "lib"},
	}
}

func ofNix2container(entries []entry) made {
	return made{layers: [][]entry{entries}, mtime: 1, config: config(map[string]any{
		"created": "0001-01-01T00:00:00Z", "history": []map[string]any{{"created_by": "nix2container"}}})}
}

func ofNixery(entries ...[]entry) made { return made{layers: entries, mtime: 1, config: config(nil)} }

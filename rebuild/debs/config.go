package debs

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"

	"audit/inspect"
	"audit/rebuild"
)

// withConfig writes the root file system as an image whose config is the original's, but
// for the layer: packages have none, so that it is an input, pinned by its digest. An
// original without a config stays a bare root.
func withConfig(original *inspect.Image, root, to string) (image string, inputs []rebuild.Item, err error) {
	if original == nil || !original.Claims() {
		return root, nil, nil
	}
	layer, err := os.Open(root)
	if err != nil {
		return "", nil, err
	}
	defer layer.Close()
	h := sha256.New()
	size, err := io.Copy(h, layer)
	if err != nil {
		return "", nil, err
	}
	config, err := configOf(original.Config.Raw, "sha256:"+hex.EncodeToString(h.Sum(nil)))
	if err != nil {
		return root, nil, nil // what is no config of an image cannot be that of another
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return "", nil, err
	}
	if err := writeArchive(to, config, layer, size); err != nil {
		return "", nil, err
	}
	return to, []rebuild.Item{{Path: "config " + original.Config.Digest.String(), How: rebuild.Pinned}}, nil
}

// configOf is a config with one layer in place of its own.
func configOf(raw []byte, diffID string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	layers, err := json.Marshal(map[string]any{"type": "layers", "diff_ids": []string{diffID}})
	if err != nil {
		return nil, err
	}
	if fields == nil {
		fields = make(map[string]json.RawMessage)
	}
	fields["rootfs"] = layers
	return json.Marshal(fields)
}

// writeArchive writes an image as docker save does (Docker Image Specification v1.2).
func writeArchive(to string, config []byte, layer io.Reader, size int64) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	const configName, layerName = "config.json", "layer.tar"
	manifest, err := json.Marshal([]map[string]any{{"Config": configName, "Layers": []string{layerName}}})
	if err != nil {
		return err
	}
	put := func(name string, size int64) error {
		return w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatGNU})
	}
	for _, part := range []struct {
		name string
		body []byte
	}{{configName, config}, {"manifest.json", manifest}} {
		if err := put(part.name, int64(len(part.body))); err != nil {
			return err
		}
		if _, err := w.Write(part.body); err != nil {
			return err
		}
	}
	if err := put(layerName, size); err != nil {
		return err
	}
	if _, err := io.Copy(w, layer); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

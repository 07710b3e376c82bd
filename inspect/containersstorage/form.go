package containersstorage

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"audit/inspect/dockerarchive"
	"audit/inspect/form"
	"audit/inspect/image"
)

// Form is that of an image in a store of podman, buildah or CRI-O.
func Form() form.Form {
	return form.Form{Transport: image.ContainersStorage, Argument: "REF", Named: true, Open: read}
}

// read reads the image as the docker-archive that an engine would save.
func read(in *form.Input) (*image.Image, error) {
	driver, root, name, err := split(in.Path)
	if err != nil {
		return nil, err
	}
	s, err := open(driver, root)
	if err != nil {
		return nil, err
	}
	a, err := s.archive(in.Pass.Ctx, name)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(in.Pass.Ctx)
	defer stop()
	out, to := io.Pipe()
	defer out.Close()
	go func() { to.CloseWithError(a.write(ctx, to)) }()
	if err := in.Read(out); err != nil {
		return nil, err
	}
	img, err := dockerarchive.Open(in)
	if err != nil {
		return nil, err
	}
	img.Transport = image.ContainersStorage
	return img, nil
}

// An archive is what is written.
type archive struct {
	store  store
	config []byte
	digest string // of the config, as the store has it
	names  []string
	layers []string // IDs
	sizes  []int64
}

func (s store) archive(ctx context.Context, name string) (*archive, error) {
	e, err := s.find(name)
	if err != nil {
		return nil, err
	}
	a := &archive{store: s, names: e.Names}
	if a.config, a.digest, err = s.config(e); err != nil {
		return nil, fmt.Errorf("reading the config of %s: %w", name, err)
	}
	if a.layers, err = s.layers(e); err != nil {
		return nil, err
	}
	for _, id := range a.layers {
		n, err := s.size(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading layer %s: %w", id, err)
		}
		a.sizes = append(a.sizes, n)
	}
	return a, nil
}

// write writes the tar: what docker load takes.
func (a *archive) write(ctx context.Context, to io.Writer) error {
	config := strings.TrimPrefix(a.digest, "sha256:") + ".json"
	var members []string
	for i := range a.layers {
		members = append(members, fmt.Sprintf("layer-%d.tar", i)) // the ID is the digest of something else
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": config, "RepoTags": a.names, "Layers": members}})
	if err != nil {
		return err
	}
	w := tar.NewWriter(to)
	for _, doc := range []struct {
		name string
		text []byte
	}{{"manifest.json", manifest}, {config, a.config}} {
		if err := w.WriteHeader(&tar.Header{Name: doc.name, Size: int64(len(doc.text)), Mode: 0o644}); err != nil {
			return err
		}
		if _, err := w.Write(doc.text); err != nil {
			return err
		}
	}
	for i, id := range a.layers {
		if err := w.WriteHeader(&tar.Header{Name: members[i], Size: a.sizes[i], Mode: 0o644}); err != nil {
			return err
		}
		if err := a.store.write(ctx, id, w); err != nil {
			return fmt.Errorf("reading layer %s: %w", id, err)
		}
	}
	return w.Close()
}

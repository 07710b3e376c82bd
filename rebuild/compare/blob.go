package compare

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/rebuild/compare/explain"
)

// blobs notes the layers that are the same bytes, packed in another way. Only
// blobs that both images have are held against each other: in a docker-archive
// a layer lies uncompressed, and no registry would have it so.
func (w *walk) blobs() {
	for i, j := range w.a.partner {
		if j < 0 || !w.a.equal[i] {
			continue
		}
		x, y := w.a.img.Layers[i], w.b.img.Layers[j]
		if x.Digest == y.Digest || !w.a.isBlob(x) || !w.b.isBlob(y) {
			continue
		}
		w.out.Blobs = append(w.out.Blobs, Difference{Layer: i, Cause: Compression, Was: blobText(x), Now: blobText(y), Detail: packingText(x, y)})
	}
}

// isBlob says whether a layer is what a registry holds.
func (s *side) isBlob(l *inspect.Layer) bool {
	switch s.img.Transport {
	case inspect.DockerArchive, inspect.DockerDaemon, inspect.RootFS:
		return l.Compression != inspect.None
	}
	return l.Digest.Hex != ""
}

func blobText(l *inspect.Layer) string {
	return fmt.Sprintf("%s, %d bytes, %s", l.Compression, l.Size, l.Digest)
}

func packingText(x, y *inspect.Layer) string {
	if x.Compression != y.Compression {
		return fmt.Sprintf("the same tar, packed with %s and with %s", x.Compression, y.Compression)
	}
	return fmt.Sprintf("the same tar, packed by %s with another program, level or header", x.Compression)
}

// manifests compares the image manifests (OCI image-spec v1.1, manifest.md),
// where both images have one.
func (w *walk) manifests() {
	was, now := w.a.img.Manifest, w.b.img.Manifest
	if len(was.Raw) == 0 || len(now.Raw) == 0 || was.Origin == inspect.Synthesised || now.Origin == inspect.Synthesised || was.Digest == now.Digest {
		return
	}
	w.out.Manifest = fields(was.Raw, now.Raw)
	inside := explain.New()
	for i := range w.out.Manifest {
		f := &w.out.Manifest[i]
		f.Cause = f.look(inside, w.manifestCause(f))
	}
}

// manifestCause says why a field of a manifest differs: the descriptors of
// config and layers follow from these, or from how they are packed.
func (w *walk) manifestCause(f *FieldDifference) Cause {
	switch {
	case strings.HasSuffix(f.Field, "mediaType"):
		return Packaging
	case strings.HasPrefix(f.Field, "config.") && w.a.img.Config.Digest != w.b.img.Config.Digest:
		return Derived
	case strings.HasPrefix(f.Field, "layers"):
		return w.layerFieldCause(f)
	case strings.HasPrefix(f.Field, "annotations") && strings.Contains(f.Field, "created") && isTime(f.Was) && isTime(f.Now):
		return Timestamp
	case f.Now == "":
		return Missing
	case f.Was == "":
		return Extra
	}
	return Content
}

func (w *walk) layerFieldCause(f *FieldDifference) Cause {
	index, _, _ := strings.Cut(strings.TrimPrefix(f.Field, "layers["), "]")
	i, err := strconv.Atoi(index)
	if err == nil && i < len(w.a.partner) && w.a.partner[i] == i && w.a.equal[i] {
		return Compression
	}
	return Derived
}

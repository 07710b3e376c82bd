package compare

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/rebuild/compare/explain"
)

// blobs notes the layers that are the same bytes, packed in another way. Only
// blobs that both images have are compared with each other: in a docker-archive
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
		w.out.Blobs = append(w.out.Blobs, Difference{Layer: i, Cause: Compression, Was: blobText(x), Now: blobText(y), Evidence: packing(x, y)})
	}
}

// isBlob says whether a layer is what a registry holds.
func (s *side) isBlob(l *inspect.Layer) bool {
	switch s.img.Transport {
	case image.DockerArchive, image.DockerDaemon, image.RootFS:
		return l.Compression != compression.None
	}
	return l.Digest.Hex != ""
}

func blobText(l *inspect.Layer) string {
	return fmt.Sprintf("%s, %d bytes, %s", l.Compression, l.Size, l.Digest)
}

// packing says how two blobs pack the same tar: with which programs, and where
// the headers of gzip differ (RFC 1952, 2.3).
func packing(x, y *inspect.Layer) []check.Message {
	switch {
	case x.Compression != y.Compression:
		return evidence("difference/blob-compression", "was-compression", string(x.Compression), "now-compression", string(y.Compression))
	case x.Gzip == nil || y.Gzip == nil:
		return evidence("difference/blob-packer", "compression", string(x.Compression))
	}
	var found []check.Message
	for _, f := range []struct{ name, was, now string }{
		{"time", gzipTime(x.Gzip.ModTime), gzipTime(y.Gzip.ModTime)},
		{"name", nameText(x.Gzip.Name), nameText(y.Gzip.Name)},
		{"comment", nameText(x.Gzip.Comment), nameText(y.Gzip.Comment)},
		{"extra field", extraText(x.Gzip.ExtraBytes), extraText(y.Gzip.ExtraBytes)},
		{"level", gzipLevel(x.Gzip.Level), gzipLevel(y.Gzip.Level)},
		{"operating system", gzipSystem(x.Gzip.OS), gzipSystem(y.Gzip.OS)},
	} {
		if f.was != f.now {
			found = append(found, check.Say("difference/blob-gzip-header", "field", f.name, "was", f.was, "now", f.now))
		}
	}
	if len(found) == 0 {
		return evidence("difference/blob-gzip")
	}
	return found
}

func gzipTime(seconds uint32) string {
	if seconds == 0 {
		return ""
	}
	return timeText(int64(seconds), 0)
}

func extraText(n int) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes", n)
}

func gzipLevel(xfl byte) string {
	switch xfl {
	case 0:
		return "not said"
	case 2:
		return "the slowest"
	case 4:
		return "the fastest"
	}
	return strconv.Itoa(int(xfl))
}

func gzipSystem(n byte) string {
	switch n {
	case 0:
		return "FAT"
	case 3:
		return "Unix"
	case 255:
		return "unknown"
	}
	return strconv.Itoa(int(n))
}

// manifests compares the image manifests (OCI image-spec v1.1, manifest.md),
// where both images have one.
func (w *walk) manifests() {
	was, now := w.a.img.Manifest, w.b.img.Manifest
	if len(was.Raw) == 0 || len(now.Raw) == 0 || was.Origin == image.Synthesised || now.Origin == image.Synthesised || was.Digest == now.Digest {
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

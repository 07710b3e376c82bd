package compare

import (
	"strconv"
	"strings"
	"time"

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
		w.out.Blobs = append(w.out.Blobs, Difference{Layer: i, Cause: Compression, Was: blobValue(x), Now: blobValue(y), Evidence: packing(x, y)})
	}
}

// isBlob says whether a layer is what a registry holds.
func (s *side) isBlob(l *inspect.Layer) bool {
	switch s.img.Transport {
	case image.DockerArchive, image.DockerDaemon, image.ContainersStorage, image.RootFS:
		return l.Compression != compression.None
	}
	return l.Digest.Hex != ""
}

func blobValue(l *inspect.Layer) Value {
	return coded(check.Say("value/blob", "compression", string(l.Compression), "size", l.Size, "digest", l.Digest))
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
	a, b := x.Gzip, y.Gzip
	var found []check.Message
	for _, f := range []struct {
		name     string
		same     bool
		was, now Value
	}{
		{"time", a.ModTime == b.ModTime, gzipTime(a.ModTime), gzipTime(b.ModTime)},
		{"name", a.Name == b.Name, gzipText(a.Name), gzipText(b.Name)},
		{"comment", a.Comment == b.Comment, gzipText(a.Comment), gzipText(b.Comment)},
		{"extra field", a.ExtraBytes == b.ExtraBytes, gzipExtra(a.ExtraBytes), gzipExtra(b.ExtraBytes)},
		{"level", a.Level == b.Level, gzipLevel(a.Level), gzipLevel(b.Level)},
		{"operating system", a.OS == b.OS, gzipSystem(a.OS), gzipSystem(b.OS)},
	} {
		if !f.same {
			found = append(found, check.Say("difference/blob-gzip-header", "field", f.name, "was", Argument(f.was), "now", Argument(f.now)))
		}
	}
	if len(found) == 0 {
		return evidence("difference/blob-gzip")
	}
	return found
}

func gzipTime(seconds uint32) Value {
	if seconds == 0 {
		return nil
	}
	return timeText(int64(seconds), 0)
}

func gzipText(s string) Value { return TextValue(nameText(s)) }

func gzipExtra(n int) Value {
	if n < 0 {
		return nil
	}
	return coded(check.Say("value/bytes", "bytes", n))
}

func gzipLevel(xfl byte) Value {
	switch xfl {
	case 0:
		return coded(check.Say("value/level-unspecified"))
	case 2:
		return coded(check.Say("value/level-slowest"))
	case 4:
		return coded(check.Say("value/level-fastest"))
	}
	return Text(strconv.Itoa(int(xfl)))
}

func gzipSystem(n byte) Value {
	switch n {
	case 0:
		return Text("FAT")
	case 3:
		return Text("Unix")
	case 255:
		return Text("unknown")
	}
	return Text(strconv.Itoa(int(n)))
}

// manifests compares the image manifests (OCI image-spec v1.1, manifest.md),
// where both images have one.
func (w *walk) manifests() {
	was, now := w.a.img.Manifest, w.b.img.Manifest
	if len(was.Raw) == 0 || len(now.Raw) == 0 || was.Origin == image.Synthesised || now.Origin == image.Synthesised || was.Digest == now.Digest {
		return
	}
	w.out.Manifest = fields(was.Raw, now.Raw)
	inside := explain.New(time.Time{})
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

package compare

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"audit/inspect"
)

// A contentPair is a file whose bytes differ.
type contentPair struct{ was, now at }

// Bounds on what explaining contents may cost. Each is said where it is met.
const (
	maxContent  = 16 << 20  // bytes of a file that are looked into
	maxContents = 128 << 20 // bytes of all such files of an image
	maxDetails  = 4 << 20   // bytes of all details
)

// Keep returns what [inspect.Options] needs to keep the contents that Explain
// looks into, of both images: those of the files that differ by content, the
// first that fit into 128 MiB, and none of over 16 MiB. It is nil when there
// are none.
func (c *Comparison) Keep() func(path string) bool {
	paths := c.contentPaths()
	if len(paths) == 0 {
		return nil
	}
	return func(path string) bool { return paths[path] }
}

func (c *Comparison) contentPaths() map[string]bool {
	paths := make(map[string]bool)
	left := int64(maxContents)
	for _, d := range c.Differences {
		pair, ok := c.contents[place{d.Layer, d.Path}]
		size := c.sizes[d.Path]
		if ok && !paths[d.Path] && size <= left && pair.size() <= maxContent {
			paths[d.Path] = true
			left -= size
		}
	}
	return paths
}

func (p contentPair) size() int64 { return max(p.was.Size, p.now.Size) }

// contentSizes sums, for each path with a difference of content, the bytes that
// keeping it costs: all layers that have the path count.
func (w *walk) contentSizes() {
	if len(w.out.contents) == 0 {
		return
	}
	w.out.sizes = make(map[string]int64)
	for _, img := range []*inspect.Image{w.a.img, w.b.img} {
		sizes := make(map[string]int64)
		for at := range w.out.contents {
			sizes[at.path] = 0
		}
		for _, l := range img.Layers {
			for i := range l.Entries {
				if n, ok := sizes[l.Entries[i].Path]; ok {
					sizes[l.Entries[i].Path] = n + l.Entries[i].Size
				}
			}
		}
		for path, n := range sizes {
			w.out.sizes[path] = max(w.out.sizes[path], n)
		}
	}
}

// Explain fills Detail of the differences of content from the bodies that both
// images hold (see Keep): of text a diff of its lines, of other bytes
// the first that differ. Where bodies are not at hand, Detail says so.
func (c *Comparison) Explain(original, rebuilt *inspect.Image) {
	x := explainer{left: maxDetails, decoders: []decoder{&textDecoder{work: maxLineWork}, binaryDecoder{}}}
	for i := range c.Differences {
		d := &c.Differences[i]
		pair, ok := c.contents[place{d.Layer, d.Path}]
		if d.Cause != Content || !ok {
			continue
		}
		d.Detail = x.explain(pair, original, rebuilt)
	}
}

// A decoder knows a format of files.
type decoder interface {
	// explain says how two contents differ, over several lines where that
	// helps; false when they are not of its format, so that the next is asked.
	explain(was, now []byte) (string, bool)
}

type explainer struct {
	left     int       // bytes of detail
	decoders []decoder // the first that knows a content explains it
}

func (x *explainer) explain(pair contentPair, original, rebuilt *inspect.Image) string {
	if pair.size() > maxContent {
		return fmt.Sprintf("not looked into: %d bytes are more than %d", pair.size(), maxContent)
	}
	was, okWas := body(original, pair.was)
	now, okNow := body(rebuilt, pair.now)
	if !okWas || !okNow {
		return "not looked into: the contents are not at hand"
	}
	if x.left <= 0 {
		return fmt.Sprintf("not shown: the details of other files fill %d bytes", maxDetails)
	}
	for _, d := range x.decoders {
		if text, ok := d.explain(was, now); ok {
			x.left -= len(text)
			return text
		}
	}
	return ""
}

// body returns the content of an entry. Where a layer has a path more than
// once, what was kept may be that of another: the digest tells.
func body(img *inspect.Image, e at) ([]byte, bool) {
	data, ok := img.Body(e.layer, e.Path)
	if !ok || inspect.Sum(sha256.Sum256(data)) != e.Digest {
		return nil, false
	}
	return data, true
}

// A binaryDecoder explains any content: where it parts, and what is there.
type binaryDecoder struct{}

func (binaryDecoder) explain(was, now []byte) (string, bool) { return explainBytes(was, now), true }

func explainBytes(was, now []byte) string {
	at := firstDifference(was, now)
	if at < 0 {
		return "the same bytes"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes, now %d; the first difference is at byte %d", len(was), len(now), at)
	if n, end := countDifferent(was, now); n > 0 {
		fmt.Fprintf(&b, ", the last at byte %d, %s of %d in common differ", end, counted(n, "byte", "bytes"), min(len(was), len(now)))
	}
	fmt.Fprintf(&b, "\n- %s\n+ %s", window(was, at), window(now, at))
	return b.String()
}

// countDifferent counts the differing bytes of the common length, and returns
// the index of the last.
func countDifferent(was, now []byte) (n, last int) {
	for i := range min(len(was), len(now)) {
		if was[i] != now[i] {
			n, last = n+1, i
		}
	}
	return n, last
}

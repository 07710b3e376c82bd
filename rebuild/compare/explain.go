package compare

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild/compare/explain"
)

// A contentPair is a file whose bytes differ.
type contentPair struct{ was, now at }

// Bounds on what explaining contents may cost. Each is reported where it is met.
const (
	maxContent  = 16 << 20  // bytes of a file that are looked into
	maxContents = 128 << 20 // bytes of all such files of an image
	maxEvidence = 4 << 20   // bytes of all evidence
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
		size := c.sizes[d.Path]
		if d.files != nil && !paths[d.Path] && size <= left && d.files.size() <= maxContent {
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
	changed := make(map[string]bool)
	for _, d := range w.out.Differences {
		if d.files != nil {
			changed[d.Path] = true
		}
	}
	if len(changed) == 0 {
		return
	}
	w.out.sizes = make(map[string]int64)
	for _, img := range []*inspect.Image{w.a.img, w.b.img} {
		sizes := make(map[string]int64)
		for _, l := range img.Layers {
			for i := range l.Entries {
				if e := l.Entries[i]; changed[e.Path] {
					sizes[e.Path] += e.Size
				}
			}
		}
		for path, n := range sizes {
			w.out.sizes[path] = max(w.out.sizes[path], n)
		}
	}
}

// Explain looks into the files that differ by content, from the bodies that
// both images hold (see Keep), and has what differs inside as evidence. Where
// that is a date and nothing else, the cause becomes EmbeddedDate, and so on; a
// file with several causes becomes several differences. Where bodies are not at
// hand, the evidence says so. A date after the day of latest is no time of a build.
func (c *Comparison) Explain(original, rebuilt *inspect.Image, latest time.Time) {
	x := explainer{left: maxEvidence, notShown: evidence("difference/not-shown", "limit", maxEvidence), inside: explain.New(latest)}
	var out []Difference
	for _, d := range c.Differences {
		if d.files == nil || d.Cause != Content {
			out = append(out, d)
			continue
		}
		out = append(out, x.explain(d, original, rebuilt)...)
	}
	c.Differences = out
	c.sort()
	c.mark()
}

type explainer struct {
	left     int             // bytes of evidence
	notShown []check.Message // of all differences beyond these
	inside   *explain.Explainer
}

// explain returns what a difference of content is, one difference a cause.
func (x *explainer) explain(d Difference, original, rebuilt *inspect.Image) []Difference {
	if d.files.size() > maxContent {
		d.Evidence = evidence("difference/too-large", "size", d.files.size(), "limit", maxContent)
		return []Difference{d}
	}
	was, okWas := body(original, d.files.was)
	now, okNow := body(rebuilt, d.files.now)
	if !okWas || !okNow {
		d.Evidence = evidence("difference/not-at-hand")
		return []Difference{d}
	}
	found := byCause(d, x.inside.Explain(d.Path, was, now))
	for i := range found {
		if x.left -= sizeOf(found[i].Evidence); x.left < 0 {
			found[i].Evidence = x.notShown
		}
	}
	return found
}

// sizeOf is how many bytes the arguments of messages take.
func sizeOf(messages []check.Message) (n int) {
	for _, m := range messages {
		for name := range m.Args {
			n += len(m.Args.String(name))
		}
	}
	return n
}

// body returns the content of an entry. Where a layer has a path more than
// once, what was kept may be that of another: the digest shows it.
func body(img *inspect.Image, e at) ([]byte, bool) {
	data, ok := img.Body(e.layer, e.Path)
	if !ok || inspect.Sum(sha256.Sum256(data)) != e.Digest {
		return nil, false
	}
	return data, true
}

// insideCauses are the causes that follow from what explains a content.
// Checksums and the like follow from other parts: they are no cause.
var insideCauses = []struct {
	reason explain.Reason
	cause  Cause
}{
	{explain.Content, Content}, {explain.Path, EmbeddedPath}, {explain.StorePath, EmbeddedStorePath},
	{explain.Order, EmbeddedOrder}, {explain.Date, EmbeddedDate}, {explain.Packing, Compression},
}

// byCause makes of a difference of content one for each of its causes.
func byCause(d Difference, e *explain.Explanation) []Difference {
	var found []Difference
	for _, c := range insideCauses {
		if e.Has(c.reason) {
			one := d
			one.Cause = c.cause
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		found = []Difference{d}
	}
	for i := range found {
		found[i].show(e, i == 0)
	}
	slices.SortStableFunc(found, func(x, y Difference) int { return cmp.Compare(x.Cause, y.Cause) })
	return found
}

// maxListed bounds the parts that are listed as evidence.
const maxListed = 20

// show lists the parts of an explanation that have the cause of d, those that
// follow with the first cause of the file, and what is shown at length. What was
// and is becomes the first of them; the files as a whole come last.
func (d *Difference) show(e *explain.Explanation, first bool) {
	files := check.Say("difference/files", "was", Argument(d.Was), "now", Argument(d.Now))
	d.Evidence = nil
	more := e.More
	for i, p := range d.parts(e, first) {
		if i == 0 && d.Cause != Content && d.Cause != Compression {
			d.Was, d.Now = TextValue(p.Was), TextValue(p.Now)
		}
		if i < maxListed {
			d.Evidence = append(d.Evidence, partOf(p))
		} else {
			more++
		}
	}
	if more > 0 {
		d.Evidence = append(d.Evidence, check.Say("difference/more-parts", "parts", more))
	}
	if first {
		d.Evidence = append(d.Evidence, e.Shown...)
	}
	if d.Cause != Content {
		d.Evidence = append(d.Evidence, files)
	}
}

// parts returns the parts that are listed with the difference, those that matter most first.
func (d *Difference) parts(e *explain.Explanation, first bool) []explain.Part {
	listed := slices.DeleteFunc(slices.Clone(e.Parts), func(p explain.Part) bool { return !d.has(p, first) })
	slices.SortStableFunc(listed, func(x, y explain.Part) int { return cmp.Compare(x.Weight(), y.Weight()) })
	return listed
}

// has says whether a part is listed with the difference.
func (d *Difference) has(p explain.Part, first bool) bool {
	for _, c := range insideCauses {
		if c.reason == p.Reason {
			return c.cause == d.Cause && (!p.What.IsZero() || p.Was != "" || p.Now != "")
		}
	}
	return first
}

// partOf is a part as evidence, with what was and is there, and in how many
// places where they are several.
func partOf(p explain.Part) check.Message {
	m := check.Say(cmp.Or(p.What.Code, "difference/content"), "was", p.Was, "now", p.Now)
	maps.Copy(m.Args, p.What.Args)
	if p.Count > 1 {
		m.Args["places"] = int64(p.Count)
	}
	return m
}

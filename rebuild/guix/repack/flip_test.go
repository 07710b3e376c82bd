package repack

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/guix"
	"audit/rebuild/gnutar"
)

// Any byte of a frame that changes is found, and once, with the entry that it
// belongs to: every byte of the headers and paddings of one sample of each kind.
func TestEveryByteOfTheFrame(t *testing.T) {
	kinds := slices.DeleteFunc(images(t), func(path string) bool {
		return !strings.Contains(path, "/eras/") && !slices.Contains([]string{"tiny-layers4.tar.gz", "tiny-localstatedir.tar.gz", "stamp-A.tar.gz"}, filepath.Base(path))
	})
	for _, path := range append(kinds, formsToPack(t)...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			img := openAll(t, path)
			ev, err := guix.System{}.Recover(img, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := &attempt{img: img, pack: callOf(ev.Recipe), era: regenerate(img, callOf(ev.Recipe)).era}
			flips := 0
			for _, c := range a.plan() {
				if !c.run() {
					t.Fatal("the sample itself differs")
				}
				flips += flipAll(t, c)
			}
			t.Logf("%d flips found", flips)
		})
	}
}

// formsToPack lists the samples that are no docker images by guix pack and can
// be packed again all the same.
func formsToPack(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"forms/tiny-*.tar.gz", "forms/system*.tar.gz", "realpack/*tarball*"} {
		found, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no samples: %v", pattern, err)
		}
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(p string) bool { return strings.Contains(p, "-export") })
}

// flipAll flips each byte of a frame and returns how many that were. Entries are
// compared one by one, so a byte of each of many can be flipped at a time.
func flipAll(t *testing.T, c *layerCheck) (flips int) {
	raw, err := io.ReadAll(c.layer.Frame.Open())
	if err != nil {
		t.Fatal(err)
	}
	owners := frameOwners(c.layer, len(raw))
	for i, batch := range batches(c.layer, len(raw)) {
		bit := byte(1) << (i % 8)
		flip(raw, batch, bit)
		c.out = &check.List{}
		c.checkFrame(bytes.NewReader(raw))
		flip(raw, batch, bit)
		if got, want := pathsOf(c.out.All()), ownersOf(owners, batch); c.out.Count(check.Problem) != len(batch) || !slices.Equal(got, want) {
			t.Fatalf("layer %d, bytes %v of the frame, flipped by %#02x, belong to %q: %+v", c.layer.Index, batch, bit, want, c.out.All())
		}
		flips += len(batch)
	}
	return flips
}

// batches lists all bytes of a frame, in groups of which no two belong to one
// entry, and no more of them than findings are listed one by one. Entries with
// long names, and the end, are alone: what one of those shows holds for others.
func batches(l *inspect.Layer, size int) [][]int {
	type span struct{ from, to int }
	var groups [][]span
	var many []span
	at := 0
	for i, e := range l.Entries {
		s := span{at, at + int(e.FrameSize)}
		at = s.to
		if i > 0 && e.FrameSize-gnutar.Padding(l.Entries[i-1].Size) > gnutar.BlockSize {
			groups = append(groups, []span{s})
			continue
		}
		if many = append(many, s); len(many) == maxAlike {
			groups, many = append(groups, many), nil
		}
	}
	groups = append(groups, many, []span{{at, size}})
	var all [][]int
	for _, group := range groups {
		for k := 0; ; k++ {
			var batch []int
			for _, s := range group {
				if s.from+k < s.to {
					batch = append(batch, s.from+k)
				}
			}
			if batch == nil {
				break
			}
			all = append(all, batch)
		}
	}
	return all
}

func flip(raw []byte, batch []int, bit byte) {
	for _, at := range batch {
		raw[at] ^= bit
	}
}

func pathsOf(list []check.Finding) []string {
	var paths []string
	for _, f := range list {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	return paths
}

func ownersOf(owners []string, batch []int) []string {
	var paths []string
	for _, at := range batch {
		paths = append(paths, owners[at])
	}
	slices.Sort(paths)
	return paths
}

// The same through the whole way: a byte of a layer is changed, all digests
// above it are made right again, and the image is read as any other. Each such
// image fails, and the finding names entry and field; without new digests, it
// fails the check of integrity.
func TestFlippedAndHashedAgain(t *testing.T) {
	opens := 60 // for each sample
	if testing.Short() {
		opens = 10
	}
	for _, path := range images(t) {
		if !strings.Contains(path, "/eras/") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw := apart(t, path)
			for n, l := range raw.layers {
				whole := l.bytes()
				places := headerBytes(l)
				for i := n; i < len(places); i += len(places)*len(raw.layers)/opens | 1 {
					at := places[i]
					changed := bytes.Clone(whole)
					changed[at] ^= 1 << (i % 8)
					mustFail(t, raw, n, changed, at)
				}
			}
		})
	}
}

// headerBytes lists the places of a layer that are not content.
func headerBytes(l *rawLayer) []int {
	var places []int
	at := 0
	for _, m := range l.members {
		content := len(m.content) - int(gnutar.Padding(sizeOf(m)))
		for k := range len(m.headers) + len(m.content) {
			if k < len(m.headers) || k >= len(m.headers)+content {
				places = append(places, at+k)
			}
		}
		at += len(m.headers) + len(m.content)
	}
	for k := range l.end {
		places = append(places, at+k)
	}
	return places
}

func sizeOf(m rawMember) int64 {
	size, _ := strconv.ParseInt(string(bytes.TrimRight(m.main()[124:136], "\x00 ")), 8, 64)
	return size
}

// mustFail checks that an image with one changed byte fails, with the digests made
// right and without.
func mustFail(t *testing.T, raw *rawImage, layer int, changed []byte, at int) {
	t.Helper()
	was := raw.layers[layer]
	honest := diffIDsOf(raw)
	raw.layers[layer] = &rawLayer{end: changed}
	defer func() { raw.layers[layer] = was }()
	img := openAll(t, raw.pack(t))
	ev, err := guix.System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := Check(img, ev.Recipe)
	if got.Status != check.Fail || !namesField(got.Findings, layer) {
		t.Errorf("byte %d of layer %d", at, layer)
		dump(t, got)
	}
	stale := openAll(t, raw.packAs(t, honest))
	if c := stale.Integrity(); c.Status != check.Fail {
		t.Errorf("byte %d of layer %d without new digests: integrity %v, %s", at, layer, c.Status, summaryOf(c))
	}
}

// namesField says whether a problem names an entry of the layer, or its end, and
// what about it is not as the packer writes it.
func namesField(list []check.Finding, layer int) bool {
	for _, f := range list {
		if f.Level != check.Problem || f.Layer != layer {
			continue
		}
		switch familyOf(f) {
		case "data-after-end", "record-padding":
			return true
		case "header-differs", "padding-differs", "entry-order", "unexpected-type", "unexpected-entry", "hard-link", "duplicate-entry":
			return f.Path != "" && wordsOf(f) != ""
		}
	}
	return false
}

// frameOwners lists for each byte of a frame the path that a problem with it
// must name: the padding after a content is that content's, and the end of the
// archive is nobody's.
func frameOwners(l *inspect.Layer, size int) []string {
	owners := make([]string, size)
	at, pad, before := 0, 0, ""
	for _, e := range l.Entries {
		for k := range int(e.FrameSize) {
			owners[at+k] = e.Path
			if k < pad {
				owners[at+k] = before
			}
		}
		at += int(e.FrameSize)
		pad, before = int(gnutar.Padding(e.Size)), e.Path
	}
	for k := range pad {
		owners[at+k] = before
	}
	return owners
}

// A frame that is cut short or goes on is found, wherever that happens.
func TestFrameOfAnotherLength(t *testing.T) {
	img := open(t, filepath.Join(samples, plainImage))
	recipe := recipeOf(t, img, "1.5")
	raw, err := io.ReadAll(img.Layers[0].Frame.Open())
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) + 2000 {
		if n%97 != 0 || n == len(raw) {
			continue
		}
		other := append(raw[:min(n, len(raw)):min(n, len(raw))], make([]byte, max(0, n-len(raw)))...)
		img.Layers[0].Frame = frameOf(other)
		if c := Check(img, recipe); c.Status != check.Fail || c.Bytes != 0 {
			t.Fatalf("%d bytes instead of %d: %s, %s", n, len(raw), c.Status, summaryOf(c))
		}
	}
}

// frameOf returns the frame that consists of raw.
func frameOf(raw []byte) image.Frame {
	w := image.NewFrameWriter()
	w.Write(raw)
	return w.Frame()
}

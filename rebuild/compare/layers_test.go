package compare

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"

	"audit/inspect"
)

const (
	itemA = "gnu/store/11111111111111111111111111111111-a"
	itemB = "gnu/store/22222222222222222222222222222222-b"
	itemC = "gnu/store/33333333333333333333333333333333-c"
)

// stored is a store item: a folder with two files.
func stored(path, content string) []item {
	return []item{d(path), f(path+"/one", content), f(path+"/two", content+"two")}
}

func cat(lists ...[]item) []item {
	var all []item
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// TestLayers compares images whose trees are laid out over layers in another way.
func TestLayers(t *testing.T) {
	a, b, c := stored(itemA, "a"), stored(itemB, "b"), stored(itemC, "c")
	for _, tc := range []struct {
		name       string
		was, now   [][]item
		want       string // one difference a line, without detail
		equivalent bool
	}{
		{"the same layers in another order", [][]item{a, b}, [][]item{b, a}, `
0 "" order layer layer=0 → layer layer=1
1 "" order layer layer=1 → layer layer=0`, true},
		{"an item in another layer", [][]item{cat(a, b), c}, [][]item{a, cat(c, b)}, `
0 "` + itemB + `" order layer layer=0 → layer layer=1`, true},
		{"one layer split", [][]item{cat(a, b, c)}, [][]item{a, b, c}, `
0 "` + itemB + `" order layer layer=0 layers=1 → layer layer=1 layers=3
0 "` + itemC + `" order layer layer=0 layers=1 → layer layer=2 layers=3`, true},
		{"a moved item that changed", [][]item{cat(a, b), c}, [][]item{a, cat(c, stored(itemB, "B"))}, `
0 "` + itemB + `" order layer layer=0 → layer layer=1
0 "` + itemB + `/one" content …
0 "` + itemB + `/two" content …`, false},
		{"folders outside the store", [][]item{{d("x"), d("x/y"), f("x/y/z", "1")}, a}, [][]item{a, {d("x"), f("q", ""), d("x/y"), f("x/y/z", "1")}}, `
0 "" order layer layer=0 → layer layer=1
1 "" order layer layer=1 → layer layer=0
1 "q" extra …`, false},
		{"part of a folder moved", [][]item{{d("x"), d("x/y"), f("x/y/z", "1"), f("k", "2")}, b}, [][]item{{d("x"), f("k", "2")}, cat(b, []item{d("x/y"), f("x/y/z", "1")})}, `
0 "x/y" order layer layer=0 → layer layer=1`, true},
		{"a folder laid down twice", [][]item{{d("x"), f("x/1", "1"), f("x/2", "2")}}, [][]item{{d("x"), f("x/1", "1")}, {d("x"), f("x/2", "2")}}, `
0 "x/2" order layer layer=0 layers=1 → layer layer=1 layers=2
1 "x" packaging …`, true},
		{"layers in another order that hide each other", [][]item{{f("p", "1")}, {f("p", "2")}}, [][]item{{f("p", "2")}, {f("p", "1")}}, `
0 "" order layer layer=0 → layer layer=1
1 "" order layer layer=1 → layer layer=0
1 "p" content …`, false},
		{"a whiteout in another layer", [][]item{{f("p", "1")}, {f(".wh.p", "")}, {f("q", "")}}, [][]item{{f(".wh.p", "")}, {f("p", "1")}, {f("q", "")}}, `
0 "" order layer layer=0 → layer layer=1
1 "" order layer layer=1 → layer layer=0
1 "p" extra …`, false},
		{"another layer, with a file", [][]item{a}, [][]item{a, {f("p", "1")}}, `
1 "p" extra …`, false},
		{"another layer, empty", [][]item{a}, [][]item{a, {}}, `
1 "" packaging …`, true},
		{"a layer less, empty", [][]item{{}, a}, [][]item{a}, `
0 "" packaging …`, true},
		{"a file in the wrong one of two layers", [][]item{{f("p", "1")}, {f("p", "2"), f("q", "")}}, [][]item{{f("p", "2"), f("q", "")}, {f("p", "1")}}, `
0 "" order layer layer=0 → layer layer=1
1 "" order layer layer=1 → layer layer=0
1 "p" content …`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pack := func(layers [][]item) (packed [][]byte) {
				for _, l := range layers {
					packed = append(packed, layer(t, l...))
				}
				return packed
			}
			c := Images(imageOf(t, pack(tc.was)...), imageOf(t, pack(tc.now)...), nil)
			if got := brief(c); got != tc.want {
				t.Errorf("got%s\nwant%s\n%s", got, tc.want, show(c))
			}
			if c.Equivalent() != tc.equivalent || c.Identical() {
				t.Errorf("equivalent %v, identical %v\n%s", c.Equivalent(), c.Identical(), show(c))
			}
			for _, f := range c.Config {
				if f.Cause != Derived {
					t.Errorf("config: %+v", f)
				}
			}
		})
	}
}

// brief lists differences without their detail, and only order with its values.
func brief(c *Comparison) string {
	var b strings.Builder
	for _, d := range c.Differences {
		b.WriteString("\n" + strings.Split(show(&Comparison{Differences: []Difference{d}}), ":")[0])
		if d.Cause == Order {
			b.WriteString(" " + shown(d.Was) + " → " + shown(d.Now))
		} else {
			b.WriteString(" …")
		}
	}
	return b.String()
}

// TestOrderBelowLink: the same entries in another order, of which one lies below a
// link, are another root file system, and so are a file and its hard link around a
// replacement.
func TestOrderBelowLink(t *testing.T) {
	for name, pair := range map[string][2][]item{
		"below a link":        {{l("a", "b"), f("a/x", "1")}, {f("a/x", "1"), l("a", "b")}},
		"links of links":      {{l("a", "b"), l("b", "c"), f("a/x", "1")}, {l("a", "b"), f("a/x", "1"), l("b", "c")}},
		"a link, then a file": {{f("a", "1"), h("s", "a"), f("a", "2")}, {f("a", "1"), f("a", "2"), h("s", "a")}},
	} {
		a, b := imageOf(t, layer(t, pair[0]...)), imageOf(t, layer(t, pair[1]...))
		for _, c := range []*Comparison{Images(a, b, nil), Images(b, a, nil)} {
			if c.Equivalent() {
				t.Errorf("%s: equivalent\n%s", name, show(c))
			}
		}
	}
}

// TestTails compares what follows the last entry.
func TestTails(t *testing.T) {
	base := layer(t, f("a", "1"))
	zeros := func(n int) []byte { return append(bytes.Clone(base), make([]byte, n)...) }
	pad := bytes.Clone(base)
	pad[block+1] = 'p'
	for _, tc := range []struct {
		name       string
		now        []byte
		cause      Cause
		equivalent bool
		says       string
	}{
		{"a whole record", zeros(10240 - len(base)), Packaging, true, "two-zero-blocks → whole-record"},
		{"two records", zeros(20480 - len(base)), Packaging, true, "two-zero-blocks → zero-blocks blocks=38"},
		{"one zero byte", zeros(1), Packaging, true, "two-zero-blocks → zero-bytes bytes=1025"},
		{"data behind the end", append(zeros(0), "hidden"...), Content, false, "bytes=1030 digest=sha256:"},
		{"padding of the last entry", pad, Packaging, true, "(padding)"},
		{"more than is kept", zeros(3 << 20), Content, false, "bytes-in-part bytes="},
		{"more than is kept, with data", append(zeros(3<<20), "hidden"...), Content, false, "bytes-in-part bytes="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Images(imageOf(t, base), imageOf(t, tc.now), nil)
			if len(c.Differences) != 1 || c.Differences[0].Cause != tc.cause || c.Equivalent() != tc.equivalent || !strings.Contains(show(c), tc.says) {
				t.Errorf("equivalent %v, want one of %s\n%s", c.Equivalent(), tc.cause, show(c))
			}
		})
	}
}

// TestBrokenLayer compares a layer that can be read only in part: what was not
// seen is not the same.
func TestBrokenLayer(t *testing.T) {
	whole := layer(t, f("a", "1"), f("b", "2"))
	broken := bytes.Clone(whole)
	broken[2*block+149] = 'x'
	for _, pair := range [][2][]byte{{whole, broken}, {broken, whole}} {
		c := Images(imageOf(t, pair[0]), imageOf(t, pair[1]), nil)
		if c.Equivalent() || !strings.Contains(show(c), "broken-tar error=") {
			t.Errorf("equivalent %v\n%s", c.Equivalent(), show(c))
		}
	}
	if c := Images(imageOf(t, broken), imageOf(t, broken), nil); !c.Identical() {
		t.Errorf("the same broken layer twice is not identical:\n%s", show(c))
	}
}

// TestNothingExplains compares layers that differ in nothing that was read, as
// no reader makes them: the comparison says so and is no success.
func TestNothingExplains(t *testing.T) {
	a, b := imageOf(t, layer(t, f("a", "1"))), imageOf(t, layer(t, f("a", "1")))
	b.Layers[0].DiffID.Hex = strings.Repeat("0", 64)
	c := Images(a, b, nil)
	if c.Equivalent() || !strings.Contains(show(c), "(not-found)") {
		t.Errorf("equivalent %v\n%s", c.Equivalent(), show(c))
	}
}

// TestNoTar compares layers of another form, which have neither diffID nor
// frame: the digest of their blob tells whether they are the same.
func TestNoTar(t *testing.T) {
	made := func(blob byte, mode uint16) *inspect.Image {
		l := &inspect.Layer{Digest: inspect.Sum{blob}.Hash(), Entries: []*inspect.Entry{{Path: "a", Type: '5', Mode: mode}}}
		return &inspect.Image{Layers: []*inspect.Layer{l}}
	}
	for _, tc := range []struct {
		was, now *inspect.Image
		causes   string
	}{
		{made(1, 0755), made(1, 0755), ""},
		{made(1, 0755), made(2, 0755), "1 packaging"},
		{made(1, 0755), made(2, 0700), "1 mode"},
		{made(1, 0755), imageOf(t, layer(t, d("a").change(func(h *tar.Header) { h.ModTime = time.Unix(0, 0) }))), "1 extra, 1 packaging"},
	} {
		c := Images(tc.was, tc.now, nil)
		if causes(c) != tc.causes || c.Identical() != (tc.causes == "") || c.Layers[0].Original == "" {
			t.Errorf("%s, want %q\n%s", causes(c), tc.causes, show(c))
		}
	}
}

// TestNothingExamined holds that images without layers are never the same.
func TestNothingExamined(t *testing.T) {
	for _, c := range []*Comparison{{}, Images(&inspect.Image{}, &inspect.Image{}, nil)} {
		if c.Identical() || c.Equivalent() {
			t.Error("nothing was examined, yet it is a success")
		}
	}
}

// TestManyLayers pairs more layers than are tried with each other.
func TestManyLayers(t *testing.T) {
	var was, now [][]byte
	for i := range maxPairedLayers + 1 {
		name := strings.Repeat("x", i%50+1)
		was, now = append(was, layer(t, f(name, "1"))), append(now, layer(t, f(name, "1").change(func(h *tar.Header) { h.Uid = i + 1 })))
	}
	c := Images(imageOf(t, was...), imageOf(t, now...), nil)
	if got := c.Causes(); len(got) != 1 || got[0] != (CauseCount{Owner, maxPairedLayers + 1}) {
		t.Errorf("%v", got)
	}
}

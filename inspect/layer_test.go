package inspect

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
)

// An archiveMember is a member of a docker-archive under construction.
type archiveMember struct {
	hdr  tar.Header
	data []byte
}

func tarOf(t testing.TB, members ...archiveMember) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		m.hdr.Size = int64(len(m.data))
		if err := w.WriteHeader(&m.hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func regular(name, content string) archiveMember {
	return archiveMember{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, []byte(content)}
}

// imageOf returns a docker-archive of the layers, with honest diffIDs.
func imageOf(t testing.TB, layers ...[]byte) []archiveMember {
	t.Helper()
	var ids, names []string
	var members []archiveMember
	for i, l := range layers {
		ids = append(ids, digest.Of(l).String())
		names = append(names, fmt.Sprintf("%d/layer.tar", i))
		members = append(members, archiveMember{tar.Header{Name: names[i], Typeflag: tar.TypeReg, Mode: 0o644}, l})
	}
	config := marshal(t, map[string]any{"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": ids}})
	manifest := marshal(t, []any{map[string]any{"Config": "config.json", "RepoTags": []string{"a:1"}, "Layers": names}})
	return append(members, regular("config.json", config), regular("manifest.json", manifest))
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func openBytes(t testing.TB, data []byte, opt pass.Options) (*image.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return Open(context.Background(), path, opt)
}

func gzipped(t testing.TB, p []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func rules(img *image.Image) string {
	var all []string
	for _, f := range img.Problems {
		all = append(all, strings.TrimPrefix(f.Code, "integrity/"))
	}
	return strings.Join(all, " ")
}

func TestIntegrityFindings(t *testing.T) {
	layer := tarOf(t, regular("etc/hostname", "here\n"), regular("bin/x", strings.Repeat("x", 700)))
	honest := func() []archiveMember { return imageOf(t, layer) }
	edited := func(edit func(l []byte) []byte) []archiveMember {
		m := honest()
		m[0].data = edit(bytes.Clone(layer))
		return m
	}
	for name, test := range map[string]struct {
		members []archiveMember
		after   string
		want    string
	}{
		"honest":                    {members: honest()},
		"a byte of a file":          {members: edited(func(l []byte) []byte { l[512] ^= 1; return l }), want: "diffid-mismatch"},
		"a byte of a header":        {members: edited(func(l []byte) []byte { l[0] ^= 1; return l }), want: "diffid-mismatch broken-layer"},
		"a byte of the padding":     {members: edited(func(l []byte) []byte { l[1000] ^= 1; return l }), want: "diffid-mismatch"},
		"cut short":                 {members: edited(func(l []byte) []byte { return l[:1024] }), want: "diffid-mismatch unended-layer"},
		"data after the end":        {members: imageOf(t, append(bytes.Clone(layer), "junk"...)), want: "trailing-layer-data"},
		"no end":                    {members: imageOf(t, layer[:len(layer)-1024]), want: "unended-whole-layer"},
		"junk after the archive":    {members: honest(), after: "junk", want: "trailing-data"},
		"zeros after the archive":   {members: honest(), after: strings.Repeat("\x00", 9000)},
		"a blob nobody refers to":   {members: append(honest(), regular("hidden", "x")), want: "unreferenced-member"},
		"a layer nobody refers to":  {members: append(honest(), archiveMember{tar.Header{Name: "hidden.tar", Typeflag: tar.TypeReg}, layer}), want: "unreferenced-member"},
		"legacy files":              {members: append(honest(), regular("0/VERSION", "1.0"), regular("0/json", "{}"), regular("repositories", "{}"))},
		"a member twice":            {members: append(honest(), regular("config.json", "{}"), honest()[1]), want: "duplicate-member"},
		"an entry twice":            {members: imageOf(t, tarOf(t, regular("a", "1"), regular("a", "2"))), want: "duplicate-entry"},
		"absolute":                  {members: imageOf(t, tarOf(t, regular("/a", "1"))), want: "absolute-name"},
		"a dead hard link":          {members: imageOf(t, tarOf(t, linked("b", "a"), regular("a", ""))), want: "dangling-hard-link"},
		"a hard link":               {members: imageOf(t, tarOf(t, regular("a", "")), tarOf(t, linked("b", "./a"))), want: ""},
		"whiteout of the root":      {members: imageOf(t, tarOf(t, regular(".wh.", ""), regular("a/.wh...", ""))), want: "invalid-whiteout invalid-whiteout"},
		"upwards":                   {members: imageOf(t, tarOf(t, regular("../a", "1"))), want: "unsafe-name"},
		"the name of a volume":      {members: imageOf(t, tarOf(t, archiveMember{tar.Header{Name: "v", Typeflag: 'V'}, nil})), want: "entry-type-unknown"},
		"a global header":           {members: imageOf(t, tarOf(t, archiveMember{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}}, nil}, regular("a", "1")))},
		"an empty layer":            {members: imageOf(t, make([]byte, 10240))},
		"gzip layer":                {members: packedLayer(t, layer, gzipped(t, layer))},
		"two gzip members":          {members: packedLayer(t, layer, append(gzipped(t, layer[:600]), gzipped(t, layer[600:])...))},
		"junk after the gzip layer": {members: packedLayer(t, layer, append(gzipped(t, layer), "junk"...)), want: "trailing-compressed-data"},
		"another gzip member":       {members: packedLayer(t, layer, append(gzipped(t, layer), gzipped(t, []byte("junk"))...)), want: "diffid-mismatch trailing-layer-data"},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := openBytes(t, append(tarOf(t, test.members...), test.after...), pass.Options{Stores: fixtures.Stores()})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(img); got != test.want {
				t.Errorf("findings %q, want %q: %v", got, test.want, img.Problems)
			}
			wantStatus := check.Fail
			switch test.want {
			case "", "duplicate-entry", "absolute-name", "unended-whole-layer":
				wantStatus = check.Pass
			case "entry-type-unknown":
				wantStatus = check.Unknown
			}
			if c := img.Integrity(); c.Status != wantStatus {
				t.Errorf("integrity %v, want %v", c.Status, wantStatus)
			}
		})
	}
}

// packedLayer is an image whose config claims layer and whose blob is packed.
func packedLayer(t testing.TB, layer, packed []byte) []archiveMember {
	t.Helper()
	m := imageOf(t, layer)
	m[0].data = packed
	return m
}

func TestUnreadable(t *testing.T) {
	honest := tarOf(t, imageOf(t, tarOf(t, regular("a", "1")))...)
	bomb := tarOf(t, archiveMember{tar.Header{Name: "zeros", Typeflag: tar.TypeReg}, make([]byte, 200<<10)})
	tight := limit.DefaultLimits()
	tight.Entries, tight.PathBytes, tight.Members, tight.JSONBytes, tight.Bytes = 3, 50, 8, 400, 100<<10
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":               {nil, "it is empty"},
		"text":                {[]byte("not an image\n"), "no tar archive"},
		"gzip of text":        {gzipped(t, []byte("text")), "in the gzip stream is no tar"},
		"cut gzip":            {gzipped(t, honest)[:100], "unexpected EOF"},
		"cut archive":         {honest[:700], "unexpected EOF"},
		"no manifest":         {tarOf(t, regular("config.json", "{}")), "manifest.json"},
		"manifest is no JSON": {tarOf(t, regular("manifest.json", "[oops")), "manifest.json"},
		"manifest of nothing": {tarOf(t, regular("manifest.json", "[]")), "lists no image"},
		"config is missing":   {tarOf(t, regular("manifest.json", `[{"Config":"c.json","Layers":[]}]`)), `no member "c.json"`},
		"layer is missing":    {tarOf(t, regular("manifest.json", `[{"Config":"c.json","Layers":["l"]}]`), regular("c.json", "{}")), `no member "l"`},
		"two images":          {tarOf(t, regular("manifest.json", `[{"RepoTags":["a:1"]},{"RepoTags":["b:2"]}]`)), "a:1, b:2"},
		"links in a circle":   {tarOf(t, symlink("manifest.json", "b"), symlink("b", "manifest.json")), "more than 10 links"},
		"too many entries":    {tarOf(t, imageOf(t, tarOf(t, regular("a", ""), regular("b", ""), regular("c", ""), regular("d", "")))...), "more than 3 entries"},
		"a long name":         {tarOf(t, imageOf(t, tarOf(t, regular(strings.Repeat("n", 60), "")))...), "more than 50 path bytes"},
		"a large config":      {tarOf(t, regular("manifest.json", `[{"Config":"c.json"}]`), regular("c.json", `{"a":"`+strings.Repeat("x", 500)+`"}`)), "more than 400 JSON bytes"},
		"many members":        {tarOf(t, regular("1.json", ""), regular("2", ""), regular("3", ""), regular("4", ""), regular("5", ""), regular("6", ""), regular("7", ""), regular("8", ""), regular("9", "")), "more than 8 members"},
		"a bomb":              {gzipped(t, tarOf(t, imageOf(t, bomb)...)), "uncompressed bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes(t, test.data, pass.Options{Stores: fixtures.Stores(), Limits: &tight})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func linked(name, target string) archiveMember {
	return archiveMember{tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink, Mode: 0o644}, nil}
}

func symlink(name, target string) archiveMember {
	return archiveMember{tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}, nil}
}

// Wherever an archive is cut, it is an error or a finding, and never a pass.
func TestTruncation(t *testing.T) {
	data := tarOf(t, imageOf(t, tarOf(t, regular("a", "1"), symlink("b", "a")))...)
	end := len(bytes.TrimRight(data, "\x00"))
	for n := 0; n < end; n += 64 {
		img, err := openBytes(t, data[:n], pass.Options{Stores: fixtures.Stores()})
		if err == nil && img.Integrity().Status == check.Pass {
			t.Errorf("cut at %d of %d: integrity passes", n, len(data))
		}
	}
}

// FuzzOpen demands that no bytes whatever crash the reader, and that what it
// returns adds up.
func FuzzOpen(f *testing.F) {
	layer := tarOf(f, regular("gnu/store/"+hashA+"-x/bin", "1"), symlink("gnu/store/"+hashA+"-x/l", "bin"), regular(".wh.b", ""))
	f.Add(tarOf(f, imageOf(f, layer, tarOf(f, regular("c", "")))...))
	f.Add(gzipped(f, tarOf(f, imageOf(f, gzipped(f, layer))...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := openBytes(t, data, pass.Options{Stores: fixtures.Stores(), Keep: func(string) bool { return true }})
		if err != nil {
			return
		}
		for _, l := range img.Layers {
			total := int64(0)
			for _, e := range l.Entries {
				total += e.FrameSize
			}
			if total > l.Frame.Size {
				t.Errorf("layer %d: entries have %d bytes of a frame of %d", l.Index, total, l.Frame.Size)
			}
		}
		for i, file := range img.Files() {
			if i > 0 && paths.Compare(img.Files()[i-1].Path, file.Path) >= 0 {
				t.Errorf("files are not sorted at %q", file.Path)
			}
			if strings.Contains("/"+file.Path+"/", "/../") {
				t.Errorf("path %q leads upwards", file.Path)
			}
		}
		img.Integrity()
	})
}

func TestErrorsHaveTheirType(t *testing.T) {
	_, err := openBytes(t, []byte("text"), pass.Options{Stores: fixtures.Stores()})
	var format *limit.FormatError
	if !errors.As(err, &format) {
		t.Errorf("%v is no FormatError", err)
	}
	_, err = Open(context.Background(), filepath.Join(t.TempDir(), "absent"), pass.Options{Stores: fixtures.Stores()})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not ErrNotExist", err)
	}
}

// openRef reads data as a form, and in it the image that want names.
func openRef(t testing.TB, data []byte, form image.Transport, want string, opt pass.Options) (*image.Image, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if want != "" {
		want = ":" + want
	}
	return Open(context.Background(), string(form)+":"+path+want, opt)
}

func hardlink(name, target string) archiveMember {
	return archiveMember{tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink, Mode: 0o444}, nil}
}

// The store's deduplication makes hard links, of files and of symlinks, within
// an item and across items; their NARs are those of the items without links.
func TestHardLinksInTheStore(t *testing.T) {
	const a, b = "gnu/store/" + hashA + "-a", "gnu/store/" + hashB + "-b"
	const text = "/gnu/store/" + hashA + "-a/f"
	plain := tarOf(t, folder(a), regular(a+"/f", text), symlink(a+"/l", text), folder(b), regular(b+"/g", text), symlink(b+"/m", text))
	linked := tarOf(t, folder(a), regular(a+"/f", text), symlink(a+"/l", text), folder(b), hardlink(b+"/g", a+"/f"), hardlink(b+"/m", a+"/l"))
	want, err := openBytes(t, tarOf(t, imageOf(t, plain)...), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	for _, packed := range []bool{false, true} {
		data := tarOf(t, imageOf(t, linked)...)
		if packed {
			data = gzipped(t, data)
		}
		got, err := openBytes(t, data, pass.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		for i, it := range got.Items {
			if w := want.Items[i]; it.NarHash != w.NarHash || it.NarHash.Hex == "" || strings.Join(it.References, " ") != strings.Join(w.References, " ") {
				t.Errorf("packed %v: %s is %v naming %q (%s), want %v naming %q", packed, it.Path, it.NarHash, it.References, it.Problem, w.NarHash, w.References)
			}
		}
	}
}

// A layer without the blocks that end a tar, as umoci writes them, is whole when
// its diffID says so.
func TestUnendedLayer(t *testing.T) {
	layer := tarOf(t, regular("a", "1"))
	layer = layer[:len(layer)-1024]
	img, err := openBytes(t, tarOf(t, imageOf(t, layer)...), pass.Options{Stores: fixtures.Stores()})
	if err != nil || rules(img) != "unended-whole-layer" || img.Integrity().Status != check.Pass {
		t.Errorf("findings %q, integrity %v (%v)", rules(img), img.Integrity().Status, err)
	}
	img, err = openRef(t, layer, image.RootFS, "", pass.Options{Stores: fixtures.Stores()})
	if err != nil || rules(img) != "unended-layer" || img.Integrity().Status == check.Pass {
		t.Errorf("as a file system: findings %q, integrity %v (%v)", rules(img), img.Integrity().Status, err)
	}
}

// Any byte of a layer that changes, be it of a header, of padding, of content or
// behind the end, is an error or fails integrity.
func TestEveryByteOfALayer(t *testing.T) {
	layer := tarOf(t, folder("gnu/"), folder("gnu/store/"), folder("gnu/store/"+hashA+"-item/"), regular("gnu/store/"+hashA+"-item/f", "content"),
		linked("gnu/store/"+hashA+"-item/l", "gnu/store/"+hashA+"-item/f"), symlink("s", "gnu"), regular(strings.Repeat("long/", 40)+"name", "x"))
	archive := tarOf(t, imageOf(t, layer)...)
	start := bytes.Index(archive, layer)
	for i := range layer {
		archive[start+i] ^= 1 << (i % 8)
		img, err := openBytes(t, archive, pass.Options{Stores: fixtures.Stores()})
		if err == nil && img.Integrity().Status != check.Fail {
			t.Errorf("byte %d: integrity %s", i, img.Integrity().Status)
		}
		archive[start+i] ^= 1 << (i % 8)
	}
}

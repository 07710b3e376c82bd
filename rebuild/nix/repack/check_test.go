package repack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
)

const samples = "../../../fixtures/nix"

func open(t testing.TB, file string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), file, inspect.Options{Stores: fixtures.Stores(), Keep: nix.Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// check recovers what the image tells and packs it again.
func checked(t testing.TB, file string) check.Check {
	t.Helper()
	img := open(t, file)
	ev, err := nix.System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Check(img, ev.Recipe)
}

// Every layer of every sample comes out byte for byte.
func TestCheckSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples, "images-*", "*.tar.gz"))
	if err != nil || len(files) < 13 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		c := checked(t, file)
		var total int64
		layers := open(t, file).Layers
		for _, l := range layers {
			total += l.UncompressedSize
		}
		if c.ID != check.Repack || c.Status != check.Pass || c.Bytes != total || !regenerated(c, len(layers), len(layers)) {
			t.Errorf("%s: %v, %d of %d bytes: %v %+v", file, c.Status, c.Bytes, total, c.Reasons, c.Findings)
		}
		for _, f := range c.Findings {
			if f.Level != check.Note || f.Code == "repack/config-other-form" {
				t.Errorf("%s: %+v", file, f)
			}
		}
	}
}

// regenerated says whether a check says that so many layers came out the same.
func regenerated(c check.Check, equal, layers int) bool {
	m := c.Reasons[0]
	return m.Code == "repack/regenerated" && m.Args.Int("equal") == int64(equal) && m.Args.Int("layers") == int64(layers)
}

// The freedoms of a packer are named.
func TestCheckFreedoms(t *testing.T) {
	c := checked(t, filepath.Join(samples, "images-forms/stream-owned.tar.gz"))
	want := []check.Message{
		check.Say("repack/regenerated", "equal", 5, "layers", 5, "packer", "dockerTools.streamLayeredImage or buildLayeredImage (nixpkgs 24.05 and later)"),
		check.Say("repack/freedom-split-taken"), check.Say("repack/freedom-root"),
	}
	if diff := cmp.Diff(want, c.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	for _, rule := range []string{"owner-taken", "split-taken", "root-taken"} {
		if !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Code == "repack/"+rule }) {
			t.Errorf("no finding %s", rule)
		}
	}
	c = checked(t, filepath.Join(samples, "images-mini/single.tar.gz"))
	if got := c.Reasons[0].Args.String("packer"); got != "what wrote them, read off the layers" {
		t.Errorf("packer %q", got)
	}
}

// What is no image of Nix, or has no layers, is skipped.
func TestCheckSkipped(t *testing.T) {
	img := open(t, filepath.Join(samples, "../guix/images/tiny.tar.gz"))
	for _, tc := range []struct {
		img    *inspect.Image
		system provenance.SystemName
		want   string
	}{
		{img, "other", `repack/other-system system="other"`},
		{&inspect.Image{}, nix.Name, "repack/bare-file-system"},
		{&inspect.Image{Config: img.Config}, nix.Name, "repack/no-layers"},
	} {
		c := Check(tc.img, provenance.Recipe{System: tc.system})
		if c.ID != check.Repack || c.Status != check.Skipped || c.Reasons[0].String() != tc.want {
			t.Errorf("%+v", c)
		}
	}
}

// One thing changed in a sample, and everything hashed again.
func TestCheckTampered(t *testing.T) {
	const inWords = "c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0/share/word"
	for _, tc := range []struct {
		name   string
		sample string
		edit   fixtures.Edit
		rule   string
	}{
		{"an owner in the store", "images-mini/single.tar.gz", fixtures.ChangeOwner(inWords, 7, 0), "header-differs"},
		{"a date in the store", "images-forms/build.tar.gz", fixtures.ChangeMtime(inWords, 7), "header-differs"},
		{"a date at the root", "images-forms/build.tar.gz", fixtures.ChangeMtime("./bin/greeter", 7), "header-differs"},
		{"a mode in the store", "images-forms/stream.tar.gz", fixtures.ChangeMode(inWords, 0o644), "header-differs"},
		{"a setuid bit in the store", "images-mini/layered.tar.gz", fixtures.SetSetuid("greeter-1.0/bin/greeter"), "header-differs"},
		{"an entry twice", "images-mini/layered.tar.gz", fixtures.DuplicateEntry(inWords), "duplicate-entry"},
		{"two entries swapped", "images-mini/layered.tar.gz", fixtures.SwapEntries("greeter-1.0/bin/greeter", "greeter-1.0/self"), "entry-order"},
		{"two entries swapped in what was appended", "images-forms/build.tar.gz", fixtures.SwapEntries(inWords, "libgreet-1.0/share"), "entry-order"},
		{"two entries of tarfile swapped", "images-forms/stream.tar.gz", fixtures.SwapEntries("odd-1.0/nothing", "odd-1.0/run"), "entry-order"},
		{"a folder taken away", "images-mini/layered.tar.gz", fixtures.RemoveEntry("words-1.0/share"), "missing-folder"},
		{"something after the end", "images-mini/layered.tar.gz", fixtures.TrailingGarbage(0, "x"), "data-after-end"},
		{"a byte of padding", "images-mini/single.tar.gz", fixtures.PaddingByte(inWords, 'x'), "padding-differs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "image.tar")
			if err := fixtures.TamperFile(filepath.Join(samples, tc.sample), file, tc.edit); err != nil {
				t.Fatal(err)
			}
			c := checked(t, file)
			if c.Status != check.Fail || !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Code == "repack/"+tc.rule }) {
				t.Errorf("%v, %v: %+v", c.Status, c.Reasons, c.Findings)
			}
		})
	}
}

// A rawImage is a sample taken apart.
type rawImage struct {
	config map[string]any
	layers [][]byte
}

func takeApart(t testing.TB, file string) *rawImage {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	members := make(map[string][]byte)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if members[path.Clean(h.Name)], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var manifest []struct {
		Config string
		Layers []string
	}
	raw := &rawImage{}
	if err := json.Unmarshal(members["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(members[manifest[0].Config], &raw.config); err != nil {
		t.Fatal(err)
	}
	for _, l := range manifest[0].Layers {
		raw.layers = append(raw.layers, members[l])
	}
	return raw
}

// write puts an image together again, with every digest right.
func (r *rawImage) write(t testing.TB) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	ids, names := []string{}, []string{}
	for i, l := range r.layers {
		sum := sha256.Sum256(l)
		ids, names = append(ids, "sha256:"+hex.EncodeToString(sum[:])), append(names, fmt.Sprintf("%d/layer.tar", i))
		add(names[i], l)
	}
	r.config["rootfs"] = map[string]any{"type": "layers", "diff_ids": ids}
	config, _ := json.Marshal(r.config)
	manifest, _ := json.Marshal([]map[string]any{{"Config": "config.json", "Layers": names}})
	add("config.json", config)
	add("manifest.json", manifest)
	w.Close()
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A bit of any header of a store item that is another one is told, although the
// checksum is right. What is free are the modes of the folders above the items;
// and another name, size or target of a link is another store item, which is not
// for this check to tell.
func TestCheckFlippedHeaders(t *testing.T) {
	for _, sample := range []string{"images-forms/stream.tar.gz", "images-forms/layered-2003.tar.gz", "images-mini/layered.tar.gz"} {
		raw := takeApart(t, filepath.Join(samples, sample))
		img := open(t, filepath.Join(samples, sample))
		flips := 0
		for li, l := range img.Layers[:len(img.Layers)-1] {
			var end int64 // of the content before
			for _, e := range l.Entries {
				header := end + e.FrameSize - 512
				end = header + 512 + e.Size
				for at := 100 + flips%23; at < 512; at += 23 {
					size, checksum, link := 124 <= at && at < 136, 148 <= at && at < 156, 157 <= at && at < 257
					if e.Path == "nix" || e.Path == "nix/store" || size || checksum || link {
						continue
					}
					flips++
					kept := bytes.Clone(raw.layers[li][header : header+512])
					raw.layers[li][header+int64(at)] ^= 1 << (flips % 7)
					sign(raw.layers[li][header : header+512])
					if c, ok := tryCheck(t, raw); ok && c.Status == check.Pass {
						t.Errorf("%s, layer %d, %s: byte %d of the header is another one, and nothing tells it: %+v", sample, li, e.Path, at, c)
					}
					copy(raw.layers[li][header:], kept)
				}
			}
		}
		if flips < 100 {
			t.Errorf("%s: only %d flips", sample, flips)
		}
	}
}

func sign(block []byte) {
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// tryCheck is check for images that may not be readable at all.
func tryCheck(t testing.TB, raw *rawImage) (check.Check, bool) {
	t.Helper()
	file := raw.write(t)
	defer os.Remove(file)
	img, err := inspect.Open(t.Context(), file, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		return check.Check{}, false
	}
	ev, err := nix.System{}.Recover(img, nil)
	if err != nil {
		return check.Check{}, false
	}
	return Check(img, ev.Recipe), true
}

// Layers of one call have one date and one owner.
func TestCheckConstants(t *testing.T) {
	raw := takeApart(t, filepath.Join(samples, "images-forms/stream.tar.gz"))
	other := takeApart(t, filepath.Join(samples, "images-forms/stream-owned.tar.gz"))
	raw.layers[1] = other.layers[1]
	c, ok := tryCheck(t, raw)
	if !ok || c.Status != check.Fail || !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Code == "repack/constants-differ" && f.Layer == 1 }) {
		t.Errorf("%+v", c)
	}
	if !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Code == "repack/config-other-form" }) {
		t.Error("a config that another tool has written is not reported")
	}
}

// A store item in two layers, a layer of somebody else's, a layer in no order.
func TestCheckOddLayers(t *testing.T) {
	raw := takeApart(t, filepath.Join(samples, "images-forms/layered-2003.tar.gz"))
	raw.layers[1] = raw.layers[0]
	if c, ok := tryCheck(t, raw); !ok || c.Status != check.Fail || !regenerated(c, 5, 5) {
		t.Errorf("%+v", c)
	}

	raw = takeApart(t, filepath.Join(samples, "images-forms/build.tar.gz"))
	var base bytes.Buffer
	w := tar.NewWriter(&base)
	w.WriteHeader(&tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755})
	w.Close()
	raw.layers = [][]byte{base.Bytes(), raw.layers[0]}
	if c, ok := tryCheck(t, raw); !ok || c.Status != check.Unknown || !regenerated(c, 1, 2) {
		t.Errorf("%+v", c)
	}

	raw = takeApart(t, filepath.Join(samples, "images-forms/stream-2311.tar.gz"))
	img := open(t, filepath.Join(samples, "images-forms/stream-2311.tar.gz"))
	last := img.Layers[1].Entries
	n := len(last)
	var ends []int64 // of the headers
	for i, e := range last {
		ends = append(ends, e.FrameSize)
		if i > 0 {
			ends[i] += ends[i-1] + last[i-1].Size
		}
	}
	from, middle := ends[n-2]-512, ends[n-1]-512 // two files of one block of headers
	if last[n-1].Size > 0 {
		one, other := bytes.Clone(raw.layers[1][from:middle]), bytes.Clone(raw.layers[1][middle:ends[n-1]+512])
		copy(raw.layers[1][from:], append(other, one...))
	}
	if c, ok := tryCheck(t, raw); !ok || c.Status == check.Pass {
		t.Errorf("%+v", c)
	}
}

// Layers that Go's archive/tar has written, as nix2container does.
func TestCheckGo(t *testing.T) {
	const tool = "/nix/store/00000000000000000000000000000000-tool-1.2"
	long := strings.Repeat("long-", 30)
	entries := []*tar.Header{
		{Name: "/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "/nix", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "/nix/store", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: tool, Typeflag: tar.TypeDir, Mode: 0o555}, {Name: tool + "/bin", Typeflag: tar.TypeDir, Mode: 0o555},
		{Name: tool + "/bin/tool", Typeflag: tar.TypeReg, Mode: 0o555, Size: 4},
		{Name: tool + "/" + long, Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: long + long},
		{Name: tool + "/été", Typeflag: tar.TypeReg, Mode: 0o444, Size: 4},
	}
	pack := func(entries []*tar.Header) *rawImage {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, h := range entries {
			header := *h
			header.ModTime, header.Uname, header.Gname = time.Unix(1, 0), "root", "root"
			if err := w.WriteHeader(&header); err != nil {
				t.Fatal(err)
			}
			w.Write([]byte("tool")[:h.Size])
		}
		w.Close()
		return &rawImage{layers: [][]byte{buf.Bytes()}, config: map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{"Cmd": []string{tool + "/bin/tool"}},
			"created": "0001-01-01T00:00:00Z", "history": []any{map[string]any{"created_by": "nix2container"}}}}
	}
	if c, ok := tryCheck(t, pack(entries)); !ok || c.Status != check.Pass || !regenerated(c, 1, 1) {
		t.Errorf("%+v", c)
	}
	entries[5].Mode, entries[5].Uid = 0o4755, 1000
	c, ok := tryCheck(t, pack(entries))
	if !ok || c.Status != check.Pass || !slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Code == "repack/perms-taken" }) {
		t.Errorf("modes and owners of the author: %+v", c)
	}
	entries[5], entries[6] = entries[6], entries[5]
	if c, ok := tryCheck(t, pack(entries)); !ok || c.Status != check.Fail {
		t.Errorf("%+v", c)
	}
}

package inspect_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"
	"github.com/nix-community/go-nix/pkg/narinfo"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
)

func samples(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, glob := range []string{"images/*", "eras/*.tar.*", "realpack/*docker*"} {
		found, err := filepath.Glob("../fixtures/guix/" + glob)
		if err != nil || len(found) == 0 {
			t.Fatalf("no samples at %s: %v", glob, err)
		}
		all = append(all, found...)
	}
	return all
}

func open(t testing.TB, path string, opt inspect.Options) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(context.Background(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// everything keeps all contents, for tests that put layers together again.
func everything(string) bool { return true }

func TestSamplesAreIntact(t *testing.T) {
	for _, path := range samples(t) {
		img := open(t, path, inspect.Options{Stores: fixtures.Stores()})
		c := img.Integrity()
		if c.Status != check.Pass || len(c.Findings) > 0 {
			t.Errorf("%s: integrity is %v: %v", path, c.Status, c.Findings)
		}
		if len(img.Dangling) > 0 && !strings.Contains(path, "eras/") && !strings.Contains(path, "realpack/") {
			t.Errorf("%s: store paths that are not in the image: %v", path, img.Dangling)
		}
	}
}

// The library that the user chose reads the same archives: it is the oracle
// for config and diffIDs.
func TestAgainstContainerRegistry(t *testing.T) {
	for _, path := range samples(t) {
		if !strings.HasSuffix(path, ".gz") {
			continue
		}
		img := open(t, path, inspect.Options{Stores: fixtures.Stores()})
		oracle, err := tarball.Image(gunzipped(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		name, err := oracle.ConfigName()
		if err != nil || name != img.Config.Digest {
			t.Errorf("%s: config %v, want %v (%v)", path, img.Config.Digest, name, err)
		}
		layers, err := oracle.Layers()
		if err != nil || len(layers) != len(img.Layers) {
			t.Fatalf("%s: %d layers, want %d (%v)", path, len(img.Layers), len(layers), err)
		}
		for i, l := range layers {
			if id, err := l.DiffID(); err != nil || id != img.Layers[i].DiffID {
				t.Errorf("%s layer %d: diffID %v, want %v (%v)", path, i, img.Layers[i].DiffID, id, err)
			}
		}
	}
}

func gunzipped(path string) tarball.Opener {
	return func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(z)
		return io.NopCloser(bytes.NewReader(data)), err
	}
}

// What a build farm signed of these store items is what the layers hold.
func TestNarHashesEqualNarinfo(t *testing.T) {
	infos, err := filepath.Glob("../fixtures/guix/publish/*.narinfo")
	if err != nil || len(infos) == 0 {
		t.Fatal("no narinfo files", err)
	}
	items := make(map[string]inspect.StoreItem)
	for _, name := range []string{"tiny.tar.gz", "stamp-A.tar.gz", "hello.tar.gz"} {
		for _, it := range open(t, "../fixtures/guix/images/"+name, inspect.Options{Stores: fixtures.Stores()}).Items {
			items[it.Path] = it
		}
	}
	for _, path := range infos {
		info := parseNarinfo(t, path)
		it, ok := items[info.StorePath]
		if !ok {
			t.Errorf("%s is in no sample", info.StorePath)
			continue
		}
		if want := hex.EncodeToString(info.NarHash.Digest()); it.NarHash.Hex != want || it.NarSize != int64(info.NarSize) {
			t.Errorf("%s: NAR %v of %d bytes, want %s of %d", it.Path, it.NarHash, it.NarSize, want, info.NarSize)
		}
		var refs []string
		for _, r := range it.References {
			if r != it.Path {
				refs = append(refs, strings.TrimPrefix(r, "/gnu/store/"))
			}
		}
		if got, want := strings.Join(refs, " "), strings.Join(info.References, " "); got != want {
			t.Errorf("%s: references %q, want %q", it.Path, got, want)
		}
	}
}

// parseNarinfo reads the fields that Guix and Nix have in common.
func parseNarinfo(t *testing.T, path string) *narinfo.NarInfo {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "Signature:") {
			lines = append(lines, line)
		}
	}
	info, err := narinfo.Parse(strings.NewReader(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// Frame and contents together are the layer, to its last byte.
func TestFrameAndContentsAreTheLayer(t *testing.T) {
	for _, path := range samples(t) {
		img := open(t, path, inspect.Options{Stores: fixtures.Stores(), Keep: everything})
		for _, l := range img.Layers {
			if got := reassembled(t, img, l); got != l.DiffID {
				t.Errorf("%s layer %d: put together again it has %v, not %v", path, l.Index, got, l.DiffID)
			}
		}
	}
}

func reassembled(t *testing.T, img *inspect.Image, l *inspect.Layer) v1.Hash {
	t.Helper()
	h, frame := sha256.New(), l.Frame.Open()
	for _, e := range l.Entries {
		if _, err := io.CopyN(h, frame, e.FrameSize); err != nil {
			t.Fatalf("frame of %s: %v", e.Name(), err)
		}
		if e.Type == '0' {
			body, ok := img.Body(l.Index, e.Path)
			if !ok || int64(len(body)) != e.Size {
				t.Fatalf("%s: %d bytes kept of %d", e.Path, len(body), e.Size)
			}
			h.Write(body)
		}
	}
	if _, err := io.Copy(h, frame); err != nil {
		t.Fatal(err)
	}
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

func TestReferenceForms(t *testing.T) {
	const path = "../fixtures/guix/images/hello.tar.gz"
	bare := open(t, path, inspect.Options{Stores: fixtures.Stores()})
	for _, ref := range []string{"docker-archive:" + path, "docker-archive:" + path + ":hello:latest"} {
		if img := open(t, ref, inspect.Options{Stores: fixtures.Stores()}); img.Config.Digest != bare.Config.Digest {
			t.Errorf("%s: config %v, want %v", ref, img.Config.Digest, bare.Config.Digest)
		}
	}
	_, err := inspect.Open(context.Background(), "docker-archive:"+path+":other:tag", inspect.Options{Stores: fixtures.Stores()})
	if err == nil || !strings.Contains(err.Error(), "hello:latest") {
		t.Errorf("a tag that is not there: %v, want an error that lists what is", err)
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := inspect.Open(ctx, "../fixtures/guix/images/hello.tar.gz", inspect.Options{Stores: fixtures.Stores()}); !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancelled: %v", err)
	}
}

// The form of a tar is told by its members; a prefix forces one.
func TestFormOfTar(t *testing.T) {
	layer := membersOf(t, readSample(t, "images/tiny.tar.gz"))[1].data
	file := func(name string) tarMember { return tarMember{name, []byte("x")} }
	for name, test := range map[string]struct {
		data []byte
		form string // forced
		want image.Transport
		err  string
	}{
		"docker save":               {data: readSample(t, "images/tiny.tar.gz"), want: image.DockerArchive},
		"docker export":             {data: packTar(t, []tarMember{{".dockerenv", nil}, file("bin/sh"), {"etc/hosts", nil}}), want: image.RootFS},
		"guix pack -f tarball":      {data: layer, want: image.RootFS},
		"files named like members":  {data: packTar(t, []tarMember{file("config.json"), file("bin/sh")}), form: "rootfs", want: image.RootFS},
		"a stray member first":      {data: packTar(t, append([]tarMember{file("README")}, membersOf(t, readSample(t, "images/tiny.tar.gz"))...)), err: "say rootfs:PATH, docker-archive:PATH"},
		"the same, said":            {data: packTar(t, append([]tarMember{file("README")}, membersOf(t, readSample(t, "images/tiny.tar.gz"))...)), form: "docker-archive", want: image.DockerArchive},
		"a docker archive, forced":  {data: readSample(t, "images/tiny.tar.gz"), form: "oci-archive", err: `no member "index.json"`},
		"a file system, forced":     {data: layer, form: "docker-archive", err: `no member "manifest.json"`},
		"a layout in its folder":    {data: packTar(t, []tarMember{file("img/oci-layout"), file("img/index.json")}), err: "it has the image in the folder img"},
		"an archive in a folder":    {data: packTar(t, []tarMember{file("./img/config.json"), file("./img/manifest.json")}), err: "it has the image in the folder img"},
		"a file system of ext4":     {data: []byte(strings.Repeat("\x00", 0x438) + "\x53\xef" + strings.Repeat("\x00", 4096)), err: "it is a file system of ext2, ext3 or ext4"},
		"a zip archive":             {data: []byte("PK\x03\x04 and more"), err: "it is a zip archive"},
		"an image of LXC":           {data: packTar(t, []tarMember{file("metadata.yaml"), file("rootfs/bin/sh"), file("templates/a")}), err: "it is an image of LXC or Incus"},
		"an image in a file system": {data: packTar(t, []tarMember{file("bin/sh"), {"manifest.json", []byte("[]")}}), err: "it begins as a file system and yet has manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			ref := write(t, test.data)
			if test.form != "" {
				ref = test.form + ":" + ref
			}
			img, err := inspect.Open(context.Background(), ref, inspect.Options{Stores: fixtures.Stores()})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if img.Transport != test.want {
				t.Errorf("read as %s, want %s", img.Transport, test.want)
			}
			if status := img.Integrity().Status; img.Transport == image.RootFS && status != check.Unknown {
				t.Errorf("integrity %v: a bare file system claims nothing", status)
			}
		})
	}
}

package report

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"audit/inspect/compression"
	"audit/inspect/squashfs"
)

// TestHandCommands does on real archives what the commands say: takes the
// member that they name, hashes it, and holds it against what they promise.
func TestHandCommands(t *testing.T) {
	command := regexp.MustCompile(`^tar -xOf (\S+) -- (\S+) \| sha256sum$`)
	for _, name := range []string{"tiny.tar.gz", "tiny-layers4.tar.gz", "hello-opt3.tar", "tiny-localstatedir.tar.gz"} {
		r := New(Input{Image: opened(t, name)})
		guide := byHand(r)
		if len(guide.Checks) != 1+len(r.Image.Layers) {
			t.Errorf("%s: %d commands for %d layers", name, len(guide.Checks), len(r.Image.Layers))
		}
		for _, c := range guide.Checks {
			m := command.FindStringSubmatch(c.Command)
			if m == nil || m[1] != name {
				t.Errorf("%s: the command is %q", name, c.Command)
				continue
			}
			if got := sumOf(t, name, m[2]) + "  -"; got != c.Expect {
				t.Errorf("%s: %s prints %s, not %s", name, c.Command, got, c.Expect)
			}
		}
	}
}

// sumOf is the SHA-256 of the members of that very name, as tar -xO prints them.
func sumOf(t *testing.T, archive, member string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("../fixtures/guix/images", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := io.Reader(f)
	if strings.HasSuffix(archive, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.New()
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if err == io.EOF {
			return hex.EncodeToString(sum.Sum(nil))
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == member {
			if _, err := io.Copy(sum, r); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestHandForms(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	layer := Layer{Member: "a/layer.tar", Compression: compression.None, Digest: one, DiffID: one}
	packed := Layer{Member: "blobs/sha256/1", Compression: compression.Zstd, Digest: one, DiffID: two}
	for _, c := range []struct {
		name string
		img  Image
		want []string
	}{
		{"plain", Image{Transport: "docker-archive", Reference: "i.tar", Layers: []Layer{layer}},
			[]string{"tar -xOf i.tar -- a/layer.tar | sha256sum"}},
		{"named otherwise in the archive", Image{Transport: "docker-archive", Reference: "i.tar", Layers: []Layer{layer}, Members: []Member{{Name: "copy", Digest: one}, {Name: "./a/layer.tar", Digest: one}}},
			[]string{"tar -xOf i.tar -- ./a/layer.tar | sha256sum"}},
		{"there twice", Image{Transport: "docker-archive", Reference: "i.tar", Layers: []Layer{layer}, Members: []Member{{Name: "a/layer.tar", Digest: two}, {Name: "a/layer.tar", Digest: one}}},
			[]string{"tar -xOf i.tar --occurrence=2 -- a/layer.tar | sha256sum"}},
		{"awkward names", Image{Transport: "docker-archive", Reference: "docker-archive:-it's:1.tar", Layers: []Layer{layer}},
			[]string{`tar -xOf './-it'\''s' -- a/layer.tar | sha256sum`}},
		{"a colon", Image{Transport: "docker-archive", Reference: "a:b.tar", Layers: []Layer{layer}},
			[]string{"tar --force-local -xOf a:b.tar -- a/layer.tar | sha256sum"}},
		{"standard input", Image{Transport: "docker-archive", Reference: "-", Layers: []Layer{layer}},
			[]string{"tar -xOf image.tar -- a/layer.tar | sha256sum"}},
		{"packed blob", Image{Transport: "oci-archive", Reference: "oci-archive:i.tar:tag", Layers: []Layer{packed}},
			[]string{"tar -xOf i.tar -- blobs/sha256/1 | sha256sum", "tar -xOf i.tar -- blobs/sha256/1 | zstd -dc | sha256sum"}},
		{"folder", Image{Transport: "oci", Reference: "oci:dir:tag", Layers: []Layer{layer}, ConfigDigest: two},
			[]string{"cat dir/blobs/sha256/" + two[7:] + " | sha256sum", "cat dir/blobs/sha256/" + one[7:] + " | sha256sum"}},
		{"engine", Image{Transport: "docker-daemon", Reference: "docker-daemon:org/name:1.0", Layers: []Layer{layer}},
			[]string{"docker save org/name:1.0 | tar -xOf - -- a/layer.tar | sha256sum"}},
		{"registry", Image{Transport: "docker", Reference: "docker://r.example:5000/org/name:1.0", Layers: []Layer{layer}, ManifestDigest: ManifestDigest{Digest: two}},
			[]string{"skopeo copy --preserve-digests docker://r.example:5000/org/name@" + two + " dir:image", "cat image/manifest.json | sha256sum", "cat image/" + one[7:] + " | sha256sum"}},
		{"registry, no tag", Image{Transport: "docker", Reference: "r.example:5000/org/name"},
			[]string{"skopeo copy --preserve-digests docker://r.example:5000/org/name dir:image"}},
		{"file system", Image{Transport: "rootfs", Reference: "rootfs:root.tar.gz", Compression: compression.Gzip, Layers: []Layer{layer}},
			[]string{"gzip -dc < root.tar.gz | sha256sum"}},
		{"file system, packed as a layer", Image{Transport: "rootfs", Reference: "root.tar.xz", Layers: []Layer{{Compression: compression.XZ, Digest: one, DiffID: two}}},
			[]string{"cat root.tar.xz | sha256sum", "cat root.tar.xz | xz -dc | sha256sum"}},
		{"squashfs", Image{Transport: "squashfs", Reference: "squashfs:x.squashfs", Layers: []Layer{{Compression: compression.Gzip, Digest: one, MediaType: string(squashfs.MediaType)}}},
			[]string{"cat x.squashfs | sha256sum"}},
		{"SIF", Image{Transport: "sif", Reference: "x.sif", Layers: []Layer{{Compression: compression.Gzip, Digest: one, Member: "4-partition-it's"}}},
			[]string{"apptainer sif dump 4 x.sif | sha256sum"}},
		{"OCI in a SIF", Image{Transport: "sif", Reference: "x.sif", ConfigDigest: two, Layers: []Layer{{Compression: compression.XZ, Digest: one, DiffID: one}}, Members: []Member{{Name: "1-oci-blob", Digest: one}, {Name: "2-oci-blob", Digest: two}}},
			[]string{"apptainer sif dump 2 x.sif | sha256sum", "apptainer sif dump 1 x.sif | sha256sum"}},
		{"other", Image{Transport: "some", Reference: "x.some", Layers: []Layer{layer}}, nil},
	} {
		guide := byHand(&Report{words: newWords(testSystems()), Image: c.img})
		var got []string
		for _, h := range guide.Checks {
			got = append(got, h.Command)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: the commands are %q, want %q", c.name, got, c.want)
		}
	}
}

// TestHandSquashfs: a layer that is a file system has no diffID, and no tar
// unpacks it.
func TestHandSquashfs(t *testing.T) {
	r := New(Input{Systems: testSystems(), Image: opened(t, "../forms/tiny.squashfs")})
	guide := byHand(r)
	raw, err := os.ReadFile("../fixtures/guix/forms/tiny.squashfs")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	want := []handCheck{{"layer 0: its blob, which is no tar", "cat tiny.squashfs | sha256sum", hex.EncodeToString(sum[:]) + "  -"}}
	if !slices.Equal(guide.Checks, want) {
		t.Errorf("the commands are %+v, want %+v", guide.Checks, want)
	}
	if want := "cat tiny.squashfs > layer.squashfs && unsquashfs -d root layer.squashfs"; len(guide.Items) != 2 || guide.Items[0].Command != want {
		t.Errorf("the NAR commands are %+v", guide.Items)
	}
}

func TestHandNar(t *testing.T) {
	r := New(Input{Systems: testSystems(), Image: opened(t, "tiny-layers4.tar.gz")})
	items := byHand(r).Items
	first := r.StoreItems[0]
	if len(items) != 2 || items[1].Command != "guix hash -S nar -f hex root"+string(first.Path) || "sha256:"+items[1].Expect != first.NarHash {
		t.Errorf("the NAR commands are %+v", items)
	}
	if want := "-- " + string(r.Image.Layers[first.Layer].Member) + " | tar -xf - -C root"; !strings.Contains(items[0].Command, want) {
		t.Errorf("the layer is unpacked with %q", items[0].Command)
	}
	r.StoreItems = []StoreItem{{Path: "/nix/store/x", Layer: 7, NarHash: "sha256:00"}}
	if got := byHand(r).Items; got != nil {
		t.Errorf("an item of a layer that is not there gives %+v", got)
	}
	r.StoreItems[0].Layer = 0
	if got := byHand(r).Items[1].Command; got != "nix-hash --type sha256 root/nix/store/x" {
		t.Errorf("a Nix item is hashed with %q", got)
	}
}

func TestPodman(t *testing.T) {
	for name, want := range map[string]string{
		"lab/tool:1": "podman save lab/tool:1", "[overlay@/a b+/run]lab/tool:1": "podman --root '/a b' save lab/tool:1",
		"[/a]x": "podman --root /a save x", "": "podman save ''", "[": "podman save '['",
	} {
		if got := podman(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

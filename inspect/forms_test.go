package inspect_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/guix"
)

// A what is all that must be the same of one image in every form.
type what struct {
	Config   string
	DiffIDs  []string
	Sizes    []int64
	Entries  []int
	Items    []inspect.StoreItem
	Dangling []store.Reference
	Loose    []store.Reference
	Channels []provenance.Channel
	Packages []provenance.Package
	Files    []provenance.File
	Rootfs   []string
}

func whatOf(t testing.TB, img *inspect.Image) what {
	t.Helper()
	w := what{Config: img.Config.Digest.String(), Items: img.Items, Dangling: img.Dangling, Loose: img.Loose}
	for _, l := range img.Layers {
		w.DiffIDs, w.Sizes, w.Entries = append(w.DiffIDs, l.DiffID.String()), append(w.Sizes, l.UncompressedSize), append(w.Entries, len(l.Entries))
	}
	for _, f := range img.Files() {
		w.Rootfs = append(w.Rootfs, fmt.Sprintf("%s %c %o %s %s", f.Path, f.Type, f.Mode, f.Digest, f.Linkname))
	}
	evidence, err := provenance.Recover(img, nil, []guix.System{{}})
	if err != nil {
		t.Fatal(err)
	}
	w.Channels, w.Packages, w.Files = evidence.Recipe.Channels, evidence.Recipe.Packages, evidence.Recipe.Files
	return w
}

// An image in several forms: the bytes of an archive, or a reference.
type inForms struct {
	archives   map[string][]byte
	references map[string]string
}

// Whatever the form in which an image comes, it is the same image.
func TestFormsAgree(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for name, archive := range map[string][]byte{
		"one layer":   readSample(t, "images/tiny.tar.gz"),
		"four layers": readSample(t, "images/tiny-layers4.tar.gz"),
		"made":        made(t, fixtures.Spec{Seed: 3, Items: 20, Files: 150}),
		"made layers": made(t, fixtures.Spec{Seed: 4, Items: 20, Files: 150, MaxLayers: 6}),
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, archive)
			want := whatOf(t, open(t, path, inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep}))
			if len(want.Items) < 3 || len(want.Packages) == 0 {
				t.Fatalf("%d items, %d packages: too few to show anything", len(want.Items), len(want.Packages))
			}
			forms := formsOf(t, archive)
			for form, data := range forms.archives {
				forms.references[form] = write(t, data)
			}
			for form, ref := range forms.references {
				img := open(t, ref, inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
				if diff := cmp.Diff(want, whatOf(t, img)); diff != "" {
					t.Errorf("%s differs:\n%s", form, diff)
				}
				if got, want := img.Archive, sumOf(forms.archives[form]); got != want {
					t.Errorf("%s: the archive has digest %v, want %v", form, got, want)
				}
				c := img.Integrity()
				c.Findings = slices.DeleteFunc(c.Findings, func(f check.Finding) bool { return f.Code == "integrity/unverified-registry" })
				if c.Status != check.Pass || len(c.Findings) > 0 {
					t.Errorf("%s: integrity %v: %v", form, c.Status, c.Findings)
				}
			}
			for form, data := range forms.archives {
				img := openStdin(t, data)
				if diff := cmp.Diff(want, whatOf(t, img)); diff != "" {
					t.Errorf("%s from standard input differs:\n%s", form, diff)
				}
				if got, want := img.Archive, sumOf(data); got != want {
					t.Errorf("%s from standard input has digest %v, want %v", form, got, want)
				}
			}
		})
	}
}

// A form without config has the files all the same.
func TestFormsWithoutConfigAgree(t *testing.T) {
	archive := readSample(t, "images/tiny.tar.gz")
	want := whatOf(t, open(t, write(t, archive), inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep}))
	members := membersOf(t, archive)
	var layer []byte
	for _, m := range members {
		if strings.HasSuffix(m.name, "/layer.tar") {
			layer = m.data
		}
	}
	legacy := packTar(t, without(members, "manifest.json", "config.json"))
	for form, data := range map[string][]byte{"rootfs": layer, "rootfs, gzip": packGzip(t, layer), "legacy": legacy, "legacy, zstd": packZstd(t, legacy)} {
		img := open(t, write(t, data), inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
		got := whatOf(t, img)
		got.Config, got.Loose = want.Config, want.Loose // the config names store items
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs:\n%s", form, diff)
		}
		if c := img.Integrity(); c.Status != check.Unknown {
			t.Errorf("%s: integrity %v, want unknown: nothing claims a digest", form, c.Status)
		}
	}
}

// sumOf is the digest of an archive; zero where there is none.
func sumOf(archive []byte) v1.Hash {
	if archive == nil {
		return v1.Hash{}
	}
	return digest.Of(archive).Hash()
}

func formsOf(t *testing.T, archive []byte) inForms {
	plain := expandAny(t, archive)
	img, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(plain)), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendImage(img)
	}
	if err != nil {
		t.Fatal(err)
	}
	oci := tarOfFolder(t, dir)
	saved, crane := docker25(t, plain, dir), new(bytes.Buffer)
	tag, err := name.NewTag("lab/image:1")
	if err == nil {
		err = tarball.Write(tag, img, crane)
	}
	if err != nil {
		t.Fatal(err)
	}
	half := len(plain) / 2
	return inForms{
		archives: map[string][]byte{
			"plain": plain, "gzip": packGzip(t, plain), "zstd": packZstd(t, plain), "xz": packXZ(t, plain),
			"gzip in two members": append(packGzip(t, plain[:half]), packGzip(t, plain[half:])...),
			"zstd in two frames":  append(packZstd(t, plain[:half]), packZstd(t, plain[half:])...),
			"oci-archive":         oci, "oci-archive, gzip": packGzip(t, oci),
			"docker 25": saved, "crane": crane.Bytes(),
		},
		references: map[string]string{"oci": dir, "oci forced": "oci:" + dir, "registry": pushed(t, img)},
	}
}

// docker25 returns a docker-archive that is the layout in dir as well.
func docker25(t *testing.T, plain []byte, dir string) []byte {
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	members := membersOf(t, plain)
	for _, m := range members {
		if m.name == "manifest.json" {
			if err := json.Unmarshal(m.data, &manifest); err != nil {
				t.Fatal(err)
			}
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	im, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(im.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	manifest[0].Config, manifest[0].Layers = "blobs/sha256/"+m.Config.Digest.Hex, nil
	for _, l := range m.Layers {
		manifest[0].Layers = append(manifest[0].Layers, "blobs/sha256/"+l.Digest.Hex)
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return packTar(t, append(membersOf(t, tarOfFolder(t, dir)), tarMember{"manifest.json", raw}))
}

// pushed pushes an image to a registry and returns its reference.
func pushed(t *testing.T, img v1.Image) string {
	server := httptest.NewServer(http.Handler(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	t.Cleanup(server.Close)
	reference := strings.TrimPrefix(server.URL, "http://") + "/lab/image:1"
	ref, err := name.ParseReference(reference)
	if err == nil {
		err = remote.Write(ref, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "docker://" + reference
}

func openStdin(t *testing.T, data []byte) *inspect.Image {
	t.Helper()
	f, err := os.Open(write(t, data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = before }()
	return open(t, "-", inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
}

func readSample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../fixtures/guix/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func made(t testing.TB, spec fixtures.Spec) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := fixtures.Write(&buf, spec); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

type tarMember struct {
	name string
	data []byte
}

// membersOf returns the files of a tar.
func membersOf(t testing.TB, archive []byte) []tarMember {
	t.Helper()
	var members []tarMember
	tr := tar.NewReader(bytes.NewReader(expandAny(t, archive)))
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return members
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if hdr.Typeflag == tar.TypeReg {
			members = append(members, tarMember{strings.TrimPrefix(hdr.Name, "./"), data})
		}
	}
}

func without(members []tarMember, names ...string) []tarMember {
	var kept []tarMember
	for _, m := range members {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+m.name+" ") {
			kept = append(kept, m)
		}
	}
	return kept
}

func packTar(t testing.TB, members []tarMember) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		err := w.WriteHeader(&tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.data))})
		if err == nil {
			_, err = w.Write(m.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func tarOfFolder(t testing.TB, dir string) []byte {
	t.Helper()
	var members []tarMember
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		members = append(members, tarMember{name, data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packTar(t, members)
}

func expandAny(t testing.TB, archive []byte) []byte {
	t.Helper()
	if !bytes.HasPrefix(archive, []byte{0x1f, 0x8b}) {
		return archive
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func packGzip(t testing.TB, data []byte) []byte {
	return packWith(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func packZstd(t testing.TB, data []byte) []byte {
	return packWith(t, data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

func packXZ(t testing.TB, data []byte) []byte {
	return packWith(t, data, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
}

func packWith(t testing.TB, data []byte, packer func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := packer(&buf)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

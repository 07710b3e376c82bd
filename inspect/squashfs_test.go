package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/squashfs"
	"audit/inspect/store"
)

const squashFixtures = "../fixtures/squashfs/"

// tool returns where a program is. One that is missing skips the test, except
// in CI: there nothing may be skipped.
func tool(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and in CI no real part may be skipped: install %s", name, pkg)
	}
	t.Skipf("%s is missing: install %s to run this test", name, pkg)
	return ""
}

func run(t testing.TB, stdin []byte, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// The tar from which the fixtures were made is the one that squashTree makes.
// With UPDATE_GOLDEN set it is written.
func TestSquashfsTree(t *testing.T) {
	const path = squashFixtures + "tree.tar"
	want := tarOf(t, squashTree(false)...)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what squashTree makes: see its README", path)
	}
}

func squashSamples(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(squashFixtures + "*.squashfs")
	if err != nil || len(found) < 4 {
		t.Fatalf("%d samples in %s (%v)", len(found), squashFixtures, err)
	}
	return found
}

func everything(string) bool { return true }

func mustOpen(t testing.TB, reference string) *image.Image {
	t.Helper()
	img, err := Open(context.Background(), reference, pass.Options{Stores: fixtures.Stores(), Keep: everything})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestSquashfsFixtures(t *testing.T) {
	want := mustOpen(t, "rootfs:"+squashFixtures+"tree.tar")
	for _, path := range squashSamples(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			img := mustOpen(t, path)
			sameTree(t, want, img)
			sameBodies(t, want, img)
			checkSquashLayer(t, img, path)
		})
	}
}

// checkSquashLayer holds what is said of the blob against the file itself.
func checkSquashLayer(t testing.TB, img *image.Image, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := img.Layers[0]
	if img.Compression != compression.None || l.Compression == compression.None {
		t.Errorf("%s: compression %q, of its blocks %q", path, img.Compression, l.Compression)
	}
	if img.Transport != image.SquashFS || len(img.Layers) != 1 || img.Config.Raw != nil || img.Manifest.Origin != image.Synthesised {
		t.Errorf("%s: transport %s, %d layers, config %q, manifest %s", path, img.Transport, len(img.Layers), img.Config.Raw, img.Manifest.Origin)
	}
	if l.Digest != digest.Of(raw).Hash() || l.Size != int64(len(raw)) || l.DiffID.Hex != "" || l.Frame.Size != 0 || l.MediaType != squashfs.MediaType {
		t.Errorf("%s: digest %v, size %d, diffID %v, frame %d, media type %s", path, l.Digest, l.Size, l.DiffID, l.Frame.Size, l.MediaType)
	}
	var bytes int64
	for _, e := range l.Entries {
		bytes += e.Size
	}
	if l.UncompressedSize != bytes || bytes == 0 {
		t.Errorf("%s: uncompressed size %d, contents of %d bytes", path, l.UncompressedSize, bytes)
	}
	if c := img.Integrity(); c.Status != check.Unknown {
		t.Errorf("%s: integrity is %v, where nothing is claimed", path, c.Status)
	}
}

// sameBodies compares the contents that were kept.
func sameBodies(t testing.TB, want, got *image.Image) {
	t.Helper()
	for _, f := range want.Files() {
		if f.Type != '0' {
			continue
		}
		a, _ := want.Body(0, f.Path)
		if b, ok := got.Body(0, f.Path); !ok || !bytes.Equal(a, b) {
			t.Errorf("%s: %d bytes kept (%v), want %d", f.Path, len(b), ok, len(a))
		}
	}
}

// A sparse file is known as one, in each way in which a hole can end it.
func TestSquashfsHoles(t *testing.T) {
	img := mustOpen(t, squashFixtures+"zstd-4k-nofragments.squashfs")
	for _, f := range img.Files() {
		if want := strings.HasPrefix(f.Path, "size/hole"); f.Sparse != want {
			t.Errorf("%s: sparse is %v, want %v", f.Path, f.Sparse, want)
		}
	}
}

// mksquashfs makes a squashfs of a tar and returns where it is. Version 4.5.1 now and
// then, on a busy machine, writes a fragment that cannot be unpacked, and unsquashfs
// refuses such a file as well: it is made anew.
func mksquashfs(t testing.TB, tarball []byte, options ...string) string {
	t.Helper()
	program, reader := tool(t, "mksquashfs", "squashfs-tools"), tool(t, "unsquashfs", "squashfs-tools")
	dir := t.TempDir()
	for try := range 5 {
		path := filepath.Join(dir, fmt.Sprint("image", try))
		run(t, tarball, "", program, append([]string{"-", path, "-tar", "-quiet", "-no-progress"}, options...)...)
		out, err := exec.Command(reader, "-no-progress", "-dest", filepath.Join(dir, fmt.Sprint("tree", try)), path).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("uncompress failed")) && !bytes.Contains(out, []byte("failed to read/uncompress")) {
			return path
		}
		t.Logf("mksquashfs wrote what unsquashfs cannot read: %s", out)
	}
	t.Fatal("mksquashfs wrote five files that unsquashfs cannot read")
	return ""
}

// What mksquashfs makes of a tar is what the tar holds, whatever its options.
func TestMksquashfs(t *testing.T) {
	tool(t, "mksquashfs", "squashfs-tools")
	tarball := tarOf(t, squashTree(true)...)
	want, err := openBytes(t, tarball, pass.Options{Stores: fixtures.Stores(), Keep: everything})
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{
		"",
		"-comp gzip -Xcompression-level 1 -Xwindow-size 8",
		"-comp gzip -b 8K -Xstrategy default,filtered,huffman_only,run_length_encoded,fixed",
		"-comp xz",
		"-comp xz -Xbcj x86",
		"-comp xz -b 4K -Xbcj x86",
		"-comp xz -b 1M -no-fragments -Xdict-size 8K",
		"-comp lz4",
		"-comp lz4 -b 1M -Xhc",
		"-comp zstd",
		"-comp zstd -b 4K",
		"-comp zstd -b 1M -no-tailends -Xcompression-level 1",
		"-no-fragments",
		"-no-tailends",
		"-no-sparse",
		"-no-duplicates",
		"-no-exports",
		"-nopad",
		"-noI -noId -noD -noX -no-fragments",
		"-noI -noD -b 4K",
	} {
		t.Run(strings.ReplaceAll(options, " ", "_"), func(t *testing.T) {
			path := mksquashfs(t, tarball, strings.Fields(options)...)
			img := mustOpen(t, path)
			sameTree(t, want, img)
			sameBodies(t, want, img)
			checkSquashLayer(t, img, path)
		})
	}
}

// Files that are stored twice instead of once with two names give the same
// store items.
func TestMksquashfsWithoutLinks(t *testing.T) {
	tarball := tarOf(t, squashTree(false)...)
	got := mustOpen(t, mksquashfs(t, tarball, "-no-hardlinks"))
	want, err := openBytes(t, tarball, pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range want.Items {
		if i >= len(got.Items) || got.Items[i].NarHash != it.NarHash || got.Items[i].Path != it.Path {
			t.Errorf("%s: NAR %v, got %v", it.Path, it.NarHash, got.Items)
		}
	}
}

// tar2sqfs of squashfs-tools-ng is another writer of the same format.
func TestTar2sqfs(t *testing.T) {
	program, err := exec.LookPath("tar2sqfs")
	if err != nil {
		t.Skip("tar2sqfs is missing: install squashfs-tools-ng to run this test")
	}
	tarball := tarOf(t, squashTree(false)...)
	want, err := openBytes(t, tarball, pass.Options{Stores: fixtures.Stores(), Keep: everything})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gzip", "xz", "lz4", "zstd"} {
		path := filepath.Join(t.TempDir(), "image")
		run(t, tarball, "", program, "-q", "-c", name, path)
		img := mustOpen(t, path)
		sameTree(t, want, img)
		sameBodies(t, want, img)
	}
}

func TestCompressorsThatAreNotRead(t *testing.T) {
	for _, name := range []string{"lzo", "lzma"} {
		path := mksquashfs(t, tarOf(t, regular("a", "a")), "-comp", name)
		_, err := Open(context.Background(), path, pass.Options{Stores: fixtures.Stores()})
		var format *limit.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), "packed with "+name+",") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// guix pack -f squashfs calls mksquashfs many times: once for the store items,
// then once for each folder above them, then for what else there is
// (guix/scripts/pack.scm, squashfs-image).
func TestAppendedLikeGuix(t *testing.T) {
	program := tool(t, "mksquashfs", "squashfs-tools")
	dir := t.TempDir()
	write(t, dir, itemA+"/bin/hello", string(text(5000)))
	write(t, dir, itemA+"/share/doc", string(text(200_000)))
	write(t, dir, itemB+"/lib/x", "see /"+itemA)
	write(t, dir, ".empty", "")
	items := []string{itemA, itemB}
	disk := filepath.Join(dir, "image")
	pack := func(args ...string) {
		run(t, nil, dir, program, append(args, "-quiet", "-no-progress", "-no-recovery", "-no-xattrs", "-all-time", "1", "-mkfs-time", "1", "-force-uid", "0", "-force-gid", "0")...)
	}
	pack(append(slices.Clone(items), disk, "-no-duplicates", "-comp", "gzip")...)
	pack(".empty", disk, "-root-becomes", "store")
	pack(".empty", disk, "-root-becomes", "gnu")
	pack(".empty", disk, "-p", "/bin s 777 0 0 "+itemA+"/bin", "-p", "/.singularity.d d 555 0 0", "-p", "/.singularity.d/env d 555 0 0",
		"-p", "/proc d 555 0 0", "-p", "/dev d 555 0 0", "-p", "/sock i 755 0 0 s")

	got := mustOpen(t, disk)
	want, err := openBytes(t, tarOf(t, folder(itemA), folder(itemA+"/bin"), regular(itemA+"/bin/hello", string(text(5000))),
		folder(itemA+"/share"), regular(itemA+"/share/doc", string(text(200_000))),
		folder(itemB), folder(itemB+"/lib"), regular(itemB+"/lib/x", "see /"+itemA)), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range want.Items {
		if i >= len(got.Items) || got.Items[i].NarHash != it.NarHash || !slices.Equal(got.Items[i].References, it.References) {
			t.Errorf("%s: want %v, got %v", it.Path, it, got.Items)
		}
	}
	types := make(map[string]byte)
	for _, f := range got.Files() {
		types[f.Path] = f.Type
	}
	for path, kind := range map[string]byte{"bin": '2', ".singularity.d/env": '5', "proc": '5', "gnu/store": '5', "sock": image.Socket} {
		if types[path] != kind {
			t.Errorf("%s has type %q, want %q", path, types[path], kind)
		}
	}
	if len(got.Problems) > 0 {
		t.Errorf("problems: %v", got.Problems)
	}
}

// What guix pack writes as squashfs has the store items that it writes for
// Docker from the same profile.
func TestGuixSquashfs(t *testing.T) {
	docker := make(map[string]store.Item)
	for _, it := range mustOpen(t, "../fixtures/guix/images/tiny.tar.gz").Items {
		docker[it.Path] = it
	}
	found, err := filepath.Glob("../fixtures/guix/forms/*.squashfs")
	if err != nil || len(found) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range found {
		img, common := mustOpen(t, path), 0
		for _, it := range img.Items {
			d, ok := docker[it.Path]
			if !ok {
				continue
			}
			common++
			if d.NarHash != it.NarHash || !slices.Equal(d.References, it.References) {
				t.Errorf("%s: %v, and in the image for Docker %v", path, it, d)
			}
		}
		if common < 5 || len(img.Dangling) > 0 || len(img.Problems) > 0 {
			t.Errorf("%s: %d store items in common; dangling %v, problems %v", path, common, img.Dangling, img.Problems)
		}
	}
}

func write(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A squashfs may come in any way that a tar may.
func TestSquashfsWays(t *testing.T) {
	raw, err := os.ReadFile(squashSamples(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "plain.tar", string(raw))
	write(t, dir, "packed", string(gzipped(t, raw)))
	want := mustOpen(t, dir+"/plain.tar")
	for _, reference := range []string{"squashfs:" + dir + "/plain.tar", dir + "/packed", "squashfs:" + dir + "/packed"} {
		img := mustOpen(t, reference)
		sameTree(t, want, img)
		if img.Layers[0].Digest != want.Layers[0].Digest {
			t.Errorf("%s: digest %v, want %v", reference, img.Layers[0].Digest, want.Layers[0].Digest)
		}
	}
	in, err := os.Open(dir + "/plain.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stream := &form.Input{Pass: pass.New(context.Background(), pass.Options{Stores: fixtures.Stores(), TempDir: dir})}
	defer stream.Close()
	if err := stream.Read(onlyReader{in}); err != nil {
		t.Fatal(err)
	}
	spooled, err := openInput(stream, Forms())
	if err != nil {
		t.Fatal(err)
	}
	if spooled.Layers[0].Digest != want.Layers[0].Digest || len(spooled.Files()) != len(want.Files()) {
		t.Errorf("from a stream: digest %v with %d files", spooled.Layers[0].Digest, len(spooled.Files()))
	}
	if left, _ := filepath.Glob(dir + "/audit-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

type onlyReader struct{ r *os.File }

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p) }

func TestSquashfsForced(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "tar", string(tarOf(t, regular("a", "a"))))
	sample := squashSamples(t)[0]
	for reference, want := range map[string]string{
		"squashfs:" + dir + "/tar": "not those of a squashfs",
		"sif:" + sample:            "not those of a sif",
		"rootfs:" + sample:         "no tar archive",
		"sif:" + dir + "/missing":  "no such file",
	} {
		_, err := Open(context.Background(), reference, pass.Options{Stores: fixtures.Stores()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", reference, err, want)
		}
	}
}

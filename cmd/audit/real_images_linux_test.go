package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRealImages makes small images with the real tools, has the real tools
// write each in every form that audit reads, and demands that all forms show
// the same image, and that the digests are those that skopeo, sha256sum and tar
// find. It needs root and the packages that .ci/run installs; where one is
// missing it fails.
func TestRealImages(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "images" {
		t.Skip("needs root, Docker, podman, buildah, skopeo, umoci, docker-registry and squashfs-tools: AUDIT_TEST_REAL=images says that they are there")
	}
	l := newShelf(t)
	images, passed := l.images(t), make([]int, len(ways()))
	for _, im := range images {
		t.Run(im.name, func(t *testing.T) {
			l.start(t, im)
			l.agrees(t, im)
			for i, w := range ways() {
				if t.Run(w.by, func(t *testing.T) { l.form(t, im, w) }) {
					passed[i]++
				}
			}
			l.choice(t)
		})
	}
	fmt.Printf("| %-46s | %-14s | %-15s | same diffIDs, store items, recipe; same files\n", "made by", "form", "manifest digest")
	for i, w := range ways() {
		fmt.Printf("| %-46s | %-14s | %-15s | %d of %d images\n", w.by, w.form, w.origin, passed[i], len(images))
	}
	t.Run("several platforms", l.platforms)
	t.Run("tampered", l.tampered)
	if !t.Failed() {
		fmt.Printf("real suite: images %d, each in %d forms, by %s\n", len(images), len(ways()), l.versions(t))
	}
}

// inspected is what audit inspect --json prints, as far as it is looked into.
type inspected struct {
	Image struct {
		Transport      string
		ConfigDigest   string
		ManifestDigest struct{ Digest, Origin string }
		Platform       string
		Layers         []struct {
			Member, Digest, DiffID string
			Size, UncompressedSize int64
			Entries                int
		}
	}
	StoreItems []struct {
		Path, NarHash string
		References    []string
	}
	Recipe struct {
		System, Status     string
		Channels, Packages json.RawMessage
	}
	Checks []struct {
		ID, Status string
		Findings   []struct{ Level, Code, Message string }
	}
}

// inspect runs audit inspect on a reference, with a file as standard input.
func (l *shelf) inspect(t *testing.T, reference, input string) inspected {
	t.Helper()
	command := "audit inspect --json " + reference
	if strings.Contains(reference, "docker.io/") {
		command = "DOCKER_HOST=$PODMAN " + command
	}
	if input != "" {
		command += " <" + input
	}
	var got inspected
	out, said, _ := l.try(command) // a finding of integrity is told below, with its words
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, said)
	}
	return got
}

func (i inspected) diffIDs() []string {
	var ids []string
	for _, layer := range i.Image.Layers {
		ids = append(ids, layer.DiffID)
	}
	return ids
}

// agrees holds every digest, size and count that audit tells of a layout, a
// docker-archive and a registry against what other tools find.
func (l *shelf) agrees(t *testing.T, im *madeImage) {
	t.Helper()
	is := func(what, got, script string) {
		t.Helper()
		if want := l.run(t, script); got != want || want == "" {
			t.Errorf("%s: audit says %s, %s says %s", what, got, script, want)
		}
	}
	img := im.shown.Image
	is("manifest", img.ManifestDigest.Digest, "skopeo inspect oci:$START:1 --format '{{.Digest}}'")
	is("manifest", img.ManifestDigest.Digest, "echo sha256:$(skopeo inspect --raw oci:$START:1 | sha256sum | cut -d' ' -f1)")
	is("config", img.ConfigDigest, "echo sha256:$(skopeo inspect --config --raw oci:$START:1 | sha256sum | cut -d' ' -f1)")
	for i, layer := range img.Layers {
		blob := "$START/" + layer.Member
		is("layer", layer.Digest, "skopeo inspect oci:$START:1 --format '{{index .Layers "+fmt.Sprint(i)+"}}'")
		is("layer", layer.Digest, "echo sha256:$(sha256sum "+blob+" | cut -d' ' -f1)")
		is("diffID", layer.DiffID, "echo sha256:$(gunzip -c "+blob+" | sha256sum | cut -d' ' -f1)")
		is("size", fmt.Sprint(layer.Size), "stat -c %s "+blob)
		is("uncompressed size", fmt.Sprint(layer.UncompressedSize), "gunzip -c "+blob+" | wc -c")
		is("entries", fmt.Sprint(layer.Entries), "gunzip -c "+blob+" | (tar -t 2>/dev/null || true) | wc -l")
	}
	saved := l.inspect(t, "$F/save.tar", "").Image
	is("config", saved.ConfigDigest, "echo sha256:$(tar -xOf $F/save.tar $(echo "+saved.ConfigDigest+" | cut -d: -f2).json | sha256sum | cut -d' ' -f1)")
	is("config", saved.ConfigDigest, "docker inspect --format '{{.Id}}' $REF")
	for _, layer := range saved.Layers {
		is("layer of docker save", layer.DiffID, "echo sha256:$(tar -xOf $F/save.tar "+layer.Member+" | sha256sum | cut -d' ' -f1)")
	}
	l.run(t, "docker tag $REF $REGISTRY/$NAME:docker && docker push -q $REGISTRY/$NAME:docker")
	pushed := l.inspect(t, "docker://$REGISTRY/$NAME:docker", "").Image
	is("manifest of docker push", pushed.ManifestDigest.Digest, "skopeo inspect --tls-verify=false docker://$REGISTRY/$NAME:docker --format '{{.Digest}}'")
	is("manifest of docker push", pushed.ManifestDigest.Digest, "docker inspect --format '{{index .RepoDigests 0}}' $REF | cut -d@ -f2")
	l.run(t, "skopeo copy -q --src-tls-verify=false docker://$REGISTRY/$NAME:docker dir:$F/dir")
	for _, layer := range pushed.Layers {
		is("layer of docker push", layer.Digest, "echo sha256:$(sha256sum $F/dir/$(echo "+layer.Digest+" | cut -d: -f2) | cut -d' ' -f1)")
	}
}

// form has audit read an image in one form, which it makes first.
func (l *shelf) form(t *testing.T, im *madeImage, w way) {
	t.Helper()
	l.run(t, w.make)
	l.holds(t, im, w, l.inspect(t, w.ref, w.input))
}

// choice demands that an archive of two images is not read as one of them
// without being told which.
func (l *shelf) choice(t *testing.T) {
	t.Helper()
	_, said, err := l.try("audit inspect $F/two")
	ref := l.run(t, "echo $REF")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitUnreadable || !strings.Contains(said, ref) || !strings.Contains(said, "lab/twin:2") {
		t.Errorf("an archive of two images: %v, %s", err, said)
	}
}

// holds demands that what audit read is the image.
func (l *shelf) holds(t *testing.T, im *madeImage, w way, got inspected) {
	t.Helper()
	if got.Image.Transport != w.form || got.Image.ManifestDigest.Origin != w.origin || (got.Image.ManifestDigest.Digest == "") != (w.origin == madeUp) {
		t.Errorf("read as %s, with a manifest digest %q that is %s", got.Image.Transport, got.Image.ManifestDigest.Digest, got.Image.ManifestDigest.Origin)
	}
	if !reflect.DeepEqual(got.StoreItems, im.shown.StoreItems) {
		t.Errorf("store items %v, want %v", got.StoreItems, im.shown.StoreItems)
	}
	if w.isFileSystem() || w.ref == "$START" || w.ref == "$F/save.tar" {
		l.holdsFiles(t, im, w)
	}
	if !w.isFileSystem() && !slices.Equal(got.diffIDs(), im.diffIDs) {
		t.Errorf("diffIDs %v, skopeo says %v", got.diffIDs(), im.diffIDs)
	}
	if inFiles := im.items > 0; (inFiles || w.hasHistory()) && !reflect.DeepEqual(got.Recipe, im.shown.Recipe) {
		t.Errorf("recipe %+v, want %+v", got.Recipe, im.shown.Recipe)
	}
	if status := got.Checks[0].Status; status != w.integrity() {
		t.Errorf("integrity %s: %v", status, got.Checks[0].Findings)
	}
}

func (w way) isFileSystem() bool {
	return w.form == "rootfs" || w.form == "squashfs" || w.form == "sif"
}

// hasHistory says whether the form has the config that the image was made with.
func (w way) hasHistory() bool { return !w.isFileSystem() && !strings.Contains(w.by, "V1") }

// integrity is the status of that check: unknown where a form claims nothing.
func (w way) integrity() string {
	if w.hasHistory() {
		return "pass"
	}
	return "unknown"
}

// holdsFiles demands that the files are those that umoci has laid out, but for
// what an engine lays over them.
func (l *shelf) holdsFiles(t *testing.T, im *madeImage, w way) {
	t.Helper()
	if w.input != "" {
		return // as from the file
	}
	got := imageTree(t, l.run(t, "echo "+w.ref))
	want := slices.Clone(im.files)
	if strings.Contains(w.by, "export") {
		got, want = withoutEngine(got), withoutEngine(want)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files are others than umoci's (-) :\n%s", diff)
	}
}

// platforms has audit choose among the images of an index that buildah made.
func (l *shelf) platforms(t *testing.T) {
	l.run(t, `for arch in amd64 arm64 s390x; do
			echo $arch >arch.txt
			printf 'FROM scratch\nCOPY arch.txt /\n' >Containerfile
			printf '' >.dockerignore
			buildah bud -q --network none --platform linux/$arch -t several/$arch:1 -f Containerfile .
		done
		buildah manifest create several:1
		for arch in amd64 arm64 s390x; do buildah manifest add several:1 several/$arch:1; done
		buildah manifest push -q --all several:1 oci:$D/several:1
		buildah manifest push -q --all several:1 oci-archive:$D/several.tar:1
		buildah manifest push -q --all --tls-verify=false several:1 docker://$REGISTRY/lab/several:1`)
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		want := l.run(t, "skopeo inspect --override-arch "+arch+" --config --raw oci:several:1 | sha256sum | cut -d' ' -f1")
		for _, ref := range []string{"several", "several.tar", "docker://$REGISTRY/lab/several:1"} {
			got := l.inspect(t, "--platform linux/"+arch+" "+ref, "").Image
			if got.ConfigDigest != "sha256:"+want || got.Platform != "linux/"+arch {
				t.Errorf("%s for %s: config %s of %s, skopeo says %s", ref, arch, got.ConfigDigest, got.Platform, want)
			}
		}
	}
	if got := l.inspect(t, "several", "").Image; got.Platform != "linux/"+runtime.GOARCH {
		t.Errorf("of several platforms that of this machine is linux/%s, and %s was taken", runtime.GOARCH, got.Platform)
	}
	if _, said, err := l.try("audit inspect --platform linux/riscv64 several"); err == nil || !strings.Contains(said, "linux/s390x") {
		t.Errorf("a platform that is not there: %v, %s", err, said)
	}
}

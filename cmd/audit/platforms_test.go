package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"audit/fixtures"
	"audit/inspect/choice"
)

// forPlatform is an image of a file, said to be for an architecture.
func forPlatform(t *testing.T, path, arch string) mutate.IndexAddendum {
	t.Helper()
	img, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Architecture = arch
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}}
}

// TestEveryPlatform: each image of an index has its folder, the worst is printed first,
// and the exit status is the worst one's.
func TestEveryPlatform(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	const sample = "../../fixtures/guix/images/hello-opt3.tar"
	bad := filepath.Join(t.TempDir(), "bad.tar")
	if err := fixtures.TamperFile(sample, bad, fixtures.AddFileOutsideStore("etc/cron.d/job", "x")); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(serve(t), "http://")
	other := map[string]string{"amd64": "arm64"}[runtime.GOARCH]
	if other == "" {
		other = "amd64"
	}
	publish := func(to string, images ...mutate.IndexAddendum) string {
		ref, err := name.ParseReference(host + to)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, mutate.AppendManifests(empty.Index, images...)); err != nil {
			t.Fatal(err)
		}
		return "docker://" + host + to
	}
	here, there := forPlatform(t, sample, runtime.GOARCH), forPlatform(t, bad, other)
	dir := filepath.Join(t.TempDir(), "out")
	status, text := commanded("", "--policy", "builtin:explained", "--platform", "all", "-o", dir, publish("/lab/two:1", here, there))
	if status != exitPolicy || !strings.HasPrefix(text, "2 platforms: linux/"+other+" unverified, linux/"+runtime.GOARCH+" unverified\n") {
		t.Errorf("status %d\n%s", status, text)
	}
	if !strings.Contains(text, "audit: linux/"+other+": ") || !strings.Contains(text, "etc/cron.d/job") {
		t.Errorf("the worst is not named:\n%s", text)
	}
	for _, arch := range []string{runtime.GOARCH, other} {
		if _, err := os.Stat(filepath.Join(dir, "platform-linux-"+arch, "report.json")); err != nil {
			t.Error(err)
		}
	}
	// An index without an image for this machine, into the same folder.
	status, text = commanded("", "--platform", "all", "-o", dir, publish("/lab/foreign:1", forPlatform(t, sample, "s390x"), forPlatform(t, sample, "riscv64")))
	if status != exitHolds || !strings.HasPrefix(text, "2 platforms: ") {
		t.Errorf("status %d\n%s", status, text)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 || entries[0].Name() != "platform-linux-riscv64" {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	// Engines save those that they have: what is not there is named.
	saved := filepath.Join(t.TempDir(), "saved")
	if _, err := layout.Write(saved, mutate.AppendManifests(empty.Index, here, there)); err != nil {
		t.Fatal(err)
	}
	digest, err := there.Add.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(saved, "blobs", "sha256", digest.Hex)); err != nil {
		t.Fatal(err)
	}
	want := "1 platform: linux/" + runtime.GOARCH + " unverified, linux/" + other + " is in the index and not here\n"
	if status, text := commanded("", "--platform", "all", "-o", dir, saved); status != exitHolds || !strings.HasPrefix(text, want) {
		t.Errorf("status %d\n%s", status, text)
	}
	// What is no index is one platform.
	if status, text := commanded("", "--platform", "all", "-o", dir, sample); status != exitHolds || !strings.HasPrefix(text, "1 platform: linux/amd64 unverified\n") {
		t.Errorf("status %d\n%s", status, text)
	}
	if status, text := commanded("", "--platform", "all", "--format", "json", sample); status != exitUsage || !strings.Contains(text, "is for one image") {
		t.Errorf("status %d\n%s", status, text)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _ := commanded("", "--platform", "all", "-o", foreign, sample); status != exitUsage {
		t.Errorf("a folder of somebody else's: status %d", status)
	}
}

// A platform that an index does not have is one of those that it has, mistyped.
func TestNoPlatform(t *testing.T) {
	have := []string{"linux/amd64", "linux/arm64/v8", "linux/arm/v7", "unknown/unknown"}
	for want, near := range map[string]string{
		"arm64": "linux/arm64/v8", "linux/amd65": "linux/amd64", "x86_64": "linux/amd64", "linux/aarch64": "linux/arm64/v8",
		"LINUX/ARM/v7": "linux/arm/v7", "linux/arm64/v9": "linux/arm64/v8", "plan9/386": "",
	} {
		err := fmt.Errorf("reading: %w", &choice.Error{Want: want, Have: []string{"linux/amd64 sha256:00"}, Platforms: have})
		text := noPlatform(err)
		_, got, _ := strings.Cut(text, "nearest is ")
		if !lacks(err) || got != near || !strings.Contains(text, "for linux/amd64, linux/arm64/v8, linux/arm/v7") || strings.Contains(text, "sha256") {
			t.Errorf("%s: %s", want, text)
		}
	}
	for _, other := range []*choice.Error{{Platforms: have}, {Want: "linux/amd64", Several: true, Platforms: have}, {Want: "lab/tool", Have: []string{"a:1"}}} {
		if lacks(other) {
			t.Errorf("%v lacks a platform", other)
		}
	}
}

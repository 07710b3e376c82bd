package base

import (
	"slices"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
)

// imageOf has a layer for each of the lines that is no CMD.
func imageOf(labels map[string]string, history ...v1.History) *inspect.Image {
	img := new(inspect.Image)
	img.Config.File.Config.Labels = labels
	for n := range history {
		history[n].EmptyLayer = history[n].EmptyLayer || instruction(history[n].CreatedBy)[:min(3, len(instruction(history[n].CreatedBy)))] == "CMD"
		if !history[n].EmptyLayer {
			img.Layers = append(img.Layers, &inspect.Layer{Index: len(img.Layers)})
		}
	}
	img.Config.File.History = history
	return img
}

func lines(all ...string) (history []v1.History) {
	for _, by := range all {
		history = append(history, v1.History{CreatedBy: by})
	}
	return history
}

func TestNamesOfBases(t *testing.T) {
	const digest = "sha256:0123456789012345678901234567890123456789012345678901234567890123"
	claims := func(name, digest string) map[string]string {
		return map[string]string{"org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": digest}
	}
	for _, tc := range []struct {
		name string
		img  *inspect.Image
		want Base
	}{
		{"nothing", imageOf(nil, lines("RUN x # buildkit")...), Base{}},
		{"label", imageOf(claims("alpine:3", digest)), Base{Name: "alpine:3", Digest: digest, By: Claim}},
		{"label without a digest", imageOf(claims("alpine:3", "latest")), Base{Name: "alpine:3", By: Claim}},
		{"label that is no name", imageOf(claims("alpine AS x", digest)), Base{}},
		{"label of two lines", imageOf(claims("alpine\nRUN x", digest)), Base{}},
		{"debuerreotype", imageOf(nil, lines("# debian.sh --arch 'amd64' out/ 'bookworm' '@1731283200'", "COPY a /b # buildkit")...),
			Base{Name: "debian:bookworm-20241111", By: Trace, Instructions: 1, Cut: Trace}},
		{"debuerreotype of no suite", imageOf(nil, lines("# debian.sh --arch 'amd64' out/ 'x;y' '@1'")...), Base{}},
		{"debuerreotype with a command", imageOf(nil, lines("# debian.sh --arch 'a$(id)' out/ 'x' '@1'")...), Base{}},
		{"Alpine", imageOf(nil, lines("ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit", `CMD ["/bin/sh"] # buildkit`, "RUN x # buildkit")...),
			Base{Name: "alpine:3.20.3", By: Trace, Instructions: 2, Cut: Trace}},
		{"BusyBox", imageOf(nil, lines("BusyBox 1.36.1 (glibc), Debian 12", "COPY a /b # buildkit")...), Base{Name: "busybox:1.36.1-glibc", By: Trace, Instructions: 1, Cut: Trace}},
		{"Ubuntu", imageOf(map[string]string{"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04"}), Base{Name: "ubuntu:24.04", By: Trace}},
		{"a claim is more than a trace", imageOf(claims("me/own:1", ""), lines("BusyBox 1.36.1 (glibc), Debian 12", "COPY a /b # buildkit")...),
			Base{Name: "me/own:1", By: Claim}},
		{"a CMD amid", imageOf(nil, lines("ADD file:1 in /", `/bin/sh -c #(nop)  CMD ["sh"]`, "/bin/sh -c a", `/bin/sh -c #(nop)  CMD ["b"]`)...), Base{Instructions: 2, Cut: Guess}},
		{"another builder", imageOf(nil, lines("/bin/sh -c a", "RUN /bin/sh -c b # buildkit")...), Base{Instructions: 1, Cut: Guess}},
		{"a day later", imageOf(nil, v1.History{CreatedBy: "a", Created: v1.Time{Time: time.Unix(1e9, 0)}}, v1.History{CreatedBy: "b", Created: v1.Time{Time: time.Unix(1e9+86400*3, 0)}}),
			Base{Instructions: 1, Cut: Guess}},
	} {
		got := Read(tc.img, ospackages.Read(tc.img))
		got.Findings = nil
		if got.Name != tc.want.Name || got.Digest != tc.want.Digest || got.By != tc.want.By || got.Instructions != tc.want.Instructions || got.Cut != tc.want.Cut {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestStrongerWordsStay(t *testing.T) {
	var b Base
	for _, step := range []struct {
		name string
		by   Strength
		want string
	}{{"scratch", Layers, ""}, {"a:1", Trace, "a:1"}, {"b:1", Trace, "a:1"}, {"c:1", Claim, "c:1"}, {"d:1", Layers, "d:1"}, {"e:1", Signed, "d:1"}, {"no name", Layers, "d:1"}} {
		if b.Set(step.name, "", step.by); b.Name != step.want {
			t.Errorf("%s by %s: %s, want %s", step.name, step.by, b.Name, step.want)
		}
	}
}

// Each maker's files and labels are found, with the file named.
func TestMakers(t *testing.T) {
	for path, want := range map[string]string{
		"root/buildinfo/Dockerfile-ubi9-9.4-1123":                            "registry.access.redhat.com/ubi9:9.4-1123",
		"root/buildinfo/content_manifests/ubi9-minimal-container-9.4-1.json": "registry.access.redhat.com/ubi9-minimal:9.4-1",
		"opt/bitnami/redis/.spdx-redis.spdx":                                 "",
		"opt/bitnami/.bitnami_components.json":                               "",
		"etc/apko.json":                                                      "",
		"var/lib/dpkg/status.d/base":                                         "",
	} {
		img := imageOf(nil, lines("x")...)
		img.Layers[0].Entries = []*inspect.Entry{{Path: path, Type: '0'}}
		got := Read(img, ospackages.Read(img))
		at := slices.IndexFunc(got.Findings, func(f check.Finding) bool { return f.Code == "recipe/base-maker-file" })
		if got.Name != want || at < 0 || got.Findings[at].Path != path {
			t.Errorf("%s: %q, %v", path, got.Name, got.Findings)
		}
	}
	for key, value := range map[string]string{
		"com.redhat.component": "ubi9-container", "org.label-schema.name": "CentOS Base Image", "dev.chainguard.package.main": "", "org.opensuse.base.title": "openSUSE Leap 15.6 Base Container",
	} {
		img := imageOf(map[string]string{key: value})
		found := Read(img, ospackages.Read(img)).Findings
		if len(found) != 1 || found[0].Code != "recipe/base-maker-label" {
			t.Errorf("%s: %v", key, found)
		}
	}
}

// A layer that was made of a date has nothing younger.
func TestEpochOfLayer(t *testing.T) {
	for name, tc := range map[string]struct {
		at   int64
		code string
	}{"as old": {1731283200, "recipe/base-epoch"}, "older": {1, "recipe/base-epoch"}, "younger": {1731283201, "recipe/base-epoch-differs"}} {
		img := imageOf(nil, lines("# debian.sh --arch 'amd64' out/ 'bookworm' '@1731283200'")...)
		img.Layers[0].Entries = []*inspect.Entry{{Path: "a", Type: '0', ModTime: tc.at}}
		found := Read(img, ospackages.Read(img)).Findings
		if !slices.ContainsFunc(found, func(f check.Finding) bool { return f.Code == tc.code }) {
			t.Errorf("%s: %v", name, found)
		}
	}
}

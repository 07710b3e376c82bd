package base

import (
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
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
	}{{"a:1", Trace, "a:1"}, {"b:1", Trace, "a:1"}, {"c:1", Claim, "c:1"}, {"d:1", Layers, "d:1"}, {"e:1", Signed, "d:1"}, {"no name", Layers, "d:1"}} {
		if b.Set(step.name, "", step.by); b.Name != step.want {
			t.Errorf("%s by %s: %s, want %s", step.name, step.by, b.Name, step.want)
		}
	}
}

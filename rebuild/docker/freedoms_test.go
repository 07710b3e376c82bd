package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/rebuild/compare"
)

// What engines leave to chance is known as such, where one of them made both
// images.
func TestFreedoms(t *testing.T) {
	image := func(change func(d *fixtures.Docker)) *inspect.Image {
		d := fixtures.Docker{Created: "2024-01-02T03:04:05Z", Layers: [][]fixtures.File{{{Name: "a", Body: "1", Time: 5}}},
			History: []fixtures.Step{{By: "RUN /bin/sh -c x # buildkit", Comment: "buildkit.dockerfile.v0", Created: "2024-01-02T03:04:05Z"}}}
		change(&d)
		return made(t, d.Archive())
	}
	same := func(*fixtures.Docker) {}
	for _, tc := range []struct {
		name     string
		was, now func(d *fixtures.Docker)
		want     string
	}{
		{"the time of the build", same, func(d *fixtures.Docker) { d.Created = "2025-01-02T03:04:05Z" }, "known/docker-created 1"},
		{"times of files", same, func(d *fixtures.Docker) { d.Layers[0][0].Time = 7 }, "known/docker-file-times 1"},
		{"the container's name", func(d *fixtures.Docker) { d.Config = `{"Hostname":"0123"}` }, func(d *fixtures.Docker) { d.Config = `{"Hostname":"4567"}` }, "known/docker-container 1"},
		{"another content", same, func(d *fixtures.Docker) { d.Layers[0][0].Body = "2" }, ""},
		{"no engine's", func(d *fixtures.Docker) { d.History = []fixtures.Step{{By: "bazel build ..."}} }, func(d *fixtures.Docker) { d.History, d.Layers[0][0].Time = nil, 7 }, ""},
	} {
		a, b := image(tc.was), image(tc.now)
		var known []string
		for _, k := range compare.Images(a, b, System{}.Freedoms(a, b)).Known {
			if strings.HasPrefix(k.Code, "known/docker-") {
				known = append(known, fmt.Sprint(k.Code, " ", k.Count))
			}
		}
		slices.Sort(known)
		if got := strings.Join(known, ", "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

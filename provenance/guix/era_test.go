package guix

import (
	"testing"

	"audit/inspect"
	"audit/provenance/guix/profile"
)

// An image of one layer, by the marks that packers leave.
func TestEraOfMarks(t *testing.T) {
	store := func(name string) inspect.Entry {
		return inspect.Entry{Path: "gnu/store/" + hashA + "-hello/" + name, Type: '0', ModTime: 1}
	}
	tmp, a, b := inspect.Entry{Path: "tmp", Type: '5'}, store("a"), store("b")
	link := store("c")
	link.Type = '1'
	const env, history = `{"config":{"env":[]}}`, `{"config":{"env":[]},"history":[{}]}`
	for _, tc := range []struct {
		name     string
		config   string
		entries  []inspect.Entry
		version  int
		comments int
		want     string
		odd      int
	}{
		{"no environment", `{"config":null}`, []inspect.Entry{a, b}, 3, 0, "1.0", 0},
		{"no comment", env, []inspect.Entry{a, b, tmp}, 3, 0, "1.1", 0},
		{"two lines of comment", env, []inspect.Entry{a, b, tmp}, 3, 2, "1.2", 0},
		{"four lines of comment", env, []inspect.Entry{a, b, tmp}, 3, 4, "1.3", 0},
		{"a comment of its own", env, []inspect.Entry{a, b, tmp}, 3, 1, "1.1 to 1.3", 0},
		{"hard links", env, []inspect.Entry{a, link, tmp}, 3, 1, "1.1 or 1.2", 0},
		{"format 4", env, []inspect.Entry{a, b, tmp}, 4, 4, "1.4", 0},
		{"not sorted", env, []inspect.Entry{b, a, tmp}, 4, 4, "1.4", 0},
		{"history, extra folder last", history, []inspect.Entry{b, a, tmp}, 4, 4, "of 2025, before 1.5", 0},
		{"extra folder first", history, []inspect.Entry{tmp, b, a}, 4, 4, "1.5", 0},
		{"format 3 in a new image", history, []inspect.Entry{tmp, b, a}, 3, 4, "1.5", 1},
		{"format 2 in a new image", history, []inspect.Entry{tmp, b, a}, 2, 0, "1.5", 1},
		{"hard links in a new image", history, []inspect.Entry{tmp, a, link}, 4, 4, "1.5", 1},
	} {
		img := &inspect.Image{Layers: []*inspect.Layer{{Entries: tc.entries}}}
		img.Config.Raw = []byte(tc.config)
		span, because, odd := newView(img).era(&profile.Profile{Version: tc.version, Comments: tc.comments})
		if len(because) == 0 {
			t.Errorf("%s: nothing is said to show the era", tc.name)
		}
		if span.String() != tc.want || len(odd) != tc.odd {
			t.Errorf("%s: got %v %q, want %s", tc.name, span, odd, tc.want)
		}
	}
}

// Layered images, named by the packer or by another tool that stored them.
func TestEraOfLayers(t *testing.T) {
	item := []inspect.Entry{{Path: "gnu/store/" + hashA + "-hello", Type: '5'}}
	extra := []inspect.Entry{{Path: "gnu", Type: '5'}, {Path: "gnu/store", Type: '5'}, {Path: "tmp", Type: '5'}}
	for _, tc := range []struct {
		name, config string
		layers       []*inspect.Layer
		layered      bool
		want         string
	}{
		{"1.5", `{"config":{"env":[]},"history":[{}]}`, []*inspect.Layer{{Entries: item}, {Entries: extra}}, true, "1.5"},
		{"2024", `{"config":{"env":[]}}`, []*inspect.Layer{{Entries: item}, {Entries: extra}}, true, "of 2024, between 1.4 and 1.5"},
		{"named", `{"config":{"env":[]},"history":[{}]}`, []*inspect.Layer{{Member: "sha256:1/layer.tar", Entries: extra}, {Member: "./sha256:2/layer.tar", Entries: item}}, true, "1.5"},
		{"named after blobs", `{"config":{"env":[]},"history":[{}]}`, []*inspect.Layer{{Member: "sha256:1", Entries: extra}, {Member: "sha256:2", Entries: item}}, false, "of 2025, before 1.5 or 1.5"},
		{"a layer on top", `{"config":{"env":[]},"history":[{}]}`, []*inspect.Layer{{Entries: append(extra[:3:3], item...)}, {Entries: extra}}, false, "of 2025, before 1.5 or 1.5"},
	} {
		img := &inspect.Image{Layers: tc.layers}
		img.Config.Raw = []byte(tc.config)
		v := newView(img)
		span, _, odd := v.era(&profile.Profile{Version: 4, Comments: 4})
		if v.isLayered() != tc.layered || span.String() != tc.want || len(odd) > 0 {
			t.Errorf("%s: layered %v, %v, %q; want %v, %s", tc.name, v.isLayered(), span, odd, tc.layered, tc.want)
		}
	}
}

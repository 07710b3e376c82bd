package nix

import (
	"testing"

	"audit/inspect"
	"audit/inspect/image"
)

// A tar whose first entry is "/" is nix2container's only by its own word, on top of
// all others, or with store items where there is no history: kaniko writes one too.
func TestRootEntryIsNoWord(t *testing.T) {
	for name, test := range map[string]struct {
		items   []inspect.StoreItem
		history []string
		want    bool
	}{
		"kaniko":                           {nil, []string{"COPY . /"}, false},
		"kaniko on an image of Nix":        {[]inspect.StoreItem{{Path: storeDir + "x"}}, []string{"nix2container", "RUN true"}, false},
		"no history, no store items":       {nil, nil, false},
		"no history, store items":          {[]inspect.StoreItem{{Path: storeDir + "x"}}, nil, true},
		"its own word on top of a base":    {nil, []string{"RUN true", "nix2container"}, true},
		"a Dockerfile's with a store item": {[]inspect.StoreItem{{Path: storeDir + "x"}}, []string{"COPY /nix /nix"}, false},
	} {
		v := view{img: &inspect.Image{Items: test.items}, config: new(image.Written), writers: []writer{goTree}}
		for _, by := range test.history {
			v.config.History = append(v.config.History, image.WrittenStep{CreatedBy: by})
		}
		if got := v.isNix2container(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

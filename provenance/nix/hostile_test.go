package nix

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance"
)

// Configs that say too much, too little, or something else than the layers.
func TestHostileConfigs(t *testing.T) {
	layer := func(i int) *inspect.Layer { return &inspect.Layer{Index: i, Frame: image.NewFrameWriter().Frame()} }
	list := fmt.Sprintf(`{"comment":"store paths: ['%s']"}`, greeter)
	for name, raw := range map[string]string{
		"nothing":                   ``,
		"null":                      `null`,
		"a list":                    `[]`,
		"no history":                `{"history":null}`,
		"a history of something":    `{"history":[1,"x",null,{}]}`,
		"a history too long":        `{"history":[` + strings.Repeat(list+",", 5000) + list + `]}`,
		"a list of everything":      `{"history":[{"comment":"store paths: [` + strings.Repeat(`'`+greeter+`', `, 5000) + `'x']"}]}`,
		"a list that has no end":    `{"history":[{"comment":"store paths: ['` + strings.Repeat("\\\\\\\\", 5000) + `"}]}`,
		"a store path with more":    fmt.Sprintf(`{"history":[{"comment":"store paths: ['%s/../../etc']"}]}`, greeter),
		"a label with controls":     `{"config":{"Labels":{"org.opencontainers.image.source":"\u001b[2J\n\u202e"}},"history":[` + list + `]}`,
		"labels of another kind":    `{"config":{"Labels":["x"]},"history":[` + list + `]}`,
		"dates of another kind":     `{"created":7,"history":[` + list + `]}`,
		"an author's nix2container": `{"history":[{"created_by":"nix2container"}]}`,
	} {
		for layers := range 3 {
			img := &inspect.Image{Config: inspect.Config{Raw: []byte(raw), Member: "config.json"}}
			_ = json.Unmarshal([]byte(raw), &img.Config.File) // as far as it can be
			for i := range layers {
				img.Layers = append(img.Layers, layer(i))
			}
			ev, err := System{}.Recover(img, nil)
			if err != nil && !errors.Is(err, provenance.ErrNotMine) {
				t.Errorf("%s, %d layers: %v", name, layers, err)
			}
			if err != nil {
				continue
			}
			// What arguments hold is the image's own; a report shows it without controls.
			text, err := json.Marshal(ev)
			if err != nil || strings.Contains(string(text), "\x1b") || ev.Closure.Status == check.Pass && len(ev.Closure.Findings) > 0 {
				t.Errorf("%s, %d layers: %v %+v", name, layers, err, ev.Closure)
			}
		}
	}
}

// A file in the place of the database that is none: no packer writes such a file.
func TestHostileDatabases(t *testing.T) {
	for name, data := range map[string]string{"nothing": "", "no database": strings.Repeat("x", 5000), "half of one": "SQLite format 3\x00"} {
		m := ofNix2container(append(toTool(), entry{name: "/nix/var", mode: 0o755}, entry{name: "/nix/var/nix", mode: 0o755}, entry{name: "/nix/var/nix/db", mode: 0o755},
			entry{name: "/" + DatabasePath, mode: 0o644, body: data + " "}))
		c := recoverFrom(t, m.write(t)).Closure
		if c.Status != check.Fail || c.Findings[0].Code != "closure/database-malformed" {
			t.Errorf("%s: %v %+v", name, c.Status, c.Findings)
		}
	}
}

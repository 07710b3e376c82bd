package nix

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/provenance"
)

func TestPackerOfSamples(t *testing.T) {
	for _, tc := range []struct {
		file, packer, format, root string
		maxLayers                  int
	}{
		{"images-forms/build.tar.gz", "dockerTools.buildImage (nixpkgs 18.09 and later)", BuildImageFormat, "", 0},
		{"images-forms/build-copied.tar.gz", "dockerTools.buildImage (nixpkgs 18.09 and later)", BuildImageFormat, "", 0},
		{"images-forms/build-withdb.tar.gz", "dockerTools.buildImage (nixpkgs 18.09 and later)", BuildImageFormat, "", 0},
		{"images-forms/layered-2003.tar.gz", "dockerTools.buildLayeredImage (nixpkgs 18.09 to 20.03)", BuildLayeredFormat, "", 0},
		{"images-forms/stream.tar.gz", "dockerTools.streamLayeredImage or buildLayeredImage (nixpkgs 24.05 and later)", StreamFormat, "fw6jbbr9qx13qf44m8a0ckrbdkdw69sm-stream-customisation-layer", 0},
		{"images-forms/stream-owned.tar.gz", "dockerTools.streamLayeredImage or buildLayeredImage (nixpkgs 24.05 and later)", StreamFormat, "8bzfn86sviapnlwkxsawblvrvj2vkhb6-stream-owned-customisation-layer", 0},
		{"images-forms/stream-merged.tar.gz", "dockerTools.streamLayeredImage or buildLayeredImage (nixpkgs 24.05 and later)", StreamFormat, "ydhsz01myc25qa3j035n6l3afy0jrcm9-stream-merged-customisation-layer", 3},
		{"images-forms/stream-2311.tar.gz", "dockerTools.streamLayeredImage or buildLayeredImage (nixpkgs 20.09 to 23.11)", StreamFormat, "h0nm48qc0k4pzkgmgxalzssqwcnrcn9q-stream-2311-customisation-layer", 0},
		{"images-mini/single.tar.gz", "an unknown packer in the manner of dockerTools.buildImage", UnknownFormat, "", 0},
		{"images-mini/withdb.tar.gz", "an unknown packer in the manner of dockerTools.buildImage", UnknownFormat, "", 0},
		{"images-mini/layered.tar.gz", "an unknown packer in the manner of dockerTools.buildLayeredImage, with its history", UnknownFormat, "", 0},
	} {
		r := recoverFrom(t, sample(tc.file)).Recipe
		pack, _ := PackOf(r)
		root := strings.TrimPrefix(r.Root, storeDir)
		if r.System != Name || r.Status != provenance.Partial || r.Packer != tc.packer || pack.Format != tc.format || root != tc.root || pack.MaxLayers != tc.maxLayers {
			t.Errorf("%s: %s %s by %q, format %q, root %q, %d layers", tc.file, r.System, r.Status, r.Packer, pack.Format, root, pack.MaxLayers)
		}
		if pack.SystemType != "x86_64-linux" || pack.ImageTag != "v1" {
			t.Errorf("%s: system %q, tag %q", tc.file, pack.SystemType, pack.ImageTag)
		}
	}
}

// Packers that write with Go's archive/tar.
func TestPackersInGo(t *testing.T) {
	files := []entry{{name: toolItem + "/bin/tool", mode: 0o555, body: "tool"}}
	root := []entry{{name: "./", mode: 0o755}, {name: "bin/", mode: 0o755}, {name: "bin/tool", link: toolItem + "/bin/tool"}}
	old := ofNix2container(toTool())
	old.mtime = 0
	silent := ofNix2container(toTool())
	silent.config = config(nil)
	for _, tc := range []struct {
		name string
		made
		packer string
	}{
		{"nix2container", ofNix2container(toTool()), "nix2container (of July 2024 and later)"},
		{"nix2container of the time before", old, "nix2container (of December 2022 to July 2024)"},
		{"nix2container without a history", silent, "nix2container (of July 2024 and later)"},
		{"Nixery", ofNixery(files, root), "Nixery"},
		{"layers of files and no root", ofNixery(files), "an unknown packer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := recoverFrom(t, tc.write(t)).Recipe
			if r.Packer != tc.packer || r.Status != provenance.Partial {
				t.Errorf("%s by %q, want %q", r.Status, r.Packer, tc.packer)
			}
		})
	}
}

// What is recovered of a recipe and what is not: nothing is guessed.
func TestRecipeOfSample(t *testing.T) {
	ev := recoverFrom(t, sample("images-mini/layered.tar.gz"))
	r := ev.Recipe
	if len(r.Channels)+len(r.Files) > 0 {
		t.Errorf("made up: %v %v", r.Channels, r.Files)
	}
	if len(r.Packages) != 1 || r.Packages[0].Name != "greeter" || r.Packages[0].Version != "1.0" || r.Packages[0].Path != greeter {
		t.Errorf("packages %+v", r.Packages)
	}
	wantMissing(t, r, "recipe/unknown-packer", "recipe/revision-missing", "recipe/expression-missing")
	if ev.Recover.ID != check.Recipe || ev.Recover.Status != check.Unknown {
		t.Errorf("check %v", ev.Recover)
	}
	var asserted []string
	for _, f := range ev.Recover.Findings {
		if f.Code == "recipe/asserted-origin" && f.Level == check.Note {
			asserted = append(asserted, f.Args.String("label")+"="+f.Args.String("value"))
		}
	}
	if text := strings.Join(asserted, " "); len(asserted) != 2 || !strings.HasPrefix(text, "org.opencontainers.image.source=https://example.org/greeter.git org.opencontainers.image.revision=") {
		t.Errorf("labels %q", asserted)
	}
}

// wantMissing fails the test unless a recipe lacks just that, by code.
func wantMissing(t *testing.T, r provenance.Recipe, want ...string) {
	t.Helper()
	var got []string
	for _, m := range r.Missing {
		got = append(got, m.Code)
	}
	if !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
}

// The database of an image in which Nix ran names derivations.
func TestDeriversInDatabase(t *testing.T) {
	v := newView(open(t, sample("images-mini/withdb.tar.gz")))
	rows, err := v.rows()
	if err != nil {
		t.Fatal(err)
	}
	rows[0].Deriver = "/nix/store/7mb90v2ik6jmii84pmqlqqcnqb7f2ava-greeter-1.0.drv"
	rows[1].Deriver = "unknown-deriver"
	r := v.recipe(v.packer(), rows)
	wantMissing(t, r, "recipe/unknown-packer", "recipe/revision-missing", "recipe/expression-missing", "recipe/derivations-missing")
	if n := r.Missing[3].Args.Int("items"); n != 1 {
		t.Errorf("%d derivers", n)
	}
}

// Images of other systems, and those that merely start from one of Nix.
func TestNotMine(t *testing.T) {
	onTop := ofNix2container(append(toTool()[1:], entry{name: "/etc", mode: 0o755}))
	onTop.config["history"] = []map[string]any{{"created_by": "RUN /bin/sh -c true # buildkit"}}
	bare := ofNixery([]entry{{name: "etc/", mode: 0o755}})
	bare.config = map[string]any{"architecture": "amd64", "os": "linux"}
	for _, file := range []string{
		filepath.Join(fixturesDir, "../guix/images/tiny.tar.gz"), filepath.Join(fixturesDir, "../guix/images/tiny-layers4.tar.gz"),
		onTop.write(t), bare.write(t),
	} {
		if _, err := (System{}).Recover(open(t, file), nil); !errors.Is(err, provenance.ErrNotMine) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSplitName(t *testing.T) {
	for _, tc := range [][3]string{
		{"greeter-1.0", "greeter", "1.0"}, {"bash-interactive-5.2-p15", "bash-interactive", "5.2-p15"}, {"source", "source", ""},
		{"nix-2.8.0-dev", "nix", "2.8.0-dev"}, {"x--y", "x", "-y"}, {"x-", "x-", ""}, {"", "", ""},
	} {
		if name, version := splitName(tc[0]); name != tc[1] || version != tc[2] {
			t.Errorf("%q: %q %q", tc[0], name, version)
		}
	}
}

package repack

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/nix"
)

// A member is an entry of a layer that a base has.
type member struct {
	name, body, link string
	mode             int64
}

// baseLayer writes a layer as GNU tar does without --sort and with the dates of the
// files, or as Go's archive/tar does.
func baseLayer(t testing.TB, format tar.Format, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i, m := range members {
		h := &tar.Header{Name: m.name, Mode: m.mode, Size: int64(len(m.body)), Linkname: m.link, Typeflag: tar.TypeDir,
			ModTime: time.Unix(1700000000+int64(i), 0), Uname: "root", Gname: "root", Format: format}
		switch {
		case m.link != "":
			h.Typeflag = tar.TypeSymlink
		case m.body != "":
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(m.body))
	}
	w.Close()
	return buf.Bytes()
}

// bases are what images are laid on: their layers.
func bases(t testing.TB) map[string][][]byte {
	const shell = "nix/store/33333333333333333333333333333333-shell-1"
	root := []member{{name: "./", mode: 0o755}, {name: "./usr/", mode: 0o755}, {name: "./usr/env", mode: 0o755, body: "env"},
		{name: "./etc/", mode: 0o755}, {name: "./etc/passwd", mode: 0o644, body: "root:x:0:0"}}
	dpkg := []member{{name: "./", mode: 0o755}, {name: "./var/", mode: 0o755}, {name: "./var/lib/", mode: 0o755}, {name: "./var/lib/dpkg/", mode: 0o755},
		{name: "./var/lib/dpkg/status", mode: 0o644, body: "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"}}
	removed := []member{{name: "etc/", mode: 0o755}, {name: "etc/.wh.motd", mode: 0o644}, {name: "usr/", mode: 0o755}, {name: "usr/app", mode: 0o755, body: "app"}}
	store := []member{{name: "nix/", mode: 0o755}, {name: "nix/store/", mode: 0o1775}, {name: shell + "/", mode: 0o755}, {name: shell + "/sh", mode: 0o755, body: "sh"},
		{name: "nix/store/.wh.44444444444444444444444444444444-gone-1", mode: 0o644}}
	sample := func(name string) [][]byte { return takeApart(t, filepath.Join(samples, name)).layers }
	return map[string][][]byte{
		"docker import":          {baseLayer(t, tar.FormatGNU, root...)},
		"debootstrap":            {baseLayer(t, tar.FormatGNU, dpkg...)},
		"Dockerfile":             {baseLayer(t, tar.FormatGNU, root...), baseLayer(t, tar.FormatPAX, removed...)},
		"another store":          {baseLayer(t, tar.FormatPAX, store...)},
		"layered":                sample("images-mini/layered.tar.gz"),
		"layered of another era": sample("images-forms/stream-2311.tar.gz"),
		"streamed":               sample("images-forms/stream.tar.gz"),
		"streamed with an owner": sample("images-forms/stream-owned.tar.gz"),
		"buildImage":             sample("images-forms/build.tar.gz"),
	}
}

// onBase lays a sample on a base, and writes the history that its packer writes.
func onBase(t testing.TB, sample string, base [][]byte, listed bool) *rawImage {
	t.Helper()
	raw := takeApart(t, filepath.Join(samples, sample))
	var history []any
	for i := range base {
		entry := map[string]any{"created": "1970-01-01T00:00:01+00:00"}
		if listed {
			entry["comment"] = fmt.Sprintf("store paths: ['%064d/layer.tar']", i)
		}
		history = append(history, entry)
	}
	raw.layers = append(append([][]byte{}, base...), raw.layers...)
	raw.config["history"] = append(history, raw.config["history"].([]any)...)
	return raw
}

// examine makes both checks of an image.
func examine(t testing.TB, file string) (closure, repacked check.Check, recipe provenance.Recipe) {
	t.Helper()
	img := open(t, file)
	ev, err := nix.System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev.Closure, Check(img, ev.Recipe), ev.Recipe
}

// No image is accused of what its base is; what dockerTools itself made comes out
// again, and what was changed in that is still found.
func TestBasesOfOthers(t *testing.T) {
	for name, base := range bases(t) {
		for sample, listed := range map[string]bool{"images-forms/stream.tar.gz": true, "images-mini/layered.tar.gz": true, "images-forms/build.tar.gz": false} {
			t.Run(name+" "+sample, func(t *testing.T) {
				raw := onBase(t, sample, base, listed)
				closure, repacked, recipe := examine(t, raw.write(t))
				if closure.Status == check.Fail || repacked.Status == check.Fail {
					t.Errorf("closure %v %+v\nrepack %v %+v", closure.Status, closure.Findings, repacked.Status, repacked.Findings)
				}
				if pack, _ := nix.PackOf(recipe); pack.BaseLayers != len(base) {
					t.Errorf("%d layers of a base, want %d: %s", pack.BaseLayers, len(base), recipe.Packer)
				}
				own := raw.layers[len(base)]
				at := bytes.Index(own, []byte("ustar")) - 257 // the first header, whose folder gets another owner
				for n := at; n+512 <= len(own); n += 512 {
					if bytes.Contains(own[n:n+100], []byte("words-1.0")) && bytes.HasPrefix(own[n+257:], []byte("ustar")) {
						at = n
						break
					}
				}
				copy(own[at+108:], "0000007")
				sign(own[at : at+512])
				if _, repacked, _ := examine(t, raw.write(t)); repacked.Status != check.Fail {
					t.Errorf("another owner in a layer that dockerTools made: %v %+v", repacked.Status, repacked.Findings)
				}
			})
		}
	}
}

// To name a layer of the packer as one of a base does not free it from the packer's
// rules, and a file that an intruder would want is named in a base, too.
func TestBaseIsNoExcuse(t *testing.T) {
	raw := takeApart(t, filepath.Join(samples, "images-forms/stream.tar.gz"))
	raw.config["history"].([]any)[0].(map[string]any)["comment"] = "store paths: ['x/layer.tar']"
	copy(raw.layers[0][108:], "0000007")
	sign(raw.layers[0][:512])
	if _, repacked, _ := examine(t, raw.write(t)); repacked.Status != check.Fail {
		t.Errorf("%v %+v", repacked.Status, repacked.Findings)
	}

	base := baseLayer(t, tar.FormatGNU, member{name: "./", mode: 0o755}, member{name: "./su", mode: 0o4755, body: "su"})
	closure, _, _ := examine(t, onBase(t, "images-forms/stream.tar.gz", [][]byte{base}, true).write(t))
	if closure.Status != check.Unknown || closure.Findings[0].Code != "closure/setuid-file" {
		t.Errorf("%v %+v", closure.Status, closure.Findings)
	}
}

// What dockerTools of the field made, where those images are.
func TestFieldImages(t *testing.T) {
	folder := os.Getenv("AUDIT_TEST_FIELD")
	if folder == "" {
		folder = "../../../../shared/samples/field"
	}
	for name, revision := range map[string]string{
		"fb1.tar": "", "ontopdisj.tar": "", "nixos.tar": "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
	} {
		file := filepath.Join(folder, "nix", name)
		if _, err := os.Stat(file); err != nil {
			t.Skipf("SKIPPED: the field's images are not here: %v", err)
		}
		closure, repacked, recipe := examine(t, file)
		if closure.Status == check.Fail || repacked.Status == check.Fail {
			t.Errorf("%s: closure %+v, repack %+v", name, closure.Findings, repacked.Findings)
		}
		if pack, _ := nix.PackOf(recipe); pack.Format != nix.StreamFormat || pack.Nixpkgs != revision {
			t.Errorf("%s: %+v", name, pack)
		}
	}
}

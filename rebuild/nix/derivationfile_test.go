package nix

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild"
)

// A derivation that is given as a file is imported, and nothing is evaluated.
func TestBuildDerivation(t *testing.T) {
	w := newWorld(t, Input{Drv: drvSample})
	got := w.mustBuild()
	if got.Derivation.Status != check.Pass {
		t.Errorf("%+v", got.Derivation)
	}
	if calls := strings.Join(w.calls(), "\n"); calls != "nix-store --version\nnix-store --import\nnix-store --realise "+imageDrv {
		t.Errorf("%s", calls)
	}
	paths := exported(t, []byte(w.read("imported")))
	at := make(map[string]int)
	for i, p := range paths {
		at[filepath.Base(p)[33:]] = i
	}
	if len(paths) != 5 || at["words-1.0.drv"] > at["libgreet-1.0.drv"] || at["libgreet-1.0.drv"] > at["greeter-1.0.drv"] || paths[4] != imageDrv {
		t.Errorf("%q", paths)
	}
}

// exported reads an export as nix-store --import does, and returns the paths.
func exported(t *testing.T, data []byte) (paths []string) {
	t.Helper()
	number := func() uint64 {
		n := binary.LittleEndian.Uint64(data)
		data = data[8:]
		return n
	}
	text := func() string {
		n := int(number())
		s := string(data[:n])
		data = data[(n+7)&^7:]
		return s
	}
	for number() == 1 {
		for depth := 0; ; { // skip the NAR: strings, in parentheses
			switch text() {
			case "(":
				depth++
			case ")":
				depth--
			}
			if depth == 0 && len(data) > 8 && binary.LittleEndian.Uint64(data) == exportMagic {
				break
			}
		}
		number()
		paths = append(paths, text())
		for n := number(); n > 0; n-- {
			if r := text(); !isStorePath(r) {
				t.Errorf("%q is no reference", r)
			}
		}
		if deriver, end := text(), number(); deriver != "" || end != 0 {
			t.Errorf("deriver %q, end %d", deriver, end)
		}
	}
	if len(data) > 0 {
		t.Errorf("%d bytes too many", len(data))
	}
	return paths
}

// Where there is no Nix, a derivation still tells which store paths it gives.
func TestDerivationWithoutNix(t *testing.T) {
	for _, tc := range []struct {
		items  []string
		status check.Status
	}{
		{[]string{greeter, libgreet, words_}, check.Pass},
		{[]string{greeter, "/nix/store/00000000000000000000000000000000-words-1.0"}, check.Fail},
	} {
		w := newWorld(t, Input{Drv: drvSample})
		w.builder.Bin = t.TempDir()
		w.job.Image = imageOf(tc.items...)
		got, err := w.build()
		if !errors.Is(err, rebuild.ErrNoBuilder) || got.Derivation.Status != tc.status {
			t.Errorf("%v, %+v", err, got.Derivation)
		}
	}
}

// Derivations that are not what their names say, or not there.
func TestDerivationThatIsNone(t *testing.T) {
	const words = "bs0ga8fy6knp5car1s4rkwd8lj3sygm2-words-1.0.drv"
	for _, tc := range []struct {
		name   string
		change func(dir string) error
		want   string
	}{
		{"changed", func(dir string) error {
			text, err := os.ReadFile(filepath.Join(dir, words))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, words), []byte(strings.Replace(string(text), "echo hello", "echo jello", 1)), 0o600)
		}, "not what its name says"},
		{"missing", func(dir string) error { return os.Remove(filepath.Join(dir, words)) }, "neither beside the derivation nor in the store"},
		{"no derivation", func(dir string) error { return os.WriteFile(filepath.Join(dir, words), []byte("Derive("), 0o600) }, "a list has no end"},
		{"a folder", func(dir string) error {
			if err := os.Remove(filepath.Join(dir, words)); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, words), 0o700)
		}, "is a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			copyAll(samples+"/drv-mini", dir)
			if err := tc.change(dir); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, Input{Drv: filepath.Join(dir, filepath.Base(drvSample))})
			if _, err := w.build(); !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

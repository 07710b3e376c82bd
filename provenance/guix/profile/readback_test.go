package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/provenance/guix/scheme"
)

// Every file that is written reads back, to the same data.
func TestReadBackWhatIsWritten(t *testing.T) {
	manifests, err := filepath.Glob("../../../fixtures/guix/profiles/*.manifest")
	if err != nil || len(manifests) == 0 {
		t.Fatal("no profiles", err)
	}
	for _, path := range manifests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := Parse("manifest", text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		readsBack(t, path, profile.ManifestFile(), func(text []byte) ([]byte, error) { return ReadManifest(text) })
		if list := profile.Channels(); len(list.List) > 0 {
			readsBack(t, path, list.File(), func(text []byte) ([]byte, error) {
				_, again, err := ReadChannels(text)
				return again, err
			})
		}
	}
}

func readsBack(t *testing.T, path string, text []byte, read func([]byte) ([]byte, error)) {
	t.Helper()
	again, err := read(text)
	if err != nil {
		t.Errorf("%s: %v\n%s", path, err, text)
		return
	}
	was, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	now, err := scheme.Parse(again, scheme.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if scheme.ListOf(was...).String() != scheme.ListOf(now...).String() {
		t.Errorf("%s: read back as\n%s\nnot\n%s", path, again, text)
	}
}

const plainChannel = `(list (channel (name 'guix) (url "u") (branch "b") (commit "230aa373f315f247852ee07dff34146e9b480aec")))`

func TestReadBackRefusesPrograms(t *testing.T) {
	if _, _, err := ReadChannels([]byte(plainChannel)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		``, `(list)`, `(system "x")`, plainChannel + `(system "x")`,
		strings.Replace(plainChannel, `"u"`, `(system "x")`, 1),
		strings.Replace(plainChannel, `'guix`, `(quote guix (system "x"))`, 1),
		strings.Replace(plainChannel, `'guix`, `(string->symbol "x")`, 1),
		strings.Replace(plainChannel, `(branch "b")`, `(branch "b") (system "x")`, 1),
		strings.Replace(plainChannel, `aec")`, `aec") (introduction (system "x"))`, 1),
		strings.Replace(plainChannel, `"u"`, `#.(system "x")`, 1),
	} {
		if _, _, err := ReadChannels([]byte(text)); err == nil {
			t.Errorf("accepted as channels: %s", text)
		}
	}
	for _, text := range []string{
		``, `(system "x")`, `(specifications->manifest (system "x"))`, `(specifications->manifest (list (system "x")))`,
		`(specifications->manifest (list "a")) (system "x")`, `(use-modules (evil)) (specifications->manifest (list "a"))`,
		`(define list system) (specifications->manifest (list "a"))`,
		`(define transform1 (options->transformation (system "x"))) (packages->manifest (list))`,
		"(specifications->manifest (list `(a ,(system \"x\"))))",
	} {
		if _, err := ReadManifest([]byte(text)); err == nil {
			t.Errorf("accepted as a manifest: %s", text)
		}
	}
}

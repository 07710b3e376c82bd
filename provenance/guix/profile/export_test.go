package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/provenance/guix/scheme"
)

const fixturesDir = "../../../fixtures/guix"

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixturesDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustScheme(t testing.TB, text []byte) []scheme.Value {
	t.Helper()
	values, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func mustParse(t testing.TB, text []byte) *Profile {
	t.Helper()
	p, err := Parse("manifest", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sameData fails the test unless both texts hold equal data.
func sameData(t *testing.T, got, want []scheme.Value) {
	t.Helper()
	if scheme.ListOf(got...).String() != scheme.ListOf(want...).String() {
		t.Errorf("got\n%s\nwant\n%s", scheme.Pretty(scheme.ListOf(got...), 0), scheme.Pretty(scheme.ListOf(want...), 0))
	}
}

// Every profile that Guix wrote gives the files that Guix makes of it.
func TestExportIsWhatGuixExports(t *testing.T) {
	manifests, err := filepath.Glob(filepath.Join(fixturesDir, "profiles", "*.manifest"))
	if err != nil || len(manifests) < 40 {
		t.Fatalf("%d profile manifests, %v", len(manifests), err)
	}
	for _, file := range manifests {
		base := "profiles/" + strings.TrimSuffix(filepath.Base(file), ".manifest")
		t.Run(filepath.Base(base), func(t *testing.T) {
			p := mustParse(t, readFixture(t, base+".manifest"))
			if len(p.Problems) > 0 {
				t.Errorf("problems: %q", p.Problems)
			}
			list := p.Channels()
			if string(readFixture(t, base+".channels.rc")) == "0" {
				sameData(t, mustScheme(t, list.File()), mustScheme(t, readFixture(t, base+".channels.scm")))
			} else if len(list.List) > 0 {
				t.Errorf("channels where Guix finds none: %v", list.List)
			}
			want := mustScheme(t, readFixture(t, base+".manifest-fullversion.code"))
			sameData(t, mustScheme(t, p.ManifestFile()), want[0].Items[1:])
		})
	}
}

// What Guix 1.5.0 itself exported from the profiles inside two of the images.
func TestExportedByRelease(t *testing.T) {
	for _, name := range []string{"hello", "tiny"} {
		p := mustParse(t, readFixture(t, "export/"+name+".profile-manifest"))
		sameData(t, mustScheme(t, p.Channels().File()), mustScheme(t, readFixture(t, "export/"+name+".export-channels.scm")))
		want := strings.ReplaceAll(string(readFixture(t, "export/"+name+".export-manifest.scm")), `hello"`, `hello@`+p.Entries[0].Version+`"`)
		sameData(t, mustScheme(t, p.ManifestFile()), mustScheme(t, []byte(want)))
	}
}

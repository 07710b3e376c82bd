package sbom

import (
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
)

// needing is an image in which packages depend on each other.
func needing(t testing.TB) string {
	t.Helper()
	paragraph := func(name, arch, more string) string {
		return "Package: " + name + "\nStatus: install ok installed\nArchitecture: " + arch + "\nVersion: 1-1\n" + more + "\n"
	}
	status := paragraph("app", "amd64", "Depends: libc6 (>= 2.36), gone | awk, libx:any [linux-any] <!nocheck>,\n libx, app\nPre-Depends: base\n") +
		paragraph("libc6", "amd64", "") + paragraph("libc6", "i386", "") + paragraph("mawk", "amd64", "Provides: awk (= 1), other\n") +
		paragraph("gawk", "i386", "Provides: awk\n") + paragraph("libx", "i386", "Depends: libc6\n") + paragraph("base", "all", "Depends: missing\n")
	const apk = "P:tool\nV:1-r0\nA:x86_64\nD:so:libm.so.1 !bad musl>=1 cmd:sh\n\nP:musl\nV:1-r0\nA:x86_64\np:so:libm.so.1=1 so:x\n\nP:bad\nV:1-r0\nA:x86_64\n\n"
	return docker(t, [][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: status}, {Name: "lib/apk/db/installed", Body: apk}}})
}

// TestNeeds: what the databases of a distribution tell of dependencies is a
// graph in both forms.
func TestNeeds(t *testing.T) {
	b := collect(t, needing(t), Options{})
	got := map[string]string{}
	short := func(key string) string {
		fields := strings.Split(key, "\x00")
		return fields[1] + " " + fields[3]
	}
	for _, p := range b.Parts {
		var on []string
		for _, key := range p.DependsOn {
			on = append(on, short(key))
		}
		slices.Sort(on)
		if len(on) > 0 {
			got[short(p.Key)] = strings.Join(on, ", ")
		}
	}
	for name, want := range map[string]string{
		"app amd64": "base all, libc6 amd64, libx i386, mawk amd64", "libx i386": "libc6 i386", "tool x86_64": "musl x86_64",
	} {
		if got[name] != want {
			t.Errorf("%s depends on %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("and %v", got)
	}
	if text := string(writeSPDX(t, b)); strings.Count(text, `"DEPENDS_ON"`) != 6 {
		t.Errorf("%d dependencies in SPDX", strings.Count(text, `"DEPENDS_ON"`))
	}
	if text := string(writeCycloneDX(t, b)); strings.Count(text, `"dependsOn"`) < 3 {
		t.Errorf("too few dependencies in CycloneDX:\n%s", text)
	}
}

// TestNeedsAreBounded: names that everybody provides and everybody needs cost
// no more than others.
func TestNeedsAreBounded(t *testing.T) {
	var status strings.Builder
	for i := range 20_000 {
		name := "p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i%11)
		status.WriteString("Package: " + name + "\nStatus: install ok installed\nVersion: " + strings.Repeat("1", 1+i%40) + "\nProvides: all\nDepends: all\n\n")
	}
	b := collect(t, docker(t, [][]fixtures.File{{{Name: "var/lib/dpkg/status", Body: status.String()}}}), Options{})
	if len(b.Parts) < 5000 {
		t.Errorf("%d packages", len(b.Parts))
	}
}

package guix

import (
	"slices"
	"strings"
	"testing"

	"audit/inspect/compression"
)

func TestFriendlyName(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, tc := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"hello"}, "hello"},
		{[]string{"hello", "tiny-stamp"}, "hello-tiny-stamp"},
		{[]string{long}, long},
		{[]string{long, "b"}, long},
		{[]string{strings.Repeat("a", 37), "b"}, strings.Repeat("a", 37) + "-b"},
		{[]string{strings.Repeat("a", 38), "b"}, strings.Repeat("a", 38)},
		{[]string{strings.Repeat("é", 37), "b"}, strings.Repeat("é", 37) + "-b"},
		{[]string{"hello", "python-numpy", "guile", "unicode-names", "tzdata"}, "hello-python-numpy-guile-unicode-names"},
	} {
		if got := friendlyName(tc.names); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.names, got, tc.want)
		}
	}
}

func TestDefaultTag(t *testing.T) {
	const root = "/gnu/store/5r82imay84gai5q4idfh3h8avg3d4h1c-profile"
	for _, tc := range []struct {
		era      era
		friendly string
		want     string
	}{
		{era10, "hello", "profile:5r82imay84gai5q4idfh3h8avg3d4h1c"},
		{era11, "R-minimal", "R-minimal:latest"},
		{era13, "g++", "g++:latest"},
		{era14, "R-minimal", "r-minimal:latest"},
		{era15, "g++", "g..:latest"},
		{era15, "-_.x", "xa:latest"},
		{era15, "", "aa:latest"},
		{era15, strings.Repeat("x", 300), strings.Repeat("x", 255) + ":latest"},
	} {
		if got := defaultTag(eraSpan{tc.era, tc.era}, root, tc.friendly); got != tc.want {
			t.Errorf("%v, %q: got %q, want %q", eraSpan{tc.era, tc.era}, tc.friendly, got, tc.want)
		}
	}
}

func TestCommand(t *testing.T) {
	p := Pack{
		Format: "docker", SystemType: "aarch64-linux", Compression: compression.XZ,
		Symlinks:   []Symlink{{Source: "/bin", Target: "bin"}, {Source: "/opt/gnu", Target: ""}},
		EntryPoint: []string{"bin/sh", "-c", "a b"},
		ImageTag:   "me", MaxLayers: 5, Database: true, Relocatable: true, PRoot: true,
	}
	want := []string{
		"pack", "--format=docker", "--save-provenance", "--system=aarch64-linux", "--compression=xz",
		"--symlink=/bin=bin", "--symlink=/opt/gnu=", "--entry-point=bin/sh", "--entry-point-argument=-c", "--entry-point-argument=a b",
		"--image-tag=me", "--max-layers=5", "--localstatedir", "--relocatable", "--relocatable",
	}
	if got := Command(p); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Command(Pack{}); got != nil {
		t.Errorf("nothing known: %q", got)
	}
}

func TestKeep(t *testing.T) {
	const hash = "gnu/store/5r82imay84gai5q4idfh3h8avg3d4h1c-"
	for path, want := range map[string]bool{
		hash + "profile/manifest":                        true,
		hash + "profile/share/manifest":                  false,
		hash + "profile":                                 false,
		hash + "my-profile/manifest":                     false,
		hash + "hello/manifest":                          false,
		"nix" + hash[3:] + "profile/manifest":            false,
		"gnu/store/profile/manifest":                     false,
		"var/guix/db/db.sqlite":                          true,
		"etc/passwd":                                     false,
		hash + "system/provenance":                       true,
		hash + "system/channels.scm":                     true,
		hash + "system/configuration.scm":                true,
		hash + "system/boot":                             false,
		hash + "provenance":                              true,
		hash + "channels.scm":                            true,
		hash + "configuration.scm":                       true,
		hash + "channels.scm/channels.scm":               false,
		"":                                               false,
		".":                                              false,
		"gnu/store/5r82imay84gai5q4idfh3h8avg3d4h1c":     false,
		"gnu/store/5r82imay84gai5q4idfh3h8avg3d4h1c-":    false,
		"gnu/store/5r82imay84gai5q4idfh3h8avg3d4h1c-x/y": false,
	} {
		if Keep(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

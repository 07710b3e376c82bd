package image

import (
	"slices"
	"testing"
)

func TestSymlinksReal(t *testing.T) {
	link := func(path, target string) File {
		return File{Path: path, Entry: &Entry{Path: path, Type: '2', Linkname: target}}
	}
	s := NewSymlinks(slices.Values([]File{
		link("bin", "usr/bin"), link("lib64", "/usr/lib64"), link("usr/lib64", "lib"),
		link("a/up", "../b"), link("b/out", "../../../c"), link("loop", "loop"), link("x", "y"), link("y", "x"),
		link("usr/bin/sh", "dash"),
	}))
	for path, want := range map[string]string{
		".": ".", "etc": "etc", "bin": "bin", "bin/sh": "usr/bin/sh", "usr/bin/sh": "usr/bin/sh", "usr/bin/sh/x": "usr/bin/dash/x",
		"lib64/ld.so": "usr/lib/ld.so", "a/up/f": "b/f", "a/up/out/f": "c/f",
		"loop/f": "loop/f", "bin/none/deep": "usr/bin/none/deep",
	} {
		for range 2 { // the second time from memory
			if got := s.Real(path); got != want {
				t.Errorf("Real(%q) = %q, want %q", path, got, want)
			}
		}
	}
}

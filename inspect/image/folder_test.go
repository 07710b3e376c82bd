package image

import "testing"

// Where a folder is does not depend on whether its names are asked for.
func TestFolderPath(t *testing.T) {
	img := &Image{Layers: []*Layer{{Entries: []*Entry{
		{Path: "usr/lib/x", Type: '0', Size: 1}, {Path: "lib", Type: '2', Linkname: "usr/lib"}, {Path: "loop", Type: '2', Linkname: "loop"}, {Path: "none", Type: '2', Linkname: "nowhere"},
	}}}}
	root := img.Root()
	for path, want := range map[string]string{".": ".", "usr": "usr", "lib": "usr/lib", "usr/lib": "usr/lib", "usr/lib/x": "", "loop": "", "none": "", "away": ""} {
		real, ok := root.FolderPath(path)
		listed, _, also := root.Folder(path)
		if real != want || listed != want || ok != (want != "") || also != ok {
			t.Errorf("%s: %q %v, %q %v", path, real, ok, listed, also)
		}
	}
}

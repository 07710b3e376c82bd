package compare

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"
)

// A file under another name is one difference; what is not the same file is two.
func TestRenames(t *testing.T) {
	executable := f("c", "2")
	executable.Mode = 0o755
	for _, c := range []struct {
		was, now []item
		want     string
	}{
		{[]item{f("a", "1"), f("b", "2")}, []item{f("a", "1"), f("c", "2")}, "renamed b to c"},
		{[]item{f("b", "2")}, []item{f("c", "3")}, "missing b; extra c"},
		{[]item{f("b", "2")}, []item{executable}, "missing b; extra c"},
		{[]item{f("b", "")}, []item{f("c", "")}, "missing b; extra c"},
		{[]item{f("b", "2"), f("c", "2")}, []item{f("d", "2"), f("e", "2")}, "renamed b to d; renamed c to e"},
		{[]item{f("b", "2"), f("c", "2")}, []item{f("d", "2")}, "renamed b to d; missing c"},
		{[]item{f("b", "2")}, []item{f("c", "2"), f("d", "2")}, "renamed b to c; extra d"},
		{[]item{f(".wh.b", "2")}, []item{f(".wh.c", "2")}, "missing .wh.b; extra .wh.c"},
	} {
		var got []string
		comparison := Images(imageOf(t, layer(t, c.was...)), imageOf(t, layer(t, c.now...)), nil)
		for _, d := range comparison.Differences {
			one := fmt.Sprint(d.Cause, " ", d.Path)
			if to := d.RenamedTo(); to != "" {
				one += " to " + to
			}
			got = append(got, one)
		}
		if got := strings.Join(got, "; "); got != c.want || comparison.Equivalent() {
			t.Errorf("got %s, want %s, equivalent %v", got, c.want, comparison.Equivalent())
		}
	}
}

// A folder of which all went elsewhere is one difference that lists what is in it; what
// in it is not the same stays one of its own, and where that is most of it each file is one.
func TestRenamedFolders(t *testing.T) {
	setuid := f("new/s", "4").change(func(h *tar.Header) { h.Mode = 0o4755 })
	marked := f("old/a", "1").change(func(h *tar.Header) { h.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "y"} })
	for _, c := range []struct {
		name     string
		was, now []item
		want     string
	}{
		{"a folder", []item{d("old"), f("old/a", "1"), f("old/b", "2")}, []item{d("new"), f("new/a", "1"), f("new/b", "2")}, "renamed old to new (2: ,a,b)"},
		{"without an entry for it", []item{f("old/a", "1"), f("old/b", "2")}, []item{f("new/a", "1"), f("new/b", "2")}, "renamed old to new (2: a,b)"},
		{"with more below it", []item{d("x"), f("x/old/a", "1"), d("x/old/c"), f("x/old/c/e", ""), l("x/old/l", "a"), f("x/old/c/b", "2")},
			[]item{d("x"), f("x/new/a", "1"), d("x/new/c"), f("x/new/c/e", ""), l("x/new/l", "a"), f("x/new/c/b", "2")}, "renamed x/old to x/new (2: a,c,c/b,c/e,l)"},
		{"that is not the topmost of the same name", []item{f("p/x/a", "1"), f("p/x/b", "2"), f("p/c", "3")}, []item{f("q/x/a", "1"), f("q/x/b", "2"), f("p/c", "3")}, "renamed p/x to q/x (2: a,b)"},
		{"one file alone", []item{f("old/a", "1")}, []item{f("new/a", "1")}, "renamed old/a to new/a"},
		{"another file is new", []item{f("old/a", "1"), f("old/b", "2")}, []item{f("new/a", "1"), f("new/b", "2"), f("new/c", "3")}, "extra new/c; renamed old to new (2: a,b)"},
		{"another file is gone", []item{f("old/a", "1"), f("old/b", "2"), f("old/c", "3")}, []item{f("new/a", "1"), f("new/b", "2")}, "renamed old to new (2: a,b); missing old/c"},
		{"one file stays", []item{f("old/a", "1"), f("old/b", "2"), f("old/c", "3")}, []item{f("new/a", "1"), f("new/b", "2"), f("old/c", "3")}, "renamed old/a to new/a; renamed old/b to new/b"},
		{"most files are others", []item{f("old/a", "1"), f("old/b", "2"), f("old/c", "3"), f("old/e", "4")}, []item{f("new/a", "1"), f("new/b", "2")},
			"renamed old/a to new/a; renamed old/b to new/b; missing old/c; missing old/e"},
		{"another link", []item{f("old/a", "1"), f("old/b", "2"), l("old/l", "a")}, []item{f("new/a", "1"), f("new/b", "2"), l("new/l", "b")},
			"extra new/l; renamed old to new (2: a,b); missing old/l"},
		{"a setuid file", []item{f("old/a", "1"), f("old/b", "2")}, []item{f("new/a", "1"), f("new/b", "2"), setuid}, "extra new/s; renamed old to new (2: a,b)"},
		{"an attribute", []item{marked, f("old/b", "2")}, []item{f("new/a", "1"), f("new/b", "2")}, "extra new/a; missing old/a; renamed old/b to new/b"},
		{"a file that decides access", []item{f("p/old/sudoers.d/x", "1"), f("p/old/b", "2"), f("p/old/c", "3")}, []item{f("etc/sudoers.d/x", "1"), f("etc/b", "2"), f("etc/c", "3")},
			"renamed p/old to etc (2: b,c); renamed p/old/sudoers.d/x to etc/sudoers.d/x"},
		{"into itself", []item{f("a/x", "1"), f("a/y", "2")}, []item{f("a/b/x", "1"), f("a/b/y", "2")}, "renamed a/x to a/b/x; renamed a/y to a/b/y"},
	} {
		var got []string
		comparison := Images(imageOf(t, layer(t, c.was...)), imageOf(t, layer(t, c.now...)), nil)
		for _, d := range comparison.Differences {
			if d.Cause == Packaging {
				continue
			}
			one := fmt.Sprint(d.Cause, " ", d.Path)
			if to := d.RenamedTo(); to != "" {
				one += " to " + to
			}
			if d.folder {
				args := d.Evidence[0].Args
				one += fmt.Sprintf(" to %s (%d: %s)", args.String("to"), args.Int("files"), strings.Join(args.Strings("names"), ","))
			}
			got = append(got, one)
		}
		if got := strings.Join(got, "; "); got != c.want || comparison.Equivalent() {
			t.Errorf("%s: got %s, want %s, equivalent %v", c.name, got, c.want, comparison.Equivalent())
		}
	}
}

// Folders in folders in folders that could all have been renamed cost no more than so
// many looks at each file.
func TestRenamedFoldersAreLinear(t *testing.T) {
	var all []Difference
	path := "a"
	for range 2000 {
		all = append(all, Difference{Path: path + "/f", Cause: Renamed, Evidence: evidence(renamedFile, "to", "x")})
		path += "/a"
	}
	f := newFolderFinder(all)
	for path = "a"; len(path) < 4000; path += "/a" {
		f.collapse(Rename{path, "b"})
	}
	if f.work > 0 {
		t.Errorf("%d looks are left", f.work)
	}
}

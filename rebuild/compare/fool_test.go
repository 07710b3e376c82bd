package compare

import (
	"archive/tar"
	"strings"
	"testing"
	"time"
)

const capNetRaw = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// TestOneDifference holds pairs against each other that differ in one thing,
// most of which some comparer is known to miss.
func TestOneDifference(t *testing.T) {
	base := []item{d("a"), f("a/x", "one"), f("a/y", "two"), l("a/z", "x")}
	with := func(more ...item) []item { return append(append([]item{}, base...), more...) }
	for _, tc := range []struct {
		name       string
		was, now   []item
		causes     string
		path       string // of the first difference
		equivalent bool
		says       string // in the first difference
	}{
		{"identical", base, base, "", "", true, ""},
		{"content", with(f("c", "1")), with(f("c", "2")), "1 content", "c", false, ""},
		{"symlink absolute and relative", with(l("s", "/a/x")), with(l("s", "a/x")), "1 link", "s", false, "/a/x → a/x"},
		{"hard link to another file", with(h("s", "a/x")), with(h("s", "a/y")), "1 link", "s", false, "kind=hard link target=a/x"},
		{"hard link to another file of the same bytes", with(f("a/w", "one"), h("s", "a/x")), with(f("a/w", "one"), h("s", "a/w")), "1 link", "s", false, "(linked-files-apart)"},
		{"hard link turned copy", with(h("s", "a/x")), with(f("s", "one")), "1 hard-link", "s", false, "(link-or-copy)"},
		{"hard link turned copy in a store", with(h("gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a", "a/x")), with(f("gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a", "one")),
			"1 packaging", "gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a", true, "(link-or-copy)"},
		{"folder that is implied", with(f("q/r/s", "1")), with(d("q"), d("q/r"), f("q/r/s", "1")), "2 packaging", "q", true, "(implied-folder)"},
		{"folder that is implied, of root by name", with(f("q/s", "1")), with(d("q").change(func(h *tar.Header) { h.Uname, h.Gname = "root", "root" }), f("q/s", "1")), "1 packaging", "q", true, "(implied-folder)"},
		{"root that is implied", with(), with(d(".")), "1 packaging", ".", true, "(implied-folder)"},
		{"implied folder, other mode", with(f("q/s", "1")), with(d("q").change(func(h *tar.Header) { h.Mode = 0o777 }), f("q/s", "1")), "1 extra", "q", false, ""},
		{"implied folder, other owner", with(f("q/s", "1")), with(d("q").change(func(h *tar.Header) { h.Uid = 1 }), f("q/s", "1")), "1 extra", "q", false, ""},
		{"implied folder, attributes", with(f("q/s", "1")), with(d("q").xattr("user.a", "v"), f("q/s", "1")), "1 extra", "q", false, ""},
		{"implied folder, access control list", with(f("q/s", "1")), with(d("q").record("SCHILY.acl.access", "user::rwx"), f("q/s", "1")), "1 extra", "q", false, ""},
		{"folder with nothing in it", base, with(d("q")), "1 extra", "q", false, ""},
		{"hard link turned another file", with(h("s", "a/x")), with(f("s", "two")), "1 link", "s", false, "(linked-files-differ)"},
		{"hard link turned setuid copy", with(h("s", "a/x").change(setuid), f("b", "")), with(f("s", "one").change(setuid), f("b", "")), "1 link", "s", false, "(linked-files-rights)"},
		{"hard link before its target", with(f("p", "p"), h("s", "p")), with(h("s", "p"), f("p", "p")), "1 link, 1 order", "", false, ""},
		{"other name of a hard link first", with(f("p", "p"), h("q", "p"), h("r", "p")), with(f("q", "p"), h("p", "q"), h("r", "q")), "3 packaging, 1 order", "", true, ""},
		{"duplicate that overrides", with(f("b", "1")), with(f("b", "1"), f("b", "2")), "1 content, 1 extra", "b", false, ""},
		{"duplicate of the same", with(f("b", "1")), with(f("b", "1"), f("b", "1")), "1 extra", "b", false, "(repeated-entry entries=2)"},
		{"hidden duplicate", with(f("b", "1"), f("b", "2")), with(f("b", "2")), "1 missing", "b", false, "(repeated-entry entries=2)"},
		{"order of duplicates", with(f("b", "1"), f("b", "2")), with(f("b", "2"), f("b", "1")), "1 content, 1 order", "", false, ""},
		{"spelling of names", with(f("./b", "1")), with(f("b", "1")), "1 packaging", "b", true, "./b → b"},
		{"spelling of a link's target", with(h("s", "./a/x")), with(h("s", "a/x")), "1 packaging", "s", true, "./a/x → a/x"},
		{"user name only", with(f("b", "1").change(func(h *tar.Header) { h.Uname = "root" })), with(f("b", "1")), "1 owner", "b", false, "0:0 (root:) → 0:0"},
		{"group", with(f("b", "1")), with(f("b", "1").change(func(h *tar.Header) { h.Gid = 5 })), "1 owner", "b", false, "0:0 → 0:5"},
		{"xattr added", with(f("b", "1")), with(f("b", "1").xattr("user.a", "v")), "1 xattr", "b", false, `user.a="v"`},
		{"xattr empty", with(f("b", "1").change(pax)), with(f("b", "1").xattr("user.a", "v")), "1 xattr", "b", false, ""},
		{"capability value", with(f("b", "1").xattr("security.capability", strings.Replace(capNetRaw, "\x20", "\x04", 1))), with(f("b", "1").xattr("security.capability", capNetRaw)), "1 xattr", "b", false, "permitted cap_net_raw, effective"},
		{"capability added", with(f("b", "1")), with(f("b", "1").xattr("security.capability", capNetRaw)), "1 xattr", "b", false, "cap_net_raw"},
		{"access control list", with(f("b", "1").record("SCHILY.acl.access", "user::rw-")), with(f("b", "1").record("SCHILY.acl.access", "user::rwx")), "1 xattr", "b", false, "SCHILY.acl.access"},
		{"setuid", with(f("b", "1")), with(f("b", "1").change(func(h *tar.Header) { h.Mode |= 04000 })), "1 mode", "b", false, "0644 → 4644 setuid"},
		{"mode of a symlink", with(l("s", "x")), with(l("s", "x").change(func(h *tar.Header) { h.Mode = 0755 })), "1 packaging", "s", true, ""},
		{"device numbers", with(dev("n", '3', 1, 3)), with(dev("n", '3', 1, 5)), "1 device", "n", false, "1:3 → 1:5"},
		{"device type", with(dev("n", '3', 1, 3)), with(dev("n", '4', 1, 3)), "1 type", "n", false, ""},
		{"whiteout", base, with(f("a/.wh.q", "")), "1 extra", "a/.wh.q", false, "hides=q"},
		{"opaque marker", base, with(f("a/.wh..wh..opq", "")), "1 extra", "a/.wh..wh..opq", false, "opaque-marker"},
		{"empty folder", base, with(d("e")), "1 extra", "e", false, "mode=(0755) owner=0:0 what=(kind kind=folder)"},
		{"mtime", with(f("b", "1")), with(f("b", "1").change(at1(2, 0))), "1 timestamp", "b", true, "1970-01-01T00:00:01Z → 1970-01-01T00:00:02Z"},
		{"sub-second mtime", with(f("b", "1")), with(f("b", "1").change(at1(1, 5e8))), "1 timestamp", "b", true, "00:00:01.5Z"},
		{"mtime before 1970", with(f("b", "1").change(at1(-5, 0))), with(f("b", "1").change(at1(-6, 0))), "1 timestamp", "b", true, "1969"},
		{"access time", with(f("b", "1").record("comment", "c")), with(f("b", "1").record("comment", "c").change(atime)), "1 timestamp", "b", true, "atime"},
		{"GNU and POSIX", with(f("b", "1").change(gnu)), with(f("b", "1")), "1 packaging", "b", true, "GNU → POSIX"},
		{"PAX comment", with(f("b", "1").record("comment", "c")), with(f("b", "1").record("comment", "d")), "1 packaging", "b", true, "PAX record comment"},
		{"PAX and GNU long names", with(f(long, "1").change(pax)), with(f(long, "1").change(gnu)), "4 packaging", long, true, ""},
		{"name not in UTF-8", with(f("n\xff", "1").change(gnu)), with(f("n\xfe", "2").change(gnu)), "1 extra, 1 missing", "n\xfe", false, ""},
		{"content under a name not in UTF-8", with(f("n\xff", "1").change(gnu)), with(f("n\xff", "2").change(gnu)), "1 content", "n\xff", false, ""},
		{"file turned folder", with(f("b", "")), with(d("b")), "1 mode, 1 type", "b", false, ""},
		{"order of entries", []item{d("a"), f("a/x", "one"), f("a/y", "two")}, []item{d("a"), f("a/y", "two"), f("a/x", "one")}, "1 order", "a", true, "a/x → a/y"},
		{"order below a symlink", with(d("d"), l("p", "d"), f("p/q", "1")), with(d("d"), f("p/q", "1"), l("p", "d")), "1 missing, 1 order", "", false, ""},
		{"missing", with(f("b", "1")), base, "1 missing", "b", false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Images(imageOf(t, layer(t, tc.was...)), imageOf(t, layer(t, tc.now...)), nil)
			if got := causes(c); got != tc.causes {
				t.Errorf("causes %q, want %q\n%s", got, tc.causes, show(c))
			}
			if c.Equivalent() != tc.equivalent || c.Identical() != (tc.causes == "") {
				t.Errorf("equivalent %v, identical %v\n%s", c.Equivalent(), c.Identical(), show(c))
			}
			if len(c.Differences) == 0 {
				return
			}
			if first := c.Differences[0]; first.Path != tc.path {
				t.Errorf("the first is at %q, want %q", first.Path, tc.path)
			}
			if !strings.Contains(show(c), tc.says) {
				t.Errorf("nothing says %q:\n%s", tc.says, show(c))
			}
		})
	}
}

var long = strings.Repeat("n", 150)

func setuid(h *tar.Header) { h.Mode |= 04000 }

func gnu(h *tar.Header) { h.Format = tar.FormatGNU }

func pax(h *tar.Header) { h.Format = tar.FormatPAX }

func atime(h *tar.Header) { h.AccessTime = time.Unix(7, 0) }

func at1(seconds, nanos int64) func(h *tar.Header) {
	return func(h *tar.Header) { h.ModTime, h.Format = time.Unix(seconds, nanos), tar.FormatPAX }
}

func dev(name string, flag byte, major, minor int64) item {
	return item{tar.Header{Name: name, Typeflag: flag, Mode: 0600, Devmajor: major, Devminor: minor, ModTime: time.Unix(1, 0)}, ""}
}

// record gives an item a PAX record.
func (i item) record(key, value string) item {
	return i.change(func(h *tar.Header) {
		h.Format = tar.FormatPAX
		h.PAXRecords = map[string]string{key: value}
	})
}

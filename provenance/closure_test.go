package provenance

import (
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
)

// What is wrong outweighs what is undecided, and a note decides nothing.
func TestClosureCheck(t *testing.T) {
	var c Closure
	c.Note(-1, "", "closure/note")
	for _, step := range []struct {
		add    func()
		status check.Status
		reason string // the main one
	}{
		{func() {}, check.Pass, "closure/explained"},
		{func() { c.Undecided(1, "b", "closure/d") }, check.Unknown, `closure/undecided count="1" kinds="1 d"`},
		{func() { c.Undecided(1, "a", "closure/c") }, check.Unknown, `closure/undecided count="2" kinds="1 c, 1 d"`},
		{func() { c.Problem(0, "z", "closure/w") }, check.Fail, `closure/problems count="1" kinds="1 w"`},
	} {
		step.add()
		got := c.Check(check.Say("closure/explained"), 7)
		if got.ID != check.Closure || got.Status != step.status || got.Reasons[0].String() != step.reason || got.Bytes != 7 {
			t.Errorf("%+v, want %v %q", got, step.status, step.reason)
		}
	}
	var order []string
	for _, f := range c.Check(check.Say("closure/explained"), 0).Findings {
		order = append(order, strings.TrimPrefix(f.Code, "closure/"))
	}
	if got := strings.Join(order, " "); got != "note w c d" {
		t.Errorf("order %q, want that of layer and path", got)
	}
}

// A device that every container has is one by its place and its number; any other, and
// any disk, leads past the file system.
func TestDevices(t *testing.T) {
	for _, c := range []struct {
		path         string
		kind         byte
		major, minor int64
		want         string
	}{
		{"dev/null", '3', 1, 3, ""}, {"dev/ptmx", '3', 5, 2, ""}, {"dev/console", '3', 5, 1, ""},
		{"dev/null", '3', 1, 1, "closure/device"}, {"dev/null", '4', 1, 3, "closure/device"}, {"srv/null", '3', 1, 3, "closure/device"},
		{"dev/mem", '3', 1, 1, "closure/device"}, {"dev/sda", '4', 8, 0, "closure/device"}, {"dev/pts/null", '3', 1, 3, "closure/device"},
	} {
		e := &inspect.Entry{Path: c.path, Type: c.kind, Mode: 0o666, Attributes: &image.Attributes{Devmajor: c.major, Devminor: c.minor}}
		if got := Dangerous(&inspect.Image{}, 0, e); got != c.want {
			t.Errorf("%s %c %d:%d: %q", c.path, c.kind, c.major, c.minor, got)
		}
	}
}

// A file that nothing explains weighs the same in every system: it breaks the claim
// of a recipe that claims all files, and is undecided under any other. What an
// intruder would want stands first.
func TestUnexplained(t *testing.T) {
	entries := []*inspect.Entry{
		{Path: "a/plain", Type: '0', Mode: 0o644},
		{Path: "b/su", Type: '0', Mode: 0o4755},
		{Path: "c/sg", Type: '1', Mode: 0o2755},
		{Path: "d/lock", Type: '0', Mode: 0o2644},
		{Path: "e/ping", Type: '0', Mode: 0o755, Attributes: &image.Attributes{Xattrs: map[string]string{"security.capability": "x"}}},
		{Path: "f/sda", Type: '4', Mode: 0o600},
		{Path: "g/folder", Type: '5', Mode: 0o2775},
	}
	img := &inspect.Image{Layers: []*inspect.Layer{{Entries: entries}}}
	for claimed, level := range map[bool]check.Level{true: check.Problem, false: check.Undecided} {
		all, owned := Closure{Claimed: claimed}, Closure{Claimed: claimed}
		for n := range entries {
			all.Unexplained(img, 0, entries[n])
			owned.Unowned(img, 0, entries[n])
		}
		var got []string
		for _, f := range all.Check(check.Message{}, 0).Findings {
			got = append(got, f.Path+" "+strings.TrimPrefix(f.Code, "closure/"))
			if f.Level != level {
				t.Errorf("%s: level %v, want %v", f.Path, f.Level, level)
			}
		}
		want := "b/su setuid-file, c/sg setgid-file, e/ping capability-file, f/sda device, " +
			"a/plain unexplained-file, d/lock unexplained-file, g/folder unexplained-file"
		if strings.Join(got, ", ") != want {
			t.Errorf("%q", got)
		}
		if n := len(owned.Check(check.Message{}, 0).Findings); n != 4 {
			t.Errorf("%d findings about files that something weaker explains, want 4", n)
		}
	}
}

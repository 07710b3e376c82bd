package apptainer

import "testing"

func TestParse(t *testing.T) {
	d, whole := parse("# of two stages\nBootstrap: docker\nFrom: golang:1.22\nStage: build\n\n%post\n    key: value\n    go build\n" +
		"Bootstrap: library\nFrom: debian@sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
		"\n%files from build\n  /a /b\n%appRun tool\n  exec b\n%labels\n  Author me you\n")
	if !whole || len(d.Stages) != 2 {
		t.Fatalf("%+v, %v", d, whole)
	}
	a, b := d.Stages[0], d.Stages[1]
	if a.Name != "build" || a.From != "golang:1.22" || a.isPinned() || len(a.Sections) != 1 || a.Sections[0].Text != "    key: value\n    go build\n" {
		t.Errorf("first stage %+v", a)
	}
	if !b.isPinned() || len(b.Sections) != 3 || b.Sections[0].Arguments != "from build" || b.labels()["Author"] != "me you" {
		t.Errorf("second stage %+v", b)
	}
	if d, _ := parse("no definition\n%post\n"); len(d.Stages) != 0 {
		t.Errorf("%+v of no definition", d)
	}
}

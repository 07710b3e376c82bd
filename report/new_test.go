package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/rebuild"
	"audit/rebuild/compare"
)

func TestWithoutFolders(t *testing.T) {
	for _, c := range []struct {
		in        string
		transport image.Transport
		want      string
	}{
		{"tiny.tar.gz", image.DockerArchive, "tiny.tar.gz"},
		{"../a/tiny.tar.gz", image.DockerArchive, "tiny.tar.gz"},
		{"/home/someone/tiny.tar.gz", image.RootFS, "tiny.tar.gz"},
		{"-", image.DockerArchive, "-"},
		{"", "", ""},
		{"docker-archive:/a/b.tar", image.DockerArchive, "docker-archive:b.tar"},
		{"docker-archive:/a/b.tar:org/name:1.0", image.DockerArchive, "docker-archive:b.tar:org/name:1.0"},
		{"oci:a/b:latest", image.OCI, "oci:b:latest"},
		{"docker://registry.example/org/name:1.0", image.Registry, "docker://registry.example/org/name:1.0"},
		{"org/name:1.0", image.Registry, "org/name:1.0"},
		{"docker-daemon:org/name:1.0", image.DockerDaemon, "docker-daemon:org/name:1.0"},
	} {
		if got := withoutFolders(c.in, c.transport); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
		}
	}
}

func TestAllSevenChecksInOrder(t *testing.T) {
	r := New(Input{Image: &inspect.Image{}, Systems: testSystems(), Checks: []check.Check{
		{ID: check.Rebuild, Status: check.Fail, Reasons: because(check.Rebuild, "differs")},
		{ID: check.Integrity, Status: check.Pass, Reasons: because(check.Integrity, "fits")},
	}})
	for i, id := range check.IDs() {
		c := r.Checks[i]
		status, summary := check.Skipped, "it was not asked for"
		switch id {
		case check.Rebuild:
			status, summary = check.Fail, "differs"
		case check.Integrity:
			status, summary = check.Pass, "fits"
		}
		if c.ID != id || c.Status != status || r.Summary(c) != summary || r.Coverage.Checks[i].ID != id {
			t.Errorf("check %d is %+v, want %s, %s", i, c, status, summary)
		}
	}
}

func TestRebuildSection(t *testing.T) {
	img := &inspect.Image{}
	plan := &rebuild.Plan{System: "guix"}
	for _, c := range []struct {
		name string
		in   Input
		want *Rebuild
	}{
		{"nothing was asked", Input{}, nil},
		{"only planned", Input{Plan: plan}, nil},
		{"made elsewhere", Input{Plan: plan, Comparison: &compare.Comparison{}}, &Rebuild{Builder: "given", Status: Given}},
		{"built", Input{Plan: plan, Result: &rebuild.Result{}, Comparison: &compare.Comparison{}}, &Rebuild{Builder: "guix", Status: Built}},
		{"failed", Input{Builder: "nix", Result: &rebuild.Result{}, BuildErr: fmt.Errorf("x: %w", rebuild.ErrBuild)}, &Rebuild{Builder: "nix", Status: Failed, Problem: "x: the build failed"}},
		{"refused", Input{Plan: plan, BuildErr: rebuild.ErrRefused}, &Rebuild{Builder: "guix", Status: Refused, Problem: "the plan is refused"}},
		{"no builder", Input{Plan: plan, BuildErr: &rebuild.HintError{Err: rebuild.ErrNoBuilder, Hint: "get it"}}, &Rebuild{Builder: "guix", Status: NoBuilder, Problem: "the builder is not installed", Hint: "get it"}},
		{"interrupted", Input{Plan: plan, BuildErr: context.Canceled}, &Rebuild{Builder: "guix", Status: Stopped, Problem: "context canceled"}},
	} {
		c.in.Image = img
		got := New(c.in).Rebuild
		if (got == nil) != (c.want == nil) {
			t.Errorf("%s: the rebuild is %+v", c.name, got)
			continue
		}
		if got != nil && (got.Builder != c.want.Builder || got.Status != c.want.Status || got.Problem != c.want.Problem || got.Hint != c.want.Hint) {
			t.Errorf("%s: the rebuild is %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestUnknownOriginIsNotBuilt: what is not known to be made now does not count as made.
func TestUnknownOriginIsNotBuilt(t *testing.T) {
	items := newItems([]rebuild.Item{{Path: "/gnu/store/a", How: "teleported"}, {Path: "/gnu/store/b", How: rebuild.Built, Source: "ssh://c"}})
	if len(items.Built) != 1 || items.Built[0] != (BuiltItem{"/gnu/store/b", "ssh://c"}) || len(items.Reused) != 1 || items.Reused[0] != "/gnu/store/a" {
		t.Errorf("the items are %+v", items)
	}
}

func TestNewLeavesItsInputAlone(t *testing.T) {
	in := reproducibleInput(t)
	in.Run.Tools = append(make([]Tool, 0, 8), Tool{"tar", "1.35"})
	first := New(in)
	second := New(in)
	if len(in.Run.Tools) != 1 || len(first.Run.Tools) != 2 || len(second.Run.Tools) != 2 {
		t.Errorf("the tools are %v, then %v and %v", in.Run.Tools, first.Run.Tools, second.Run.Tools)
	}
}

func TestLayerThatBroke(t *testing.T) {
	img := &inspect.Image{Layers: []*inspect.Layer{{Broken: errors.New("reading entry 3: unexpected EOF")}}}
	if got := New(Input{Image: img}).Image.Layers[0].Broken; got != "reading entry 3: unexpected EOF" {
		t.Errorf("broken is %q", got)
	}
}

func TestPlanCommand(t *testing.T) {
	file := []string{"/home/someone/image.nix"}
	for _, c := range []struct {
		plan   rebuild.Plan
		want   string
		replay string // the first line
	}{
		{rebuild.Plan{System: "guix", Command: []string{"guix", "time-machine", "-C", "channels.scm", "--", "pack", "-S", "/bin=bin"}}, "guix time-machine -C channels.scm -- pack -S /bin=bin", "audit provenance image.tar"},
		{rebuild.Plan{System: "nix", Command: []string{"nix-build", "/home/someone/image.nix", "-A", "app"}, Local: file}, "nix-build image.nix -A app", "sh rebuild.sh"},
		{rebuild.Plan{System: "nix", Command: []string{"nix", "build", "./a/flake#x"}, Local: []string{"./a/flake"}}, "nix build 'flake#x'", "sh rebuild.sh"},
		{rebuild.Plan{System: "nix", Command: []string{"nix", "build", "github:a/b#x"}, Local: []string{"github:a/b"}}, "nix build 'github:a/b#x'", "sh rebuild.sh"},
		{rebuild.Plan{System: "docker", Command: []string{"docker", "build", "."}}, "docker build .", "sh rebuild.sh"},
		{rebuild.Plan{System: "docker", Command: []string{"buildah", "build", "."}}, "buildah build .", "sh rebuild.sh"},
		{rebuild.Plan{System: "docker", Reasons: []check.Message{check.Say("plan/refused", "text", "no provenance")}}, "", ""},
	} {
		r := New(Input{Image: &inspect.Image{Reference: "image.tar"}, Plan: &c.plan, Systems: testSystems()})
		if got := shellWords(r.Plan.Command); got != c.want {
			t.Errorf("the command is %q, want %q", got, c.want)
		}
		text, _ := replay(r)
		if got, _, _ := strings.Cut(text, "\n"); got != c.replay {
			t.Errorf("%s is replayed with %q", c.want, got)
		}
	}
	r := New(Input{Image: &inspect.Image{}, Plan: &rebuild.Plan{System: "nix", Local: file, Trust: []rebuild.Trust{{URL: file[0]}}}})
	if r.Plan.Trust[0].URL != "image.nix" {
		t.Errorf("the plan keeps a folder of the host: %+v", r.Plan)
	}
}

// What a Dockerfile's rebuild is made of are instructions.
func TestInstructions(t *testing.T) {
	in := inputs(t)["reproducible"]
	in.Result = &rebuild.Result{Items: []rebuild.Item{{Path: "1/2 FROM base", How: rebuild.Reused}, {Path: "2/2 RUN <make>", How: rebuild.Built}}}
	r := New(in)
	if len(r.limits()) == 0 || !strings.HasPrefix(r.limits()[0], "Of 2 instructions: 1 built in this run.") {
		t.Errorf("limits %q", r.limits())
	}
	page := string(render(t, WriteHTML, r))
	for _, want := range []string{"<dd>1 instruction</dd>", "<summary>Instructions, one by one</summary>", "<code>1/2 FROM base</code></th><td data-h=\"In the rebuild\">reused</td>",
		"<code>2/2 RUN &lt;make&gt;</code></th><td data-h=\"In the rebuild\">built now</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "Fetched as substitutes") {
		t.Error("the page speaks of substitutes")
	}
}

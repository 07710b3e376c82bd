package main

import (
	"audit/inspect/check"
	"audit/rebuild"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// results are those of a run, of which each file says which run it was.
func results(run int, recipe string) []file {
	said := fmt.Appendf(nil, "%d", run)
	doc := fmt.Appendf(nil, `{"tool": {"name": "audit"}, "recipe": {"files": [{"name": %q}]}, "run": %d}`, recipe, run)
	return []file{{name: "report.json", data: doc}, {name: "report.html", data: said}, {name: recipe, data: said}}
}

// filesIn reads a folder.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(data)
	}
	return found
}

// TestSaveReplacesAll: nothing of an earlier image stays, wherever the folder is.
func TestSaveReplacesAll(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	for _, dir := range []string{"a/b", "c", ".", filepath.Join(top, "d")} {
		if dir == "." {
			if err := os.Mkdir("here", 0o777); err != nil {
				t.Fatal(err)
			}
			t.Chdir("here")
		}
		for run, recipe := range []string{"Dockerfile", "configuration.scm", "Dockerfile"} {
			if err := save(dir, results(run, recipe)); err != nil {
				t.Fatalf("%s, run %d: %v", dir, run, err)
			}
			got := filesIn(t, dir)
			if len(got) != 3 || got[recipe] != fmt.Sprint(run) || got["report.html"] != fmt.Sprint(run) {
				t.Errorf("%s, run %d: the folder holds %v", dir, run, got)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(top, "*", ".audit-*"))
	more, _ := filepath.Glob(filepath.Join(top, ".audit-*"))
	if err != nil || len(left)+len(more) > 0 {
		t.Errorf("left behind: %q %q %v", left, more, err)
	}
}

// TestSaveKeepsWhatIsNotItsOwn: a folder that holds anything else is refused.
func TestSaveKeepsWhatIsNotItsOwn(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"another file":             func(dir string) error { return os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666) },
		"a report of another tool": func(dir string) error { return os.WriteFile(filepath.Join(dir, "report.json"), []byte("{}"), 0o666) },
		"notes beside results": func(dir string) error {
			if err := save(dir, results(0, "Dockerfile")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666)
		},
		"a folder beside results": func(dir string) error {
			if err := save(dir, results(0, "Dockerfile")); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, "plan.json"), 0o777)
		},
	} {
		dir := t.TempDir()
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before := len(must(os.ReadDir(dir)))
		err := save(dir, results(1, "manifest.scm"))
		if status, _ := exitStatus(err); status != exitUsage {
			t.Errorf("%s: status %d, %v", name, status, err)
		}
		if after := len(must(os.ReadDir(dir))); after != before {
			t.Errorf("%s: %d files before, %d after", name, before, after)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestSaveTwiceAtOnce: two runs into one folder do not mix their files.
func TestSaveTwiceAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	var wait sync.WaitGroup
	for run := range 2 {
		wait.Go(func() {
			for range 100 {
				if err := save(dir, results(run, "Dockerfile")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	got := filesIn(t, dir)
	if len(got) != 3 || got["Dockerfile"] != got["report.html"] || !bytes.Contains([]byte(got["report.json"]), []byte(`"run": `+got["Dockerfile"])) {
		t.Errorf("the folder holds %v", got)
	}
}

// TestUnwritten: results that cannot be written are a status of their own.
func TestUnwritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full: ", err)
	}
	defer full.Close()
	image := "../../fixtures/guix/images/hello.tar.gz"
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"audit", "--json", image}, {"audit", "inspect", image}, {"audit", "sbom", image}, {"audit", "--format", "text", "-o", t.TempDir(), image},
		{"audit", "-o", filepath.Join(blocked, "out"), image},
	} {
		var stderr bytes.Buffer
		if status := Main(args, nil, full, &stderr); status != exitUnwritten {
			t.Errorf("%q: status %d, want %d: %s", args, status, exitUnwritten, stderr.String())
		}
	}
}

// The script of a plan that is refused for good shows the command that it has.
func TestScriptOfRefusedPlanShowsCommand(t *testing.T) {
	plan := rebuild.Plan{Command: []string{"build", "a b\n"}, Reasons: []check.Message{check.Say("plan/two-channels", "channel", "x")}}
	text := string(script(systems()[0], plan))
	if !strings.Contains(text, "\n#   build 'a b\ufffd'\n") || !strings.HasSuffix(text, "exit 1\n") {
		t.Errorf("script:\n%s", text)
	}
}

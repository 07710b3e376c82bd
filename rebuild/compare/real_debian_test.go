package compare_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
)

// TestRealDebian plants 19 differences in a real root file system of Debian, of
// more than ten thousand entries, and demands that all are found, each by its
// cause and nothing else, in what fits a terminal. Beside it the same two layers
// go through diffoscope, which is the measure of how a difference is to be
// named; what both cost is printed, and nothing hangs on it.
//
// It needs root, a network for packages, and some minutes.
func TestRealDebian(t *testing.T) {
	if !strings.Contains(os.Getenv("AUDIT_TEST_REAL"), "debian") {
		t.Skip("needs root and Debian's packages: AUDIT_TEST_REAL=debian says that they can be had")
	}
	dir := t.TempDir()
	was, now := filepath.Join(dir, "was.tar"), filepath.Join(dir, "now.tar")
	planted := plantDebian(t, was, now)
	began := cpu(t)
	c, entries := compared(t, was, now)
	cost := cpu(t) - began
	found := holdPlanted(t, c, planted)
	if entries < 10_000 {
		t.Errorf("only %d entries", entries)
	}
	text := summary(t, was, now, c)
	if lines := strings.Count(text, "\n"); lines > 41 { // a line a check among them
		t.Errorf("%d lines on the terminal", lines)
	}
	for _, p := range planted {
		if !strings.Contains(text, "\n  "+p.Cause+" ") {
			t.Errorf("the cause %s is not on the terminal", p.Cause)
		}
	}
	t.Log(text)
	fmt.Printf("%d entries, %d planted\n%-12s %8s %8s\n%-12s %8d %8.1f\n", entries, len(planted), "", "found", "CPU s", "audit", found, cost.Seconds())
	diffoscope(t, dir, was, now, planted)
	if !t.Failed() {
		fmt.Printf("real suite: debian %d tests\n", len(planted))
	}
}

// plantDebian makes the pair of images.
func plantDebian(t *testing.T, was, now string) []fixtures.Planted {
	root := filepath.Join(t.TempDir(), "root")
	need(t, "debootstrap", "debootstrap")
	suite, mirror := sources(t)
	run(t, "debootstrap", "--include=python3", suite, root, mirror)
	tree, err := os.Create(root + ".tar")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if err := fixtures.TarFolder(tree, root); err != nil {
		t.Fatal(err)
	}
	a, b := create(t, was), create(t, now)
	planted, err := fixtures.Plant(tree, a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{a, b} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return planted
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// sources returns the release and the mirror that this machine itself uses, in
// either form of sources.list(5).
func sources(t *testing.T) (suite, mirror string) {
	t.Helper()
	text, err := os.ReadFile("/etc/apt/sources.list.d/debian.sources")
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile("/etc/apt/sources.list")
	}
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`(?m)^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)`).FindSubmatch(text); m != nil {
		return string(m[2]), string(m[1])
	}
	field := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `:\s*(\S+)`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in the sources of apt", name)
		}
		return string(m[1])
	}
	return field("Suites"), field("URIs")
}

// need installs a package unless its program is there.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	run(t, "apt-get", "-qq", "update")
	run(t, "apt-get", "-qq", "install", "-y", "--no-install-recommends", pkg)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out[max(0, len(out)-2000):])
	}
}

// compared compares two images and explains their contents, as audit compare
// does.
func compared(t *testing.T, was, now string) (c *compare.Comparison, entries int) {
	t.Helper()
	open := func(name string, keep func(string) bool) *inspect.Image {
		img, err := inspect.Open(context.Background(), name, inspect.Options{Stores: fixtures.Stores(), Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	a, b := open(was, nil), open(now, nil)
	c = compare.Images(a, b, nil)
	if keep := c.Keep(); keep != nil {
		c.Explain(open(was, keep), open(now, keep), time.Time{})
	}
	return c, len(a.Layers[0].Entries)
}

// holdPlanted demands that each planted difference is found, and no other.
func holdPlanted(t *testing.T, c *compare.Comparison, planted []fixtures.Planted) (found int) {
	t.Helper()
	for _, p := range planted {
		named := slices.ContainsFunc(c.Differences, func(d compare.Difference) bool {
			return d.Path == p.Path && string(d.Cause) == p.Cause && compare.HasWords(fmt.Sprint(compare.Shown(d.Was), compare.Shown(d.Now), d.Evidence), p.Says)
		})
		if !named {
			t.Errorf("%s at %s is not found as %s", p.Name, p.Path, p.Cause)
			continue
		}
		found++
	}
	if len(planted) != 19 || len(c.Differences) != len(planted) {
		t.Errorf("%d differences for %d planted ones: %+v", len(c.Differences), len(planted), c.Differences)
	}
	return found
}

// summary is what audit compare says on a terminal.
func summary(t *testing.T, was, now string, c *compare.Comparison) string {
	t.Helper()
	a, err := inspect.Open(context.Background(), was, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := inspect.Open(context.Background(), now, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	checks := []check.Check{a.Integrity(), rebuild.Check(c, true, nil)}
	r := report.New(report.Input{Image: a, Rebuilt: b, Comparison: c, Checks: checks, Verdict: rebuild.Judge(rebuild.Facts{Checks: rebuild.StatusesOf(checks), Result: c.Result(), Basis: rebuild.Basis{Given: true}})})
	var out bytes.Buffer
	if err := report.WriteText(&out, r, report.TextOptions{Folder: "was.audit"}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// diffoscope compares the layers of both images, taken out by hand, since it
// does not pair them itself, and counts the planted paths that it names.
func diffoscope(t *testing.T, dir, was, now string, planted []fixtures.Planted) {
	need(t, "diffoscope", "diffoscope-minimal")
	layers := []string{was + ".layer", now + ".layer"}
	for i, image := range []string{was, now} {
		in, err := os.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		out := create(t, layers[i])
		if err := fixtures.CopyLayer(out, in); err != nil {
			t.Fatal(err)
		}
		in.Close()
		out.Close()
	}
	text := filepath.Join(dir, "diffoscope.txt")
	c := exec.Command("diffoscope", "--no-progress", "--text", text, layers[0], layers[1])
	if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
		t.Fatalf("diffoscope: %v, want exit status 1", err)
	}
	said, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range planted {
		if named := regexp.MustCompile(`(?m)^(?:│ )*(?:[-+].* |[├└]── )` + regexp.QuoteMeta(p.Path) + `(/?$| -> )`); named.Match(said) {
			found++
		} else {
			fmt.Printf("diffoscope does not name %s (%s)\n", p.Name, p.Path)
		}
	}
	state := c.ProcessState
	fmt.Printf("%-12s %8d %8.1f\n", "diffoscope", found, (state.UserTime() + state.SystemTime()).Seconds())
}

package nix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/sources"
)

// What the real Nix instantiates is followed to its sources: each has its place, and
// what has no hash fails.
func TestRealSources(t *testing.T) {
	real(t)
	dir := filepath.Join(t.TempDir(), "store")
	nixRun := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, append([]string{"--store", dir}, args...)...)
		cmd.Env = append(os.Environ(), "USER=x", "NIX_CONF_DIR=/nonexistent", "NIX_CONFIG=substituters =\nbuild-users-group =")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		return strings.TrimSpace(string(out))
	}
	walk := func(attribute string) *sources.Walk {
		t.Helper()
		at := rebuild.Derivations{Root: nixRun("nix-instantiate", "testdata/sources.nix", "-A", attribute), Below: dir}
		g, err := sources.Read(at)
		if err != nil {
			t.Fatal(err)
		}
		w, err := sources.Follow(sources.Input{Graph: g, Fetch: fetch})
		if err != nil {
			t.Fatal(err)
		}
		w.Verify(g, at)
		if all := strings.Count(nixRun("nix-store", "-qR", at.Root), ".drv"); w.Derivations != all {
			t.Errorf("%s: %d derivations, and Nix has %d", attribute, w.Derivations, all)
		}
		return w
	}
	good := walk("good")
	var got []string
	for _, s := range good.Sources {
		got = append(got, strings.Join([]string{s.Name, string(s.Method), s.Revision, string(s.Seed), strings.Join(s.Addresses, " ")}, "|"))
	}
	want := []string{
		"bootstrap-tools.tar.xz|url||unpacked|https://example.org/bootstrap-tools.tar.xz",
		"busybox|url||builder|https://example.org/busybox",
		"checkout|git-ref|v1.0||https://example.org/repository",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := good.Check(); c.Status != check.Pass || len(good.Plain) != 5 {
		t.Errorf("%v, %d plain inputs: %v", c.Status, len(good.Plain), c.Findings)
	}
	if c := walk("bad").Check(); c.Status != check.Fail || c.Findings[0].Code != "sources/no-hash" {
		t.Errorf("%v: %v", c.Status, c.Findings)
	}
}

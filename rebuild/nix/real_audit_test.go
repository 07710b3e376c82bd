package nix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect/check"
)

// A savedReport is what these tests read of a report.json.
type savedReport struct {
	Verdict string
	Checks  []struct {
		ID, Status string
		Summary    []check.Message
		Findings   []struct {
			check.Message
			Path string
		}
	}
	Rebuild struct {
		Items struct {
			Built       []struct{ Path, Machine string }
			Reused      []string
			Substituted []struct{ Path, Source string }
		}
		Steps []struct{ Derivation, Machine string }
		Fresh []struct {
			Derivation string
			Same       bool
		}
	}
}

// summary says how a check ended, and why: its codes with their arguments.
func (r savedReport) summary(id string) string {
	text := ""
	for _, c := range r.Checks {
		for _, m := range c.Summary {
			if c.ID == id {
				text += "; " + m.String()
			}
		}
		if c.ID == id {
			text = c.Status + text
		}
	}
	return text
}

// has says whether the check named rebuild has a finding of a code about a path,
// whose arguments hold a text.
func (r savedReport) has(code, path, text string) bool {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if c.ID == "rebuild" && f.Code == code && f.Path == path && strings.Contains(f.Message.String(), text) {
				return true
			}
		}
	}
	return false
}

// program builds audit as a whole.
func program(t *testing.T) string {
	t.Helper()
	real(t)
	file := filepath.Join(t.TempDir(), "audit")
	build := exec.Command("go", "build", "-o", file, "../../cmd/audit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// audit runs it on an image, and reads the report.
func audit(t *testing.T, program, image string, args ...string) (r savedReport, status int) {
	t.Helper()
	args = append([]string{"--json", "--nix-setting", hostTools, "--nix-setting", "fsync-metadata=false"}, append(args, image)...)
	stdout, stderr := new(bytes.Buffer), new(bytes.Buffer)
	c := exec.CommandContext(t.Context(), program, args...)
	c.Stdout, c.Stderr = stdout, stderr
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("audit %q: %v\n%s%s", args, err, stdout, stderr)
	}
	t.Logf("audit %q: %s, %s\n%s", args, r.Verdict, r.summary("rebuild"), stderr)
	return r, c.ProcessState.ExitCode()
}

// The whole program builds the samples again, and names what is to blame for
// one that cannot be built again.
func TestRealAudit(t *testing.T) {
	run := program(t)
	mini := []string{"--no-substitutes", "--nix-expr", samples + "/expr/mini.nix", "--nix-attr"}
	for _, name := range []string{"single", "layered", "withdb"} {
		r, status := audit(t, run, samples+"/images-mini/"+name+".tar.gz", append(mini, name)...)
		if status != 0 || r.Verdict != "reproducible" || !strings.Contains(r.summary("rebuild"), `built="3" items="3" pinned="0" reused="0"`) {
			t.Errorf("%s: status %d, %s, %s", name, status, r.Verdict, r.summary("rebuild"))
		}
		if !strings.HasPrefix(r.summary("derivation"), "pass;") {
			t.Errorf("%s: derivation %s", name, r.summary("derivation"))
		}
	}
	for _, name := range []string{"stamped-A", "stamped-B"} {
		r, status := audit(t, run, samples+"/images-mini/"+name+".tar.gz", append(mini, "stampedImage", "--check-inputs")...)
		const stamped = "nix/store/ch73ydbq9dp3143phjb0klyq6v57rpxj-stamped-1.0/share/"
		const drv = "/nix/store/qai9d3ahhxd1gjhyiggjpmysi3cypil1-stamped-1.0.drv"
		if status != 1 || r.Verdict != "unreproducible" || !r.has("rebuild/difference", stamped+"build-time", `cause="embedded-date"`) || !r.has("rebuild/difference", stamped+"build-id", `cause="content"`) {
			t.Errorf("%s: status %d, %s: %+v", name, status, r.Verdict, r.Checks)
		}
		if !r.has("rebuild/fresh-build-differs", drv, stamped+"build-id") {
			t.Errorf("%s: the derivation is not named: %+v", name, r.Rebuild.Fresh)
		}
		for _, f := range r.Rebuild.Fresh {
			if f.Same == (f.Derivation == drv) {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// An image that two machines have built together is the same, and the report
// says which machine has built what.
func TestRealAuditBuilders(t *testing.T) {
	run := program(t)
	recipe := []string{"--no-substitutes", "--nix-expr", "testdata/spread.nix", "--nix-path", "expr=" + samples + "/expr"}
	first := newLab(t, "", Input{Expr: "testdata/spread.nix", Path: []string{"expr=" + samples + "/expr"}})
	first.job.Options.MaxJobs = 4
	image := first.build().result.Image

	machines := t.TempDir()
	one, two := "ssh-ng://localhost?remote-store="+machines+"/one", "ssh-ng://localhost?remote-store="+machines+"/two"
	builders := fmt.Sprintf("%s x86_64-linux - 1 1 ; %s x86_64-linux - 1 1", one, two)
	r, status := audit(t, run, image, append(recipe, "--builders", builders, "--nix-setting", "max-jobs=0", "--nix-setting", "build-poll-interval=1")...)
	if status != 0 || r.Verdict != "reproducible" || len(r.Rebuild.Items.Built) != 4 {
		t.Errorf("status %d, %s, %+v", status, r.Verdict, r.Rebuild)
	}
	var used []string
	for _, s := range r.Rebuild.Steps {
		used = append(used, s.Machine)
	}
	slices.Sort(used)
	if len(used) != 6 || !slices.Equal(slices.Compact(used), []string{one, two}) {
		t.Errorf("not distributed: %+v", r.Rebuild.Steps)
	}
	for _, it := range r.Rebuild.Items.Built {
		if it.Machine != one && it.Machine != two {
			t.Errorf("%+v", it)
		}
	}
	if !r.has("rebuild/built-elsewhere", "", one) {
		t.Errorf("%+v", r.Checks)
	}
}

// A cache on the loopback address, signed by two keys: the report says what
// each of them vouches for, and which store items were fetched from there and
// are no rebuild.
func TestRealAuditCache(t *testing.T) {
	run := program(t)
	built := newLab(t, "", Input{Expr: samples + "/expr/mini.nix", Attr: "greeter"})
	built.store = filepath.Join(t.TempDir(), "store")
	if err := built.tryBuild(t.Context()); err == nil { // the package alone is no image
		t.Fatal("a package is taken for an image")
	}
	dir := t.TempDir()
	const libgreet = "/nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0"
	command(t, dir, `set -e
		export NIX_CONF_DIR=/nonexistent USER=${USER:-x} NIX_CONFIG='experimental-features = nix-command'
		for name in one two; do
			nix-store --store "$PWD/keys" --generate-binary-cache-key $name.example-1 $name.secret $name.public
			nix --store "$1" store sign -r -k $name.secret "$2"
		done
		nix --store "$1" copy --to "file://$PWD/cache" "$2"`, built.store, libgreet)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "cache"))))
	defer server.Close()
	key, err := os.ReadFile(filepath.Join(dir, "one.public"))
	if err != nil {
		t.Fatal(err)
	}
	r, status := audit(t, run, samples+"/images-mini/layered.tar.gz", "--nix-expr", samples+"/expr/mini.nix", "--nix-attr", "layered",
		"--substitutes", server.URL, "--trusted-key", filepath.Join(dir, "one.public"), "--trusted-key", filepath.Join(dir, "two.public"),
		"--substitute-urls", server.URL, "--substitute-key", strings.TrimSpace(string(key)))
	if status != 0 || r.Verdict != "reproducible" || !strings.Contains(r.summary("rebuild"), `built="1"`) || !strings.Contains(r.summary("rebuild"), server.URL) {
		t.Errorf("status %d, %s, %s", status, r.Verdict, r.summary("rebuild"))
	}
	if got := r.summary("signatures"); !strings.Contains(got, `agreement="2 by 2" items="3" operators="one.example, two.example"`) || !strings.Contains(got, "greeter-1.0") {
		t.Errorf("signatures %s", got)
	}
	for _, it := range r.Rebuild.Items.Substituted {
		if it.Source != server.URL {
			t.Errorf("%+v", it)
		}
	}
	builder := []string{"--nix-expr", samples + "/expr/mini.nix", "--nix-attr", "layered", "--substitute-urls", server.URL, "--substitute-key", strings.TrimSpace(string(key))}
	for verdict, keys := range map[string][]string{
		"matching": nil, // whom the builder trusts is nobody that audit trusts
		"vouched":  {"--substitutes", server.URL, "--at-least", "1", "--trusted-key", filepath.Join(dir, "one.public")},
	} {
		r, status := audit(t, run, samples+"/images-mini/layered.tar.gz", append(slices.Clip(builder), keys...)...)
		if status != 0 || r.Verdict != verdict {
			t.Errorf("status %d, %s, want %s: %s; signatures %s", status, r.Verdict, verdict, r.summary("rebuild"), r.summary("signatures"))
		}
	}
}

// An expression that is a function gets its arguments, and one that builds in order to
// be evaluated may do so where that is allowed.
func TestRealArguments(t *testing.T) {
	run := program(t)
	recipe := []string{"--no-substitutes", "--require", "equivalent", "--fresh", "all", "--nix-expr", "testdata/arguments.nix", "--nix-path", "expr=" + samples + "/expr"}
	given := append(slices.Clone(recipe), "--nix-arg", "mini=import <expr/mini.nix>", "--nix-argstr", "attribute=single")
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"given", given, 0},
		{"refused", append(slices.Clone(given), "--nix-arg", "late=true"), 1},
		{"imported", append(slices.Clone(given), "--nix-arg", "late=true", "--nix-import-from-derivation"), 0},
	} {
		if r, status := audit(t, run, samples+"/images-mini/single.tar.gz", tt.args...); status != tt.want {
			t.Errorf("%s: %s, status %d, want %d", tt.name, r.Verdict, status, tt.want)
		}
	}
	out, err := exec.CommandContext(t.Context(), run, append(recipe, samples+"/images-mini/single.tar.gz")...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "--nix-arg") {
		t.Errorf("an argument is missing: %v\n%s", err, out)
	}
}

package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect/check"
	"audit/rebuild"
)

// runScript runs the script of a plan with the engines on the PATH.
func runScript(t *testing.T, plan rebuild.Plan) (out, dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "rebuild.sh")
	if err := os.WriteFile(path, Script(plan), 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/bin/sh", path)
	c.Dir = dir
	text, err := c.CombinedOutput()
	return string(text), dir, err
}

// The script calls the engines as the builder does.
func TestScript(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	for name, tc := range map[string]struct {
		plan rebuild.Plan
		want []string
	}{
		"classic.tar": {planFor(t, sample(t, "classic.tar"), Input{Source: dir, BuildArgs: []string{"A=it's $HOME `id`"}}), []string{
			"docker version",
			"DOCKER_BUILDKIT=0 docker build --no-cache --network=none --build-arg=A=it's $HOME `id` --force-rm --tag=audit-rebuild:PID DIR",
			"docker image save --output=OUT/rebuilt.tar audit-rebuild:PID",
			"docker image rm audit-rebuild:PID",
		}},
		"buildkit-git-max.oci.tar": {planFor(t, sample(t, "buildkit-git-max.oci.tar"), trusted()), []string{
			"buildctl debug workers",
			"buildctl build --frontend=dockerfile.v0 --no-cache --opt=force-network-mode=none --opt=cmdline= --opt=platform=linux/amd64 --opt=build-arg:SOURCE_DATE_EPOCH=1700000000 --opt=build-arg:VERSION=2 --opt=label:made=here" +
				" --opt=context=git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8 --source-policy-file=TMP/source-policy.json --output=type=oci,dest=rebuilt.tar,rewrite-timestamp=true",
		}},
		"buildah-layers.oci.tar": {planFor(t, sample(t, "buildah-layers.oci.tar"), Input{Source: dir}), []string{
			"buildah --version",
			"buildah build --no-cache --network=none --layers=true --timestamp=1700000000 --iidfile=TMP/image-id DIR",
			"buildah push --quiet sha256:0123 oci-archive:OUT/rebuilt.tar",
			"buildah rmi sha256:0123",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			calls := install(t, scenario{}, "docker", "buildctl", "buildah")
			t.Setenv(argumentVariable+"A", "it's $HOME `id`")
			out, work, err := runScript(t, tc.plan)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := lines(calls(), map[string]string{"DIR": dir, "OUT": work})
			for n, line := range got {
				for _, word := range strings.Fields(line) {
					if _, pid, ok := strings.Cut(word, "audit-rebuild:"); ok {
						line = strings.ReplaceAll(line, pid, "PID")
					}
					if at := strings.Index(word, "/tmp."); at >= 0 {
						start := strings.Index(word, "=") + 1
						line = strings.ReplaceAll(line, filepath.Dir(word[start:]), "TMP")
					}
				}
				got[n] = line
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(filepath.Join(work, "rebuilt.tar")); err != nil {
				t.Error(err)
			}
			if !strings.Contains(out, "audit compare ") || !strings.Contains(out, filepath.Join(work, "rebuilt.tar")) {
				t.Error(out)
			}
		})
	}
}

func TestScriptTriesEngines(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	d := *detailsOf(t, plan)
	d.Engine = ""
	plan.Details = d
	calls := install(t, scenario{Absent: []string{"docker version", "buildctl debug", "docker buildx"}}, "docker", "buildctl", "buildah")
	if out, _, err := runScript(t, plan); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if all := calls(); all[len(all)-1][0] != "buildah" {
		t.Errorf("%q", all)
	}
	install(t, scenario{})
	out, _, err := runScript(t, plan)
	if err == nil || !strings.Contains(out, "No engine is here that builds it: docker, buildctl, docker_buildkit, buildah") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A build that fails ends the script; no other engine is tried, and no image is
// said to be there.
func TestScriptFails(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	d := *detailsOf(t, plan)
	d.Engine = ""
	plan.Details = d
	calls := install(t, scenario{Fails: map[string]string{"docker build": "no\n"}}, "docker", "buildctl", "buildah")
	out, _, err := runScript(t, plan)
	if err == nil || strings.Contains(out, "rebuilt image") || len(calls()) != 2 {
		t.Errorf("%v %q\n%s", err, calls(), out)
	}
}

// Whatever a plan holds, the script runs nothing but engines.
func TestScriptOfHostilePlan(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	evil := "'; touch " + mark + "; $(touch " + mark + ") `touch " + mark + "` \n touch " + mark + "\nEND_OF_FILE\ntouch " + mark + "\n"
	dir := folder(t, map[string]string{"x": ""})
	plan := planFor(t, sample(t, "buildkit-local-max.oci.tar"), Input{Source: dir})
	plan.Image = evil
	d := *detailsOf(t, plan)
	d.Text += evil
	d.Arguments["A"], d.Labels = evil, map[string]string{"l": evil}
	plan.Details = d
	install(t, scenario{}, "buildctl")
	if out, _, err := runScript(t, plan); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	plan.Reasons = []check.Message{check.Say("plan/x", "text", evil)}
	if out, _, err := runScript(t, plan); err == nil || !strings.Contains(out, "This rebuild is refused: ") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command of the plan ran")
	}
}

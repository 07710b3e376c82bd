package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"audit/fixtures"
)

// A ciStep is a step of a job or of an action.
type ciStep struct {
	Name, ID, Uses, Run, Shell, If string
	With                           map[string]string
	Env                            map[string]string
}

type ciWorkflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Steps       []ciStep
	}
}

type ciAction struct {
	Inputs map[string]struct {
		Required bool
		Default  string
	}
	Runs struct {
		Using string
		Steps []ciStep
	}
}

type ciComponent struct {
	Spec struct {
		Inputs map[string]struct{ Default *string }
	}
}

type ciJob struct {
	Audit struct {
		Variables    map[string]string
		BeforeScript []string `yaml:"before_script"`
		Script       []string
		Artifacts    struct {
			When    string
			Paths   []string
			Reports map[string]string
		}
	}
}

func parsed[T any](t *testing.T, text []byte) (value T) {
	t.Helper()
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// pipelineImages puts an image that a policy takes, and one with a file that nobody
// explains, into a registry of this machine.
func pipelineImages(t *testing.T) (good, bad string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := strings.TrimPrefix(serve(t), "http://")
	const sample = "../../fixtures/guix/images/hello.tar.gz"
	changed := filepath.Join(t.TempDir(), "bad.tar.gz")
	if err := fixtures.TamperFile(sample, changed, fixtures.AddFileOutsideStore("etc/cron.d/job", "* * * * * root x\n")); err != nil {
		t.Fatal(err)
	}
	push(t, sample, host+"/lab/good:1")
	push(t, changed, host+"/lab/bad:1")
	return "docker://" + host + "/lab/good:1", "docker://" + host + "/lab/bad:1"
}

// A runner does what the runners of CI services do with the scripts of a job, in a folder
// of its own.
type runner struct {
	dir string
	env map[string]string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{dir: t.TempDir(), env: make(map[string]string)}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "audit")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_PATH"} {
		r.env[name] = filepath.Join(t.TempDir(), name)
	}
	r.env["PATH"] = bin + ":/usr/bin:/bin"
	r.env["HOME"], r.env["DOCKER_CONFIG"], r.env["CI_PROJECT_DIR"] = t.TempDir(), os.Getenv("DOCKER_CONFIG"), r.dir
	return r
}

// run runs a script with these variables as bash does for GitHub and GitLab.
func (r *runner) run(t *testing.T, script string, env map[string]string) (status int, printed string) {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = r.dir
	all := maps.Clone(r.env)
	maps.Copy(all, env)
	for name, value := range all {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (r *runner) file(t *testing.T, name string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.dir, name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

var ciInput = regexp.MustCompile(`\$\{\{ inputs\.([a-z0-9-]+) \}\}|\$\[\[ inputs\.([a-z0-9-]+) \]\]`)

// withInputs puts inputs where a text asks for them.
func withInputs(t *testing.T, text string, inputs map[string]string) string {
	t.Helper()
	return ciInput.ReplaceAllStringFunc(text, func(asked string) string {
		m := ciInput.FindStringSubmatch(asked)
		value, ok := inputs[m[1]+m[2]]
		if !ok {
			t.Errorf("%s is no input", asked)
		}
		return value
	})
}

// checkSBOM demands bills of materials that programs can read.
func checkSBOM(t *testing.T, r *runner) {
	t.Helper()
	var cdx struct{ BOMFormat, SpecVersion string }
	var spdx struct{ SPDXVersion string }
	if err := json.Unmarshal([]byte(r.file(t, "audit-report/sbom.cdx.json")), &cdx); err != nil || cdx.BOMFormat != "CycloneDX" || cdx.SpecVersion != "1.6" {
		t.Errorf("CycloneDX: %+v, %v", cdx, err)
	}
	if err := json.Unmarshal([]byte(r.file(t, "audit-report/sbom.spdx.json")), &spdx); err != nil || spdx.SPDXVersion != "SPDX-2.3" {
		t.Errorf("SPDX: %+v, %v", spdx, err)
	}
}

// TestGitHubGate runs the steps of the printed workflow and action against a registry of
// this machine: a bad image stops the pipeline with its file in the annotation, a good one
// passes, and both leave SARIF, a summary and bills of materials.
func TestGitHubGate(t *testing.T) {
	g := allGates()[0]
	workflow := parsed[ciWorkflow](t, g.files[0].text())
	action := parsed[ciAction](t, g.files[1].text())
	if len(workflow.Permissions) != 0 || !maps.Equal(workflow.Jobs["audit"].Permissions, map[string]string{"actions": "read", "contents": "read", "security-events": "write"}) {
		t.Errorf("the permissions are %v, and of the job %v", workflow.Permissions, workflow.Jobs["audit"].Permissions)
	}
	with := map[string]string{}
	for _, s := range workflow.Jobs["audit"].Steps {
		switch {
		case s.Uses == "./.github/actions/audit":
			with = s.With
		case !regexp.MustCompile(`^[a-z-]+/[a-z-]+(/[a-z-]+)?@[0-9a-f]{40}$`).MatchString(s.Uses):
			t.Errorf("%s is not pinned: %s", s.Name, s.Uses)
		}
	}
	inputs := make(map[string]string)
	for name, in := range action.Inputs {
		if inputs[name] = in.Default; in.Required && with[name] == "" {
			t.Errorf("the workflow does not say %s", name)
		}
	}
	for name, value := range with {
		if _, ok := action.Inputs[name]; !ok {
			t.Errorf("%s is no input of the action", name)
		}
		if strings.HasPrefix(value, "${{ vars.") { // not set here
			value = ""
		}
		inputs[name] = value
	}
	good, bad := pipelineImages(t)
	for image, want := range map[string]int{good: exitHolds, bad: exitPolicy, "docker://127.0.0.1:1/x:1": exitUnreadable} {
		r := newRunner(t)
		r.leave(t, "audit-report/report.json", "audit-report.sarif", "audit-report.junit.xml")
		inputs["image"] = image
		status, printed := r.steps(t, action.Runs.Steps, inputs)
		if status != want {
			t.Errorf("%s: status %d\n%s", image, status, printed)
		}
		annotated := regexp.MustCompile(`(?m)^::error title=audit.*$`).FindAllString(printed, -1)
		if want == exitUnreadable {
			if len(annotated) != 1 {
				t.Errorf("%s: %q", image, annotated)
			}
			r.lacks(t, "audit-report", "audit-report.sarif", "audit-report.junit.xml")
			continue
		}
		if named := slices.ContainsFunc(annotated, func(a string) bool { return strings.Contains(a, "etc/cron.d/job") }); named != (want == exitPolicy) {
			t.Errorf("%s: the annotations are %q\n%s", image, annotated, printed)
		}
		if !strings.Contains(r.file(t, r.env["GITHUB_STEP_SUMMARY"]), "|") || !strings.Contains(r.file(t, r.env["GITHUB_OUTPUT"]), "status=") {
			t.Errorf("%s: no summary, or no output", image)
		}
		for _, s := range workflow.Jobs["audit"].Steps[2:] {
			for _, path := range strings.Fields(s.With["sarif_file"] + " " + s.With["path"]) {
				if _, err := os.Stat(filepath.Join(r.dir, path)); err != nil {
					t.Errorf("%s: %s: %v", image, s.Name, err)
				}
			}
		}
		if sarif := r.file(t, "audit-report.sarif"); strings.Contains(sarif, `"uri": "etc/cron.d/job"`) != (want == exitPolicy) {
			t.Errorf("%s: the SARIF log is\n%s", image, sarif)
		}
		checkSBOM(t, r)
	}
}

// TestGateSparesOthers: a folder that is not audit's is neither taken away nor published, and
// all platforms of an index are not one report.
func TestGateSparesOthers(t *testing.T) {
	good, _ := pipelineImages(t)
	action := parsed[ciAction](t, allGates()[0].files[1].text())
	inputs := map[string]string{"image": good, "policy": "builtin:explained", "report": "docs"}
	for _, name := range []string{"platform", "flags", "creds", "tool-url", "tool-sha256"} {
		inputs[name] = ""
	}
	r := newRunner(t)
	for name, text := range map[string]string{"report.json": `{"mine": 1}`, "manual.md": "x"} {
		if err := os.MkdirAll(filepath.Join(r.dir, "docs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.dir, "docs", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, printed := r.steps(t, action.Runs.Steps, inputs)
	if status != exitUsage || !strings.Contains(printed, "which is no result of audit") || r.file(t, "docs/manual.md") != "x" {
		t.Errorf("status %d\n%s", status, printed)
	}
	inputs["platform"] = everyPlatform
	if status, printed := newRunner(t).steps(t, action.Runs.Steps, inputs); status != exitUsage || !strings.Contains(printed, "names one platform") {
		t.Errorf("status %d\n%s", status, printed)
	}
}

// TestGateWithoutPolicy: the variable of a policy that is not set, and so is empty, opens no gate.
func TestGateWithoutPolicy(t *testing.T) {
	good, _ := pipelineImages(t)
	action := parsed[ciAction](t, allGates()[0].files[1].text())
	inputs := map[string]string{"image": good, "policy": "", "report": "audit-report"}
	for _, name := range []string{"platform", "flags", "creds", "tool-url", "tool-sha256"} {
		inputs[name] = ""
	}
	if status, printed := newRunner(t).steps(t, action.Runs.Steps, inputs); status != exitUsage || !strings.Contains(printed, "--policy has an empty value") {
		t.Errorf("GitHub: status %d\n%s", status, printed)
	}
	_, job, _ := strings.Cut(string(allGates()[1].files[0].text()), "\n---\n")
	inputs["stage"], inputs["job-image"] = "test", "x"
	j := parsed[ciJob](t, []byte(withInputs(t, job, inputs))).Audit
	r := newRunner(t)
	r.leave(t, "audit-report/report.json", "audit-report.sarif", "audit-report.junit.xml")
	if status, printed := r.run(t, strings.Join(append(j.BeforeScript, j.Script...), "\n"), j.Variables); status != exitUsage {
		t.Errorf("GitLab: status %d\n%s", status, printed)
	}
	r.lacks(t, "audit-report", "audit-report.sarif", "audit-report.junit.xml")
}

// leave puts files of an earlier job into the folder.
func (r *runner) leave(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(`{"schemaVersion": "2", "tool": {"name": "audit"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// lacks demands that none of those files is left.
func (r *runner) lacks(t *testing.T, gone ...string) {
	t.Helper()
	for _, name := range gone {
		if _, err := os.Stat(filepath.Join(r.dir, name)); err == nil {
			t.Errorf("%s of an earlier job is still there", name)
		}
	}
}

// steps runs those steps that have a script, until one fails.
func (r *runner) steps(t *testing.T, steps []ciStep, inputs map[string]string) (status int, printed string) {
	t.Helper()
	for _, s := range steps {
		if s.Shell != "bash" || ciInput.MatchString(s.Run) {
			t.Errorf("the step %s has the shell %q, or an input in its script", s.Name, s.Shell)
		}
		if s.If == "${{ inputs.tool-url != '' }}" && inputs["tool-url"] == "" {
			continue
		}
		env := make(map[string]string)
		for name, value := range s.Env {
			env[name] = withInputs(t, value, inputs)
		}
		var text string
		status, text = r.run(t, s.Run, env)
		if printed += text; status != 0 {
			return status, printed
		}
	}
	return status, printed
}

// TestGitLabGate does the same with the component, whose report of tests names the file.
func TestGitLabGate(t *testing.T) {
	g := allGates()[1]
	spec, job, ok := strings.Cut(string(g.files[0].text()), "\n---\n")
	if !ok {
		t.Fatal("the component has no header")
	}
	component := parsed[ciComponent](t, []byte(spec))
	pipeline := parsed[struct {
		Include []struct {
			Local  string
			Inputs map[string]string
		}
	}](t, g.files[1].text())
	if pipeline.Include[0].Local != g.files[0].to {
		t.Errorf("the pipeline includes %s", pipeline.Include[0].Local)
	}
	inputs := make(map[string]string)
	for name, in := range component.Spec.Inputs {
		if in.Default != nil {
			inputs[name] = *in.Default
		}
	}
	for name, value := range pipeline.Include[0].Inputs {
		if _, ok := component.Spec.Inputs[name]; !ok {
			t.Errorf("%s is no input of the component", name)
		}
		inputs[name] = value
	}
	good, bad := pipelineImages(t)
	for image, want := range map[string]int{good: exitHolds, bad: exitPolicy} {
		inputs["image"] = image
		j := parsed[ciJob](t, []byte(withInputs(t, job, inputs))).Audit
		r := newRunner(t)
		status, printed := r.run(t, strings.Join(append(j.BeforeScript, j.Script...), "\n"), j.Variables)
		if status != want || j.Artifacts.When != "always" {
			t.Errorf("%s: status %d\n%s", image, status, printed)
		}
		for _, path := range append(j.Artifacts.Paths, slices.Collect(maps.Values(j.Artifacts.Reports))...) {
			if _, err := os.Stat(filepath.Join(r.dir, path)); err != nil {
				t.Errorf("%s: %v", image, err)
			}
		}
		junit := r.file(t, j.Artifacts.Reports["junit"])
		if strings.Contains(junit, `name="policy: builtin:explained: refuse closure/unexplained-file etc/cron.d/job"`) != (want == exitPolicy) {
			t.Errorf("%s: the report of tests is\n%s", image, junit)
		}
		checkSBOM(t, r)
	}
}

// TestGateFiles: they are put where they belong, and nothing of somebody else's is replaced.
func TestGateFiles(t *testing.T) {
	dir := t.TempDir()
	for _, g := range allGates() {
		for range 2 {
			if status, out := commanded("", "ci", g.service, "-o", dir); status != exitHolds || !strings.Contains(out, g.files[1].to) {
				t.Errorf("%s: status %d\n%s", g.service, status, out)
			}
		}
		if status, out := commanded("", "ci", g.service); status != exitHolds || out != string(g.files[0].text()) {
			t.Errorf("%s: status %d\n%s", g.service, status, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitlab-ci.yml"), []byte("stages: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out := commanded("", "ci", "gitlab", "-o", dir); status != exitUsage || !strings.Contains(out, "is there and is another") {
		t.Errorf("a file of somebody else's: status %d\n%s", status, out)
	}
	if status, out := commanded("", "ci", "gihtub"); status != exitUsage || !strings.Contains(out, "nearest is github") {
		t.Errorf("a mistake: status %d\n%s", status, out)
	}
}

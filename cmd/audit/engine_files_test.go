package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// engineImage is an image that audit could be in.
var engineImage = "registry.example/lab/audit@sha256:" + strings.Repeat("0a", 32)

// hostileList is a name that means something to each of the languages that it is written
// into: to shells, YAML, and the variables of Kubernetes and of GitHub.
const hostileList = `-l $(touch broken)'"\ ${{ secrets.X }}$$(AUDIT_SHARDS)` + "`touch broken`" + `: # {{.Dir}} é.txt`

// workDir is a folder with a list of 60 images, under that name and under a plain one.
func workDir(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	var list strings.Builder
	for i := range 60 {
		fmt.Fprintf(&list, "docker://registry.example/lab/tool-%02d:1.0\n", i)
	}
	for _, name := range []string{hostileList, "images.txt"} {
		if err := os.WriteFile(name, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// engineFile is what audit batch prints for an engine.
func engineFile(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := Main(append([]string{"audit", "batch"}, args...), strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatalf("%q: status %d\n%s", args, status, &stderr)
	}
	return stdout.String()
}

// played runs a script in a shell, with programs of these names that print their
// arguments, and returns those.
func played(t *testing.T, script string, env []string, programs ...string) []string {
	t.Helper()
	bin := t.TempDir()
	for _, p := range programs {
		if err := os.WriteFile(filepath.Join(bin, p), []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = t.TempDir(), append(env, "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	if left, _ := os.ReadDir(cmd.Dir); len(left) != 0 {
		t.Errorf("the name of the list was run as a command: %v", left)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// decoded reads the documents of a YAML file.
func decoded[T any](t *testing.T, text string) (all []T) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	for {
		var v T
		if err := d.Decode(&v); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = append(all, v)
	}
}

func wantWords(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// batchWords and summaryWords are the arguments of audit in tasks of 60 images.
func batchWords(shard, list, dir string) []string {
	return []string{"batch", "--shard", shard, "--output=" + dir, "--jobs=2", "--timeout=1h0m0s", "--", list}
}

func summaryWords(list, dir string) []string {
	return []string{"summary", "--format=html", "--output=" + dir + "/summary.html", "--list=" + list, "--", dir}
}

// Where the list is a registry's, who sums up reaches it as the workers do.
func TestEngineRegistry(t *testing.T) {
	workDir(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/lab/tool/tags/list":
			fmt.Fprint(w, `{"name":"lab/tool","tags":["1","2"]}`)
		case "/v2/lab/slow/tags/list":
			<-r.Context().Done()
		default:
			fmt.Fprint(w, "{}")
		}
	}))
	defer server.Close()
	host := "docker://" + strings.TrimPrefix(server.URL, "http://")
	flags := []string{"--authfile=auth.json", "--tls-verify=false", "--mirror=a.example=b.example"}
	if err := os.WriteFile("auth.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := engineFile(t, slices.Concat([]string{"--engine", "slurm", "-o", "out"}, flags, []string{host + "/lab/tool"})...)
	for _, task := range []string{"batch", "summary"} {
		if !regexp.MustCompile(task + ` .*--authfile=auth.json.*--tls-verify=false.*--mirror=a.example=b.example`).MatchString(script) {
			t.Errorf("audit %s cannot reach the registry:\n%s", task, script)
		}
	}
	if script := engineFile(t, slices.Concat([]string{"--engine", "slurm", "-o", "out"}, flags, []string{"images.txt"})...); strings.Count(script, "--authfile") != 1 {
		t.Errorf("a summary of a list in a file has no registry to ask:\n%s", script)
	}
	var stdout, stderr bytes.Buffer
	status := Main([]string{"audit", "batch", "-o", "out", "--timeout", "100ms", host + "/lab/slow"}, strings.NewReader(""), &stdout, &stderr)
	if status != exitAgain || !strings.Contains(stderr.String(), "not done within the 100ms of --timeout") {
		t.Errorf("a registry that does not answer: status %d, %s", status, &stderr)
	}
	if err := os.MkdirAll("out", 0o777); err != nil {
		t.Fatal(err)
	}
	status = Main([]string{"audit", "summary", "--tls-verify=false", "--list", host + "/lab/tool", "out"}, strings.NewReader(""), &stdout, &stderr)
	if status != exitPolicy || strings.Count(stdout.String(), "nobody has begun") != 2 {
		t.Errorf("status %d\n%s%s", status, &stdout, &stderr)
	}
}

// A Slurm task is the program itself, with the shard that the script counts; run by
// hand the script submits itself, and the summary after it.
func TestEngineSlurm(t *testing.T) {
	workDir(t)
	dir := `out '$(touch broken)"` // Slurm takes any
	script := engineFile(t, "--engine", "slurm", "--jobs", "2", "--timeout", "1h", "-o", dir, "--", hostileList)
	for _, line := range []string{"#SBATCH --array=1-3%3", "#SBATCH --cpus-per-task=2", "#SBATCH --requeue", "#SBATCH --open-mode=append", "#SBATCH --signal=B:TERM@30"} {
		if !strings.Contains(script, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, script)
		}
	}
	if strings.Contains(script, "SLURM_ARRAY_TASK_COUNT") || !strings.Contains(script, "\nexec audit batch ") {
		t.Errorf("the count is Slurm's, or a shell stays in between:\n%s", script)
	}
	wantWords(t, "a task", played(t, script, []string{"SLURM_ARRAY_TASK_ID=2"}, "audit"), batchWords("2/3", hostileList, dir))

	submitted := played(t, script, nil, "sbatch", "audit") // of which the first prints --parsable and sh for a number
	wantWords(t, "the summary's job", submitted[:2], []string{"--job-name=audit-summary", "--dependency=afterany:--parsablesh"})
	wrapped, _ := strings.CutPrefix(submitted[2], "--wrap=")
	wantWords(t, "the summary", played(t, wrapped, nil, "audit"), summaryWords(hostileList, dir))
	shellCheck(t, script)
}

// shellCheck asks shellcheck about a script, where it is there.
func shellCheck(t *testing.T, script string) {
	t.Helper()
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Log("shellcheck is not there")
		return
	}
	cmd := exec.Command("shellcheck", "--severity=warning", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]struct {
		Needs, If string
		RunsOn    string `yaml:"runs-on"`
		Strategy  struct {
			FailFast    bool `yaml:"fail-fast"`
			MaxParallel int  `yaml:"max-parallel"`
			Matrix      struct{ Shard []int }
		}
		Steps []struct {
			Uses, If, Run string
			With, Env     map[string]string
		}
	}
}

// GitHub puts values into a workflow before a shell reads it.
func TestEngineGitHub(t *testing.T) {
	workDir(t)
	args := []string{"--engine", "github", "--jobs", "2", "--timeout", "1h", "-o", "out", "--at-a-time", "2"}
	w := decoded[workflow](t, engineFile(t, append(args, "--", hostileList)...))[0]
	matrix := w.Jobs["batch"].Strategy
	if fmt.Sprint(matrix.Matrix.Shard) != "[1 2 3]" || matrix.FailFast || matrix.MaxParallel != 2 {
		t.Errorf("%+v", matrix)
	}
	task, summary := w.Jobs["batch"].Steps[1], w.Jobs["summary"].Steps[2]
	if task.Env["SHARD"] != "${{ matrix.shard }}" || w.Jobs["summary"].If != "always()" || w.Jobs["summary"].Needs != "batch" {
		t.Errorf("%+v", w)
	}
	wantWords(t, "a task", played(t, evaluated(task.Run), []string{"SHARD=3"}, "audit"), batchWords("3/3", hostileList, "out"))
	wantWords(t, "the summary", played(t, evaluated(summary.Run), nil, "audit"), summaryWords(hostileList, "out"))
	up, down := w.Jobs["batch"].Steps[2], w.Jobs["summary"].Steps[1]
	if up.With["path"] != "out" || down.With["path"] != "out" || up.With["name"] != "audit-${{ matrix.shard }}" || down.With["pattern"] != "audit-*" || up.If != "always()" {
		t.Errorf("results are not handed on: %+v %+v", up, down)
	}
	w = decoded[workflow](t, engineFile(t, append(args, "--engine-image", engineImage, "--", hostileList)...))[0]
	inImage := played(t, evaluated(w.Jobs["batch"].Steps[1].Run), []string{"SHARD=3"}, "docker")
	at := slices.Index(inImage, engineImage)
	wantWords(t, "a task in an image", inImage[at+1:], batchWords("3/3", hostileList, "out"))
}

// evaluated is a text of a workflow as GitHub hands it to a shell.
func evaluated(text string) string { return strings.ReplaceAll(text, "${{ '${{' }}", "${{") }

type pipelineJob struct {
	Image struct {
		Name       string
		Entrypoint []string
	}
	Parallel int
	Needs    []struct {
		Job       string
		Artifacts bool
	}
	When      string
	Script    []string
	Artifacts struct {
		When     string
		Paths    []string
		ExpireIn string `yaml:"expire_in"`
	}
	Retry struct {
		Max       int
		ExitCodes []int `yaml:"exit_codes"`
	}
}

func TestEngineGitLab(t *testing.T) {
	workDir(t)
	text := engineFile(t, "--engine", "gitlab", "--engine-image", engineImage, "--jobs", "2", "--timeout", "1h", "-o", "out/today", "--", hostileList)
	jobs := decoded[map[string]pipelineJob](t, text)[0]
	task, summary := jobs["audit"], jobs["audit-summary"]
	if task.Parallel != 3 || task.Image.Name != engineImage || task.Artifacts.Paths[0] != "out/today" || task.Artifacts.When != "always" {
		t.Errorf("%+v", task)
	}
	if summary.Needs[0].Job != "audit" || !summary.Needs[0].Artifacts || summary.When != "always" {
		t.Errorf("%+v", summary)
	}
	wantWords(t, "a task", played(t, task.Script[0], []string{"CI_NODE_INDEX=1", "CI_NODE_TOTAL=9"}, "audit"), batchWords("1/3", hostileList, "out/today"))
	wantWords(t, "the summary", played(t, summary.Script[0], nil, "audit"), summaryWords(hostileList, "out/today"))
}

// The real suite has Kubernetes' own API server read it; here the arguments are read.
func TestEngineKubernetes(t *testing.T) {
	workDir(t)
	text := engineFile(t, "--engine", "kubernetes", "--engine-image", engineImage, "--jobs", "2", "--timeout", "1h", "-o", "out", "--", hostileList)
	jobs := decoded[map[string]any](t, text)
	want := batchWords("auto", hostileList, "out")
	task := container(t, jobs[0])
	wantWords(t, "a task", expandedArgs(task), append([]string{"batch", "--shard=auto"}, want[3:]...))
	wantWords(t, "the summary", expandedArgs(container(t, jobs[1])), summaryWords(hostileList, "out"))
	if task["image"] != engineImage || fmt.Sprint(task["env"]) != "[map[name:AUDIT_SHARDS value:3] map[name:TMPDIR value:/tmp]]" {
		t.Errorf("%+v", task)
	}
}

// container is that of the pods of a Job.
func container(t *testing.T, job map[string]any) map[string]any {
	t.Helper()
	template := job["spec"].(map[string]any)["template"].(map[string]any)
	all := template["spec"].(map[string]any)["containers"].([]any)
	if len(all) != 1 {
		t.Fatalf("%d containers", len(all))
	}
	return all[0].(map[string]any)
}

// expandedArgs are the arguments of a container as Kubernetes reads them: two dollar
// signs are one, and a variable that stands in parentheses after one is replaced.
func expandedArgs(container map[string]any) (args []string) {
	for _, a := range container["args"].([]any) {
		args = append(args, strings.NewReplacer("$$", "$", "$(AUDIT_SHARDS)", "3").Replace(a.(string)))
	}
	return args
}

// What no engine could do is refused, and each has its own number of tasks.
func TestEngineUsage(t *testing.T) {
	image := "--engine-image=" + engineImage
	sample := mustAbs(t, "../../fixtures/guix/images/tiny.tar.gz")
	workDir(t)
	host := strings.TrimPrefix(serve(t), "http://")
	push(t, sample, host+"/lab/tool:1.0")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"not one of slurm, kubernetes, github, gitlab", []string{"--engine", "pbs", "-o", "out", "images.txt"}},
		{"slurm takes 1 to 1000", []string{"--engine", "slurm", "--shards", "1001", "-o", "out", "images.txt"}},
		{"github takes 1 to 256", []string{"--engine", "github", "--shards", "257", "-o", "out", "images.txt"}},
		{"gitlab takes 1 to 200", []string{"--engine", "gitlab", "--shards", "0", "-o", "out", "images.txt"}},
		{"name it with --engine", []string{"--at-a-time", "2", "-o", "out", "images.txt"}},
		{"at least 1", []string{"--engine", "slurm", "--at-a-time", "0", "-o", "out", "images.txt"}},
		{"--shard is the tasks' own", []string{"--engine", "slurm", "--shard", "1/2", "-o", "out", "images.txt"}},
		{"no use for --engine-image", []string{"--engine", "slurm", image, "-o", "out", "images.txt"}},
		{"no use for --at-a-time", []string{"--engine", "gitlab", "--at-a-time", "2", "-o", "out", "images.txt"}},
		{"-o DIR", []string{"--engine", "slurm", "images.txt"}},
		{"has to be in a file", []string{"--engine", "slurm", "-o", "out", "-"}},
		{"--engine-image REF@DIGEST", []string{"--engine", "kubernetes", "-o", "out", "images.txt"}},
		{"REF@sha256:DIGEST belongs here", []string{"--engine", "kubernetes", "--engine-image", "registry.example/audit:1", "-o", "out", "images.txt"}},
		{"a path below it", []string{"--engine", "github", "-o", "/out", "images.txt"}},
		{"a path below it", []string{"--engine", "gitlab", "-o", "out/*", "images.txt"}},
		{"a path below it", []string{"--engine", "gitlab", "-o", "a/.b", "images.txt"}},
		{"a path below it", []string{"--engine", "kubernetes", image, "-o", "../out", "images.txt"}},
		{"has to be below it", []string{"--engine", "kubernetes", image, "-o", "out", mustAbs(t, "images.txt")}},
		{"a file below it belongs here", []string{"--engine", "kubernetes", image, "-o", "out", "--layer-cache", mustAbs(t, "."), "images.txt"}},
		{"cannot stand in a script", []string{"--engine", "slurm", "-o", "a\nb", "images.txt"}},
		{"does not belong in a script", []string{"--engine", "slurm", "-o", "out", "--layer-cache", "https://user:secret@host/x", "images.txt"}},
		{"does not belong in a script", []string{"--engine", "slurm", "-o", "out", "--tls-verify=false", "--creds", "me:S3CR3T", "docker://" + host + "/lab/"}},
	} {
		var stdout, stderr bytes.Buffer
		status := Main(append([]string{"audit", "batch"}, c.args...), strings.NewReader("registry.example/a:1\n"), &stdout, &stderr)
		if status != exitUsage || stdout.Len() != 0 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: status %d, %s", c.args, status, &stderr)
		}
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/docker"
	"audit/rebuild"
)

// built runs a plan with fake engines. The user gives the source that the plan has.
func built(t *testing.T, plan rebuild.Plan, engine string, arguments ...string) (*rebuild.Result, string, error) {
	t.Helper()
	log := new(bytes.Buffer)
	job := rebuild.Job{Dir: t.TempDir(), Log: log, Settings: settings(plan, arguments...)}
	result, err := Builder{Engine: engine}.Build(t.Context(), plan, job)
	return result, log.String(), err
}

// settings are the flags that a plan from a folder was made with.
func settings(plan rebuild.Plan, arguments ...string) rebuild.Settings {
	in := rebuild.Settings{"network": {"true"}}
	if d, ok := plan.Details.(Details); ok && !isRemote(d.Context) {
		in["source"] = []string{d.Context}
	}
	if len(arguments) > 0 {
		in["build-arg"] = arguments
	}
	return in
}

// line writes a call with the names of temporary folders replaced.
func lines(calls [][]string, folders map[string]string) []string {
	var all []string
	for _, words := range calls {
		text := strings.Join(words, " ")
		for name, path := range folders {
			text = strings.ReplaceAll(text, path, name)
		}
		all = append(all, text)
	}
	return all
}

func TestBuildClassic(t *testing.T) {
	dir := folder(t, map[string]string{"my/Dockerfile": "FROM scratch\n"})
	calls := install(t, scenario{Says: map[string]string{"docker build": "Step 1/3 : FROM debian:12\n ---> 0123\nStep 2/3 : COPY a /a\n ---> Using cache\nStep 3/3 : RUN make\n ---> Running in 01\n"}}, "docker")
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir, Dockerfile: "my/Dockerfile", BuildArgs: []string{"A=it's"}})
	result, log, err := built(t, plan, "", "A=it's")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	job := filepath.Dir(result.Image)
	made := calls()
	tag := made[2][len(made[2])-1]
	want := []string{
		"docker version --format {{.Client.Version}} (engine {{.Server.Version}})",
		"DOCKER_BUILDKIT=0 docker build --no-cache --network=none --build-arg=A=it's --file=DIR/my/Dockerfile --force-rm --tag=" + tag + " DIR",
		"docker image save --output=JOB/rebuilt.tar " + tag,
		"docker image rm " + tag,
	}
	if diff := cmp.Diff(want, lines(made, map[string]string{"DIR": dir, "JOB": job})); diff != "" {
		t.Error(diff)
	}
	shown := []string{"docker", "build", "--no-cache", "--network=none", "--build-arg=A", "--file=" + filepath.Base(dir) + "/my/Dockerfile", "--force-rm", "--tag=audit-rebuild", filepath.Base(dir)}
	if diff := cmp.Diff(shown, result.Command); diff != "" || !strings.HasPrefix(tag, "audit-rebuild:") {
		t.Errorf("%s\n%s", tag, diff)
	}
	items := []rebuild.Item{{Path: "1/3 FROM debian:12", How: rebuild.Reused}, {Path: "2/3 COPY a /a", How: rebuild.Reused}, {Path: "3/3 RUN make", How: rebuild.Built}}
	if diff := cmp.Diff(items, result.Items); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]rebuild.Tool{{Name: "docker", Version: "docker version 1.2.3"}}, result.Tools); diff != "" {
		t.Error(diff)
	}
	if result.Derivation.Status != check.Skipped || result.Derivation.ID != check.Derivation {
		t.Errorf("%+v", result.Derivation)
	}
	if !strings.Contains(log, "$ DOCKER_BUILDKIT=0 docker build") || !strings.Contains(log, "Step 3/3 : RUN make") {
		t.Error(log)
	}
	if _, err := inspect.Open(t.Context(), result.Image, inspect.Options{Stores: fixtures.Stores()}); err != nil {
		t.Error(err)
	}
}

func TestBuildWithBuildctl(t *testing.T) {
	calls := install(t, scenario{Says: map[string]string{"buildctl build": "#4 [b 1/2] FROM docker.io/library/alpine@sha256:0\n#5 [stage-1 2/3] RUN x\n#5 DONE\n#6 [stage-1 3/3] COPY y z\n#6 CACHED\n"}}, "buildctl")
	result, log, err := built(t, planFor(t, sample(t, "buildkit-git-max.oci.tar"), trusted()), "")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	want := []string{
		"buildctl --version",
		"buildctl debug workers",
		"buildctl build --progress=plain --frontend=dockerfile.v0 --no-cache --opt=force-network-mode=none --opt=cmdline= --opt=platform=linux/amd64 --opt=build-arg:SOURCE_DATE_EPOCH=1700000000 --opt=build-arg:VERSION=2 --opt=label:made=here" +
			" --opt=context=git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8 --source-policy-file=JOB/source-policy.json --output=type=oci,dest=rebuilt.tar,rewrite-timestamp=true",
	}
	if diff := cmp.Diff(want, lines(calls(), map[string]string{"JOB": filepath.Dir(result.Image)})); diff != "" {
		t.Error(diff)
	}
	items := []rebuild.Item{{Path: "b 1/2 FROM docker.io/library/alpine@sha256:0", How: rebuild.Reused}, {Path: "stage-1 2/3 RUN x", How: rebuild.Built}, {Path: "stage-1 3/3 COPY y z", How: rebuild.Reused}}
	if diff := cmp.Diff(items, result.Items); diff != "" {
		t.Error(diff)
	}
	policy, err := os.ReadFile(filepath.Join(filepath.Dir(result.Image), policyName))
	if err != nil || !strings.Contains(string(policy), "DENY") {
		t.Errorf("%s %v", policy, err)
	}
}

func TestBuildWithBuildah(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	calls := install(t, scenario{}, "buildah")
	result, log, err := built(t, planFor(t, sample(t, "buildah-layers.oci.tar"), Input{Source: dir}), "")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	want := []string{
		"buildah --version",
		"buildah build --no-cache --network=none --layers=true --timestamp=1700000000 --iidfile=JOB/image-id DIR",
		"buildah push --quiet sha256:0123 oci-archive:JOB/rebuilt.tar",
		"buildah rmi sha256:0123",
	}
	if diff := cmp.Diff(want, lines(calls(), map[string]string{"DIR": dir, "JOB": filepath.Dir(result.Image)})); diff != "" {
		t.Error(diff)
	}
}

// A Dockerfile that only the provenance has is built from the plan's own file.
func TestBuildOwnDockerfile(t *testing.T) {
	dir := folder(t, map[string]string{"hello.txt": "hello\n"})
	plan := planFor(t, sample(t, "buildkit-local-max.oci.tar"), Input{Source: dir})
	calls := install(t, scenario{}, "buildctl", "docker")
	result, log, err := built(t, plan, "")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	job := filepath.Dir(result.Image)
	if got := lines(calls(), map[string]string{"DIR": dir, "JOB": job}); !strings.Contains(got[2], "--local=context=DIR --local=dockerfile=JOB") {
		t.Errorf("%q", got)
	}
	text, err := os.ReadFile(filepath.Join(job, dockerfileName))
	if err != nil || !strings.HasPrefix(string(text), "FROM scratch\nARG VERSION=1\n") {
		t.Errorf("%q %v", text, err)
	}
	result, log, err = built(t, plan, "classic")
	if err != nil || !strings.Contains(strings.Join(result.Command, " "), " --file=./Dockerfile ") {
		t.Errorf("%v %q\n%s", err, result.Command, log)
	}
	if !strings.Contains(log, "The original was built by buildkit, this is classic") {
		t.Error(log)
	}
}

// Which engine builds: the one that is asked for, else the one that built the
// original, else the first that is there.
func TestEngineChoice(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	source := Input{Source: dir}
	classic, kit, unknown := planFor(t, sample(t, "classic.tar"), source), planFor(t, sample(t, "buildkit-local-max.oci.tar"), source), planFor(t, sample(t, "classic.tar"), source)
	d := *detailsOf(t, unknown)
	d.Engine = docker.Unknown
	unknown.Details = d
	replay := planFor(t, attested(t, "MATERIALS", `{"uri":"pkg:docker/alpine@3.19","digest":{"sha256":"`+zeros+`"}}`), trusted())
	for name, tc := range map[string]struct {
		plan    rebuild.Plan
		asked   string
		there   []string
		absent  []string
		want    string // the program that built; "" for none
		because string // in the error
	}{
		"the original's":                 {classic, "", []string{"docker", "buildctl", "buildah"}, nil, "docker", ""},
		"the original's BuildKit":        {kit, "", []string{"docker", "buildctl", "buildah"}, nil, "buildctl", ""},
		"BuildKit inside Docker":         {kit, "", []string{"docker", "buildah"}, nil, "docker", ""},
		"buildctl without its daemon":    {kit, "", []string{"docker", "buildctl"}, []string{"buildctl debug"}, "docker", ""},
		"not another one":                {classic, "", []string{"buildctl", "buildah"}, nil, "", "looking for Docker"},
		"unless it is asked for":         {classic, "buildah", []string{"docker", "buildah"}, nil, "buildah", ""},
		"asked for and not there":        {kit, "classic", []string{"buildctl"}, nil, "", "looking for Docker"},
		"not known, first":               {unknown, "", []string{"docker", "buildctl", "buildah"}, nil, "docker", ""},
		"not known, second":              {unknown, "", []string{"buildctl", "buildah"}, nil, "buildctl", ""},
		"not known, last":                {unknown, "", []string{"buildah"}, nil, "buildah", ""},
		"not known, none":                {unknown, "", nil, nil, "", "looking for Docker"},
		"pins need buildctl":             {replay, "", []string{"docker", "buildctl"}, nil, "buildctl", ""},
		"or buildx":                      {replay, "", []string{"docker"}, nil, "docker", ""},
		"not without buildx":             {replay, "", []string{"docker"}, []string{"docker buildx"}, "", "looking for buildctl"},
		"nor the classic builder":        {replay, "classic", []string{"docker"}, nil, "", "only BuildKit's buildctl can do what the plan needs"},
		"nor buildah":                    {replay, "buildah", []string{"buildah"}, nil, "", "only BuildKit's buildctl can do what the plan needs"},
		"no such engine":                 {classic, "kaniko", []string{"docker"}, nil, "", `there is no engine "kaniko"`},
		"an engine that does not answer": {classic, "", []string{"docker"}, []string{"docker version"}, "", "looking for Docker"},
	} {
		t.Run(name, func(t *testing.T) {
			install(t, scenario{Absent: tc.absent}, tc.there...)
			result, log, err := built(t, tc.plan, tc.asked)
			if tc.want == "" {
				var hint *rebuild.HintError
				if !errors.Is(err, rebuild.ErrNoBuilder) || !strings.Contains(err.Error(), tc.because) || !errors.As(err, &hint) || !strings.Contains(hint.Hint, "--rebuilt") {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || result.Command[0] != tc.want {
				t.Errorf("%v %q\n%s", err, result.Command, log)
			}
		})
	}
}

// The log says which options an engine cannot follow.
func TestPointlessOptions(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	for _, tc := range []struct {
		job  rebuild.Job
		want string
	}{
		{rebuild.Job{}, ""},
		{rebuild.Job{Fresh: []string{"all"}, Options: rebuild.Options{NoSubstitutes: true, Cores: 2}}, "--fresh, --no-substitutes, --cores changes nothing"},
		{rebuild.Job{CheckInputs: true, Options: rebuild.Options{Builders: "ssh://m"}}, "--check-inputs, --builders changes nothing"},
	} {
		install(t, scenario{}, "docker")
		log := new(bytes.Buffer)
		tc.job.Dir, tc.job.Log, tc.job.Settings = t.TempDir(), log, settings(plan)
		if _, err := (Builder{}).Build(t.Context(), plan, tc.job); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); !strings.Contains(got, tc.want) || tc.want == "" && strings.Contains(got, "changes nothing") {
			t.Errorf("the log says %q, want %q", got, tc.want)
		}
	}
}

// An image that docker save wrote is built by the BuildKit inside Docker, where
// that is to be had.
func TestBuildKitOfDocker(t *testing.T) {
	img := made(t, fixtures.Docker{Layers: [][]fixtures.File{{{Name: "f", Body: "x"}}}, History: []fixtures.Step{{By: "COPY f /f # buildkit", Comment: "buildkit.dockerfile.v0"}}}.Archive())
	plan := planFor(t, img, Input{Source: folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})})
	for name, tc := range map[string]struct {
		scenario scenario
		there    []string
		want     string
	}{
		"it is there":            {scenario{}, []string{"docker", "buildctl"}, "docker"},
		"Docker is not":          {scenario{}, []string{"buildctl"}, "buildctl"},
		"its plugin is not":      {scenario{Says: map[string]string{"docker version": "28.2.2 (engine 28.2.2)\n"}, Absent: []string{"docker buildx"}}, []string{"docker", "buildctl"}, "buildctl"},
		"the client is older":    {scenario{Says: map[string]string{"docker version": "20.10.24 (engine 20.10.24)\n"}, Absent: []string{"docker buildx"}}, []string{"docker", "buildctl"}, "docker"},
		"the engine is not here": {scenario{Absent: []string{"docker version"}}, []string{"docker", "buildctl"}, "buildctl"},
	} {
		install(t, tc.scenario, tc.there...)
		result, err := Builder{}.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir(), Image: img, Settings: settings(plan)})
		if err != nil || result.Command[0] != tc.want {
			t.Errorf("%s: %v %q", name, err, result.Command)
		}
	}
}

// Docker's own BuildKit gets the policy through its environment.
func TestBuildWithBuildx(t *testing.T) {
	calls := install(t, scenario{}, "docker")
	replay := planFor(t, attested(t, "MATERIALS", `{"uri":"pkg:docker/alpine@3.19","digest":{"sha256":"`+zeros+`"}}`), trusted())
	result, log, err := built(t, replay, "")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	got := lines(calls(), map[string]string{"JOB": filepath.Dir(result.Image)})
	if !strings.HasPrefix(got[2], "DOCKER_BUILDKIT=1 EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=JOB/source-policy.json docker build --no-cache --network=none") || strings.Contains(got[2], "--force-rm") {
		t.Errorf("%q", got)
	}
}

func TestBuildRefused(t *testing.T) {
	calls := install(t, scenario{}, "docker", "buildctl", "buildah")
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	good := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	changed := func(change func(d *Details)) rebuild.Plan {
		plan, d := good, *detailsOf(t, good)
		change(&d)
		plan.Details = d
		return plan
	}
	for want, plan := range map[string]rebuild.Plan{
		"plan/malformed":      changed(func(d *Details) { d.Options = map[string]string{"privileged": ""} }),
		"plan/folder-missing": changed(func(d *Details) { d.Context = "/gone" }),
		"recipe/x":            {System: docker.Name, Reasons: []check.Message{check.Say("recipe/x")}},
		"plan/needs-trust":    {System: docker.Name, Details: good.Details, Trust: []rebuild.Trust{{Kind: "source"}}},
	} {
		job := rebuild.Job{Dir: t.TempDir(), Settings: settings(good)}
		if _, err := (Builder{}).Build(t.Context(), plan, job); !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := (Builder{}).Build(t.Context(), good, rebuild.Job{Dir: t.TempDir()}); !errors.Is(err, rebuild.ErrRefused) || !strings.Contains(err.Error(), "plan/folder-not-named") {
		t.Errorf("a folder that the user does not name: %v", err)
	}
	if got := calls(); got != nil {
		t.Errorf("an engine was called: %q", got)
	}
}

// What engines say when they fail, and what that means. The texts are their own.
func TestExplainFailures(t *testing.T) {
	for _, tc := range []struct {
		log   string
		kind  error
		means string
	}{
		{"#5 0.186 wget: bad address 'example.org'\nerror: failed to solve: process \"/bin/sh -c wget x\" did not complete successfully: exit code: 1\n", rebuild.ErrRefused, "an instruction wanted the network"},
		{"curl: (6) Could not resolve host: example.org\nThe command '/bin/sh -c curl x' returned a non-zero code: 6\n", rebuild.ErrRefused, "an instruction wanted the network"},
		{"Temporary failure resolving 'deb.debian.org'\nError: building at STEP \"RUN apt-get update\": while running runtime: exit status 100\n", rebuild.ErrRefused, "an instruction wanted the network"},
		{"The command '/bin/sh -c make' returned a non-zero code: 2\n", rebuild.ErrBuild, "an instruction failed"},
		{"error: failed to solve: process \"/bin/false\" did not complete successfully: exit code: 1\n", rebuild.ErrBuild, "an instruction failed"},
		{"error: failed to solve: failed to load LLB: error evaluating the source policy: source \"https://x.org/a\" denied by policy: source denied by policy\n", rebuild.ErrRefused, "what the plan does not allow"},
		{"error: failed to solve: secret tok: not found\n", rebuild.ErrRefused, "a secret that the build needs"},
		{"error: failed to solve: alpine:3: failed to resolve source metadata for docker.io/library/alpine:3: failed to do request: Head \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host\n", rebuild.ErrRefused, "an image that the build starts from"},
		{"pull access denied for nothing, repository does not exist or may require 'docker login'\n", rebuild.ErrRefused, "an image that the build starts from"},
		{"manifest for debian:none not found: manifest unknown: manifest unknown\n", rebuild.ErrRefused, "an image that the build starts from"},
		{"error: failed to solve: failed to read dockerfile: failed to checkout remote git://127.0.0.1/ctx.git: git stderr:\nfatal: reference is not a tree: 0000\n", rebuild.ErrRefused, "the source cannot be had"},
		{"unable to prepare context: unable to 'git clone' to temporary context directory: error fetching: fatal: unable to connect to 127.0.0.1\n", rebuild.ErrRefused, "the source cannot be had"},
		{"error: failed to solve: failed to load cache key: Get \"https://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused\n", rebuild.ErrRefused, "something that the build fetches"},
		{"Error: cannot set --network other than host with --isolation chroot\n", rebuild.ErrNoBuilder, "chroot isolation"},
		{"ERROR: BuildKit is enabled but the buildx component is missing or broken.\n", rebuild.ErrNoBuilder, "docker has no BuildKit"},
		{"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n", rebuild.ErrNoBuilder, "the engine does not answer"},
		{"write /x: no space left on device\n", rebuild.ErrNotDone, "the disk is full"},
		{"exec /bin/sh: exec format error\n", rebuild.ErrNotDone, "another kind of machine"},
		{"COPY failed: file not found in build context or excluded by .dockerignore: stat none: file does not exist\n", rebuild.ErrBuild, "the source has not what"},
		{"error: failed to solve: failed to compute cache key: \"/none\": not found\n", rebuild.ErrBuild, "the source has not what"},
		{"something new\n", rebuild.ErrNotDone, "something new"},

		// The machine, and what it is connected to.
		{"error: failed to solve: failed to copy: write /var/lib/buildkit/x: no space left on device\n", rebuild.ErrNotDone, "the disk is full"},
		{"error: failed to solve: process \"/bin/sh -c make\" did not complete successfully: failed to create shim task: write /run/x: no space left on device: unknown\n", rebuild.ErrNotDone, "the disk is full"},
		{"The command '/bin/sh -c make' returned a non-zero code: 1\nError response from daemon: write /var/lib/docker/x: disk quota exceeded\n", rebuild.ErrNotDone, "the disk is full"},
		{"Error: committing container: fork/exec /usr/bin/runc: cannot allocate memory\n", rebuild.ErrNotDone, "short of something"},
		{"Error: creating /var/lib/containers/x: read-only file system\n", rebuild.ErrNotDone, "short of something"},
		{"error: open /run/x: too many open files\n", rebuild.ErrNotDone, "short of something"},
		{"error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = \"transport: Error while dialing: dial unix /run/buildkit/buildkitd.sock: connect: no such file or directory\"\n", rebuild.ErrNoBuilder, "the engine does not answer"},
		{"error during connect: Post \"http://docker.example:2375/v1.24/build\": dial tcp: connect: connection refused\n", rebuild.ErrNoBuilder, "the engine does not answer"},
		{"#7 [2/2] RUN make\nerror: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n", rebuild.ErrNotDone, "the connection to the engine was lost"},
		{"error: failed to solve: rpc error: code = DeadlineExceeded desc = context deadline exceeded\n", rebuild.ErrNotDone, "the connection to the engine was lost"},
		{"Step 2/3 : RUN make\nunexpected EOF\n", rebuild.ErrNotDone, "the connection to the engine was lost"},
		{"toomanyrequests: You have reached your pull rate limit.\n", rebuild.ErrNotDone, "a registry did not answer"},
		{"Error response from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout\n", rebuild.ErrNotDone, "a registry did not answer"},

		// What an instruction wrote is no word of the engine.
		{"#5 0.186 FAIL: test-disk: no space left on device\nerror: failed to solve: process \"/bin/sh -c make check\" did not complete successfully: exit code: 1\n", rebuild.ErrBuild, "an instruction failed"},
		{"FAIL: cannot allocate memory\nThe command '/bin/sh -c make check' returned a non-zero code: 2\n", rebuild.ErrBuild, "an instruction failed"},
		{"Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\nError: building at STEP \"RUN docker ps\": while running runtime: exit status 1\n", rebuild.ErrBuild, "an instruction failed"},
		{"#5 0.186 rpc error: code = Unavailable\n#5 0.2 connection reset by peer\nerror: failed to solve: process \"/bin/sh -c go test\" did not complete successfully: exit code: 1\n", rebuild.ErrBuild, "an instruction failed"},
	} {
		err := explain(&rebuild.ExitError{Argv: []string{"x"}, Code: 1, Reason: "exit status 1"}, tc.log)
		for _, kind := range []error{rebuild.ErrBuild, rebuild.ErrNotDone, rebuild.ErrRefused, rebuild.ErrNoBuilder} {
			if errors.Is(err, kind) != (kind == tc.kind) {
				t.Errorf("%q: %v", tc.log, err)
			}
		}
		if !strings.Contains(err.Error(), tc.means) {
			t.Errorf("%q: %v, want %q", tc.log, err, tc.means)
		}
	}
	if err := explain(context.Canceled, "denied by policy"); err != context.Canceled {
		t.Errorf("an interruption became %v", err)
	}
}

func TestBuildFails(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	for step, want := range map[string]string{"docker build": "an instruction failed", "docker image save": "taking the image from the engine"} {
		calls := install(t, scenario{Fails: map[string]string{step: "The command 'x' returned a non-zero code: 1\n"}}, "docker")
		result, _, err := built(t, plan, "")
		if !errors.Is(err, rebuild.ErrBuild) || !strings.Contains(err.Error(), want) || result.Image != "" {
			t.Errorf("%s: %v", step, err)
		}
		all := fmt.Sprint(calls())
		if step == "docker image save" && !strings.Contains(all, "image rm") {
			t.Errorf("the image stays in the engine: %s", all)
		}
	}
}

// An interruption is no failed build, and the image is removed all the same.
func TestBuildInterrupted(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	install(t, scenario{Hangs: "docker build"}, "docker")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err := Builder{}.Build(ctx, plan, rebuild.Job{Dir: t.TempDir(), Settings: settings(plan)})
	if !errors.Is(err, context.Canceled) || errors.Is(err, rebuild.ErrBuild) {
		t.Errorf("%v", err)
	}
}

func TestWithHistory(t *testing.T) {
	img := sample(t, "classic.tar")
	differs := func(layer int, cause string) check.Finding {
		return check.Find(check.Problem, layer, "", "rebuild/difference", "cause", cause)
	}
	out := check.Check{ID: check.Rebuild, Findings: []check.Finding{differs(1, "content"), differs(-1, "content"), differs(9, "content"), differs(0, "extra")}}
	var got []string
	for _, f := range rebuild.WithHistory(out, System{}.History(img), System{}.History(sample(t, "buildkit-local-max.oci.tar"))).Findings[1:] {
		got = append(got, f.Args.String("made-by")+"|"+f.Args.String("remade-by"))
	}
	want := []string{"WORKDIR /srv|", "|", "|", "|COPY hello.txt /hello.txt"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(out.Findings[0].Args) != 1 {
		t.Error("the check that was given has changed")
	}
	first := rebuild.WithHistory(out, System{}.History(img), System{}.History(sample(t, "buildah.oci.tar"))).Findings[0]
	if first.Code != "rebuild/another-engine" || first.Args.String("was") != "classic" || first.Args.String("now") != "buildah" {
		t.Errorf("%+v", first)
	}
}

// A mistyped address is not repeated with what is secret in it.
func TestMistakesKeepSecrets(t *testing.T) {
	for _, source := range []string{"htps://user:T0psecret@x.org/a.git", "docker-image://T0psecret@x.org/a"} {
		if err := (Input{Source: source}).Check(); err == nil || strings.Contains(err.Error(), "T0psecret") {
			t.Errorf("%v", err)
		}
	}
	if err := (Input{Source: "/", BuildArgs: []string{"1T0psecret"}}).Check(); err == nil || strings.Contains(err.Error(), "T0psecret") {
		t.Errorf("%v", err)
	}
}

// No engine gets an agent's socket, and one that builds what the image names gets no
// logins; for the user's own source it has the user's.
func TestEnginesGetNoCredentials(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	for name, tc := range map[string]struct {
		plan   rebuild.Plan
		logins bool
	}{
		"what the image names": {planFor(t, sample(t, "buildkit-git-max.oci.tar"), trusted()), false},
		"the user's source":    {planFor(t, sample(t, "buildkit-local-max.oci.tar"), Input{Source: dir, Dockerfile: "Dockerfile"}), true},
	} {
		install(t, scenario{}, "buildctl")
		for _, variable := range []string{"SSH_AUTH_SOCK", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"} {
			t.Setenv(variable, "/of/the/user")
		}
		if _, log, err := built(t, tc.plan, ""); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, log)
		}
		engines, _, _ := strings.Cut(os.Getenv("PATH"), ":")
		text, err := os.ReadFile(filepath.Join(engines, "environment"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), "DOCKER_CONFIG=/of/the/user"); got != tc.logins || strings.Contains(string(text), "SSH_AUTH_SOCK=/of") {
			t.Errorf("%s: %s", name, text)
		}
		if !tc.logins && strings.Contains(string(text), "/of/the/user") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

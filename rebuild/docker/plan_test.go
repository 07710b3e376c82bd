package docker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/rebuild"
)

func openImage(t testing.TB, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Keep: docker.Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func sample(t testing.TB, name string) *inspect.Image {
	t.Helper()
	return openImage(t, filepath.Join("../../fixtures/docker", name))
}

func made(t testing.TB, archive []byte) *inspect.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	return openImage(t, path)
}

func planFor(t testing.TB, img *inspect.Image, in Input) rebuild.Plan {
	t.Helper()
	ev, err := docker.System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(img, ev.Recipe, in)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// folder makes a source of files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the attestation of a sample tells is the plan: nothing else is needed.
func TestPlanFromProvenance(t *testing.T) {
	for name, want := range map[string][]string{
		"buildkit-git-max.oci.tar": {"build", "--no-cache", "--network=none", "--platform=linux/amd64", "--build-arg=SOURCE_DATE_EPOCH=1700000000", "--build-arg=VERSION=2",
			"--label=made=here", "--output=type=oci,rewrite-timestamp=true", "git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8"},
		"buildkit-git-subdir.oci.tar": {"build", "--no-cache", "--network=none", "--platform=linux/amd64", "--build-arg=SOURCE_DATE_EPOCH=1795212050",
			"git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8:sub"},
		"buildkit-git-provenance.oci.tar": {"build", "--no-cache", "--network=none", "--platform=linux/amd64", "--build-arg=SOURCE_DATE_EPOCH=1",
			"--output=type=oci,rewrite-timestamp=true", "git://127.0.0.1/ctx.git#90441ff6576eeb377fe7c842df280abb6ca60354"},
	} {
		img := sample(t, name)
		plan := planFor(t, img, Input{})
		if diff := cmp.Diff(want, plan.Pack); diff != "" || plan.Refused != "" {
			t.Errorf("%s: %s %s", name, plan.Refused, diff)
		}
		if plan.System != provenance.Docker || plan.Engine != "buildkit" || plan.ConfigDigest != img.Config.Digest.String() || plan.Source != nil {
			t.Errorf("%s: %+v", name, plan)
		}
		if len(plan.Files) != 1 || plan.Files[0].Name != policyName {
			t.Errorf("%s: files %v", name, plan.Files)
		}
		if len(plan.Trust) != 2 || !strings.Contains(plan.Trust[0].Why, "without a network") || !strings.Contains(plan.Trust[1].Why, "unsigned provenance") {
			t.Errorf("%s: trust %+v", name, plan.Trust)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"buildkit-git-min.oci.tar":   "its provenance was recorded with mode=min, which leaves out the build arguments, labels, secrets and SSH keys that it was built with (--source names what to build, if you have it)",
		"buildkit-local-max.oci.tar": "it was built from local inputs that nobody else can fetch (context, dockerfile); only a Git repository or an HTTP address can be fetched again (--source names what to build, if you have it)",
		"classic.tar":                "no SLSA provenance attestation lies beside the image, so its source, its base image and its build context are not told; --source names what to build",
	} {
		plan := planFor(t, sample(t, name), Input{})
		if plan.Refused != want {
			t.Errorf("%s: %q", name, plan.Refused)
		}
		if len(plan.Pack) != 0 {
			t.Errorf("%s: a command all the same: %q", name, plan.Pack)
		}
	}
}

// attestation is a provenance in which each part can be changed.
const attestation = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[{"name":"_","digest":{"sha256":"SUBJECT"}}],
"predicate":{"buildType":"https://mobyproject.org/buildkit@v1","builder":{"id":""},"materials":[MATERIALS],
"invocation":{"configSource":{"uri":"https://x.org/a.git#main","digest":{"sha1":"263759722aabb623862faddfbc2353bf14589cf8"}},
"parameters":{"frontend":"FRONTEND","args":{ARGS},"secrets":[SECRETS]}},"buildConfig":{"llbDefinition":[{"id":"step0"}]},
"metadata":{"completeness":{"parameters":true,"environment":true,"materials":true},
"https://mobyproject.org/buildkit@v1#metadata":{"source":{"infos":[{"filename":"Dockerfile","data":"DATA"}]}}}}}`

const slsaType = "https://slsa.dev/provenance/v0.2"

func attested(t testing.TB, change ...string) *inspect.Image {
	t.Helper()
	text := strings.NewReplacer(append(change, "MATERIALS", "", "FRONTEND", "dockerfile.v0", "ARGS", "", "SECRETS", "", "DATA", "RlJPTSBzY3JhdGNoCg==")...).Replace(attestation)
	return made(t, fixtures.Docker{
		Layers: [][]fixtures.File{{{Name: "f", Body: "x"}}}, History: []fixtures.Step{{By: "COPY f /f # buildkit", Comment: "buildkit.dockerfile.v0"}},
		Statements: []fixtures.Statement{{Type: slsaType, Text: text}},
	}.OCIArchive())
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

func TestPlanOptions(t *testing.T) {
	plan := planFor(t, attested(t,
		"MATERIALS", `{"uri":"pkg:docker/alpine@3.19?platform=linux%2Famd64","digest":{"sha256":"`+zeros+`"}},{"uri":"https://x.org/b.git#v2","digest":{"sha1":"90441ff6576eeb377fe7c842df280abb6ca60354"}},{"uri":"https://x.org/c","digest":{"sha256":"`+zeros+`"}},{"uri":"pkg:docker/docker/dockerfile@1","digest":{"sha256":"`+zeros+`"}}`,
		"FRONTEND", "gateway.v0",
		"ARGS", `"cmdline":"docker/dockerfile:1","source":"docker/dockerfile:1","target":"final","context:base":"docker-image://alpine:3.19","context:more":"https://x.org/b.git#v2:dir","add-hosts":"a=1.2.3.4","no-cache":"","image-resolve-mode":"local","build-arg:A":"b"`), Input{})
	want := []string{"build", "--no-cache", "--network=none", "--platform=linux/amd64", "--target=final", "--build-arg=A=b", "--build-arg=SOURCE_DATE_EPOCH=0",
		"--build-context=base=docker-image://alpine:3.19", "--build-context=more=https://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354:dir",
		"--opt=add-hosts=a=1.2.3.4", "https://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8"}
	if diff := cmp.Diff(want, plan.Pack); diff != "" || plan.Refused != "" {
		t.Errorf("%s %s", plan.Refused, diff)
	}
	const policy = `{
  "rules": [
    {
      "action": "DENY",
      "selector": {
        "identifier": "*"
      }
    },
    ALLOW https://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8
    ALLOW git://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8
    CONVERT docker-image://docker.io/library/alpine:3.19 docker-image://docker.io/library/alpine:3.19@sha256:` + zeros + `
    ALLOW docker-image://docker.io/library/alpine:3.19@sha256:` + zeros + `
    ALLOW docker-image://docker.io/library/alpine@sha256:` + zeros + `
    CONVERT https://x.org/b.git#v2 https://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354
    ALLOW https://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354
    CONVERT git://x.org/b.git#v2 git://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354
    ALLOW git://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354
    CHECK https://x.org/c sha256:` + zeros + `
    ALLOW https://x.org/c
    CONVERT docker-image://docker.io/docker/dockerfile:1 docker-image://docker.io/docker/dockerfile:1@sha256:` + zeros + `
    ALLOW docker-image://docker.io/docker/dockerfile:1@sha256:` + zeros + `
    ALLOW docker-image://docker.io/docker/dockerfile@sha256:` + zeros + `
`
	if diff := cmp.Diff(policy, short(plan.Files[0].Text)); diff != "" {
		t.Error(diff)
	}
	if len(plan.Trust) != 5 || plan.Trust[2].URL != "pkg:docker/alpine@3.19?platform=linux%2Famd64" {
		t.Errorf("%+v", plan.Trust)
	}
}

// short writes each rule of a policy but the first on one line.
func short(text string) string {
	rules := strings.Split(text, "    {\n      \"action\": ")
	out := rules[0] + "    {\n      \"action\": " + rules[1]
	for _, r := range rules[2:] {
		var words []string
		for _, line := range strings.Split(r, "\n") {
			_, value, ok := strings.Cut(line, `": "`)
			switch {
			case !ok && strings.HasPrefix(line, `"`):
				words = append(words, strings.Trim(line, `",`))
			case ok && !strings.Contains(line, `"matchType"`):
				words = append(words, strings.Trim(value, `",`))
			case strings.Contains(line, `"attrs"`):
				words[0] = "CHECK"
			}
		}
		out += "    " + strings.Join(words, " ") + "\n"
	}
	return out
}

func TestPlanFromProvenanceRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change []string
		in     Input
		want   string
	}{
		"a secret":                {[]string{"SECRETS", `{"id":"token"}`}, Input{}, "it was built with secrets that are not here: token"},
		"a named context, local":  {[]string{"ARGS", `"context:base":"local:base"`}, Input{}, "local inputs that nobody else can fetch (base)"},
		"a named context, moving": {[]string{"ARGS", `"context:base":"https://x.org/b.git#v2"`}, Input{}, "does not say which commit the named context base"},
		"an image not pinned":     {[]string{"ARGS", `"context:base":"docker-image://alpine"`}, Input{}, "does not say what the named context base"},
		"another frontend":        {[]string{"FRONTEND", "gateway.v0", "ARGS", `"source":"x/y"`}, Input{}, `it was built by the frontend "gateway.v0 x/y"`},
		"the network":             {[]string{"DATA", "RlJPTSBhClJVTiBhcHQtZ2V0IHVwZGF0ZQo="}, Input{}, "an instruction needs the network (apt-get update, line 2 of the Dockerfile), and it has none unless --network is given"},
		"the network, given":      {[]string{"DATA", "RlJPTSBhClJVTiBhcHQtZ2V0IHVwZGF0ZQo="}, Input{Network: true}, ""},
		"the network after a <<":  {[]string{"DATA", "RlJPTSBhClJVTiBlY2hvICQoKDE8PE4pKQpSVU4gYXB0LWdldCB1cGRhdGUK"}, Input{}, "an instruction needs the network (apt-get update, line 3 of the Dockerfile)"},
		"no Dockerfile":           {[]string{"DATA", "RlJPTSBhClJVTiA8PEUK"}, Input{}, "an instruction may need the network, and it has none unless --network is given: line 2 of the Dockerfile: unterminated heredoc"},
		"no Dockerfile, network":  {[]string{"DATA", "RlJPTSBhClJVTiA8PEUK"}, Input{Network: true}, ""},
		"another image":           {[]string{"SUBJECT", zeros}, Input{}, "the provenance beside the image is about another one"},
		"an odd platform option":  {[]string{"ARGS", `"target":"-x"`}, Input{}, `"-x" is no name of a stage`},
	} {
		plan := planFor(t, attested(t, tc.change...), tc.in)
		if tc.want == "" && plan.Refused != "" || !strings.Contains(plan.Refused, tc.want) {
			t.Errorf("%s: %q, want %q", name, plan.Refused, tc.want)
		}
	}
}

func TestPlanFromSource(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY hello.txt /\n", "sub/other": "FROM scratch\n", "empty/x": ""})
	classic, kit := sample(t, "classic.tar"), sample(t, "buildkit-local-max.oci.tar")
	const commit = "263759722aabb623862faddfbc2353bf14589cf8"
	for name, tc := range map[string]struct {
		img    *inspect.Image
		in     Input
		engine string
		want   string // the words after the platform
		files  string
	}{
		"classic":          {classic, Input{Source: dir}, "classic", dir, policyName},
		"a Dockerfile":     {classic, Input{Source: dir, Dockerfile: "sub/other"}, "classic", "--file=sub/other " + dir, policyName},
		"arguments":        {classic, Input{Source: dir, BuildArgs: []string{"B=2", "A=1"}, Target: "x", Network: true}, "classic", "--target=x --build-arg=A=1 --build-arg=B=2 " + dir, ""},
		"a repository":     {classic, Input{Source: "https://x.org/a.git#" + commit + ":sub"}, "classic", "https://x.org/a.git#" + commit + ":sub", policyName},
		"with provenance":  {kit, Input{Source: dir}, "buildkit", "--build-arg=SOURCE_DATE_EPOCH=1795212051 " + dir, policyName},
		"its Dockerfile":   {kit, Input{Source: filepath.Join(dir, "empty")}, "buildkit", "--build-arg=SOURCE_DATE_EPOCH=1795212051 " + filepath.Join(dir, "empty"), dockerfileName + " " + policyName},
		"buildah":          {sample(t, "buildah.oci.tar"), Input{Source: dir}, "buildah", dir, policyName},
		"buildah, layered": {sample(t, "buildah-layers.oci.tar"), Input{Source: dir}, "buildah", "--timestamp=1700000000 --layers " + dir, policyName},
	} {
		plan := planFor(t, tc.img, tc.in)
		words := strings.Join(plan.Pack, " ")
		network := "none"
		if tc.in.Network {
			network = "default"
		}
		if want := "build --no-cache --network=" + network + " --platform=linux/amd64 " + tc.want; words != want || plan.Engine != tc.engine || plan.Refused != "" {
			t.Errorf("%s: %s %q %q, want %q", name, plan.Engine, plan.Refused, words, want)
		}
		var files []string
		for _, f := range plan.Files {
			files = append(files, f.Name)
		}
		if got := strings.Join(files, " "); got != tc.files {
			t.Errorf("%s: files %q", name, got)
		}
		if plan.Source == nil || plan.Source.Kind != "dockerfile" {
			t.Errorf("%s: source %+v", name, plan.Source)
		}
	}
	if plan := planFor(t, classic, Input{Source: filepath.Join(dir, "empty")}); !strings.Contains(plan.Refused, "has no Dockerfile") {
		t.Errorf("%q", plan.Refused)
	}
	if plan := planFor(t, classic, Input{Source: "https://x.org/a.git#main"}); plan.Refused != "" || !strings.Contains(plan.Trust[1].Why, "at no commit") {
		t.Errorf("%q %+v", plan.Refused, plan.Trust)
	}
}

// Build arguments that the history shows are given again.
func TestPlanArguments(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	img := made(t, fixtures.Docker{Layers: [][]fixtures.File{{{Name: "f", Body: "x"}}, {{Name: "g", Body: "x"}}},
		History: []fixtures.Step{{By: "|1 V=1 /bin/sh -c a"}, {By: "|2 V=2 W=x y /bin/sh -c b"}}}.Archive())
	plan := planFor(t, img, Input{Source: dir, BuildArgs: []string{"V=3"}})
	want := []string{"build", "--no-cache", "--network=none", "--platform=linux/amd64", "--build-arg=V=3", "--build-arg=W=x y", dir}
	if diff := cmp.Diff(want, plan.Pack); diff != "" {
		t.Error(diff)
	}
}

// Without marks in a manifest the times of the files tell whether they were
// rewritten.
func TestPlanRewrites(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	for name, tc := range map[string]struct {
		created, step string
		file          int64
		want          bool
	}{
		"rewritten":            {"2023-11-14T22:13:20Z", "", 1700000000, true},
		"a file is later":      {"2023-11-14T22:13:20Z", "", 1700000001, false},
		"a step is earlier":    {"2023-11-14T22:13:20Z", "2023-11-14T22:13:19Z", 1, false},
		"not of a full second": {"2023-11-14T22:13:20.5Z", "", 1, false},
	} {
		img := made(t, fixtures.Docker{Created: tc.created, Layers: [][]fixtures.File{{{Name: "f", Body: "x", Time: tc.file}}},
			History: []fixtures.Step{{By: "COPY f /f # buildkit", Comment: "buildkit.dockerfile.v0", Created: tc.step}}}.Archive())
		plan := planFor(t, img, Input{Source: dir})
		if got := strings.Contains(strings.Join(plan.Pack, " "), "rewrite-timestamp=true"); got != tc.want {
			t.Errorf("%s: %q", name, plan.Pack)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	img := sample(t, "classic.tar")
	if _, err := NewPlan(img, provenance.Recipe{System: provenance.Guix}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("of Guix: %v", err)
	}
	recipe := provenance.Recipe{System: provenance.Docker}
	for want, in := range map[string]Input{
		"go with a source":               {Dockerfile: "x"},
		"is not NAME=VALUE":              {Source: "/", BuildArgs: []string{"x"}},
		"named by its path in":           {Source: "/", Dockerfile: "../x"},
		"finding the source":             {Source: "/nowhere/at/all"},
		"is no folder":                   {Source: "plan_test.go"},
		"no Git repository and no":       {Source: "docker-image://alpine"},
		"reading the Dockerfile: sub is": {Source: folder(t, map[string]string{"sub/x": ""}), Dockerfile: "sub"},
	} {
		if _, err := NewPlan(img, recipe, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", in, err, want)
		}
	}
	if _, err := NewPlan(img, provenance.Recipe{System: provenance.UnknownSystem}, Input{Source: folder(t, map[string]string{"Dockerfile": "FROM scratch"})}); err != nil {
		t.Errorf("of an unknown system, with a source: %v", err)
	}
}

func TestVet(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir, Network: true})
	vetted, err := Vet(plan, Input{})
	if err != nil || !strings.Contains(vetted.Refused, "--network") {
		t.Errorf("%q %v", vetted.Refused, err)
	}
	vetted, err = Vet(plan, Input{Network: true})
	if err != nil || vetted.Refused != "" || vetted.Trust[1].Why != "the plan names it" {
		t.Errorf("%+v %v", vetted, err)
	}
	if _, err := Vet(rebuild.Plan{System: provenance.Guix}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Error(err)
	}
	for want, change := range map[string]func(*rebuild.Plan){
		"is no option of docker build":               func(p *rebuild.Plan) { p.Pack = []string{"build", "--no-cache", "--network=host", dir} },
		`no plan for a Dockerfile has a file "../x"`: func(p *rebuild.Plan) { p.Files = append(p.Files, rebuild.PlanFile{Name: "../x"}) },
		"is no JSON":   func(p *rebuild.Plan) { p.Files = []rebuild.PlanFile{{Name: policyName, Text: "x"}} },
		"NUL":          func(p *rebuild.Plan) { p.Files = []rebuild.PlanFile{{Name: dockerfileName, Text: "\x00"}} },
		"is no engine": func(p *rebuild.Plan) { p.Engine = "sh" },
		"cannot go with a context that is": func(p *rebuild.Plan) {
			p.Files = []rebuild.PlanFile{{Name: dockerfileName}}
			p.Pack = []string{"build", "--no-cache", "https://x.org/a.git"}
		},
	} {
		p := plan
		change(&p)
		if _, err := Vet(p, Input{Network: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

package docker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker"
	"audit/rebuild"
)

func openImage(t testing.TB, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: docker.Keep})
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

// trusted allows what the attestations of these tests name.
func trusted() Input {
	return Input{Trusted: rebuild.Prefixes{"git://127.0.0.1/ctx.git", "https://x.org/", "docker-image://docker.io/library/alpine",
		"docker-image://docker.io/docker/dockerfile"}}
}

// reasons are why a plan is refused, as codes with arguments.
func reasons(plan rebuild.Plan) string {
	var all []string
	for _, m := range plan.Reasons {
		all = append(all, m.String())
	}
	return strings.Join(all, "; ")
}

// detailsOf are those of a plan.
func detailsOf(t testing.TB, plan rebuild.Plan) *Details {
	t.Helper()
	d, err := rebuild.DetailsOf[Details](plan)
	if err != nil {
		t.Fatal(err)
	}
	return &d
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
		"buildkit-git-max.oci.tar": {"--no-cache", "--network=none", "--build-arg=SOURCE_DATE_EPOCH=1700000000", "--build-arg=VERSION=2",
			"--label=made=here", "--output=type=oci,rewrite-timestamp=true", "git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8"},
		"buildkit-git-subdir.oci.tar": {"--no-cache", "--network=none", "--build-arg=SOURCE_DATE_EPOCH=1795212050",
			"git://127.0.0.1/ctx.git#263759722aabb623862faddfbc2353bf14589cf8:sub"},
		"buildkit-git-provenance.oci.tar": {"--no-cache", "--network=none", "--build-arg=SOURCE_DATE_EPOCH=1",
			"--output=type=oci,rewrite-timestamp=true", "git://127.0.0.1/ctx.git#90441ff6576eeb377fe7c842df280abb6ca60354"},
	} {
		img := sample(t, name)
		plan := planFor(t, img, trusted())
		if diff := cmp.Diff(want, words(t, plan)); diff != "" || len(plan.Reasons) > 0 {
			t.Errorf("%s: %s %s", name, plan.Reasons, diff)
		}
		d := detailsOf(t, plan)
		if plan.System != docker.Name || d.Engine != docker.BuildKit || plan.ConfigDigest != img.Config.Digest.String() || d.Fetch != FetchPinned {
			t.Errorf("%s: %+v", name, plan)
		}
		if len(plan.Trust) != 2 || plan.Trust[0].Reason.Code != "plan/instructions-without-network" || plan.Trust[1].Reason.Code != "plan/address-named" {
			t.Errorf("%s: trust %+v", name, plan.Trust)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"buildkit-git-min.oci.tar":   "recipe/min-mode-attestation; plan/name-source",
		"buildkit-local-max.oci.tar": `recipe/local-context inputs="context, dockerfile"; plan/name-source`,
		"classic.tar":                "recipe/no-attestation; plan/name-source",
	} {
		plan := planFor(t, sample(t, name), trusted())
		if reasons(plan) != want {
			t.Errorf("%s: %q", name, reasons(plan))
		}
		if plan.Details != nil || len(plan.Command) != 0 {
			t.Errorf("%s: a command all the same: %q", name, plan.Command)
		}
	}
}

// An unsigned attestation starts nothing: each address that it names needs the
// user's word, in a flag that the list of what is trusted gives.
func TestAttestationNeedsTrust(t *testing.T) {
	img := attested(t,
		"MATERIALS", `{"uri":"pkg:docker/alpine@3.19","digest":{"sha256":"`+zeros+`"}},{"uri":"https://y.org/c","digest":{"sha256":"`+zeros+`"}},{"uri":"https://x.org/b.git#v2","digest":{"sha1":"90441ff6576eeb377fe7c842df280abb6ca60354"}}`,
		"ARGS", `"context:more":"https://x.org/b.git#v2:dir"`)
	plan := planFor(t, img, Input{})
	want := []string{
		"instructions a.git#263759722aabb623862faddfbc2353bf14589cf8 true ",
		"source https://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8 false --trust-source https://x.org/a.git",
		"image docker-image://docker.io/library/alpine:3.19 false --trust-source docker-image://docker.io/library/alpine",
		"source https://y.org/c false --trust-source https://y.org/c",
		"source https://x.org/b.git#v2 false --trust-source https://x.org/b.git",
		"source https://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354:dir false --trust-source https://x.org/b.git",
	}
	var got []string
	var flags rebuild.Prefixes
	for _, tr := range plan.Trust {
		got = append(got, fmt.Sprint(tr.Kind, " ", tr.URL, " ", tr.Trusted, " ", tr.Flag))
		if tr.Flag != "" {
			flags = append(flags, strings.TrimPrefix(tr.Flag, "--trust-source "))
		}
	}
	want[0] = "instructions https://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8 true "
	if diff := cmp.Diff(want, got); diff != "" || len(plan.Reasons) != 5 {
		t.Errorf("%s %s", reasons(plan), diff)
	}
	calls := install(t, scenario{}, "docker", "buildctl", "buildah")
	if _, _, err := built(t, plan, ""); !errors.Is(err, rebuild.ErrRefused) || calls() != nil {
		t.Errorf("%v; called: %q", err, calls())
	}
	if plan := planFor(t, img, Input{Trusted: flags}); len(plan.Reasons) > 0 {
		t.Errorf("refused with all flags: %s", reasons(plan))
	}
	if plan := planFor(t, img, Input{Trusted: flags[1:]}); len(plan.Reasons) == 0 {
		t.Error("allowed without the flag of the context")
	}
}

// A frontend that the image names is run only where a flag names it too, however
// it is named; and so it is with the user's own source.
func TestFrontendNeedsTrust(t *testing.T) {
	const evil = "evil.org/frontend"
	source := rebuild.Prefixes{"https://x.org/"}
	for name, change := range map[string][]string{
		"the gateway":        {"FRONTEND", "gateway.v0", "ARGS", `"cmdline":"evil.org/frontend:1","source":"evil.org/frontend:1"`},
		"a build argument":   {"ARGS", `"build-arg:BUILDKIT_SYNTAX":"evil.org/frontend:1 x"`},
		"the Dockerfile":     {"DATA", "IyBzeW50YXg9ZXZpbC5vcmcvZnJvbnRlbmQ6MQpGUk9NIHNjcmF0Y2gK"},
		"a command's source": {"FRONTEND", "gateway.v0", "ARGS", `"cmdline":"x.org/y","source":"evil.org/frontend:1"`},
	} {
		plan := planFor(t, attested(t, change...), Input{Trusted: source})
		if !strings.Contains(reasons(plan), `kind="frontend"`) || !strings.Contains(reasons(plan), "--trust-source docker-image://"+evil) {
			t.Errorf("%s: %q", name, reasons(plan))
		}
	}
	dir := folder(t, map[string]string{"Dockerfile": "# syntax=" + evil + ":1\nFROM scratch\n"})
	in := Input{Source: dir}
	if plan := planFor(t, sample(t, "classic.tar"), in); !strings.Contains(reasons(plan), "plan/needs-trust") {
		t.Errorf("the user's own source: %q", reasons(plan))
	}
	if plan := planFor(t, sample(t, "classic.tar"), Input{Source: folder(t, map[string]string{"Dockerfile": "FROM scratch\n"}), BuildArgs: []string{"BUILDKIT_SYNTAX=" + evil}}); !strings.Contains(reasons(plan), "plan/needs-trust") {
		t.Errorf("a build argument of the user: %q", reasons(plan))
	}
	named := attested(t, "ARGS", `"build-arg:BUILDKIT_SYNTAX":"`+evil+`"`)
	if plan := planFor(t, named, Input{Source: folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})}); !strings.Contains(reasons(plan), "plan/needs-trust") {
		t.Errorf("a build argument of the image, with the user's own source: %q", reasons(plan))
	}
	in.Trusted = rebuild.Prefixes{"docker-image://" + evil}
	if plan := planFor(t, sample(t, "classic.tar"), in); len(plan.Reasons) > 0 || strings.Contains(strings.Join(arguments{Details: *detailsOf(t, plan)}.buildctlFlags(dir, ""), " "), "cmdline") {
		t.Errorf("with the flag: %q", reasons(plan))
	}
}

// The user's own --source is the user's word for what it names, and for no folder
// but that one.
func TestStrangersPlan(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	local := planFor(t, sample(t, "classic.tar"), Input{Source: dir})
	vetted, err := Vet(local, Input{})
	if err != nil || !strings.Contains(reasons(vetted), "plan/folder-not-named") {
		t.Errorf("%q %v", reasons(vetted), err)
	}
	other := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	if vetted, err = Vet(local, Input{Source: other}); err != nil || len(vetted.Reasons) > 0 || detailsOf(t, vetted).Context != other {
		t.Errorf("%q %v", reasons(vetted), err)
	}
	syntax := folder(t, map[string]string{"Dockerfile": "# syntax=evil.org/x\nFROM scratch\n"})
	if vetted, err = Vet(local, Input{Source: syntax}); err != nil || !strings.Contains(reasons(vetted), `kind="frontend"`) {
		t.Errorf("%q %v", reasons(vetted), err)
	}
	d := *detailsOf(t, local)
	d.Context = "http://169.254.169.254/latest/meta-data"
	local.Details = d
	local.Trust = []rebuild.Trust{{Kind: "source", Trusted: true}}
	for _, in := range []Input{{}, {Trusted: rebuild.Prefixes{"http://169.254.169.254/"}}, {Trusted: rebuild.Prefixes{"https://x.org/"}}} {
		if vetted, err = Vet(local, in); err != nil || !strings.Contains(reasons(vetted), "plan/needs-trust") {
			t.Errorf("%v: %q %v", in.Trusted, reasons(vetted), err)
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
		"ARGS", `"cmdline":"docker/dockerfile:1","source":"docker/dockerfile:1","target":"final","context:base":"docker-image://alpine:3.19","context:more":"https://x.org/b.git#v2:dir","add-hosts":"a=1.2.3.4","no-cache":"","image-resolve-mode":"local","build-arg:A":"b"`), trusted())
	want := []string{"--no-cache", "--network=none", "--target=final", "--build-arg=A=b", "--build-arg=SOURCE_DATE_EPOCH=0",
		"--build-context=base=docker-image://alpine:3.19", "--build-context=more=https://x.org/b.git#90441ff6576eeb377fe7c842df280abb6ca60354:dir",
		"--opt=add-hosts=a=1.2.3.4", "https://x.org/a.git#263759722aabb623862faddfbc2353bf14589cf8"}
	if diff := cmp.Diff(want, words(t, plan)); diff != "" || len(plan.Reasons) > 0 {
		t.Errorf("%s %s", plan.Reasons, diff)
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
	if diff := cmp.Diff(policy, short(policyOf(detailsOf(t, plan), detailsOf(t, plan).Context))); diff != "" {
		t.Error(diff)
	}
	if len(plan.Trust) != 8 || plan.Trust[2].URL != "docker-image://docker.io/library/alpine:3.19" {
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
		"a secret":                {[]string{"SECRETS", `{"id":"token"}`}, Input{}, `recipe/missing-secret secrets="token"`},
		"a named context, local":  {[]string{"ARGS", `"context:base":"local:base"`}, Input{}, `recipe/local-context inputs="base"`},
		"a named context, moving": {[]string{"ARGS", `"context:base":"https://x.org/b.git#v2"`}, Input{}, `plan/named-context-unpinned address="https://x.org/b.git#v2" name="base"`},
		"an image not pinned":     {[]string{"ARGS", `"context:base":"docker-image://alpine"`}, Input{}, `plan/named-context-unpinned address="docker-image://alpine" name="base"`},
		"another frontend":        {[]string{"FRONTEND", "gateway.v0", "ARGS", `"source":"x/y"`}, Input{}, `recipe/unsupported-frontend frontend="gateway.v0 x/y"`},
		"the network":             {[]string{"DATA", "RlJPTSBhClJVTiBhcHQtZ2V0IHVwZGF0ZQo="}, Input{}, `plan/network-needed line="2" what="apt-get update"`},
		"the network, given":      {[]string{"DATA", "RlJPTSBhClJVTiBhcHQtZ2V0IHVwZGF0ZQo="}, Input{Network: true}, ""},
		"the network after a <<":  {[]string{"DATA", "RlJPTSBhClJVTiBlY2hvICQoKDE8PE4pKQpSVU4gYXB0LWdldCB1cGRhdGUK"}, Input{}, `plan/network-needed line="3" what="apt-get update"`},
		"no Dockerfile":           {[]string{"DATA", "RlJPTSBhClJVTiA8PEUK"}, Input{}, `plan/network-unknown error="line 2 of the Dockerfile: unterminated heredoc"`},
		"no Dockerfile, network":  {[]string{"DATA", "RlJPTSBhClJVTiA8PEUK"}, Input{Network: true}, ""},
		"an unknown option":       {[]string{"ARGS", `"entitlements":"x"`}, Input{}, `plan/unknown-option option="entitlements"`},
		"another image":           {[]string{"SUBJECT", zeros}, Input{}, "recipe/subject-mismatch"},
		"an odd platform option":  {[]string{"ARGS", `"target":"-x"`}, Input{}, `plan/malformed error="\"-x\" is no name of a stage"`},
	} {
		tc.in.Trusted = trusted().Trusted
		plan := planFor(t, attested(t, tc.change...), tc.in)
		if tc.want == "" && len(plan.Reasons) > 0 || !strings.Contains(reasons(plan), tc.want) {
			t.Errorf("%s: %q, want %q", name, reasons(plan), tc.want)
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
		engine docker.Builder
		want   string // the words after the platform
		fetch  Fetch
		own    bool // a Dockerfile of the plan's own
	}{
		"classic":          {classic, Input{Source: dir}, "classic", dir, FetchImages, false},
		"a Dockerfile":     {classic, Input{Source: dir, Dockerfile: "sub/other"}, "classic", "--file=sub/other " + dir, FetchImages, false},
		"arguments":        {classic, Input{Source: dir, BuildArgs: []string{"B=2", "A=1"}, Target: "x", Network: true}, "classic", "--target=x --build-arg=A --build-arg=B " + dir, FetchAny, false},
		"a repository":     {classic, Input{Source: "https://x.org/a.git#" + commit + ":sub"}, "classic", "https://x.org/a.git#" + commit + ":sub", FetchImages, false},
		"with a token":     {classic, Input{Source: "https://token@x.org/a.git#" + commit}, "classic", "https://x.org/a.git#" + commit, FetchImages, false},
		"with provenance":  {kit, Input{Source: dir}, "buildkit", "--build-arg=SOURCE_DATE_EPOCH=1795212051 " + dir, FetchImages, false},
		"its Dockerfile":   {kit, Input{Source: filepath.Join(dir, "empty")}, "buildkit", "--build-arg=SOURCE_DATE_EPOCH=1795212051 " + filepath.Join(dir, "empty"), FetchImages, true},
		"buildah":          {sample(t, "buildah.oci.tar"), Input{Source: dir}, "buildah", dir, FetchImages, false},
		"buildah, layered": {sample(t, "buildah-layers.oci.tar"), Input{Source: dir}, "buildah", "--timestamp=1700000000 --layers " + dir, FetchImages, false},
	} {
		plan := planFor(t, tc.img, tc.in)
		d := detailsOf(t, plan)
		network := "none"
		if tc.in.Network {
			network = "default"
		}
		got := strings.Join(words(t, plan), " ")
		if want := "--no-cache --network=" + network + " " + tc.want; got != want || d.Engine != tc.engine || len(plan.Reasons) > 0 {
			t.Errorf("%s: %s %q %q, want %q", name, d.Engine, reasons(plan), got, want)
		}
		if d.Platform != "linux/amd64" || d.Fetch != tc.fetch || (d.Text != "") != tc.own || d.Private != (name == "with a token") {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if plan := planFor(t, classic, Input{Source: filepath.Join(dir, "empty")}); !strings.Contains(reasons(plan), `plan/no-dockerfile name="Dockerfile"`) {
		t.Errorf("%q", reasons(plan))
	}
	if plan := planFor(t, classic, Input{Source: "https://x.org/a.git#main"}); len(plan.Reasons) > 0 || plan.Trust[1].Reason.Code != "plan/source-without-commit" {
		t.Errorf("%q %+v", reasons(plan), plan.Trust)
	}
}

// Build arguments that the history shows are given again.
func TestPlanArguments(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	img := made(t, fixtures.Docker{Layers: [][]fixtures.File{{{Name: "f", Body: "x"}}, {{Name: "g", Body: "x"}}},
		History: []fixtures.Step{{By: "|1 V=1 /bin/sh -c a"}, {By: "|2 V=2 W=x y /bin/sh -c b"}}}.Archive())
	plan := planFor(t, img, Input{Source: dir, BuildArgs: []string{"V=3"}})
	want := []string{"--no-cache", "--network=none", "--build-arg=V", "--build-arg=W=x y", dir}
	if diff := cmp.Diff(want, words(t, plan)); diff != "" {
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
		if got := detailsOf(t, plan).Rewrite; got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	img := sample(t, "classic.tar")
	if _, err := NewPlan(img, provenance.Recipe{System: "another"}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("of another system: %v", err)
	}
	recipe := provenance.Recipe{System: docker.Name}
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

// TestVetFetch: what may be fetched follows from the flags of the run, whatever a
// stored plan says.
func TestVetFetch(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	attestedPlan := planFor(t, attested(t), trusted())
	for name, tc := range map[string]struct {
		in   Input
		want Fetch
	}{
		"what the image names":               {trusted(), FetchPinned},
		"what the image names, with network": {Input{Trusted: trusted().Trusted, Network: true}, FetchPinned},
		"the user's source":                  {Input{Source: dir, Trusted: trusted().Trusted}, FetchImages},
		"the user's source, with network":    {Input{Source: dir, Trusted: trusted().Trusted, Network: true}, FetchAny},
	} {
		for _, stored := range []Fetch{FetchAny, FetchImages, FetchPinned} {
			d := *detailsOf(t, attestedPlan)
			d.Fetch = stored
			plan := attestedPlan
			plan.Details = d
			vetted, err := Vet(plan, tc.in)
			if err != nil || len(vetted.Reasons) > 0 {
				t.Errorf("%s, stored as %q: %q %v", name, stored, reasons(vetted), err)
				continue
			}
			got := detailsOf(t, vetted)
			if got.Fetch != tc.want {
				t.Errorf("%s, stored as %q: %q, want %q", name, stored, got.Fetch, tc.want)
			}
			if deniesAll := strings.Contains(policyOf(got, got.Context), `"identifier": "*"`); deniesAll != (tc.want == FetchPinned) {
				t.Errorf("%s, stored as %q: BuildKit's policy denies all but what is pinned: %t", name, stored, deniesAll)
			}
		}
	}
}

func TestVet(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	plan := planFor(t, sample(t, "classic.tar"), Input{Source: dir, Network: true, BuildArgs: []string{"TOKEN=abcdef"}})
	vetted, err := Vet(plan, Input{Source: dir})
	if want := `plan/network-not-allowed; plan/arguments-missing names="TOKEN"`; err != nil || reasons(vetted) != want {
		t.Errorf("%q %v", reasons(vetted), err)
	}
	vetted, err = Vet(plan, Input{Source: dir, Network: true, BuildArgs: []string{"TOKEN=abcdef"}})
	if err != nil || len(vetted.Reasons) > 0 || vetted.Trust[1].Reason.Code != "plan/source-given" {
		t.Errorf("%+v %v", vetted, err)
	}
	if _, err := Vet(rebuild.Plan{System: "another"}, Input{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Error(err)
	}
	refused := rebuild.Plan{System: docker.Name, Reasons: []check.Message{check.Say("recipe/no-attestation")}}
	if vetted, err := Vet(refused, Input{}); err != nil || reasons(vetted) != "recipe/no-attestation" {
		t.Errorf("%q %v", reasons(vetted), err)
	}
	d := *detailsOf(t, plan)
	d.Engine = "sh"
	plan.Details = d
	if _, err := Vet(plan, Input{}); err == nil || !strings.Contains(err.Error(), "is no engine") {
		t.Errorf("%v", err)
	}
}

// Each image that the user's Dockerfile has fetched is on the list, and one that
// cannot be resolved is refused.
func TestFetchedImages(t *testing.T) {
	const text = `ARG U
FROM alpine:3 AS build
RUN --mount=type=bind,from=y.org/y:1 a
FROM ${U:-${W:-z.org/z:1}}
COPY --from=x.org/x:1 a b
COPY --from=build a b
`
	for argument, want := range map[string]string{"V=1": "z.org/z:1", "U=u.org/u:1": "u.org/u:1"} {
		d, in := &Details{}, Input{Source: "dir", BuildArgs: []string{argument}}
		stages, refused := d.stages(in, text)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		var got []string
		for _, tr := range judge(d, in, stages) {
			if tr.Kind == "image" {
				got = append(got, strings.TrimPrefix(tr.URL, "docker-image://"))
			}
		}
		if diff := cmp.Diff([]string{"alpine:3", "y.org/y:1", want, "x.org/x:1"}, got); diff != "" {
			t.Errorf("%s: %s", argument, diff)
		}
	}
	if _, refused := (&Details{}).stages(Input{Source: "dir"}, "FROM a bs b\n"); len(refused) != 1 || refused[0].Code != "recipe/dockerfile-unread" {
		t.Errorf("a Dockerfile that BuildKit refuses: %v", refused)
	}
}

package slsa

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
)

// sample returns the statement in a sample of fixtures/docker.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	img, err := inspect.Open(t.Context(), filepath.Join("../../../fixtures/docker", name), inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Attestations) != 1 {
		t.Fatalf("%s has %d attestations", name, len(img.Attestations))
	}
	return img.Attestations[0].Raw
}

const tagged = "263759722aabb623862faddfbc2353bf14589cf8"

func TestParseMax(t *testing.T) {
	b, err := Parse(sample(t, "buildkit-git-max.oci.tar"))
	if err != nil {
		t.Fatal(err)
	}
	files := b.Files
	b.Files = nil
	want := &Build{
		Predicate: V02, Subjects: b.Subjects, Type: buildKit02,
		Context: Material{"git://127.0.0.1/ctx.git#v1", map[string]string{"sha1": tagged}}, Frontend: "dockerfile.v0",
		Args:      map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1700000000", "build-arg:VERSION": "2", "label:made": "here", "no-cache": ""},
		Secrets:   []Needed{{"GIT_AUTH_HEADER", true}, {"GIT_AUTH_TOKEN", true}},
		Materials: []Material{{"git://127.0.0.1/ctx.git#v1", map[string]string{"sha1": tagged}}},
		Steps:     4, AllParameters: true, AllMaterials: true,
		VCSSource: "https://example.org/x.git", VCSRevision: tagged,
	}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Error(diff)
	}
	if len(files) != 1 || files[0].Name != "Dockerfile" || !strings.HasPrefix(string(files[0].Data), "FROM scratch\nARG VERSION=1\n") {
		t.Errorf("files: %q", files)
	}
	if len(b.Subjects) != 1 || len(b.Subjects[0]) != 64 {
		t.Errorf("subjects: %q", b.Subjects)
	}
}

// toV1 says what a statement of v0.2 says in the words of v1, as BuildKit
// itself converts them.
func toV1(t testing.TB, raw []byte) []byte {
	t.Helper()
	var s, p map[string]any
	decoded := func(raw []byte, into any) {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	decoded(raw, &s)
	p = s["predicate"].(map[string]any)
	invocation, meta := p["invocation"].(map[string]any), p["metadata"].(map[string]any)
	source, complete := invocation["configSource"].(map[string]any), meta["completeness"].(map[string]any)
	if entry, ok := source["entryPoint"]; ok {
		source["path"] = entry
	}
	s["_type"], s["predicateType"] = "https://in-toto.io/Statement/v1", V1
	s["predicate"] = map[string]any{
		"buildDefinition": map[string]any{
			"buildType":            buildKit1,
			"externalParameters":   map[string]any{"configSource": source, "request": invocation["parameters"]},
			"internalParameters":   map[string]any{"buildConfig": p["buildConfig"], "builderPlatform": "linux/amd64"},
			"resolvedDependencies": p["materials"],
		},
		"runDetails": map[string]any{
			"builder": p["builder"],
			"metadata": map[string]any{
				"buildkit_metadata":     meta["https://mobyproject.org/buildkit@v1#metadata"],
				"buildkit_hermetic":     meta["https://mobyproject.org/buildkit@v1#hermetic"],
				"buildkit_completeness": map[string]any{"request": complete["parameters"], "resolvedDependencies": complete["materials"]},
			},
		},
	}
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Both versions of a statement say the same.
func TestVersions(t *testing.T) {
	for _, name := range []string{"buildkit-git-max.oci.tar", "buildkit-git-min.oci.tar", "buildkit-git-subdir.oci.tar", "buildkit-local-max.oci.tar", "buildkit-git-provenance.oci.tar"} {
		raw := sample(t, name)
		old, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		now, err := Parse(toV1(t, raw))
		if err != nil {
			t.Fatal(err)
		}
		if now.Predicate != V1 || now.Type != buildKit1 {
			t.Errorf("%s: %s %s", name, now.Predicate, now.Type)
		}
		now.Predicate, now.Type = old.Predicate, old.Type
		if diff := cmp.Diff(old, now); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParseEnvelope(t *testing.T) {
	raw := sample(t, "buildkit-git-min.oci.tar")
	envelope := `{"payloadType":"application/vnd.in-toto+json","payload":"` + base64.StdEncoding.EncodeToString(raw) + `","signatures":[{"sig":"AAAA"}]}`
	for _, text := range []string{envelope, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":` + envelope + `}`} {
		b, err := Parse([]byte(text))
		if err != nil || b.Context.URI != "git://127.0.0.1/ctx.git#v1" {
			t.Errorf("%v, %v", b, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	if _, err := Parse([]byte(`{"subject":[` + strings.Repeat("{},", 1<<20) + `{}]}`)); err == nil || !strings.Contains(err.Error(), "values") {
		t.Errorf("too many values: %v", err)
	}
	for text, other := range map[string]bool{
		`nothing`: false,
		`{}`:      false,
		`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://spdx.dev/Document"}`:                                                                   true,
		`{"_type":"https://in-toto.io/Statement/v1","predicateType":"` + V1 + `","predicate":[]}`:                                                                   false,
		`{"payloadType":"text/plain","payload":"YQ=="}`:                                                                                                             false,
		`{"payloadType":"application/vnd.in-toto+json","payload":"!"}`:                                                                                              false,
		`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"` + V02 + `","predicate":{"buildType":"` + buildKit02 + `","invocation":{"parameters":[]}}}`: false,
	} {
		_, err := Parse([]byte(text))
		if err == nil || errors.Is(err, errOther) != other {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Parameters of other builders have forms of their own, and are no error.
func TestOtherBuilder(t *testing.T) {
	b, err := Parse([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"` + V1 + `","predicate":{"buildDefinition":{
		"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"x"},"request":[1]},
		"resolvedDependencies":[{"uri":"git+https://github.com/a/b@refs/heads/main","digest":{"gitCommit":"` + tagged + `"}}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Obstacles(); len(got) != 1 || got[0].Code != OtherBuilder {
		t.Errorf("%v", got)
	}
	if m := b.Materials[0]; m.Kind() != Git || m.Commit() != tagged {
		t.Errorf("%v", m)
	}
}

func TestObstacles(t *testing.T) {
	base, err := Parse(sample(t, "buildkit-git-max.oci.tar"))
	if err != nil {
		t.Fatal(err)
	}
	image := Material{"pkg:docker/alpine@3.17", map[string]string{"sha256": strings.Repeat("0", 64)}}
	for name, tc := range map[string]struct {
		change func(*Build)
		want   []string
	}{
		"as it is":       {func(b *Build) {}, nil},
		"base image":     {func(b *Build) { b.Materials = append(b.Materials, image) }, nil},
		"local":          {func(b *Build) { b.Locals, b.Context = []string{"dockerfile", "context"}, Material{} }, []string{LocalContext}},
		"local and min":  {func(b *Build) { b.Locals, b.Steps = []string{"context"}, 0 }, []string{LocalContext, MinMode}},
		"standard input": {func(b *Build) { b.Context.URI = "http://buildkit-session/abc" }, []string{LocalContext}},
		"oci layout":     {func(b *Build) { b.Args = map[string]string{"context:base": "oci-layout://x@sha256:0"} }, []string{LocalContext}},
		"no context":     {func(b *Build) { b.Context = Material{} }, []string{NoContext}},
		"branch":         {func(b *Build) { b.Context.Digest, b.Materials = nil, nil }, []string{UnpinnedContext}},
		"web":            {func(b *Build) { b.Context = Material{URI: "https://x.org/a.tar.gz"} }, []string{UnpinnedContext}},
		"material":       {func(b *Build) { b.Materials = append(b.Materials, Material{URI: "https://x.org/a"}) }, []string{UnpinnedMaterial}},
		"secret":         {func(b *Build) { b.Secrets = []Needed{{"token", false}, {"other", true}} }, []string{MissingSecret}},
		"ssh":            {func(b *Build) { b.SSH = []Needed{{"default", false}} }, []string{MissingSSH}},
		"host network":   {func(b *Build) { b.Args = map[string]string{"force-network-mode": "host"} }, []string{HostNetwork}},
		"frontend":       {func(b *Build) { b.Frontend = "" }, []string{OtherFrontend}},
		"incomplete":     {func(b *Build) { b.AllMaterials = false }, []string{Incomplete}},
		"min mode":       {func(b *Build) { b.Steps, b.AllParameters = 0, false }, []string{MinMode}},
	} {
		b := *base
		tc.change(&b)
		var got []string
		for _, o := range b.Obstacles() {
			got = append(got, o.Code)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, b.Obstacles(), tc.want)
		}
	}
}

func TestPinnedContext(t *testing.T) {
	for name, want := range map[string]string{
		"buildkit-git-max.oci.tar":    "git://127.0.0.1/ctx.git#" + tagged,
		"buildkit-git-subdir.oci.tar": "git://127.0.0.1/ctx.git#" + tagged + ":sub",
		"buildkit-local-max.oci.tar":  "",
	} {
		b, err := Parse(sample(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := b.PinnedContext(); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
}

func TestSource(t *testing.T) {
	hash := strings.Repeat("a", 64)
	for _, tc := range []struct {
		uri       string
		kind      Kind
		reference string
	}{
		{"pkg:docker/alpine@3.17?platform=linux%2Famd64", Image, "docker.io/library/alpine:3.17"},
		{"pkg:docker/alpine", Image, "docker.io/library/alpine:latest"},
		{"pkg:docker/org/name@1", Image, "docker.io/org/name:1"},
		{"pkg:docker/ghcr.io/org/name@1.0-x", Image, "ghcr.io/org/name:1.0-x"},
		{"pkg:docker/localhost%3A5000/name@1", Image, "localhost:5000/name:1"},
		{"pkg:docker/docker/dockerfile@1", Image, "docker.io/docker/dockerfile:1"},
		{"pkg:docker/alpine@sha256:" + hash, Image, "docker.io/library/alpine@sha256:" + hash},
		{"pkg:docker/%zz", Image, ""},
		{"https://github.com/a/b.git#refs/heads/main", Git, ""},
		{"https://github.com/a/b#main", HTTP, ""},
		{"git@github.com:a/b.git", Git, ""},
		{"ssh://git@x.org/b", Git, ""},
		{"https://x.org/a.tar.gz", HTTP, ""},
		{"file:///etc", Other, ""},
		{"", Other, ""},
	} {
		s := Material{URI: tc.uri}
		if s.Kind() != tc.kind || s.Reference() != tc.reference {
			t.Errorf("%s: %q %q, want %q %q", tc.uri, s.Kind(), s.Reference(), tc.kind, tc.reference)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample(f, "buildkit-git-max.oci.tar"))
	f.Add(toV1(f, sample(f, "buildkit-git-subdir.oci.tar")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Parse(raw)
		if err != nil {
			return
		}
		context, ok := b.PinnedContext()
		if ok && b.Context.Kind() == Git && !IsCommit(strings.Split(strings.SplitN(context, "#", 2)[1], ":")[0]) {
			t.Errorf("the context %q is said to be pinned", context)
		}
		b.Obstacles()
	})
}

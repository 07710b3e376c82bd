package docker

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

func recovered(t testing.TB, img *inspect.Image) *provenance.Evidence {
	t.Helper()
	ev, err := System{}.Recover(img, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// found returns the findings of a code, as "path argument=value …".
func found(c check.Check, code string) []string {
	var all []string
	for _, f := range c.Findings {
		if f.Code == code {
			all = append(all, strings.TrimSpace(f.Path+strings.TrimPrefix(f.Message.String(), code)))
		}
	}
	return all
}

// missing are the codes of what a recipe lacks.
func missing(r provenance.Recipe) string {
	var codes []string
	for _, m := range r.Missing {
		codes = append(codes, m.Code)
	}
	return strings.Join(codes, " ")
}

func TestRecoverSamples(t *testing.T) {
	for name, tc := range map[string]struct {
		status  provenance.Status
		check   check.Status
		packer  string
		missing string // codes
		file    string
	}{
		"classic.tar":                     {provenance.Partial, check.Unknown, "docker build (the classic builder of Docker 20.10.24+dfsg1)", "recipe/no-attestation", "Dockerfile"},
		"buildah.oci.tar":                 {provenance.Partial, check.Unknown, "buildah build (buildah 1.28.2)", "recipe/no-attestation", "Dockerfile"},
		"buildah-layers.oci.tar":          {provenance.Partial, check.Unknown, "buildah build (buildah 1.28.2)", "recipe/no-attestation", "Dockerfile"},
		"buildkit-git-max.oci.tar":        {provenance.Partial, check.Unknown, "docker build (BuildKit)", "recipe/unsigned-attestation", "Dockerfile"},
		"buildkit-git-subdir.oci.tar":     {provenance.Partial, check.Unknown, "docker build (BuildKit)", "recipe/unsigned-attestation", "Dockerfile"},
		"buildkit-git-provenance.oci.tar": {provenance.Partial, check.Unknown, "docker build (BuildKit)", "recipe/unsigned-attestation", "Dockerfile"},
		"buildkit-git-min.oci.tar":        {provenance.Partial, check.Unknown, "docker build (BuildKit)", "recipe/min-mode-attestation recipe/unsigned-attestation", "Dockerfile"},
		"buildkit-local-max.oci.tar":      {provenance.Partial, check.Unknown, "docker build (BuildKit)", "recipe/local-context recipe/unsigned-attestation", "Dockerfile"},
	} {
		t.Run(name, func(t *testing.T) {
			ev := recovered(t, sample(t, name))
			r := ev.Recipe
			if r.System != Name || r.Status != tc.status || ev.Recover.Status != tc.check || r.Packer != tc.packer {
				t.Errorf("%s %s %s %q", r.System, r.Status, ev.Recover.Status, r.Packer)
			}
			if len(r.Files) != 1 || r.Files[0].Name != tc.file {
				t.Errorf("files %v", r.Files)
			}
			if missing(r) != tc.missing {
				t.Errorf("it lacks %q", missing(r))
			}
			if ev.Closure.Status != check.Unknown { // what the history alone explains is undecided
				t.Errorf("closure: %s %v", ev.Closure.Reasons, ev.Closure.Findings)
			}
		})
	}
}

// The recipe of the sample comes from its attestation alone.
func TestRecipeOfAttestation(t *testing.T) {
	img := sample(t, "buildkit-git-provenance.oci.tar")
	r := recovered(t, img).Recipe
	const commit = "90441ff6576eeb377fe7c842df280abb6ca60354"
	if diff := cmp.Diff([]provenance.Channel{{Name: "source", URL: "git://127.0.0.1/ctx.git", Commit: commit}}, r.Channels); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(string(r.Files[0].Text), "FROM scratch\nLABEL org.opencontainers.image.source=") {
		t.Errorf("the Dockerfile is %q", r.Files[0].Text)
	}
	var where []string
	for _, s := range r.Locations {
		where = append(where, s.Path)
	}
	want := []string{img.Config.Member, "blobs/sha256/d756e3507b403c08f17d3b6dc8d05238dfea3134d29e664a34b15293b8337977"}
	if diff := cmp.Diff(want, where); diff != "" {
		t.Error(diff)
	}
}

const layer0 = "/bin/sh -c #(nop) ADD file:1 in / "

const dockerfileData = "QVJHIEJBU0U9YWxwaW5lCkZST00gYWxwaW5lOjMgQVMgYgpSVU4gYXBrIGFkZCBnY2MKRlJPTSAke0JBU0V9CkNPUFkgLS1mcm9tPWIgL2EgL2IKUlVOIGRhdGUgPiAvZAo="

// provenanceText is a provenance of BuildKit in mode=max.
const provenanceText = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[{"name":"_","digest":{"sha256":"SUBJECT"}}],
"predicate":{"buildType":"https://mobyproject.org/buildkit@v1","builder":{"id":"https://ci.example.org/1"},
"materials":[{"uri":"pkg:docker/debian@12?platform=linux%2Famd64","digest":{"sha256":"0123456789012345678901234567890123456789012345678901234567890123"}}],
"invocation":{"configSource":{"uri":"https://x.org/a.git#main","digest":{"sha1":"263759722aabb623862faddfbc2353bf14589cf8"}},
"parameters":{"frontend":"dockerfile.v0","args":{"build-arg:BASE":"debian:12"}}},
"buildConfig":{"llbDefinition":[{"id":"step0"}]},
"metadata":{"completeness":{"parameters":true,"environment":true,"materials":true},
"https://mobyproject.org/buildkit@v1#metadata":{"source":{"infos":[{"filename":"Dockerfile","data":"` + dockerfileData + `"}]}}}}}`

const slsaType = "https://slsa.dev/provenance/v0.2"

func attested(text string) fixtures.Docker {
	return fixtures.Docker{
		Layers:     [][]fixtures.File{{{Name: "b", Body: "x"}}, {{Name: "d", Body: "today"}}},
		History:    []fixtures.Step{{By: "COPY /a /b # buildkit", Comment: kitSays}, {By: "RUN |1 BASE=debian:12 /bin/sh -c date > /d # buildkit", Comment: kitSays}},
		Statements: []fixtures.Statement{{Type: slsaType, Text: text}},
	}
}

// A Dockerfile that cannot be read is named as such: nothing is said of its
// instructions.
func TestUnreadableDockerfile(t *testing.T) {
	text := strings.Replace(provenanceText, dockerfileData, "RlJPTSBhClJVTiA8PEUK", 1)
	ev := recovered(t, open(t, attested(text).OCIArchive()))
	want := []string{`error="line 2 of the Dockerfile: unterminated heredoc"`}
	if diff := cmp.Diff(want, found(ev.Recover, "recipe/dockerfile-unread")); diff != "" {
		t.Error(diff)
	}
	if got := append(found(ev.Recover, "recipe/date"), found(ev.Recover, "recipe/image-by-tag")...); len(got) != 1 {
		t.Errorf("more than the history has: %q", got)
	}
}

// What cannot be repeated is named: with its layer where the history has it,
// with its line where only the Dockerfile does; and nothing that is pinned.
func TestUnrepeatableInstructions(t *testing.T) {
	ev := recovered(t, open(t, attested(provenanceText).OCIArchive()))
	for code, want := range map[string]string{
		"recipe/date":           `instruction="RUN date > /d" line="0"`,
		"recipe/image-by-tag":   `image="alpine:3" instruction="FROM alpine:3 AS b" line="2"`,
		"recipe/loose-versions": `command="apk add" instruction="RUN apk add gcc" line="3" more-packages="0" packages="gcc"`,
	} {
		if diff := cmp.Diff([]string{want}, found(ev.Recover, code)); diff != "" {
			t.Error(diff)
		}
	}
	for _, f := range ev.Recover.Findings {
		if f.Code == "recipe/date" && f.Layer != 1 {
			t.Errorf("the layer of %q is %d", f.Message, f.Layer)
		}
	}
	if diff := cmp.Diff([]string{`argument="BASE"`}, found(ev.Recover, "recipe/build-argument")); diff != "" {
		t.Error(diff)
	}
}

// A statement about another image contradicts this one, and is no recipe.
func TestSubjectMismatch(t *testing.T) {
	other := strings.Replace(provenanceText, "SUBJECT", strings.Repeat("0", 64), 1)
	ev := recovered(t, open(t, attested(other).OCIArchive()))
	if ev.Recover.Status != check.Fail || len(found(ev.Recover, "recipe/subject-mismatch")) != 1 || ev.Recipe.Status != provenance.Partial {
		t.Errorf("%s %s: %v", ev.Recover.Status, ev.Recipe.Status, ev.Recover.Findings)
	}
}

// BuildKit writes no subject where the image has no name: that contradicts nothing.
func TestNoSubject(t *testing.T) {
	nameless := strings.Replace(provenanceText, `{"name":"_","digest":{"sha256":"SUBJECT"}}`, "", 1)
	ev := recovered(t, open(t, attested(nameless).OCIArchive()))
	if ev.Recover.Status == check.Fail || len(found(ev.Recover, "recipe/no-subject")) != 1 || len(found(ev.Recover, "recipe/attestation")) != 1 {
		t.Errorf("%s: %v", ev.Recover.Status, ev.Recover.Findings)
	}
}

func TestUnreadAttestation(t *testing.T) {
	ev := recovered(t, open(t, attested("{}").OCIArchive()))
	if ev.Recover.Status != check.Unknown || missing(ev.Recipe) != "recipe/attestation-unread" {
		t.Errorf("%s %q", ev.Recover.Status, ev.Recipe.Missing)
	}
}

// A label that names another commit than the provenance is told.
func TestRevisionDiffers(t *testing.T) {
	ev := recovered(t, sample(t, "buildkit-git-provenance.oci.tar"))
	if got := found(ev.Recover, "recipe/revision-differs"); len(got) != 1 {
		t.Error(got)
	}
}

func TestOtherTools(t *testing.T) {
	files := [][]fixtures.File{{{Name: "f", Body: "x"}}}
	for name, tc := range map[string]struct {
		d      fixtures.Docker
		system provenance.SystemName
		packer string
	}{
		"jib":        {fixtures.Docker{Layers: files, History: []fixtures.Step{{By: "jib-maven-plugin:3.1", Author: "Jib"}}}, provenance.UnknownSystem, "Jib"},
		"bazel":      {fixtures.Docker{Layers: files, History: []fixtures.Step{{By: "bazel build ..."}}}, provenance.UnknownSystem, "Bazel"},
		"buildpacks": {fixtures.Docker{Layers: files, Config: `{"Labels":{"io.buildpacks.build.metadata":"{}"}}`}, provenance.UnknownSystem, "Cloud Native Buildpacks"},
		"import":     {fixtures.Docker{Layers: files, History: []fixtures.Step{{Comment: "Imported from -"}}}, provenance.UnknownSystem, "docker import"},
		"packages":   {fixtures.Docker{Layers: [][]fixtures.File{{{Name: "lib/apk/db/installed", Body: "P:a\nV:1\n\n"}}}}, provenance.UnknownSystem, ""},
	} {
		ev := recovered(t, open(t, tc.d.Archive()))
		if ev.Recipe.System != tc.system || ev.Recipe.Packer != tc.packer || ev.Recipe.Status != provenance.None || ev.Recover.Status != check.Unknown {
			t.Errorf("%s: %s %q %s %s", name, ev.Recipe.System, ev.Recipe.Packer, ev.Recipe.Status, ev.Recover.Status)
		}
	}
	_, err := System{}.Recover(open(t, fixtures.Docker{Layers: files}.Archive()), nil)
	if !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("an image that says nothing: %v", err)
	}
}

func TestBase(t *testing.T) {
	layers := [][]fixtures.File{{{Name: "etc/x", Body: "base"}}, {{Name: "opt/app", Body: "app"}}}
	steps := []fixtures.Step{{By: layer0}, {By: `/bin/sh -c #(nop)  CMD ["sh"]`, Empty: true}, {By: "|1 V=1 /bin/sh -c #(nop) COPY file:2 in /opt/app "}, {By: `/bin/sh -c #(nop)  CMD ["app"]`, Empty: true}}
	base := open(t, fixtures.Docker{Layers: layers[:1], History: steps[:2]}.Archive())
	other := open(t, fixtures.Docker{Layers: layers[1:], History: steps[:1]}.Archive())
	img := open(t, fixtures.Docker{Layers: layers, History: steps}.Archive())

	ev, err := System{}.Recover(img, base)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(ev.Recover, "recipe/base-image"); len(got) != 1 || !strings.HasSuffix(got[0], `layers="1"`) {
		t.Errorf("%q", got)
	}
	if last := ev.Closure.Reasons[len(ev.Closure.Reasons)-1]; last.Args.Int("base") != 1 {
		t.Error(last)
	}
	text := string(ev.Recipe.Files[0].Text)
	if !strings.Contains(text, "ARG BASE\nFROM ${BASE}\n") || !strings.Contains(text, "# of the base: CMD [\"sh\"]\n# not known: the source (layer 1 has what came of it): COPY") {
		t.Error(text)
	}
	ev, err = System{}.Recover(img, other)
	if err != nil || missing(ev.Recipe) != "recipe/base-differs recipe/no-attestation" {
		t.Errorf("%q %v", ev.Recipe.Missing, err)
	}
}

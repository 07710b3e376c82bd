package docker

import (
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance/docker/dockerfile"
)

// writtenOf is the Dockerfile that is written of a history.
func writtenOf(t testing.TB, d fixtures.Docker) string {
	t.Helper()
	for range d.History {
		d.Layers = append(d.Layers, []fixtures.File{{Name: "f", Body: "f"}})
	}
	v := newView(open(t, d.Archive()), nil)
	return string(dockerfileOf(v.img, v.history, v.base))
}

// body is a Dockerfile without its head: comments, FROM, and what adds layers as they are.
func body(text string) string {
	_, rest, _ := strings.Cut(text, "FROM scratch\n")
	return rest
}

func TestInstructionsOfHistory(t *testing.T) {
	const kit = " # buildkit"
	for _, tc := range []struct{ by, want string }{
		{"RUN /bin/sh -c apt-get update && apt-get install -y curl" + kit, "RUN apt-get update && apt-get install -y curl\n"},
		{"RUN |1 V=a b /bin/sh -c echo $V" + kit, "# The build was given this argument, or it has a default: its value is left out. Give it with --build-arg.\nARG V\nRUN echo $V\n"},
		{"RUN /bin/bash -o pipefail -c a | b" + kit, "# It was run by this shell, which no SHELL in the history has set.\nSHELL [\"/bin/bash\",\"-o\",\"pipefail\",\"-c\"]\nRUN a | b\n"},
		{"RUN /usr/bin/make all" + kit, "# It was run without a shell: how its words were divided is not known.\nRUN [\"/usr/bin/make\",\"all\"]\n"},
		{"RUN /bin/sh -c one\ntwo\n" + kit, "# The history has this command in several lines: it was a heredoc.\nRUN <<'EOF'\none\ntwo\nEOF\n"},
		{"RUN /bin/sh -c one\nEOF\nUSER root" + kit, "# The history has this command in several lines: it was a heredoc.\nRUN <<'EOF1'\none\nEOF\nUSER root\nEOF1\n"},
		{`RUN /bin/sh -c echo \` + kit, "RUN <<'EOF'\necho \\\nEOF\n"},
		{"RUN /bin/sh -c cat <<X" + kit, "RUN <<'EOF'\ncat <<X\nEOF\n"},
		{`RUN /bin/sh -c ["a"]` + kit, "RUN <<'EOF'\n[\"a\"]\nEOF\n"},
		{"RUN /bin/sh -c a\x1b[2Jb" + kit, "# a command that no line of a Dockerfile can have: \"RUN a\\x1b[2Jb\"\n"},
		{"RUN /bin/sh -c --mount=type=secret,id=x a" + kit, "RUN <<'EOF'\n--mount=type=secret,id=x a\nEOF\n"},
		{"ENV A=b c D=$HOME" + kit, "# The history has its values without quotes, so where one ends is a guess.\nENV A=\"b c\" D=\"\\$HOME\"\n"},
		{"ENV A=b\nUSER root" + kit, "# no line of a Dockerfile can have its characters: \"ENV A=b\\nUSER root\"\n"},
		{`LABEL a.b-c=x"y\` + kit, `LABEL a.b-c="x\"y\\"` + "\n"},
		{`CMD ["sh" "-c" "a \"b\""]` + kit, `CMD ["sh","-c","a \"b\""]` + "\n"},
		{`/bin/sh -c #(nop)  CMD ["sh"]`, `CMD ["sh"]` + "\n"},
		{"CMD [\"a\u202e\\x7f\"]" + kit, `CMD ["a\u202e\u007f"]` + "\n"},
		{"EXPOSE map[80/tcp:{} 443/tcp:{}]" + kit, "EXPOSE 80/tcp 443/tcp\n"},
		{"EXPOSE 80\nRUN evil" + kit, "# its ports are not known: \"EXPOSE 80\\nRUN evil\"\n"},
		{"VOLUME [/data /a]" + kit, `VOLUME ["/data","/a"]` + "\n"},
		{"WORKDIR /a b" + kit, "WORKDIR \"/a b\"\n"},
		{`USER x\` + kit, `USER "x\\"` + "\n"},
		{`ONBUILD RUN a \` + kit, "# it goes on where the history does not: ONBUILD RUN a \\\n"},
		{"ONBUILD RUN cat <<X" + kit, "# it goes on where the history does not: ONBUILD RUN cat <<X\n"},
		{"ARG A" + kit, "# Whether it was given a value is not known.\nARG A\n"},
		{"ARG A-B=1" + kit, "# its name is not known: ARG A-B=***\n"},
		{"STOPSIGNAL SIGINT" + kit, "STOPSIGNAL SIGINT\n"},
	} {
		text := writtenOf(t, fixtures.Docker{History: []fixtures.Step{{By: tc.by}}})
		if got := body(text); got != tc.want {
			t.Errorf("%q:\n%q, want\n%q", tc.by, got, tc.want)
		}
	}
}

// Sources of COPY are of no stage and no address that the image names.
func TestCopiedOfHistory(t *testing.T) {
	const added = "# layer-0.tar stands for the image's own layer 0"
	for by, want := range map[string]string{
		"COPY --chown=1:1 app /opt/app # buildkit":         "# not known: the source, of the build context or of another stage (layer 0 has what came of it)\nCOPY --chown=1:1 app /opt/app\n",
		"COPY --from=evil/image /x /y # buildkit":          added,
		"COPY --chown=1:1\u00a0--from=evil x y # buildkit": added,
		`COPY a\ b /opt # buildkit`:                        added,
		"COPY $X /opt # buildkit":                          added,
		"COPY <<EOF /etc/x # buildkit":                     added,
		"/bin/sh -c #(nop) ADD file:0123 in / ":            added,
		"COPY x /y\nRUN evil # buildkit":                   added,
		"# bazel build ...":                                added,
	} {
		text := writtenOf(t, fixtures.Docker{History: []fixtures.Step{{By: by}}})
		if want == added {
			if !strings.Contains(text, added) || !strings.HasSuffix(text, "ADD layer-0.tar /\n") || strings.Contains(text, "\nCOPY") {
				t.Errorf("%q: %s", by, text)
			}
		} else if body(text) != want {
			t.Errorf("%q: %q", by, body(text))
		}
	}
}

// A provenance without a Dockerfile that names one image pins the base; of several it is
// not known which.
func TestBaseOfAttestation(t *testing.T) {
	const digest = "0123456789012345678901234567890123456789012345678901234567890123"
	text := strings.Replace(provenanceText, dockerfileData, "", 1)
	img := attested(text)
	img.Layers = append([][]fixtures.File{{{Name: "a", Body: "x"}}}, img.Layers...)
	img.History = append([]fixtures.Step{{By: "ADD file:1 in / # buildkit"}, {By: `CMD ["sh"] # buildkit`, Empty: true}}, img.History...)
	const want = "# The image claims this base; nothing shows that it is."
	ev := recovered(t, open(t, img.OCIArchive()))
	if got := string(ev.Recipe.Files[0].Text); !strings.Contains(got, want) || !strings.Contains(got, "\nFROM docker.io/library/debian:12@sha256:"+digest+"\n") {
		t.Error(got)
	}
	const one = `{"uri":"pkg:docker/debian@12?platform=linux%2Famd64",`
	two := strings.Replace(text, one, `{"uri":"pkg:docker/alpine@3","digest":{"sha256":"`+digest+`"}},`+one, 1)
	img.Statements[0].Text = two
	if got := string(recovered(t, open(t, img.OCIArchive())).Recipe.Files[0].Text); !strings.Contains(got, "\nFROM scratch\n") {
		t.Error(got)
	}
	frontend := strings.Replace(text, one, `{"uri":"pkg:docker/docker/dockerfile@1","digest":{"sha256":"`+digest+`"}},`+one, 1)
	img.Statements[0].Text = frontend
	if got := string(recovered(t, open(t, img.OCIArchive())).Recipe.Files[0].Text); !strings.Contains(got, want) {
		t.Error(got)
	}
}

// Whatever a history has, what is written of it is a Dockerfile, has no more instructions
// than the history has lines (and a layer, argument or shell for each), and none that
// names an image.
func FuzzDockerfileOfHistory(f *testing.F) {
	for _, seed := range []string{
		"RUN /bin/sh -c one\nEOF\nFROM evil # buildkit", "ENV A=b \\ # buildkit", "COPY --from=evil /a /b # buildkit", "LABEL a=\"b\nFROM evil",
		"# syntax=evil/frontend", "/bin/sh -c #(nop) CMD [\"a\" \"b\"]", "|1 A=$(x) /bin/sh -c x", "HEALTHCHECK &{[\"CMD\" \"x\"]}", "FROM evil", "ONBUILD FROM evil",
	} {
		f.Add(seed, "ENV X=y # buildkit")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		history := []v1.History{{CreatedBy: first}, {CreatedBy: second}}
		img := &inspect.Image{Layers: []*inspect.Layer{{}, {Index: 1}}}
		img.Config.File.History = history
		v := newView(img, nil)
		text := string(dockerfileOf(img, v.history, v.base))
		all, err := dockerfile.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(all) > 1+4*len(history) {
			t.Errorf("%d instructions\n%s", len(all), text)
		}
		for n, i := range all {
			if i.Keyword == "FROM" && n > 0 || i.Flag("from") != "" {
				t.Errorf("%s\n%s", i, text)
			}
		}
	})
}

// Long lines are read and written in memory that follows from their length: one of twice
// the words takes about twice of it, and not four times.
func TestLongLines(t *testing.T) {
	for name, work := range map[string]func(words int){
		"variables": func(words int) {
			i := Instruction{Instruction: dockerfile.Instruction{Keyword: "ENV", Text: strings.TrimSpace(strings.Repeat("a=b ", words))}}
			new(dockerfileWriter).pairs(i, nil, make(map[string]string))
		},
		"build arguments": func(words int) { arguments("|2 a=b" + strings.Repeat(" c", words)) },
	} {
		taken := func(words int) uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			work(words)
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		if once, twice := taken(10_000), taken(20_000); twice > 3*once {
			t.Errorf("%s: %d bytes for 10,000 words, and %d for 20,000", name, once, twice)
		}
	}
}

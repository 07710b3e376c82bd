package dockerfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got := Parse("# syntax=docker/dockerfile:1\r\n" + `
ARG VERSION=3.19
from --platform=$BUILDPLATFORM alpine:${VERSION} AS Build
RUN --mount=type=cache,target=/c \
    # a comment in between
    apk add curl \

    && true
COPY --from=Build --chown=1:2 /a /b
RUN <<EOF cat >/x
first
 second
EOF
COPY <<-"A" <<B /dst/
	tab
	A
	kept
B
ENTRYPOINT ["/a", "b c"]
`)
	want := []Instruction{
		{Line: 3, Keyword: "ARG", Text: "VERSION=3.19"},
		{Line: 4, Keyword: "FROM", Flags: []string{"--platform=$BUILDPLATFORM"}, Text: "alpine:${VERSION} AS Build"},
		{Line: 5, Keyword: "RUN", Flags: []string{"--mount=type=cache,target=/c"}, Text: "apk add curl && true"},
		{Line: 10, Keyword: "COPY", Flags: []string{"--from=Build", "--chown=1:2"}, Text: "/a /b"},
		{Line: 11, Keyword: "RUN", Text: "<<EOF cat >/x", Inline: []string{"first\n second\n"}},
		{Line: 15, Keyword: "COPY", Text: `<<-"A" <<B /dst/`, Inline: []string{"tab\n", "\tkept\n"}},
		{Line: 20, Keyword: "ENTRYPOINT", Text: `["/a", "b c"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseEscape(t *testing.T) {
	got := Parse("# escape=`\nRUN dir c:\\ `\n  && x\nENV A=b\\\n")
	want := []Instruction{{Line: 2, Keyword: "RUN", Text: `dir c:\ && x`}, {Line: 4, Keyword: "ENV", Text: `A=b\`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStages(t *testing.T) {
	stages := Stages(Parse(`
ARG TAG=1 OTHER
ARG FULL=alpine:$TAG
FROM ${FULL} AS One
RUN a
FROM one
FROM ${OTHER:-debian}:${TAG} as three
FROM $UNKNOWN
`), []string{"TAG=2"})
	var got []string
	for _, s := range stages {
		got = append(got, s.Image+"|"+s.Name)
	}
	want := []string{"alpine:2|one", "one|", "debian:2|three", "$UNKNOWN|"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(stages[0].Instructions); n != 2 {
		t.Errorf("the first stage has %d instructions, want 2", n)
	}
}

func TestCommands(t *testing.T) {
	for script, want := range map[string][]Command{
		`apt-get update && apt-get install -y "a b" 'c d'|tee x`: {{"apt-get", "update"}, {"apt-get", "install", "-y", "a b", "c d"}, {"tee", "x"}},
		`set -e; if ! A=1 B=$(date +%s) cmd; then x; fi`:         {{"set", "-e"}, {"date", "+%s"}, {"cmd"}, {"x"}},
		"echo `hostname` # rest ; x\ny#z":                        {{"hostname"}, {"echo", "$()"}, {"y#z"}},
		`bash -ec "curl x; y" z`:                                 {{"bash", "-ec", "curl x; y", "z"}, {"curl", "x"}, {"y"}},
		`sudo -E env X=1 wget u`:                                 {{"wget", "u"}},
		`echo $(a $(b (c)) d) e`:                                 {{"b"}, {"c"}, {"a", "$()", "d"}, {"echo", "$()", "e"}},
		`echo \"a\ b`:                                            {{"echo", `"a b`}},
		`'unended`:                                               {{"unended"}},
		`$(`:                                                     {{"$()"}},
		``:                                                       nil,
	} {
		if diff := cmp.Diff(want, Commands(script)); diff != "" {
			t.Errorf("%s: %s", script, diff)
		}
	}
}

func TestScript(t *testing.T) {
	for text, want := range map[string]string{
		`apt-get update`:          "apt-get update",
		`["sh", "-c", "it's; a"]`: `'sh' '-c' 'it'\''s; a'`,
		`<<EOF bash`:              " bash\nx\n",
		`<<"EOF"`:                 "\nx\n",
		`["not json`:              `["not json`,
	} {
		i := Instruction{Keyword: "RUN", Text: text}
		if strings.Contains(text, "<<") {
			i.Inline = []string{"x\n"}
		}
		if got := i.Script(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A parsed Dockerfile, written on single lines, parses to the same.
func FuzzParse(f *testing.F) {
	f.Add("FROM a AS b\nRUN --x=y a \\\n b\nCOPY <<E /\nx\nE\n")
	f.Fuzz(func(t *testing.T, text string) {
		first := Parse(text)
		for _, i := range first {
			i.Unrepeatable(nil)
			i.Network()
			if len(i.Inline) > 0 || strings.ContainsAny(i.String(), "\\`#") || strings.Contains(i.String(), "<<") {
				return
			}
		}
		var lines []string
		for _, i := range first {
			lines = append(lines, i.String())
		}
		second := Parse(strings.Join(lines, "\n"))
		if len(second) != len(first) {
			t.Fatalf("%d instructions, then %d", len(first), len(second))
		}
		for n := range second {
			if first[n].String() != second[n].String() {
				t.Errorf("%q, then %q", first[n], second[n])
			}
		}
	})
}

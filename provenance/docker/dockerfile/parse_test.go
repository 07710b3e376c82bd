package dockerfile

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
)

func TestParse(t *testing.T) {
	got := parse(t, "# syntax=docker/dockerfile:1\r\n"+`
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
		{Line: 5, Keyword: "RUN", Flags: []string{"--mount=type=cache,target=/c"}, Text: "apk add curl     && true"},
		{Line: 10, Keyword: "COPY", Flags: []string{"--from=Build", "--chown=1:2"}, Text: "/a /b"},
		{Line: 11, Keyword: "RUN", Text: "<<EOF cat >/x", Heredocs: []string{"first\n second\n"}},
		{Line: 15, Keyword: "COPY", Text: `<<-"A" <<B /dst/`, Heredocs: []string{"tab\n", "\tkept\n"}},
		{Line: 20, Keyword: "ENTRYPOINT", Text: `["/a", "b c"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseEscape(t *testing.T) {
	got := parse(t, "# escape=`\nRUN dir c:\\ `\n  && x\nENV A=b\\\n")
	want := []Instruction{{Line: 2, Keyword: "RUN", Text: `dir c:\   && x`}, {Line: 4, Keyword: "ENV", Text: `A=b\`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStages(t *testing.T) {
	stages, err := Stages(`
ARG TAG=1 OTHER
ARG FULL=alpine:$TAG
FROM ${FULL} AS One
RUN a
FROM one
FROM ${OTHER:-debian}:${TAG} as three
FROM $TARGETARCH
`, []string{"TAG=2"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range stages {
		got = append(got, s.Image+"|"+s.Name)
	}
	want := []string{"alpine:2|one", "one|", "debian:2|three", "$TARGETARCH|"}
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
			i.Heredocs = []string{"x\n"}
		}
		if got := i.Script(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func parse(t testing.TB, text string) []Instruction {
	t.Helper()
	all, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Each limit has a typed error that names it, and what is just within it is read.
func TestLimits(t *testing.T) {
	repeat := strings.Repeat
	for name, text := range map[string]string{
		"bytes":           "FROM a\n" + repeat("#"+repeat("x", 62)+"\n", MaxBytes/64),
		"lines":           "FROM a\n" + repeat("\n", MaxLines),
		"bytes of a line": "FROM a\nRUN " + repeat("a", MaxLineBytes-3) + "\n",
	} {
		_, err := Parse(text)
		limit, ok := errors.AsType[*inspect.LimitError](err)
		if !ok || limit.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"bytes":           "FROM a\n" + repeat("#"+repeat("x", 62)+"\n", MaxBytes/64-1),
		"lines":           "FROM a\n" + repeat("\n", MaxLines-1),
		"bytes of a line": "FROM a\nRUN " + repeat("a", MaxLineBytes-5) + "\n",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("just within the limit of %s: %v", name, err)
		}
	}
	_, err := Parse("FROM a\nRUN " + repeat("$\\\n{a:-x23456789\\\n# }\n\n", MaxLines/5) + repeat("}", 4000) + "\n")
	if limit, ok := errors.AsType[*inspect.LimitError](err); !ok || limit.Name != "bytes of instructions times variables" {
		t.Errorf("variables in each other: %v", err)
	}
	text := "ARG A=0123456789\n" + repeat("ARG A=$A$A\n", 60) + "FROM $A\n"
	_, err = Stages(text, nil)
	if limit, ok := errors.AsType[*inspect.LimitError](err); !ok || limit.Name != "cost of expanded build arguments" {
		t.Errorf("arguments that grow: %v", err)
	}
}

func TestSyntaxError(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "the Dockerfile: file with no instructions",
		"FROM a\nENV A\n":                  "line 2 of the Dockerfile: ENV must have two arguments",
		"FROM a\n\nRUN <<E\nx\n":           "line 3 of the Dockerfile: unterminated heredoc",
		"FROM a\nLABEL a=b " + long + "\n": "line 2 of the Dockerfile: Syntax error - can't find = in ",
	} {
		_, err := Parse(text)
		if _, ok := errors.AsType[*SyntaxError](err); !ok || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

var long = strings.Repeat("x", 1000)

// The worst that fits into the limits takes seconds with an algorithm that is
// not linear in a whole text: a test would not end.
func TestWorst(t *testing.T) {
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (MaxBytes-len(head)-len(tail))/len(part)) + tail
	}
	nested := strings.Repeat("${a:-", 3000)
	for name, text := range map[string]string{
		"a heredoc":           fill("FROM a\nRUN <<E\n", strings.Repeat("x", 26)+"\n", "E\n"),
		"onbuild":             fill("FROM a\n", strings.Repeat("ONBUILD ", 8000)+"\\\n", ""),
		"nested variables":    "FROM a\nRUN <<" + nested + strings.Repeat("}", 3000) + "\n",
		"open variables":      "FROM a\nRUN <<" + nested + "\n",
		"markers":             fill("FROM a\nRUN ", strings.Repeat("<<A ", 10_000)+"\\\n", ""),
		"fetches":             fill("FROM a\nRUN ", strings.Repeat("curl ftp://a;", 4000)+"\\\n", "true"),
		"installs":            fill("FROM a\nRUN ", strings.Repeat("gem i a;npm i;", 4000)+"\\\n", "true"),
		"substitutions":       fill("FROM a\nRUN ", strings.Repeat("$(`", 30)+strings.Repeat("`(", 20_000)+"\\\n", "true"),
		"flags":               fill("FROM a\nRUN ", strings.Repeat("--a ", 10_000)+"\\\n", "true"),
		"arguments":           fill("ARG A=x\n", "ARG A=$A$A$A$A$A$A$A$A$A$A$A$A\n", ""),
		"empty continuations": fill("FROM a\nRUN a \\\n", strings.Repeat(" ", 30)+"\n", "b"),
	} {
		all, err := Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for _, i := range all {
			i.Unrepeatable(nil)
			i.Network()
		}
		_, err = Stages(text, nil)
		if _, limit := errors.AsType[*inspect.LimitError](err); limit != (name == "arguments") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the text is: the error is one of the two, what is accepted is what
// BuildKit reads, and an instruction written on a line of its own is the same.
func FuzzParse(f *testing.F) {
	for _, tt := range tricky() {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Parse(text)
		if err != nil {
			_, syntax := errors.AsType[*SyntaxError](err)
			_, limit := errors.AsType[*inspect.LimitError](err)
			if !syntax && !limit {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		line := 0
		for _, i := range first {
			if i.Line <= line || i.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("line %d after line %d", i.Line, line)
			}
			line = i.Line
			i.Unrepeatable(nil)
			i.Network()
		}
		if diff := cmp.Diff(buildKit(t, text), first); diff != "" {
			t.Errorf("differs from BuildKit: %s", diff)
		}
		stages, err := Stages(text, nil)
		_, limit := errors.AsType[*inspect.LimitError](err)
		if _, syntax := errors.AsType[*SyntaxError](err); err != nil && !limit && !syntax {
			t.Fatal(err)
		}
		for _, s := range stages {
			if len(s.Image) > maxExpanded+len(text) {
				t.Errorf("an image of %d bytes", len(s.Image))
			}
		}
		onSingleLines(t, first)
	})
}

// onSingleLines parses instructions again, written on single lines, unless some
// would mean something else there.
func onSingleLines(t *testing.T, first []Instruction) {
	var lines []string
	for _, i := range first {
		special := func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune("\\`#\"'", r) }
		if i.Keyword == "" || len(i.Heredocs) > 0 || strings.ContainsFunc(i.String(), special) || strings.Contains(i.String(), "<<") ||
			strings.HasPrefix(i.Text, "--") || slices.ContainsFunc(i.Flags, func(f string) bool { return strings.ContainsFunc(f, unicode.IsSpace) }) {
			return
		}
		lines = append(lines, i.String())
	}
	second, err := Parse(strings.Join(lines, "\n"))
	if err != nil || len(second) != len(first) {
		t.Fatalf("%d instructions, then %d, %v", len(first), len(second), err)
	}
	for n := range second {
		if first[n].String() != second[n].String() {
			t.Errorf("%q, then %q", first[n], second[n])
		}
	}
}

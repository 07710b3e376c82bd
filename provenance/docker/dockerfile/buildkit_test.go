package dockerfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// buildKit returns what BuildKit's own parser makes of a text. It has the
// arguments of an instruction in a form that depends on the keyword; those of
// MAINTAINER are what is written, so it is asked again with that keyword.
func buildKit(t testing.TB, text string) []Instruction {
	t.Helper()
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []Instruction
	for _, node := range result.AST.Children {
		i := Instruction{Line: node.StartLine, Keyword: strings.ToUpper(node.Value), Flags: append([]string(nil), node.Flags...)}
		original := strings.TrimSpace(node.Original)
		again := "# escape=" + string(result.EscapeToken) + "\nMAINTAINER" + strings.TrimPrefix(original, node.Value) + "#\n"
		r, err := parser.Parse(strings.NewReader(again))
		if err != nil {
			t.Fatal(err)
		}
		if next := r.AST.Children[0].Next; next != nil {
			i.Text = strings.TrimSpace(strings.TrimSuffix(next.Value, "#"))
		}
		for _, h := range node.Heredocs {
			if h.Chomp {
				h.Content = parser.ChompHeredocContent(h.Content)
			}
			i.Heredocs = append(i.Heredocs, h.Content)
		}
		all = append(all, i)
	}
	return all
}

type trickyDockerfile struct {
	name, text string
	want       string // keywords with the line of each, "error" where BuildKit refuses the text
}

func tricky() []trickyDockerfile {
	return []trickyDockerfile{
		{"a shift in arithmetic", "FROM a\nRUN echo $((1<<N))\nRUN b\nN\nRUN c\n", "1 FROM, 2 RUN, 3 RUN, 4 N, 5 RUN"},
		{"a shift with spaces", "FROM a\nRUN echo $((1 << N))\nADD https://x.org/a /\n", "1 FROM, 2 RUN, 3 ADD"},
		{"a marker in double quotes", "FROM a\nRUN echo \"x <<EOF\"\nADD https://x.org/a /\n", "1 FROM, 2 RUN, 3 ADD"},
		{"a marker in single quotes", "FROM a\nRUN echo 'x <<EOF'\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"an escaped marker", "FROM a\nRUN echo \\<<EOF\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a marker within a word", "FROM a\nRUN echo x<<EOF\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a here-string", "FROM a\nRUN cat <<<EOF\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a marker in a comment of the shell", "FROM a\nRUN true # <<EOF\nRUN b\nEOF\nRUN c\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a marker after a space", "FROM a\nRUN cat << EOF\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a marker in exec form", "FROM a\nRUN [\"cat\", \"<<EOF\"]\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a marker where none counts", "FROM a\nCMD cat <<EOF\nENV A=<<EOF\nLABEL a=\"<<EOF\"\n", "1 FROM, 2 CMD, 3 ENV, 4 LABEL"},
		{"a heredoc", "FROM a\nRUN <<EOF\nFROM b\n\n# c\nEOF\nRUN d\n", "1 FROM, 2 RUN, 7 RUN"},
		{"a heredoc with a program", "FROM a\nRUN <<EOF python3 -\nimport x\nEOF\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a heredoc with a number", "FROM a\nRUN cat 3<<EOF <&3\nx\nEOF\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"quoted markers", "FROM a\nRUN <<\"E F\" <<'G'\n1\nE F\n2\nG\nRUN d\n", "1 FROM, 2 RUN, 7 RUN"},
		{"a marker that is partly quoted", "FROM a\nRUN <<E\"O\"F\nx\nEOF\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a marker of other characters", "FROM a\nRUN <<E-1.é\nx\nE-1.é\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a heredoc without tabs", "FROM a\nCOPY <<-A <<-B /\n\tx\n\tA\n\t\ty\n\tB\nRUN d\n", "1 FROM, 2 COPY, 7 RUN"},
		{"an end that has spaces", "FROM a\nRUN <<A\nx\nA \n A\nA\nRUN d\n", "1 FROM, 2 RUN, 7 RUN"},
		{"a heredoc with continued lines", "FROM a\nRUN <<A\nx \\\nA\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a heredoc after a continued line", "FROM a\nRUN x \\\n  <<A\ny\nA\nRUN d\n", "1 FROM, 2 RUN, 6 RUN"},
		{"a heredoc that does not end", "FROM a\nRUN <<EOF\nx\n", "error"},
		{"a heredoc that ends with the file", "FROM a\nRUN <<EOF\nx\nEOF", "1 FROM, 2 RUN"},
		{"a heredoc of ONBUILD", "FROM a\nONBUILD RUN <<E\nx\nE\nONBUILD COPY <<E /\ny\nE\nRUN d\n", "1 FROM, 2 ONBUILD, 5 ONBUILD, 8 RUN"},
		{"a heredoc with CRLF", "FROM a\r\nRUN <<E\r\nx\r\nE\r\nRUN d\r\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a variable as a marker", "FROM a\nRUN <<$E\nx\n$E\nRUN d\n", "1 FROM, 2 RUN, 5 RUN"},
		{"an unbalanced quote before a marker", "FROM a\nRUN echo \" <<E\nRUN d\n", "1 FROM, 2 RUN, 3 RUN"},

		{"escape", "# escape=`\nFROM a\nRUN dir c:\\\nRUN x `\n  y\n", "2 FROM, 3 RUN, 4 RUN"},
		{"escape after a comment", "# x\n# escape=`\nFROM a\nRUN x `\nRUN y\n", "3 FROM, 4 RUN, 5 RUN"},
		{"escape after an empty line", "\n# escape=`\nFROM a\nRUN x `\nRUN y\n", "3 FROM, 4 RUN, 5 RUN"},
		{"escape after syntax and check", "#syntax=docker/dockerfile:1\n# check = skip=all\n#  ESCAPE = `\nFROM a\nRUN x `\nRUN y\n", "4 FROM, 5 RUN"},
		{"escape after an unknown directive", "# x=y\n# escape=`\nFROM a\nRUN x `\nRUN y\n", "3 FROM, 4 RUN, 5 RUN"},
		{"escape of another character", "# escape=x\nFROM a\n", "error"},
		{"escape twice", "# escape=`\n# escape=`\nFROM a\n", "error"},
		{"syntax", "# syntax=docker/dockerfile:1.7-labs\nFROM a\n", "2 FROM"},

		{"a comment in a continuation", "FROM a\nRUN a \\\n# b \\\n  # c\n  d\nRUN e\n", "1 FROM, 2 RUN, 6 RUN"},
		{"a comment after the last continuation", "FROM a\nRUN a \\\n# b\nRUN c\n", "1 FROM, 2 RUN"},
		{"empty lines in a continuation", "FROM a\nRUN a \\\n\n \t\n  b\nRUN e\n", "1 FROM, 2 RUN, 6 RUN"},
		{"a continuation within a word", "FROM a\nRU\\\nN apt-\\\nget\nRUN b\n", "1 FROM, 2 RUN, 5 RUN"},
		{"a continuation with spaces after it", "FROM a\nRUN a \\ \t\n b\nRUN c\n", "1 FROM, 2 RUN, 4 RUN"},
		{"two escapes at an end", "FROM a\nRUN a \\\\\nRUN c\n", "1 FROM, 2 RUN, 3 RUN"},
		{"a continuation at the end", "FROM a\nRUN b \\", "1 FROM, 2 RUN"},
		{"only a continuation", "\\\nFROM a\n", "1 FROM"},
		{"a continuation of nothing", "\\", "1 "},
		{"a comment that is continued", "# a \\\nFROM b\n", "2 FROM"},
		{"CRLF", "FROM a\r\nRUN b \\\r\n\r\n  c\r\n# d\r\nRUN e\r\n", "1 FROM, 2 RUN, 6 RUN"},
		{"a byte order mark", "\uFEFFFROM a\nRUN b\n", "1 FROM, 2 RUN"},
		{"a byte order mark before a directive", "\uFEFF# escape=`\nFROM a\nRUN x `\n y\nRUN z\n", "2 FROM, 3 RUN, 5 RUN"},
		{"no line end", "FROM a\nRUN b", "1 FROM, 2 RUN"},
		{"nothing", "", "error"},
		{"comments alone", "# a\n\n# b\n", "error"},
		{"lower case and indented", "\tfrom a as b\n  Run\tc\n", "1 FROM, 2 RUN"},
		{"an unknown keyword", "FROM a\nRUNN b\nEOF\n", "1 FROM, 2 RUNN, 3 EOF"},

		{"flags", "FROM --platform=x a\nCOPY --from=b --chown=1:2   --link a b\nHEALTHCHECK --interval=1s CMD x\n", "1 FROM, 2 COPY, 3 HEALTHCHECK"},
		{"flags with quotes", "FROM a\nRUN --mount='type=cache,target=/a b' --x=\"y z\" --e=a\\ b c --d\n", "1 FROM, 2 RUN"},
		{"flags that end", "FROM a\nRUN --x=y -- --z w\nCOPY -- a b\nRUN --\n", "1 FROM, 2 RUN, 3 COPY, 4 RUN"},
		{"flags that do not end", "FROM a\nRUN --x=\"y z\nRUN b\n", "1 FROM, 2 RUN, 3 RUN"},
		{"flags of instructions that have none", "FROM a\nCMD --x y\nENV --x=y z=w\n", "1 FROM, 2 CMD, 3 ENV"},
		{"exec forms", "FROM a\nCMD [\"a\", \"b c\"]\nENTRYPOINT [ \"a\" , \"\\u0041\" ]\nSHELL [\"sh\",\"-c\"]\nVOLUME [\"/a\"]\n", "1 FROM, 2 CMD, 3 ENTRYPOINT, 4 SHELL, 5 VOLUME"},
		{"an exec form over lines", "FROM a\nRUN [\"a\", \\\n  \"b\"]\nRUN c\n", "1 FROM, 2 RUN, 4 RUN"},
		{"nearly an exec form", "FROM a\nRUN ['a']\nRUN [ -f x ] && y\nRUN [\"a\",]\n", "1 FROM, 2 RUN, 3 RUN, 4 RUN"},
		{"an exec form with a number", "FROM a\nRUN [\"a\", 1]\n", "error"},
		{"ONBUILD", "FROM a\nONBUILD COPY --from=x a b\nONBUILD ONBUILD RUN c\nONBUILD\n", "1 FROM, 2 ONBUILD, 3 ONBUILD, 4 ONBUILD"},
		{"ENV without a value", "FROM a\nENV A\n", "error"},
		{"ENV of both forms", "FROM a\nENV A b  c\nENV A=b C=\"d e\" \\\n  F=g\n", "1 FROM, 2 ENV, 3 ENV"},
		{"a label that is no pair", "FROM a\nLABEL a=b c\n", "error"},
		{"no arguments", "FROM\nRUN\nCOPY\nHEALTHCHECK\n", "1 FROM, 2 RUN, 3 COPY, 4 HEALTHCHECK"},
	}
}

// What this package reads is what BuildKit's parser reads.
func TestBuildKit(t *testing.T) {
	for _, tt := range tricky() {
		got, err := Parse(tt.text)
		if _, refused := parser.Parse(strings.NewReader(tt.text)); (err != nil) != (refused != nil) {
			t.Errorf("%s: the error is %v, BuildKit's %v", tt.name, err, refused)
			continue
		}
		if err != nil {
			if tt.want != "error" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		var keywords []string
		for _, i := range got {
			keywords = append(keywords, fmt.Sprintf("%d %s", i.Line, i.Keyword))
		}
		if diff := cmp.Diff(tt.want, strings.Join(keywords, ", ")); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if diff := cmp.Diff(buildKit(t, tt.text), got); diff != "" {
			t.Errorf("%s differs from BuildKit: %s", tt.name, diff)
		}
	}
}

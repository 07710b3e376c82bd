package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func scriptFor(t *testing.T, shell string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := Main([]string{"audit", "completion", shell}, nil, &out, &errs); status != 0 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	return out.String()
}

// offered is what is offered for the last of words, without what it means.
func offered(t *testing.T, words ...string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := Main(append(append([]string{"audit"}, words...), completionFlag), nil, &out, &errs); status != 0 || errs.Len() > 0 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i, line := range lines {
		if strings.ContainsAny(line, "`\r") {
			t.Errorf("%q: a line is %q", words, line)
		}
		lines[i], _, _ = strings.Cut(line, "\t")
	}
	return lines
}

// TestCompletionNamesEverything: each verb and each flag.
func TestCompletionNamesEverything(t *testing.T) {
	app := newApp(nil, io.Discard, io.Discard)
	verbs := offered(t, "")
	for _, c := range app.VisibleCommands() {
		if !slices.Contains(verbs, c.Name) {
			t.Errorf("no %s among %q", c.Name, verbs)
		}
		flags := offered(t, c.Name, "-")
		for _, f := range c.Flags {
			for _, name := range dashed(f) {
				if !slices.Contains(flags, name) {
					t.Errorf("%s has no %s among %q", c.Name, name, flags)
				}
			}
		}
	}
}

// TestCompletionOfAnything: no line of words makes it panic, and a value that is
// joined to its flag keeps it.
func TestCompletionOfAnything(t *testing.T) {
	for _, c := range []struct{ words, want []string }{
		{nil, []string{"files", "run"}},
		{[]string{"="}, []string{"files", "run"}},
		{[]string{"--format=j"}, []string{"none", "--format=json", "--format=junit"}},
		{[]string{"x", "--no-such-flag", "y"}, []string{"files"}},
		{[]string{"run", "--output", ""}, []string{"folders"}},
		{[]string{"help", "he"}, []string{"none"}},
	} {
		if got := offered(t, c.words...); !slices.Equal(got[:min(len(got), max(len(c.want), 1))], c.want) {
			t.Errorf("%q completes to %q, want %q", c.words, got, c.want)
		}
	}
}

func TestCompletionSyntax(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			bin, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(shell + " is not here")
			}
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, []byte(scriptFor(t, shell)), 0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(bin, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestBashCompletes asks a real bash what it would offer.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not here")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte(scriptFor(t, "bash")), 0o666); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	for _, name := range []string{"folder", "image one.tar", "image-two.tar"} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if name == "folder" {
			err = os.Mkdir(path, 0o777)
		} else {
			err = os.WriteFile(path, nil, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		words []string // of the line, the last one being completed
		want  []string
	}{
		{[]string{"audit", "re"}, []string{"rebuild", "report"}},
		{[]string{"audit", "ima"}, []string{"image one.tar", "image-two.tar"}},
		{[]string{"audit", "--fo"}, []string{"--format"}},
		{[]string{"audit", "report", "--format", "m"}, []string{"markdown"}},
		{[]string{"audit", "report", "--format", "=", "j"}, []string{"json", "junit"}},
		{[]string{"audit", "--format", "="}, []string{"text", "html", "markdown", "json", "sarif", "junit", "annotations"}},
		{[]string{"audit", "sbom", "--format", "s"}, []string{"spdx", "spdx-tv"}},
		{[]string{"audit", "--require", ""}, []string{"consistent", "explained", "matching", "vouched", "equivalent", "reproducible"}},
		{[]string{"audit", "run", "-o", ""}, []string{"folder"}},
		{[]string{"audit", "report", "-o", "im"}, []string{"image one.tar", "image-two.tar"}},
		{[]string{"audit", "--timeout", ""}, nil},
		{[]string{"audit", "completion", "f"}, []string{"fish"}},
		{[]string{"audit", "help", "comp"}, []string{"compare", "completion", "compared"}},
		{[]string{"audit", "inspect", "im"}, []string{"image one.tar", "image-two.tar"}},
		{[]string{"audit", "inspect", "--"}, []string{"--key", "--trusted-root", "--identity", "--issuer", "--evidence", "--platform", "--authfile", "--creds", "--tls-verify", "--cert-dir", "--mirror", "--sha256", "--sha512", "--md5", "--doi-file", "--doi-server", "--json", "--layer-cache", "--timeout", "--config", "--quiet", "--verbose", "--help"}},
		{[]string{"audit", "policy", ""}, []string{"check", "show", "schema"}},
		{[]string{"audit", "policy", "show", ""}, []string{"explained", "vouched", "strict"}},
		{[]string{"audit", "policy", "check", "im"}, []string{"image one.tar", "image-two.tar"}},
		{[]string{"audit", "image-two.tar", "--onl"}, []string{"--online"}},
	} {
		ask := exec.Command(bash, "--norc", "-c", `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _audit; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script)
		ask.Args = append(ask.Args, c.words...)
		ask.Dir = work
		out, err := ask.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", c.words, err, out)
		}
		var got []string
		if text := strings.TrimSuffix(string(out), "\n"); text != "" {
			got = strings.Split(text, "\n")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q completes to %q, want %q", c.words, got, c.want)
		}
	}
}

// TestChoicesAreTaken: what is offered as a value is not refused as one.
func TestChoicesAreTaken(t *testing.T) {
	for _, c := range newApp(nil, io.Discard, io.Discard).Commands {
		for _, f := range c.Flags {
			name := f.Names()[0]
			for _, word := range choices(c.Name, name) {
				var errs bytes.Buffer
				Main([]string{"audit", c.Name, "--" + name, word, "/nonexistent"}, nil, io.Discard, &errs)
				if strings.Contains(errs.String(), "--"+name) {
					t.Errorf("%s --%s %s: %s", c.Name, name, word, errs.String())
				}
			}
		}
	}
}

// TestGuides: every verb has one, and its examples use flags that there are.
func TestGuides(t *testing.T) {
	app := newApp(nil, io.Discard, io.Discard)
	for _, c := range app.Commands {
		if !c.Hidden && !strings.Contains(c.Description, "Examples:") {
			t.Errorf("%s has no guide", c.Name)
		}
	}
	for _, g := range guides() {
		if len(g.examples) == 0 || !strings.HasSuffix(g.about, ".") {
			t.Errorf("the guide of %s: %+v", g.verb, g)
		}
		for _, e := range g.examples {
			line := strings.Trim(e.command, "<()")
			words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "source "), "<("))
			if words[0] != "audit" {
				t.Errorf("%s: the example %q", g.verb, e.command)
				continue
			}
			checkExample(t, app, g.verb, words)
		}
	}
}

func checkExample(t *testing.T, app *cli.App, verb string, words []string) {
	line := newCommandLine(app, words[1:]).line(words[0])
	if line[1] != verb {
		t.Errorf("%q is of the verb %s, not %s", words, line[1], verb)
		return
	}
	known := map[string]bool{}
	for _, f := range app.Command(verb).Flags {
		for _, name := range f.Names() {
			known[name] = true
		}
	}
	for _, word := range words[1:] {
		if name := strings.TrimLeft(word, "-"); strings.HasPrefix(word, "-") && name != "" && !known[name] {
			t.Errorf("%q: %s has no flag %s", words, verb, word)
		}
	}
}

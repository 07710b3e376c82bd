package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures/hostile"
	"audit/report"
)

// An ending is how audit inspect ended, and what it left behind.
type ending struct {
	status         int
	stdout, stderr string
	left           []string
}

// TestHostileCast holds audit inspect against all images that are meant to do
// harm, but for those that take long: whatever an image does to its reader, the
// exit status is the right one, one line says what is wrong and nothing is left
// behind. The real suite reads all of them, and measures memory.
func TestHostileCast(t *testing.T) {
	for _, c := range hostile.Cases("../../fixtures") {
		t.Run(c.Name, func(t *testing.T) {
			if c.Slow {
				t.Skip("takes seconds: in the real suite")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "image")
			if err := writeBuffered(path, c.Write); err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", emptyFolder(t, dir))
			var stdout, stderr bytes.Buffer
			e := ending{status: Main([]string{"audit", "inspect", "--json", path}, nil, &stdout, &stderr)}
			e.stdout, e.stderr, e.left = stdout.String(), stderr.String(), leftIn(t, dir)
			e.check(t, c)
		})
	}
}

// emptyFolder makes a folder for temporary files.
func emptyFolder(t *testing.T, dir string) string {
	t.Helper()
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	return tmp
}

// leftIn lists the files below a folder other than the image.
func leftIn(t *testing.T, dir string) []string {
	t.Helper()
	var left []string
	for _, pattern := range []string{"*", "*/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if name, _ := filepath.Rel(dir, path); name != "image" && name != "tmp" {
				left = append(left, name)
			}
		}
	}
	return left
}

func writeBuffered(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// check holds what happened against what the case demands.
func (e ending) check(t *testing.T, c hostile.Case) {
	t.Helper()
	if e.status != c.Exit {
		t.Errorf("exit status %d, want %d: %s", e.status, c.Exit, e.stderr)
	}
	said := e.stdout
	if c.Exit == 3 {
		said = e.stderr
	} else {
		said += strings.Join(e.sentences(t), "\n")
	}
	if !strings.Contains(said, c.Says) {
		t.Errorf("nothing says %q: %.2000s", c.Says, said)
	}
	if (e.stdout == "") != (c.Exit == 3) {
		t.Errorf("%d bytes on standard output, exit status %d", len(e.stdout), e.status)
	}
	if e.stdout != "" && !json.Valid([]byte(e.stdout)) {
		t.Error("the report is no JSON")
	}
	if n := strings.Count(e.stderr, "\n"); n != min(1, c.Exit) {
		t.Errorf("%d lines on standard error: %q", n, e.stderr)
	}
	if i := strings.IndexFunc(e.stdout+e.stderr, isCommand); i >= 0 {
		t.Errorf("a control character came through: %.40q", (e.stdout + e.stderr)[i:])
	}
	if len(e.left) > 0 {
		t.Errorf("left behind: %q", e.left)
	}
}

// sentences are those of the checks of the report on standard output, and of
// their findings.
func (e ending) sentences(t *testing.T) (all []string) {
	t.Helper()
	r, err := report.ReadJSON(strings.NewReader(e.stdout), systems().Abouts()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		all = append(all, r.Summary(c))
		for _, f := range c.Findings {
			all = append(all, fmt.Sprintf("%s: %s", f.Code, r.Words(f)))
		}
	}
	return all
}

// isCommand says whether a terminal may obey a character.
func isCommand(r rune) bool {
	return r < ' ' && r != '\n' || 0x7f <= r && r < 0xa0
}

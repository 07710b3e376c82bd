package sh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is written stands for itself, as the shell reads it.
func TestShellReadsItBack(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	words := []string{"", "plain", "a b", "it's", `$HOME "x" \n`, "-n", "`id`", "*", "new\nline", "ümlaut", "~"}
	out, err := exec.Command(shell, "-c", "printf '%s\\0' "+Words(words)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(words, "\x00") + "\x00"; got != string(out) {
		t.Errorf("%q became %q", got, out)
	}
	dir := t.TempDir()
	text := "$(id) `x`\nEND_OF_FILE\n'quoted'"
	command := exec.Command(shell, "-c", HereDocument("it's", text))
	command.Dir = dir
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "it's"))
	if err != nil || string(data) != text+"\n" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestWord(t *testing.T) {
	for in, want := range map[string]string{"a-b_c/d.e:f=g,h@i%j+k": "a-b_c/d.e:f=g,h@i%j+k", "a b": "'a b'", "": "''", "it's": `'it'\''s'`} {
		if got := Word(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := Printable("a\x1b[31mb\n"); got != "a\uFFFD[31mb\uFFFD" {
		t.Errorf("%q", got)
	}
}

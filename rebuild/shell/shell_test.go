package shell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/rebuild"
)

// A shell takes each word for what it is.
func TestWords(t *testing.T) {
	for _, args := range [][]string{
		{"plain", "--option=value", "a/b:c@d%e+f,g.h_i-j"},
		{"", " ", "two words", "it's", `"`, `\`, "$(id)", "`id`", "*", "~", "a\nb", "#", ";", "&", "é"},
		{"'", "''", `'\''`},
	} {
		out, err := rebuild.Run(t.Context(), rebuild.Command{Argv: []string{"/bin/sh", "-c", "for w in " + Words(args) + `; do printf '<%s>' "$w"; done`}})
		if want := "<" + strings.Join(args, "><") + ">"; err != nil || string(out.Stdout) != want {
			t.Errorf("%s, %v, want %s", out.Stdout, err, want)
		}
	}
	if got := Words([]string{"nix-store", "--realise", "/nix/store/x.drv", ""}); got != "nix-store --realise /nix/store/x.drv ''" {
		t.Errorf("%s", got)
	}
}

// A file comes out as it was written, with a newline at its end.
func TestHereDocument(t *testing.T) {
	dir := t.TempDir()
	text := "$(id) `x`\nEND_OF_FILE\n'quoted'"
	if _, err := rebuild.Run(t.Context(), rebuild.Command{Argv: []string{"/bin/sh", "-c", HereDocument("it's", text)}, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "it's"))
	if err != nil || string(data) != text+"\n" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestPrintable(t *testing.T) {
	if got := Printable("a\x1b[31mb\nc\u202ed é"); got != "a\uFFFD[31mb\uFFFDc\uFFFDd é" {
		t.Errorf("%q", got)
	}
}

package compare

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
)

// smallRoot is a root file system with an entry for each planted difference.
func smallRoot(t *testing.T) []byte {
	const buildIDNote = "\x04\x00\x00\x00\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00"
	items := []item{d("etc"), f("etc/issue", "Debian\n"), d("usr"), d("usr/bin"), d("usr/share"), f("usr/share/doc", "text\n"), l("usr/lib", "/lib"),
		f("usr/share/x.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x01\x03\x00\xfc\xffhi\n\x7a\x7a\x6f\xed\x03\x00\x00\x00"),
		f("usr/bin/program", elfWithNote(buildIDNote+strings.Repeat("i", 20)))}
	for i := range 6 {
		items = append(items, f(fmt.Sprintf("usr/bin/script%d", i), "#!/bin/sh\n"))
	}
	return layer(t, items...)
}

// elfWithNote is an ELF file with one section besides that of the names.
func elfWithNote(note string) string {
	const names = "\x00.note.gnu.build-id\x00.shstrtab\x00"
	var b bytes.Buffer
	word := func(width int, v int) {
		for range width {
			b.WriteByte(byte(v))
			v >>= 8
		}
	}
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	for _, f := range [][2]int{{2, 3}, {2, 62}, {4, 1}, {8, 0}, {8, 0}, {8, 64 + len(note) + len(names)}, {4, 0}, {2, 64}, {2, 0}, {2, 0}, {2, 64}, {2, 3}, {2, 2}} {
		word(f[0], f[1])
	}
	b.WriteString(note + names)
	b.Write(make([]byte, 64))
	for _, s := range [][4]int{{1, 7, 64, len(note)}, {20, 3, 64 + len(note), len(names)}} {
		for _, f := range [][2]int{{4, s[0]}, {4, s[1]}, {8, 0}, {8, 0}, {8, s[2]}, {8, s[3]}, {4, 0}, {4, 0}, {8, 1}, {8, 0}} {
			word(f[0], f[1])
		}
	}
	return b.String()
}

// Shown is a value as these tests write it down.
func Shown(v Value) string { return shown(v) }

// HasWords says whether a text has the words of another.
func HasWords(text, words string) bool {
	for _, word := range strings.Fields(strings.ReplaceAll(words, ":", " ")) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// TestPlanted finds all that is planted, by its cause, and nothing else.
func TestPlanted(t *testing.T) {
	was, now := filepath.Join(t.TempDir(), "was.tar"), filepath.Join(t.TempDir(), "now.tar")
	var a, b bytes.Buffer
	planted, err := fixtures.Plant(bytes.NewReader(smallRoot(t)), &a, &b)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{was: a.Bytes(), now: b.Bytes()} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := files(t, was, now)
	for _, p := range planted {
		found := false
		for _, d := range c.Differences {
			if d.Path == p.Path && string(d.Cause) == p.Cause && HasWords(show(&Comparison{Differences: []Difference{d}}), p.Says) {
				found = true
			}
		}
		if !found {
			t.Errorf("%s at %s is not found as %s\n%s", p.Name, p.Path, p.Cause, show(c))
		}
	}
	if len(planted) != 19 || len(c.Differences) != len(planted) {
		t.Errorf("%d differences for %d planted ones\n%s", len(c.Differences), len(planted), show(c))
	}
}

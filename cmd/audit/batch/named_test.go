package batch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a folder holds that an option names is part of the digest, whatever the times of
// its files; what is too much is there by its size and time.
func TestHashNamed(t *testing.T) {
	dir := t.TempDir()
	hash := func(path string) string {
		t.Helper()
		sum, err := HashNamed(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	write := func(name, text string, at int64) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(at, 0)); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]string{hash(dir): "an empty folder", "": "nothing"}
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a file", func() { write("pool/a.deb", "a", 1) }},
		{"another text of the same size and time", func() { write("pool/a.deb", "b", 1) }},
		{"a second file", func() { write("pool/b.deb", "b", 1) }},
		{"another name", func() { os.Rename(filepath.Join(dir, "pool/b.deb"), filepath.Join(dir, "pool/c.deb")) }},
		{"a file too large to read", func() {
			write("pool/large", "", 1)
			os.Truncate(filepath.Join(dir, "pool/large"), namedBytes+1)
			os.Chtimes(filepath.Join(dir, "pool/large"), time.Time{}, time.Unix(1, 0))
		}},
		{"another time of that", func() { os.Chtimes(filepath.Join(dir, "pool/large"), time.Time{}, time.Unix(2, 0)) }},
	} {
		step.do()
		sum := hash(dir)
		if was, ok := seen[sum]; ok {
			t.Errorf("%s is the same as %s", step.what, was)
		}
		seen[sum] = step.what
	}
	last := hash(dir)
	os.Chtimes(filepath.Join(dir, "pool/a.deb"), time.Time{}, time.Unix(9, 0))
	if hash(dir) != last {
		t.Error("the time of a file that is read counts")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if hash(link) != last {
		t.Error("by a link it is another folder")
	}
	if hash(os.DevNull) != "" || hash(filepath.Join(dir, "gone")) != "" {
		t.Error("a device and what is not there have a digest")
	}
	if hash(filepath.Join(dir, "pool/a.deb")) == hash(filepath.Join(dir, "pool/large")) {
		t.Error("two files are the same")
	}
}

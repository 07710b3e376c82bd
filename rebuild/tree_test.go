package rebuild

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// plant makes a folder with a file "text" and what else is asked for.
func plant(t *testing.T, more func(dir string) error) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "item")
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "text"), []byte("hello"), 0o600)
	}
	if err == nil && more != nil {
		err = more(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTreeDifferences(t *testing.T) {
	for _, tc := range []struct {
		name string
		more func(dir string) error
		want []string
	}{
		{"the same", nil, nil},
		{"another content", func(dir string) error { return os.WriteFile(filepath.Join(dir, "text"), []byte("jello"), 0o600) }, []string{"text"}},
		{"executable", func(dir string) error { return os.Chmod(filepath.Join(dir, "text"), 0o700) }, []string{"text"}},
		{"a date", func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "text"), time.Unix(1, 0), time.Unix(1, 0))
		}, nil},
		{"more", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700) }, []string{"a", "a/b"}},
		{"a link", func(dir string) error { return os.Symlink("text", filepath.Join(dir, "link")) }, []string{"link"}},
		{"a folder instead", func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "text")); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, "text"), 0o700)
		}, []string{"text"}},
	} {
		one, other := plant(t, nil), plant(t, tc.more)
		for _, pair := range [][2]string{{one, other}, {other, one}} {
			got, err := TreeDifferences(pair[0], pair[1])
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("%s: %q, %v", tc.name, got, err)
			}
		}
	}
}

func TestTreeDifferencesOfMany(t *testing.T) {
	many := plant(t, func(dir string) error {
		for i := range 200 {
			if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("%03d", i)), 0o700); err != nil {
				return err
			}
		}
		return nil
	})
	got, err := TreeDifferences(many, plant(t, nil))
	if err != nil || len(got) != maxDifferences || got[99] != "099" {
		t.Errorf("%d paths, %v", len(got), err)
	}
	if _, err := TreeDifferences(many, filepath.Join(many, "missing")); err == nil {
		t.Error("no error for what is not there")
	}
	file := filepath.Join(many, "text")
	if got, err := TreeDifferences(file, plant(t, nil)); err != nil || !slices.Equal(got, []string{".", "text"}) {
		t.Errorf("a file against a folder: %q, %v", got, err)
	}
}

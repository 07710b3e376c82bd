package policy

import (
	"strings"
	"testing"
)

func TestMatchPath(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		yes, no []string
	}{
		{"a/b", []string{"a/b"}, []string{"a", "a/b/c", "b", "a/bb"}},
		{"a/*", []string{"a/b", "a/"}, []string{"a/b/c", "a"}},
		{"*.pyc", []string{"x.pyc", ".pyc"}, []string{"a/x.pyc", "x.pyc2"}},
		{"**/*.pyc", []string{"x.pyc", "a/x.pyc", "a/b/c/x.pyc"}, []string{"a/x.py"}},
		{"a/**", []string{"a", "a/b", "a/b/c"}, []string{"b", "ab"}},
		{"a/**/b/*.c", []string{"a/b/x.c", "a/x/y/b/x.c", "a/b/b/x.c"}, []string{"a/x.c", "a/b/c/x.c"}},
		{"**", []string{"a", "a/b"}, nil},
		{"**/**/x", []string{"x", "a/x", "a/b/x"}, []string{"xx"}},
		{"a?c", []string{"abc", "aéc", "a\xffc"}, []string{"ac", "a/c2", "aééc"}},
		{"*?c", []string{"éc", "aéc"}, []string{"c", "é"}},
		{`a\*c`, []string{"a*c"}, []string{"abc"}},
		{`a\\c`, []string{`a\c`}, []string{"abc"}},
		{"a[b]", []string{"a[b]"}, []string{"ab"}},
		{"*a*a*a*b", []string{"aaab", "xaxaxaxb"}, []string{"aab", strings.Repeat("a", 2000)}},
		{"config:config.Labels.*", []string{"config:config.Labels.x/y"}, []string{"config:config.Env[0]", "config.Labels.x"}},
		{"**", nil, []string{"config:created"}},
	} {
		for _, path := range tc.yes {
			if !matchPath(tc.pattern, path) {
				t.Errorf("%q does not match %q", tc.pattern, path)
			}
		}
		for _, path := range tc.no {
			if matchPath(tc.pattern, path) {
				t.Errorf("%q matches %q", tc.pattern, path)
			}
		}
	}
}

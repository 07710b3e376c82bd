package guix

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/rebuild"
	"audit/rebuild/drv"
)

func TestFetch(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tc := range []struct {
		builder string
		env     map[string]string
		want    rebuild.Fetch
	}{
		{"builtin:download", map[string]string{"url": `"mirror://gnu/hello/hello-2.12.2.tar.gz"`, "mirrors": "/gnu/store/m"},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"mirror://gnu/hello/hello-2.12.2.tar.gz"}, Lists: []string{"/gnu/store/m"}}},
		{"builtin:download", map[string]string{"url": `("https://a.example/bash?id=1" "http://b.example/bash")`, "executable": "1"},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"https://a.example/bash?id=1", "http://b.example/bash"}, Executable: true}},
		{"builtin:git-download", map[string]string{"url": `"https://a.example/x"`, "commit": "v0.5.0"},
			rebuild.Fetch{Method: rebuild.FetchGitRef, Addresses: []string{"https://a.example/x"}, Revision: "v0.5.0"}},
		{"/gnu/store/x-guile/bin/guile", map[string]string{"git url": `"https://a.example/x"`, "git commit": commit},
			rebuild.Fetch{Method: rebuild.FetchGitCommit, Addresses: []string{"https://a.example/x"}, Revision: commit}},
		{"/gnu/store/x-guile/bin/guile", map[string]string{"svn url": "svn://a.example/x", "svn revision": "12"},
			rebuild.Fetch{Method: rebuild.FetchSVN, Addresses: []string{"svn://a.example/x"}, Revision: "12"}},
		{"/gnu/store/x-guile/bin/guile", map[string]string{"hg ref url": "https://a.example/x", "hg ref changeset": commit},
			rebuild.Fetch{Method: rebuild.FetchHg, Addresses: []string{"https://a.example/x"}, Revision: commit}},
		{"builtin:download", map[string]string{"url": `("https://a.example"`}, rebuild.Fetch{Method: rebuild.FetchURL}},
		{"/gnu/store/x-guile/bin/guile", nil, rebuild.Fetch{}},
	} {
		if diff := cmp.Diff(tc.want, fetch(&drv.Derivation{Builder: tc.builder, Env: tc.env})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tc.env, diff)
		}
	}
}

func TestMirrors(t *testing.T) {
	for text, want := range map[string]map[string][]string{
		`((gnu "https://a.example/gnu/" "ftp://b.example/") (gcc "https://a.example/gcc/"))`: {"gnu": {"https://a.example/gnu/", "ftp://b.example/"}, "gcc": {"https://a.example/gcc/"}},
		`("https://disarchive.example/" "https://b.example/")`:                               {"": {"https://disarchive.example/", "https://b.example/"}},
		`(lambda (file) file)`: {},
		`("`:                   nil,
	} {
		if diff := cmp.Diff(want, mirrors([]byte(text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

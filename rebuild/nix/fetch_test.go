package nix

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/rebuild"
	"audit/rebuild/drv"
)

func TestFetch(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tc := range []struct {
		name, builder string
		open          bool // no hash says what comes out
		env           map[string]string
		want          rebuild.Fetch
	}{
		{"builtin", "builtin:fetchurl", false, map[string]string{"url": "http://a.example/busybox", "executable": "1"},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"http://a.example/busybox"}, Executable: true}},
		{"fetchurl", "/nix/store/x/bin/bash", false, map[string]string{"urls": "mirror://gnu/h.tar https://a.example/h.tar", "mirrorsFile": "/nix/store/m"},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"mirror://gnu/h.tar", "https://a.example/h.tar"}, Lists: []string{"/nix/store/m"}}},
		{"fetchgit", "/nix/store/x/bin/bash", false, map[string]string{"url": "https://a.example/x", "rev": commit, "leaveDotGit": ""},
			rebuild.Fetch{Method: rebuild.FetchGitCommit, Addresses: []string{"https://a.example/x"}, Revision: commit}},
		{"by tag", "/nix/store/x/bin/bash", false, map[string]string{"url": "https://a.example/x", "rev": "refs/tags/v1", "fetcher": "/nix/store/y-nix-prefetch-git"},
			rebuild.Fetch{Method: rebuild.FetchGitRef, Addresses: []string{"https://a.example/x"}, Revision: "refs/tags/v1"}},
		{"fetchsvn", "/nix/store/x/bin/bash", false, map[string]string{"url": "svn://a.example/x", "rev": "12", "ignoreExternals": ""},
			rebuild.Fetch{Method: rebuild.FetchSVN, Addresses: []string{"svn://a.example/x"}, Revision: "12"}},
		{"fetchhg", "/nix/store/x/bin/bash", false, map[string]string{"url": "https://a.example/x", "rev": "default", "subrepoClause": "S"},
			rebuild.Fetch{Method: rebuild.FetchHgRef, Addresses: []string{"https://a.example/x"}, Revision: "default"}},
		{"as JSON", "/nix/store/x/bin/bash", false, map[string]string{"__json": `{"urls":["https://a.example/x","https://b.example/x"],"executable":true}`},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"https://a.example/x", "https://b.example/x"}, Executable: true}},
		{"no hash", "builtin:fetchurl", true, map[string]string{"url": "http://a.example/x"},
			rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"http://a.example/x"}}},
		{"impure", "/bin/sh", true, map[string]string{"__impure": "1"}, rebuild.Fetch{Impure: "__impure"}},
		{"a package with a home page", "/bin/sh", true, map[string]string{"url": "https://a.example"}, rebuild.Fetch{}},
	} {
		d := &drv.Derivation{Outputs: []drv.Output{{Name: "out", Path: "/nix/store/x", Algorithm: "sha256", Hash: "00"}}, Builder: tc.builder, Env: tc.env}
		if tc.open {
			d.Outputs[0].Hash = ""
		}
		if diff := cmp.Diff(tc.want, fetch(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestMirrors(t *testing.T) {
	got := mirrors([]byte("alsa='https://a.example/alsa/ http://b.example/'\nexport gnu=\"https://c.example/gnu/\"\nhashedMirrors='https://d.example/'\nname=value\n"))
	want := map[string][]string{"alsa": {"https://a.example/alsa/", "http://b.example/"}, "gnu": {"https://c.example/gnu/"}, "hashedMirrors": {"https://d.example/"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package profile

import (
	"slices"
	"strings"
	"testing"

	"audit/provenance"
)

func TestReadSystem(t *testing.T) {
	commit := strings.Repeat("1", 40)
	const signer = "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA"
	data := `(channel (name guix) (url "u") (branch "b") (commit "` + commit + `"))`
	code := `(channel (name 'guix) (url "u") (branch "b") (commit "` + commit + `") (introduction (make-channel-introduction "` + commit + `" (openpgp-fingerprint "` + signer + `"))))`
	for _, tc := range []struct {
		text    string
		names   []string
		problem string
	}{
		{`(provenance (version 0) (channels ` + data + `) (configuration-file #f))`, []string{"guix"}, ""},
		{`(provenance (version 0) (channels) (configuration-file #f))`, nil, ""},
		{`(list ` + code + `)`, []string{"guix"}, ""},
		{`(list ` + code + code + `)`, []string{"guix"}, "f:1:265: recipe/channel-twice guix"},
		{`(list (system "id") ` + code + `)`, []string{"guix"}, "f:1:7: recipe/bad-channel (channel (name …)"},
		{`(begin (system "id"))`, nil, "f:1:1: recipe/bad-channel (channel (name …)"},
		{`(list`, nil, "recipe/file-unreadable 1:1: a parenthesis that nothing closes"},
		{`(list ` + strings.Replace(code, signer, "x", 1) + `)`, nil, "no OpenPGP fingerprint"},
		{``, nil, ""},
	} {
		list := ReadSystem("f", []byte(tc.text))
		var names []string
		for _, c := range list.List {
			names = append(names, c.Name)
			if c.URL != "u" || c.Branch != "b" || c.Commit != commit {
				t.Errorf("%s: %+v", tc.text, c)
			}
		}
		problems := written(list.Problems)
		if !slices.Equal(names, tc.names) || (tc.problem == "") != (problems == "") || !strings.Contains(problems, tc.problem) {
			t.Errorf("%s: %q, problems %q", tc.text, names, problems)
		}
	}
	want := provenance.Introduction{Commit: commit, Fingerprint: signer}
	if got := ReadSystem("f", []byte("(list "+code+")")).List[0].Introduction; got == nil || *got != want {
		t.Errorf("introduction %v", got)
	}
}

package guix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/provenance"
)

// manifestWith returns a profile manifest of one package, each part as given.
func manifestWith(name, version, url, commit, channel, rest string) string {
	return fmt.Sprintf(`(manifest (version 4) (packages ((%s %s "out" %q (properties ((provenance
	  (repository (version 0) (url %s) (branch "master") (commit %s) (name %s) %s)))))))) `, name, version, somePath, url, commit, channel, rest)
}

// Profiles that try to get a program into a Scheme file. Each either comes out
// as the string that it is, or its channel does not come out at all.
func TestHostileProfiles(t *testing.T) {
	const url, commit = `"https://example.org/a.git"`, `"230aa373f315f247852ee07dff34146e9b480aec"`
	for _, tc := range []struct {
		name    string
		text    string
		wants   string // a string or symbol that one of the files must hold
		problem string // what a problem must say; "" when nothing is wrong
	}{
		{"a URL that closes the form", manifestWith(`"a"`, `"1"`, `"https://x\")) (system \"id\") ((\""`, commit, "guix", ""), `https://x")) (system "id") (("`, ""},
		{"a URL with a newline", manifestWith(`"a"`, `"1"`, `"https://x\n(system \"id\")"`, commit, "guix", ""), "", "without control characters"},
		{"a URL that names a coding", manifestWith(`"a"`, `"1"`, `"https://x/;-*-coding:utf-7-*-+ACI-"`, commit, "guix", ""), "https://x/;-*-coding:utf-7-*-+ACI-", ""},
		{"a URL that is a form", manifestWith(`"a"`, `"1"`, `(system "id")`, commit, "guix", ""), "", "the address (system \"id\") is no string"},
		{"a URL with marks that turn text around", manifestWith(`"a"`, `"1"`, `"https://x\u202egro"`, commit, "guix", ""), "", "without control characters"},
		{"a commit that is a form", manifestWith(`"a"`, `"1"`, url, `(system "id")`, "guix", ""), "", "40 hexadecimal digits"},
		{"a commit with a newline", manifestWith(`"a"`, `"1"`, url, `"230aa373f315f247852ee07dff34146e9b480ae\n"`, "guix", ""), "", "40 hexadecimal digits"},
		{"a commit that is too long", manifestWith(`"a"`, `"1"`, url, `"230aa373f315f247852ee07dff34146e9b480aecc"`, "guix", ""), "", "40 hexadecimal digits"},
		{"a channel's name that closes the form", manifestWith(`"a"`, `"1"`, url, commit, `#{guix)) (system "id") ((}#`, ""), `guix)) (system "id") ((`, "no channel has the name guix"},
		{"a channel's name with a newline", manifestWith(`"a"`, `"1"`, url, commit, `#{a\xa;(system)}#`, ""), "a\n(system)", "no channel has the name guix"},
		{"a channel's name that is a form", manifestWith(`"a"`, `"1"`, url, commit, `(unquote (system "id"))`, ""), "", "is not known here"},
		{"an introduction that is a form", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(introduction (begin (system "id")))`), "", "belongs here"},
		{"a signer that is no fingerprint", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(introduction (channel-introduction (version 0) (commit `+commit+`) (signer "\")(system)")))`), "", "no OpenPGP fingerprint"},
		{"a field that is not known", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(eval (system "id"))`), "", "is not known here"},
		{"a package's name that Guile would run", manifestWith(`"#.(system \"x\")"`, `"1"`, url, commit, "guix", ""), `#.(system "x")@1`, ""},
		{"a package's name that closes the form", manifestWith(`"a\") (system \"id\") (list \""`, `"1"`, url, commit, "guix", ""), `a") (system "id") (list "@1`, ""},
		{"a package's name with a newline", manifestWith(`"a\n(system)"`, `"1"`, url, commit, "guix", ""), "a\n(system)@1", ""},
		{"a package's name that names a version", manifestWith(`"a@2"`, `"1"`, url, commit, "guix", ""), "a@2@1", "read as something else"},
		{"a version that closes the form", manifestWith(`"a"`, `"1\") (system \"id\")"`, url, commit, "guix", ""), `a@1") (system "id")`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := recoverFrom(t, tampered(t, "images/tiny.tar.gz", fixtures.SetProfileManifest(tc.text)))
			r := ev.Recipe
			for _, f := range r.Files {
				if f.Name == "channels.scm" {
					checkChannelsFile(t, f.Text)
				} else {
					checkManifestFile(t, f.Text)
				}
			}
			if tc.wants != "" && !holds(t, r.Files, tc.wants) {
				t.Errorf("no file holds %q: %s", tc.wants, r.Files)
			}
			if tc.problem != "" && (!strings.Contains(strings.Join(r.Problems, "\n"), tc.problem) || r.Status == provenance.Complete) {
				t.Errorf("recipe %s, problems %q", r.Status, r.Problems)
			}
			if tc.problem == "" && r.Status != provenance.Complete {
				t.Errorf("recipe %s, problems %q", r.Status, r.Problems)
			}
			for _, p := range r.Problems {
				if strings.ContainsAny(p, "\n\u202e") {
					t.Errorf("a problem of more than one line: %q", p)
				}
			}
		})
	}
}

// holds says whether a string or a symbol of the files is text.
func holds(t *testing.T, files []provenance.File, text string) bool {
	t.Helper()
	for _, f := range files {
		todo := parse(t, f.Text)
		for len(todo) > 0 {
			v := todo[0]
			todo = append(todo[1:], v.Items...)
			if v.Text == text {
				return true
			}
		}
	}
	return false
}

// Commits that lose against another of the same channel go into a comment, and
// nothing but commits does.
func TestOtherCommits(t *testing.T) {
	entry := func(name, commit string) string {
		return fmt.Sprintf(`(%q "1" "out" %q (properties ((provenance (repository (version 0) (url "https://example.org/a.git") (branch "master") (commit %q) (name guix))))))`, name, somePath, commit)
	}
	first, second := strings.Repeat("1", 40), strings.Repeat("2", 40)
	p := mustParse(t, []byte("(manifest (version 4) (packages ("+entry("a", first)+entry("b", second)+entry("c", second)+entry("d", "2\n(system)")+")))"))
	list := listChannels(p)
	text := channelsFile(list)
	checkChannelsFile(t, text)
	if !strings.Contains(string(text), "  ;;   "+second+"\n") || strings.Contains(string(text), "system") {
		t.Errorf("got\n%s", text)
	}
	want := "channels.scm can name one commit of the channel guix, which is " + first + ", and these packages come from " + second + `: "b", "c"`
	if len(list.written) != 1 || list.written[0].Commit != first || !slices.Contains(list.problems, want) {
		t.Errorf("%v, problems %q", list.written, list.problems)
	}
}

// What one channels.scm cannot say of the channels of a profile.
func TestChannelProblems(t *testing.T) {
	repository := func(url, commit, rest string) string {
		return fmt.Sprintf(`(repository (version 0) (url %q) (branch "master") (commit %q) %s)`, url, strings.Repeat(commit, 40), rest)
	}
	entry := func(name string, repositories ...string) string {
		return fmt.Sprintf(`(%q "1" "out" %q (properties ((provenance %s))))`, name, somePath, strings.Join(repositories, " "))
	}
	guix := repository("https://example.org/guix.git", "1", "(name guix)")
	for _, tc := range []struct {
		name    string
		entries []string
		names   []string
		problem string
	}{
		{"nothing wrong", []string{entry("a", guix), entry("b", guix, repository("https://example.org/x.git", "2", "(name x)"))}, []string{"guix", "x"}, ""},
		{"names made up", []string{entry("a", repository("u", "1", ""), repository("v", "2", ""), repository("w", "3", ""))}, []string{"guix", "channel1", "channel2"}, ""},
		{"two addresses of one commit", []string{entry("a", guix), entry("b", repository("https://example.net/guix.git", "1", "(name guix)"))}, []string{"guix"},
			`one address, branch and introduction of the channel guix, and these packages name others ("https://example.net/guix.git", branch "master"): "b"`},
		{"one commit of two channels", []string{entry("a", guix, repository("v", "1", "(name x)"))}, []string{"guix"}, `leaves out the channel x, since another one has the same commit`},
		{"fields in another order", []string{entry("a", `(repository (version 0) (branch "b") (url "u") (commit "`+strings.Repeat("1", 40)+`"))`)}, nil, "in that order"},
		{"a misshapen extra", []string{entry("a", guix, `(repository)`, repository("w", "3", ""))}, []string{"guix", "channel1"}, "in that order"},
		{"no list", []string{`("a" "1" "out" "` + somePath + `" (properties ((provenance . "x"))))`}, nil, "a list of repositories belongs here"},
		{"an empty list", []string{entry("a")}, nil, "a list of repositories belongs here"},
	} {
		p := mustParse(t, []byte("(manifest (version 4) (packages ("+strings.Join(tc.entries, " ")+")))"))
		list := listChannels(p)
		var names []string
		for _, c := range list.written {
			names = append(names, c.Name)
		}
		if !slices.Equal(names, tc.names) {
			t.Errorf("%s: channels %q, want %q", tc.name, names, tc.names)
		}
		problems := strings.Join(list.problems, "\n")
		if (tc.problem == "") != (problems == "") || !strings.Contains(problems, tc.problem) {
			t.Errorf("%s: problems %q, want %q", tc.name, list.problems, tc.problem)
		}
	}
}

func TestLosses(t *testing.T) {
	for _, tc := range []struct{ property, want string }{
		{`(provenance x)`, ""},
		{`(provenance x) (transformations (with-commit . "a=1"))`, ""},
		{`(provenance x) (transformations . #f)`, ""},
		{`(provenance x) (transformations (with-latest . "a"))`, `what the transformation "--with-latest=a" gives depends on when it is applied; it was applied to: "a"`},
		{`(provenance x) (transformations (with-source . "a=/home/u/a.tar"))`, `the transformation "--with-source=a=/home/u/a.tar" needs a file that the image does not hold; it was applied to: "a"`},
		{`(provenance x) (transformations (with-source . "https://example.org/a.tar"))`, ""},
		{`(provenance x) (transformations . 1)`, `the transformations of these packages are no list: "a"`},
		{`(provenance x) (transformations 1)`, `the transformations of these packages are not of the form (OPTION . VALUE): "a"`},
		{`(provenance x) (comment . "x")`, `manifest.scm cannot carry the property comment, which the profile has of: "a"`},
		{`(source x)`, "no package has its provenance recorded"},
		{``, "no package has its provenance recorded"},
	} {
		p := mustParse(t, []byte(`(manifest (version 4) (packages (("a" "1" "out" "`+somePath+`" (properties (`+tc.property+`))))))`))
		got := strings.Join(losses(p.Entries), "\n")
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.property, got, tc.want)
		}
	}
}

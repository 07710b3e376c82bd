package profile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Commits that lose against another of the same channel go into a comment, and
// nothing but commits does.
func TestOtherCommits(t *testing.T) {
	entry := func(name, commit string) string {
		return fmt.Sprintf(`(%q "1" "out" %q (properties ((provenance (repository (version 0) (url "https://example.org/a.git") (branch "master") (commit %q) (name guix))))))`, name, somePath, commit)
	}
	first, second := strings.Repeat("1", 40), strings.Repeat("2", 40)
	p := mustParse(t, []byte("(manifest (version 4) (packages ("+entry("a", first)+entry("b", second)+entry("c", second)+entry("d", "2\n(system)")+")))"))
	list := p.Channels()
	text := list.File()
	if !strings.Contains(string(text), "  ;;   "+second+"\n") || strings.Contains(string(text), "system") {
		t.Errorf("got\n%s", text)
	}
	want := "recipe/channel-commits guix " + first + " " + second + ` "b", "c"`
	if len(list.List) != 1 || list.List[0].Commit != first || !strings.Contains(written(list.Problems), want) {
		t.Errorf("%v, problems %q", list.List, list.Problems)
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
		{"two channels of one name", []string{entry("a", guix), entry("b", repository("https://example.net/guix.git", "2", "(name guix)"))}, []string{"guix"},
			`recipe/channel-commits "https://example.net/guix.git" guix 1111111111111111111111111111111111111111 2222222222222222222222222222222222222222 "b"`},
		{"two addresses of one commit", []string{entry("a", guix), entry("b", repository("https://example.net/guix.git", "1", "(name guix)"))}, []string{"guix"},
			`recipe/channel-addresses "https://example.net/guix.git" "master" guix "b"`},
		{"one commit of two channels", []string{entry("a", guix, repository("v", "1", "(name x)"))}, []string{"guix"}, `recipe/channel-left-out x 1111111111111111111111111111111111111111 "a"`},
		{"fields in another order", []string{entry("a", `(repository (version 0) (branch "b") (url "u") (commit "`+strings.Repeat("1", 40)+`"))`)}, nil, "in that order"},
		{"a misshapen extra", []string{entry("a", guix, `(repository)`, repository("w", "3", ""))}, []string{"guix", "channel1"}, "in that order"},
		{"no list", []string{`("a" "1" "out" "` + somePath + `" (properties ((provenance . "x"))))`}, nil, "a list of repositories belongs here"},
		{"an empty list", []string{entry("a")}, nil, "a list of repositories belongs here"},
	} {
		p := mustParse(t, []byte("(manifest (version 4) (packages ("+strings.Join(tc.entries, " ")+")))"))
		list := p.Channels()
		var names []string
		for _, c := range list.List {
			names = append(names, c.Name)
		}
		if !slices.Equal(names, tc.names) {
			t.Errorf("%s: channels %q, want %q", tc.name, names, tc.names)
		}
		problems := written(list.Problems)
		if (tc.problem == "") != (problems == "") || !strings.Contains(problems, tc.problem) {
			t.Errorf("%s: problems %q, want %q", tc.name, list.Problems, tc.problem)
		}
	}
}

// Of a transformed package Guix records its own channel alone, whichever it comes
// from: then its channel is not known.
func TestOriginOfTransformed(t *testing.T) {
	repository := func(name string) string {
		return fmt.Sprintf(`(repository (version 0) (url "https://example.org/%s.git") (branch "master") (commit %q) (name %s))`, name, strings.Repeat("1", 40), name)
	}
	const transformed = `(transformations (without-tests . "a"))`
	for _, tc := range []struct{ properties, want string }{
		{"(provenance " + repository("guix") + ")", "guix"},
		{"(provenance " + repository("guix") + " " + repository("x") + ")", "x"},
		{"(provenance " + repository("guix") + ") " + transformed, ""},
		{"(provenance " + repository("guix") + " " + repository("x") + ") " + transformed, "x"},
		{transformed, ""},
	} {
		p := mustParse(t, []byte(`(manifest (version 4) (packages (("a" "1" "out" "`+somePath+`" (properties (`+tc.properties+`))))))`))
		if got := p.Packages()[0]; got.Channel != tc.want || (got.Origin != nil) != (tc.want != "") {
			t.Errorf("%s: channel %q (%v), want %q", tc.properties, got.Channel, got.Origin, tc.want)
		}
	}
}

// Guix drops from a manifest what is in it a second time.
func TestRepeatedEntry(t *testing.T) {
	entry := `("a" "1" "out" "` + somePath + `" (properties ((provenance x))))`
	for list, want := range map[string]bool{
		entry + entry: true,
		entry + `(repeated "a" "1" "` + somePath + `")`:                                  true,
		entry + `("a" "1" "doc" "` + somePath + `" (properties ((provenance x))))`:       false,
		entry + `("a" "1" "out" "` + somePath + `-other" (properties ((provenance x))))`: false,
	} {
		p := mustParse(t, []byte("(manifest (version 4) (packages ("+list+")))"))
		if got := written(p.Losses()); strings.Contains(got, `recipe/package-twice "a"`) != want {
			t.Errorf("%s: %q", list, got)
		}
	}
}

func TestLosses(t *testing.T) {
	for _, tc := range []struct{ property, want string }{
		{`(provenance x)`, ""},
		{`(provenance x) (transformations (with-commit . "a=1"))`, ""},
		{`(provenance x) (transformations . #f)`, ""},
		{`(provenance x) (transformations (with-latest . "a"))`, `recipe/moving-transformation "--with-latest=a" "a"`},
		{`(provenance x) (transformations (with-source . "a=/home/u/a.tar"))`, `recipe/local-transformation "--with-source=a=/home/u/a.tar" "a"`},
		{`(provenance x) (transformations (with-source . "https://example.org/a.tar"))`, ""},
		{`(provenance x) (transformations . 1)`, `recipe/bad-transformations "a"`},
		{`(provenance x) (transformations 1)`, `recipe/bad-transformations "a"`},
		{`(provenance x) (comment . "x")`, `recipe/property-lost "a" comment`},
		{`(source x)`, "recipe/no-provenance"},
		{``, "recipe/no-provenance"},
	} {
		p := mustParse(t, []byte(`(manifest (version 4) (packages (("a" "1" "out" "`+somePath+`" (properties (`+tc.property+`))))))`))
		got := written(p.Losses())
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.property, got, tc.want)
		}
	}
}

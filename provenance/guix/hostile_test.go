package guix

import (
	"fmt"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/provenance"
	"audit/provenance/guix/scheme"
)

const somePath = "/gnu/store/0dwkn8xg5giqwrdplhqn0a0znsa7i9hh-hello-2.12.1"

func mustScheme(t testing.TB, text []byte) []scheme.Value {
	t.Helper()
	values, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return values
}

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
		{"a URL that is a form", manifestWith(`"a"`, `"1"`, `(system "id")`, commit, "guix", ""), "", `the address (system \"id\") is no string`},
		{"a URL with marks that turn text around", manifestWith(`"a"`, `"1"`, `"https://x\u202egro"`, commit, "guix", ""), "", "without control characters"},
		{"a commit that is a form", manifestWith(`"a"`, `"1"`, url, `(system "id")`, "guix", ""), "", "40 hexadecimal digits"},
		{"a commit with a newline", manifestWith(`"a"`, `"1"`, url, `"230aa373f315f247852ee07dff34146e9b480ae\n"`, "guix", ""), "", "40 hexadecimal digits"},
		{"a commit that is too long", manifestWith(`"a"`, `"1"`, url, `"230aa373f315f247852ee07dff34146e9b480aecc"`, "guix", ""), "", "40 hexadecimal digits"},
		{"a channel's name that closes the form", manifestWith(`"a"`, `"1"`, url, commit, `#{guix)) (system "id") ((}#`, ""), `guix)) (system "id") ((`, "recipe/no-channel-guix"},
		{"a channel's name with a newline", manifestWith(`"a"`, `"1"`, url, commit, `#{a\xa;(system)}#`, ""), "a\n(system)", "recipe/no-channel-guix"},
		{"a channel's name that is a form", manifestWith(`"a"`, `"1"`, url, commit, `(unquote (system "id"))`, ""), "", "is not known here"},
		{"an introduction that is a form", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(introduction (begin (system "id")))`), "", "belongs here"},
		{"a signer that is no fingerprint", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(introduction (channel-introduction (version 0) (commit `+commit+`) (signer "\")(system)")))`), "", "no OpenPGP fingerprint"},
		{"a field that is not known", manifestWith(`"a"`, `"1"`, url, commit, "guix", `(eval (system "id"))`), "", "is not known here"},
		{"a package's name that Guile would run", manifestWith(`"#.(system \"x\")"`, `"1"`, url, commit, "guix", ""), `#.(system "x")@1`, ""},
		{"a package's name that closes the form", manifestWith(`"a\") (system \"id\") (list \""`, `"1"`, url, commit, "guix", ""), `a") (system "id") (list "@1`, ""},
		{"a package's name with a newline", manifestWith(`"a\n(system)"`, `"1"`, url, commit, "guix", ""), "a\n(system)@1", ""},
		{"a package's name that names a version", manifestWith(`"a@2"`, `"1"`, url, commit, "guix", ""), "a@2@1", "recipe/ambiguous-specification"},
		{"a version that closes the form", manifestWith(`"a"`, `"1\") (system \"id\")"`, url, commit, "guix", ""), `a@1") (system "id")`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev := recoverFrom(t, tampered(t, "images/tiny.tar.gz", fixtures.SetProfileManifest(tc.text)))
			r := ev.Recipe
			for _, f := range r.Files {
				checkFile(t, f)
			}
			if tc.wants != "" && !holds(t, r.Files, tc.wants) {
				t.Errorf("no file holds %q: %s", tc.wants, r.Files)
			}
			if tc.problem != "" && (!strings.Contains(texts(r.Missing), tc.problem) || r.Status == provenance.Complete) {
				t.Errorf("recipe %s, problems %q", r.Status, r.Missing)
			}
			if tc.problem == "" && r.Status != provenance.Complete {
				t.Errorf("recipe %s, problems %q", r.Status, r.Missing)
			}
			for _, p := range r.Missing {
				for name := range p.Args {
					if strings.ContainsAny(p.Args.String(name), "\n\u202e") {
						t.Errorf("an argument of more than one line: %s", p)
					}
				}
			}
		})
	}
}

// checkFile makes sure that a file can do nothing but what it is for, and that
// Guile takes it for UTF-8 whatever it holds.
func checkFile(t *testing.T, f provenance.File) {
	t.Helper()
	for _, form := range mustScheme(t, f.Text) {
		checkForm(t, form)
	}
	if !strings.HasPrefix(string(f.Text), ";; -*- coding: utf-8 -*-\n") {
		t.Errorf("%s does not begin with its coding", f.Name)
	}
}

// checkForm makes sure that a form applies nothing but the procedures of the two
// files to data.
func checkForm(t *testing.T, form scheme.Value) {
	t.Helper()
	if form.Kind == scheme.String || form.Kind == scheme.False {
		return
	}
	if !form.IsList() || len(form.Items) == 0 || form.Items[0].Kind != scheme.Symbol {
		t.Errorf("%s is no plain form", form)
		return
	}
	switch head := form.Items[0].Text; head {
	case "quote", "use-modules":
		return
	case "define", "name", "url", "branch", "commit", "introduction", "list", "channel", "make-channel-introduction", "openpgp-fingerprint",
		"specifications->manifest", "packages->manifest", "specification->package", "options->transformation":
		for _, item := range form.Items[1:] {
			if item.Kind != scheme.Symbol || head != "define" {
				checkForm(t, item)
			}
		}
	default:
		if !strings.HasPrefix(head, "transform") {
			t.Errorf("%s calls %s", form, head)
		}
	}
}

// holds says whether a string or a symbol of the files is text.
func holds(t *testing.T, files []provenance.File, text string) bool {
	t.Helper()
	for _, f := range files {
		todo := mustScheme(t, f.Text)
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

package profile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/provenance"
)

// What people write by hand is understood as far as it is literal.
func TestReadGiven(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Given
	}{
		{"channels", `(cons (channel (name 'mine) (url "https://a.example/mine") (commit "11"))
		  (list (channel (url "https://b.example/guix") (name 'guix) (branch "master") (commit "22")) (channel (name other))))`,
			Given{Channels: []provenance.Channel{
				{Name: "mine", URL: "https://a.example/mine", Commit: "11"},
				{Name: "guix", URL: "https://b.example/guix", Branch: "master", Commit: "22"}, {Name: "other"},
			}}},
		{"a list of packages", `;; mine
		(use-modules (gnu))
		(specifications->manifest (list "hello" "gcc-toolchain@12:debug"))`,
			Given{Packages: []Package{{Name: "hello", Output: "out"}, {Name: "gcc-toolchain", Version: "12", Output: "debug"}}, Whole: true}},
		{"a quoted list", `(specifications->manifest '("hello"))`, Given{Packages: []Package{{Name: "hello", Output: "out"}}, Whole: true}},
		{"computed packages", `(specifications->manifest (append list-a list-b))`, Given{}},
		{"a computed one", `(specifications->manifest (list "hello" (f)))`, Given{Packages: []Package{{Name: "hello", Output: "out"}}}},
		{"no Scheme", `(list "`, Given{}},
		{"nothing", ``, Given{}},
		{"deep", strings.Repeat("(", 100000), Given{}},
	} {
		if diff := cmp.Diff(tt.want, ReadGiven([]byte(tt.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// What an image records itself is compared with what was given.
func TestGivenAgainst(t *testing.T) {
	image := Manifest{{Name: "hello", Version: "2.12.1", Output: "out"}, {Name: "gcc", Version: "11.3.0", Output: "lib"}}
	recorded := []provenance.Channel{{Name: "guix", Commit: "11"}}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"the same", `(specifications->manifest (list "hello@2.12" "gcc:lib"))`, nil},
		{"another commit", `(list (channel (name 'guix) (commit "22")))`, []string{"derivation/given-commit-differs"}},
		{"the same commit", `(list (channel (name 'guix) (commit "11")) (channel (name 'b) (commit "33")))`, nil},
		{"a newest commit", `(list (channel (name 'guix)))`, nil},
		{"another version", `(specifications->manifest (list "hello@2.1" "gcc@11:lib"))`, []string{"derivation/given-version-differs"}},
		{"other packages", `(specifications->manifest (list "hello" "gcc" "gcc:lib"))`, []string{"derivation/given-has-package"}},
		{"one less", `(specifications->manifest (list "hello"))`, []string{"derivation/given-lacks-package"}},
		{"not to be read", `(packages->manifest (list hello))`, nil},
	} {
		var got []string
		for _, m := range ReadGiven([]byte(tt.text)).Against(recorded, image) {
			got = append(got, m.Code)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

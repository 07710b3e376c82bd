package registry

import (
	"net/http"
	"testing"
)

// The next page of a list is found in any form of its header; one that cannot be asked for
// is no end.
func TestNextPage(t *testing.T) {
	for _, test := range []struct {
		links []string
		want  string
		fails bool
	}{
		{nil, "", false},
		{[]string{`</v2/_catalog?last=b&n=2>; rel="next"`}, "last=b&n=2", false},
		{[]string{`</v2/_catalog?last=b>;rel=next`}, "last=b", false},
		{[]string{`</v2/_catalog?last=b>; title="more, of it"; Rel = "Next"`}, "last=b", false},
		{[]string{`</v2/_catalog?n=1>; rel="first", </v2/_catalog?last=a,b>; rel="last next"`}, "last=a,b", false},
		{[]string{`</v2/_catalog?n=1>; rel="first"`, `<https://other.example/x?last=b>; rel="next"`}, "last=b", false},
		{[]string{`</v2/_catalog?n=1>; rel="prev"`, `</next>; title="next"`}, "", false},
		{[]string{`</v2/_catalog/2>; rel="next"`}, "", true},
		{[]string{`<%zz?a>; rel="next"`}, "", true},
	} {
		got, err := nextPage(http.Header{"Link": test.links})
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("%q: %q, %v", test.links, got, err)
		}
	}
}

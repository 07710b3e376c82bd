package sbom

import (
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
)

// TestLinkedPackages: metadata are found through any kind of link, each package
// once; what leads nowhere is a gap.
func TestLinkedPackages(t *testing.T) {
	const (
		site   = "usr/lib/python3/site-packages/"
		python = "Name: demo\nVersion: 1\n"
		r      = "Package: demo\nVersion: 1\n"
		npm    = `{"name": "demo", "version": "1"}`
	)
	for name, tc := range map[string]struct {
		layers [][]fixtures.File
		want   string // packages and gaps
	}{
		"metadata by a symlink": {[][]fixtures.File{{{Name: site + "demo.dist-info/METADATA", Link: "/srv/METADATA"}, {Name: "srv/METADATA", Body: python}}}, "python demo 1"},
		"metadata by a symlink to another name": {[][]fixtures.File{{{Name: site + "demo.dist-info/METADATA", Link: "/srv/x"}, {Name: "srv/x", Body: python}}},
			"python demo 1"},
		"metadata by a hard link": {[][]fixtures.File{{{Name: "srv/METADATA", Body: python}, {Name: site + "demo.dist-info/METADATA", Hard: "srv/METADATA"}}}, "python demo 1"},
		"metadata by a hard link to what is deleted": {[][]fixtures.File{
			{{Name: "srv/METADATA", Body: python}, {Name: site + "demo.dist-info/METADATA", Hard: "srv/METADATA"}}, {{Name: ".wh.srv"}}}, "python demo 1"},
		"metadata by a link that leads nowhere": {[][]fixtures.File{{{Name: site + "demo.dist-info/METADATA", Link: "gone"}}},
			"gap " + site + `demo.dist-info/METADATA packages/dangling-link target="gone"`},
		"the folder of a package":  {[][]fixtures.File{{{Name: site + "demo.dist-info", Link: "/srv/demo"}, {Name: "srv/demo/METADATA", Body: python}}}, "python demo 1"},
		"site-packages":            {[][]fixtures.File{{{Name: "usr/lib/python3/site-packages", Link: "/srv"}, {Name: "srv/demo.dist-info/METADATA", Body: python}}}, "python demo 1"},
		"written through a link":   {[][]fixtures.File{{{Name: "usr/lib/python3", Link: "/srv"}}, {{Name: site + "demo.dist-info/METADATA", Body: python}}}, "python demo 1"},
		"by two names":             {[][]fixtures.File{{{Name: site + "demo.dist-info/METADATA", Body: python}, {Name: "x/demo.dist-info/METADATA", Link: "/" + site + "demo.dist-info/METADATA"}}}, "python demo 1"},
		"a package of R":           {[][]fixtures.File{{{Name: "usr/lib/R/library/demo", Link: "/srv/demo"}, {Name: "srv/demo/DESCRIPTION", Body: r}}}, "r demo 1"},
		"a library of R":           {[][]fixtures.File{{{Name: "usr/lib/R/library", Link: "/srv"}, {Name: "srv/demo/DESCRIPTION", Body: r}}}, "r demo 1"},
		"two links to one library": {[][]fixtures.File{{{Name: "a/library", Link: "/srv"}, {Name: "b/library", Link: "/srv"}, {Name: "srv/demo/DESCRIPTION", Body: r}}}, "r demo 1"},
		"a package of npm": {[][]fixtures.File{{{Name: "app/node_modules/demo", Link: "../../srv/node_modules/demo"}, {Name: "srv/node_modules/demo/package.json", Body: npm}}},
			"npm demo 1"},
		"node_modules": {[][]fixtures.File{{{Name: "app/node_modules", Link: "/srv"}, {Name: "srv/@s/demo/package.json", Body: npm}}}, "npm demo 1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := collect(t, docker(t, tc.layers), Options{})
			var got []string
			for _, p := range b.Parts {
				got = append(got, strings.Join([]string{string(p.Ecosystem), p.Name, p.Version}, " "))
			}
			for _, g := range b.Gaps {
				got = append(got, "gap "+g.Path+" "+g.Message.String())
			}
			slices.Sort(got)
			if text := strings.Join(got, "; "); text != tc.want {
				t.Errorf("%s, want %s", text, tc.want)
			}
		})
	}
}

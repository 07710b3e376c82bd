package records

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isGem says whether a file is the specification that RubyGems leaves of a gem that it
// has installed.
func isGem(p string) bool {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(strings.TrimSuffix(dir, "/"), "/default")
	return strings.HasSuffix(name, ".gemspec") && path.Base(dir) == "specifications"
}

// A specification is a program in Ruby; RubyGems itself reads these lines without
// running it (Gem::StubSpecification of RubyGems 3.5), and writes licences as a list of
// plain texts.
var (
	gemStub     = regexp.MustCompile(`(?m)^# stub: (\S+) (\S+) (\S+) `)
	gemLicenses = regexp.MustCompile(`(?m)^  s\.licenses = \[(.*)\]`)
	gemText     = regexp.MustCompile(`"([^"\\]*)"`)
)

func (r *reader) gem(at found, body []byte) error {
	m := gemStub.FindSubmatch(body)
	if m == nil {
		return errors.New("it has no line that names a gem")
	}
	c := Component{Ecosystem: Gem, Name: string(m[1]), Version: string(m[2]), Locator: Locator{Type: packageurl.TypeGem}, In: -1}
	if platform := string(m[3]); platform != "ruby" {
		c.Build, c.Locator.Qualifiers = platform, map[string]string{"platform": platform}
	}
	if m := gemLicenses.FindSubmatch(body); m != nil {
		var names []string
		for _, name := range gemText.FindAllSubmatch(m[1], maxFields) {
			names = append(names, string(name[1]))
		}
		c.Licenses = []License{{Text: strings.Join(names, ", "), Meaning: strings.Join(names, " OR ")}}
	}
	r.add(c, at.File)
	return nil
}

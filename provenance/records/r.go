package records

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"
)

// isR says whether a file describes an R package that is installed in a library.
func isR(p string) bool {
	dir, name := path.Split(p)
	return name == "DESCRIPTION" && isRLibrary(path.Dir(strings.TrimSuffix(dir, "/")))
}

// isRLibrary says whether a folder is a library of R: one named so, that of a user for one
// version (R 4.4, help(".libPaths")), or one of a project with renv or packrat.
func isRLibrary(dir string) bool {
	parent, base := path.Split(dir)
	switch base {
	case "library", "site-library":
		return true
	}
	if strings.HasSuffix(parent, "-library/") { // x86_64-pc-linux-gnu-library/4.4
		return base != "" && strings.Trim(base, "0123456789.") == ""
	}
	return rProject.MatchString("/" + dir)
}

// rProject matches the library of a project: of renv 1.0 (paths$library) for a version of R
// and a platform, below the system since 1.1, and of packrat 0.9.
var rProject = regexp.MustCompile(`/renv/library/([^/]+/)?R-[0-9.]+/[^/]+$|/packrat/lib/[^/]+/[0-9.]+$`)

// rCache is where renv has packages to which the libraries of projects have links.
const rCache = "renv/cache/"

// r reads the file DESCRIPTION ("Writing R Extensions" of R 4.4, section 1.1.1).
func (r *reader) r(at found, body []byte) error {
	fields := headers(body)
	name := first(fields["package"])
	if name == "" {
		return errors.New("it names no package")
	}
	license := first(fields["license"])
	c := Component{Ecosystem: R, Name: name, Version: first(fields["version"]), In: -1, Licenses: []License{{license, rLicense(license)}}}
	if ofCRAN(fields) {
		c.Locator.Type = packageurl.TypeCran
	}
	c.URL = publicURL(first(fields["remoteurl"]))
	dir := path.Dir(at.name)
	c.Library = path.Dir(dir)
	i := r.add(c, at.File)
	if link, ok := r.root.Name(dir); ok && link.Type == '2' && i >= 0 {
		r.claim(link.Path, claim{component: int32(i), holder: int32(i), standing: Listed})
	}
	sums, file, ok := r.beside(dir + "/MD5")
	r.environment(path.Dir(dir), R, !ok)
	if ok {
		rSums(r.list(file, i, len(sums)), dir, sums)
	}
	return nil
}

// isRRecord says whether a file lists those of a package: binary packages have one,
// and those that were installed from source do not.
func isRRecord(p string) bool {
	dir, name := path.Split(p)
	return name == "MD5" && (isR(dir+"DESCRIPTION") || strings.Contains("/"+dir, "/"+rCache))
}

// rSums reads the file MD5 (tools:::.installMD5sums of R 4.5): "DIGEST *NAME" a line.
// Tools that install packages add to DESCRIPTION where it came from.
func rSums(l *list, dir string, sums []byte) {
	for line := range strings.Lines(string(sums)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if name = strings.TrimPrefix(strings.TrimSpace(name), "*"); !ok || name == "" {
			continue
		}
		otherwise := Differs
		if name == "DESCRIPTION" {
			otherwise = Listed
		}
		if !l.putAny(under(dir, name), otherwise, hexDigest("md5", sum)...) {
			return
		}
	}
}

// ofCRAN says whether a package is of CRAN, which names itself in each: a part of R, of
// Bioconductor or from another place is none, and there are no package URLs for these.
func ofCRAN(fields map[string][]string) bool {
	switch first(fields["remotetype"]) {
	case "", "standard", "cran":
		return IsCRAN(first(fields["repository"])) && first(fields["priority"]) != "base" && len(fields["biocviews"]) == 0
	}
	return false
}

// IsCRAN says whether a name in the field Repository is that of CRAN, or of a mirror that has
// its packages under the same versions (Posit Package Manager, as images of rocker use it).
func IsCRAN(repository string) bool {
	switch repository {
	case "CRAN", "RSPM", "P3M", "PPM":
		return true
	}
	return false
}

// rLicense returns the SPDX license expression for R's own way to name
// licences: abbreviations, or names with a range of versions, with "|" between
// alternatives and "+ file LICENSE" for more to read (section 1.1.2). It is ""
// for a licence that R has no abbreviation for.
func rLicense(text string) string {
	var all []string
	for one := range strings.SplitSeq(text, "|") {
		one = strings.Join(strings.Fields(one), " ")
		base, more, _ := strings.Cut(one, " + file ")
		id := rLicenses()[base]
		if id == "" || more != "" && id != "MIT" && !strings.HasPrefix(id, "BSD-") {
			return "" // the file restricts the licence; for MIT and BSD it only has the name and year
		}
		all = append(all, id)
	}
	return strings.Join(all, " OR ")
}

func rLicenses() map[string]string {
	return map[string]string{
		"GPL-2": "GPL-2.0-only", "GPL-3": "GPL-3.0-only",
		"LGPL-2": "LGPL-2.0-only", "LGPL-2.1": "LGPL-2.1-only", "LGPL-3": "LGPL-3.0-only", "AGPL-3": "AGPL-3.0-only",
		"GPL (>= 2)": "GPL-2.0-or-later", "GPL (>= 2.0)": "GPL-2.0-or-later", "GPL (>= 3)": "GPL-3.0-or-later", "GPL (>= 3.0)": "GPL-3.0-or-later",
		"LGPL (>= 2)": "LGPL-2.0-or-later", "LGPL (>= 2.0)": "LGPL-2.0-or-later", "LGPL (>= 2.1)": "LGPL-2.1-or-later", "LGPL (>= 3)": "LGPL-3.0-or-later",
		"AGPL (>= 3)": "AGPL-3.0-or-later",
		"MIT":         "MIT", "BSD_2_clause": "BSD-2-Clause", "BSD_3_clause": "BSD-3-Clause",
		"Artistic-2.0": "Artistic-2.0", "Apache License 2.0": "Apache-2.0", "Apache License (== 2.0)": "Apache-2.0", "Apache License (>= 2)": "Apache-2.0", "Apache License (>= 2.0)": "Apache-2.0",
		"CC0": "CC0-1.0", "CC BY 4.0": "CC-BY-4.0", "BSL-1.0": "BSL-1.0",
		"MPL-2.0": "MPL-2.0", "MPL (>= 2.0)": "MPL-2.0", "EUPL-1.2": "EUPL-1.2",
	}
}

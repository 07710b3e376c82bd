package explain

import (
	"path"
	"regexp"
	"strings"
)

// An infoDecoder explains the file named dir, the menu of all Info manuals (the
// GNU Texinfo manual, "Installing Dir Entries"): it is text, made by one manual
// after the other, so that its entries come in the order of the installation.
type infoDecoder struct{}

func (infoDecoder) decode(d *diff, was, now []byte) bool {
	if path.Base(d.path) != "dir" || !isText(was) || !isText(now) ||
		!strings.Contains(string(was), "File: dir") || !strings.Contains(string(now), "File: dir") {
		return false
	}
	form := regexp.MustCompile(`(?m)^\* [^\n]*\([^\n]*\)[^\n]*\.`)
	d.members(form.FindAllString(string(was), -1), form.FindAllString(string(now), -1))
	in := *d
	in.unordered = true
	in.lines(was, now)
	return true
}

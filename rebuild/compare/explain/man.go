package explain

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// A manDecoder explains manual pages (groff_man(7), mdoc(7)): text, in which
// the date of the title line may have any form.
type manDecoder struct{}

func (manDecoder) decode(d *diff, was, now []byte) bool {
	if !isManual(d.path) || !isText(was) || !isText(now) || !hasTitle(was) || !hasTitle(now) {
		return false
	}
	in := *d
	in.finders = append(d.finders[:len(d.finders):len(d.finders)], manFinders()...)
	in.lines(was, now)
	return true
}

// isManual says whether a file is named like a manual page: "ls.1", "mount.8".
func isManual(file string) bool {
	ending := path.Ext(file)
	return len(ending) >= 2 && strings.ContainsRune("123456789nl", rune(ending[1]))
}

func hasTitle(text []byte) bool {
	return bytes.Contains(text, []byte(".TH ")) || bytes.Contains(text, []byte(".Dd "))
}

func manFinders() []finder {
	return []finder{
		{Date, regexp.MustCompile(`(?m)^\.TH +(?:"[^"\n]*"|[^ "\n]+) +(?:"[^"\n]*"|[^ "\n]+) +("[^"\n]*\d[^"\n]*"|[^ "\n]*\d[^ "\n]*)`), "", pathSight},
		{Date, regexp.MustCompile(`(?m)^\.Dd +([^\n]*\d[^\n]*)$`), "", pathSight},
	}
}

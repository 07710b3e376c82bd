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

// manDate is a form in which DATE stands for a date as manuals have it: in numbers,
// in words, or a year alone.
func manDate(form string) *regexp.Regexp {
	return dateForm(strings.ReplaceAll(form, "DATE", `(?:{Y}(?:[-/.]{M}(?:[-/.]{D})?)?|(?:\d{1,2}[ -])?{mon}[ -](?:\d{1,2},? )?{Y}|{D}[/.]{M}[/.]{Y})`))
}

func manFinders() []finder {
	return []finder{
		{Date, manDate(`(?m)^\.TH +(?:"[^"\n]*"|[^ "\n]+) +(?:"[^"\n]*"|[^ "\n]+) +("DATE"|DATE)(?:[ \n]|$)`), "", pathSight, nil},
		{Date, manDate(`(?m)^\.Dd +((?:\$Mdocdate: )?DATE(?: \$)?)$`), "", pathSight, nil},
	}
}

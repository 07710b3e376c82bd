package sbom

import (
	_ "embed" // for the two lists
	"fmt"
	"strings"
)

// The identifiers of the SPDX License List 3.28 (https://spdx.org/licenses/),
// deprecated ones too, one a line.
var (
	//go:embed licenses.txt
	licenseList string
	//go:embed exceptions.txt
	exceptionList string
)

// licenseListVersion is the version of the lists.
const licenseListVersion = "3.28"

// A License is what the image itself says of a component's licence.
type License struct {
	// Expression is a valid SPDX license expression (SPDX 2.3, annex D) of
	// listed licences, "" when there is none.
	Expression string
	// Declared is the text in the image, when it had to be read by more than
	// the rules of SPDX or cannot be expressed by them.
	Declared string
}

// licenses knows the identifiers of SPDX: as they are written, by their lower
// case.
type licenses struct{ ids, exceptions map[string]string }

func newLicenses() licenses {
	return licenses{ids: lowered(licenseList), exceptions: lowered(exceptionList)}
}

func lowered(list string) map[string]string {
	ids := make(map[string]string)
	for id := range strings.FieldsSeq(list) {
		ids[strings.ToLower(id)] = id
	}
	return ids
}

// declared returns the licence that a text of the image declares.
func (l licenses) declared(text string) License {
	text = strings.TrimSpace(text)
	if expression, ok := l.expression(text); ok {
		return License{Expression: expression}
	}
	return License{Declared: shorten(text)}
}

// reading returns the licence that a text declares by the rules of its
// ecosystem, which have led to expression.
func (l licenses) reading(text, expression string) License {
	if valid, ok := l.expression(expression); ok {
		return License{Expression: valid, Declared: shorten(strings.TrimSpace(text))}
	}
	return l.declared(text)
}

// comment says in words where the licence comes from, "" where there is
// nothing to say.
func (l License) comment() string {
	switch {
	case l.Declared == "":
		return ""
	case l.Expression == "":
		return fmt.Sprintf(sentenceNoLicense, clean(l.Declared))
	}
	return fmt.Sprintf(sentenceLicense, clean(l.Declared))
}

// Some packages carry the whole text of their licence where its name belongs.
const maxLicenseText = 200

func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxLicenseText {
		return cut(text, maxLicenseText) + "…"
	}
	return text
}

// Bounds of an expression: honest ones have a dozen words.
const (
	maxLicenseWords = 500
	maxLicenseDepth = 50
)

// expression returns a license expression in the spelling of SPDX. It is false
// for what is no expression, and for references to licences that are not in
// the list, whose texts the bill does not have.
func (l licenses) expression(text string) (string, bool) {
	if len(text) > 1<<16 {
		return "", false
	}
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
	if len(words) == 0 || len(words) > maxLicenseWords {
		return "", false
	}
	p := &expressionParser{licenses: l, words: words}
	if !p.alternatives(0) || len(p.words) > 0 {
		return "", false
	}
	return strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(p.out, " ")), true
}

// An expressionParser reads words by recursive descent.
type expressionParser struct {
	licenses
	words []string // not yet read
	out   []string // read, in the spelling of SPDX
}

// next takes the next word when it is want.
func (p *expressionParser) next(want string) bool {
	if len(p.words) == 0 || p.words[0] != want {
		return false
	}
	p.put(want)
	return true
}

// put replaces the next word in what was read.
func (p *expressionParser) put(word string) {
	p.out, p.words = append(p.out, word), p.words[1:]
}

// alternatives reads licences with AND and OR between them. Which binds closer
// does not matter to whether they are valid.
func (p *expressionParser) alternatives(depth int) bool {
	for {
		if !p.one(depth) {
			return false
		}
		if !p.next("AND") && !p.next("OR") {
			return true
		}
	}
}

// one reads a licence, with an exception or without, or what is in brackets.
func (p *expressionParser) one(depth int) bool {
	if depth > maxLicenseDepth || len(p.words) == 0 {
		return false
	}
	if p.next("(") {
		return p.alternatives(depth+1) && p.next(")")
	}
	word := strings.ToLower(p.words[0])
	id, ok := p.ids[word]
	if !ok {
		if id, ok = p.ids[strings.TrimSuffix(word, "+")]; !ok {
			return false
		}
		id += "+"
	}
	p.put(id)
	if !p.next("WITH") {
		return true
	}
	if len(p.words) == 0 {
		return false
	}
	exception, ok := p.exceptions[strings.ToLower(p.words[0])]
	if ok {
		p.put(exception)
	}
	return ok
}

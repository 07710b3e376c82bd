package report

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild"
)

// A codeAdvice is what is said of a code, or of several that mean the same to whoever
// reads them: what a finding says to do, and how grave it is, is its own and not that of
// its check.
type codeAdvice struct {
	codes    string // with spaces between; one that ends in * stands for all that begin so
	title    string // in a few words, of one code; "" where its sentence is the title
	why      string // why it matters; "" for that of the check
	todo     string
	severity string // of a problem as CVSS counts; "" for that of the check
}

// codeAdvices are all tables of them.
func codeAdvices() []codeAdvice {
	return slices.Concat(closureAdvice(), integrityAdvice(), recipeAdvice(), repackAdvice(), signaturesAdvice(), lowerAdvice(), partsAdvice())
}

// ofCode is the advice on a code; false for one that has none of its own. A code that
// stands there whole comes before all that begin so.
func ofCode(code string) (codeAdvice, bool) {
	var found codeAdvice
	longest := -1
	for _, a := range codeAdvices() {
		for _, c := range strings.Fields(a.codes) {
			begins, many := strings.CutSuffix(c, "*")
			switch {
			case c == code:
				return a, true
			case many && strings.HasPrefix(code, begins) && len(begins) > longest:
				found, longest = a, len(begins)
			}
		}
	}
	return found, longest >= 0
}

// adviseOn is the advice on a code that is given at a level, of a check.
func (w words) adviseOn(id check.ID, code string, level check.Level) codeAdvice {
	a, _ := ofCode(code)
	a.title = cmp.Or(a.title, w.sentences.title(code), question(id))
	a.why = cmp.Or(a.why, why(id))
	a.todo = cmp.Or(a.todo, w.atLevel(id, level))
	a.severity = severityAt(cmp.Or(a.severity, severityOf(id)), level)
	return a
}

// severityAt is how grave a finding is at its level: what is undecided accuses nobody, and
// only what lends rights is a matter of security before it is explained.
func severityAt(severity string, level check.Level) string {
	switch {
	case level == check.Problem:
		return severity
	case level == check.Undecided && severity == lendsRights:
		return "5.5"
	}
	return ""
}

// lendsRights is the severity of what gives rights to whoever runs or has it.
const lendsRights = "8.8"

// atLevel is what to do about a finding of a check that has no advice of its own.
func (w words) atLevel(id check.ID, level check.Level) string {
	switch level {
	case check.Problem:
		return react(id)
	case check.Undecided:
		return "It could not be decided, and speaks against nothing. " + w.remedy(id)
	}
	return worthKnowing
}

// worthKnowing is what to do about a note.
const worthKnowing = "Nothing has to be done: it is worth knowing, and speaks against nothing."

// howItEnded is what to do about the reason of a check, which is no finding.
const howItEnded = "Nothing by itself: it says how the check ended. The findings of the check, if any, say what to look at."

// optional is a part of a template that is left out where an argument is absent.
var optional = regexp.MustCompile(`\[[^\[\]]*\]`)

// anArgument stands for one in the form of a sentence.
var anArgument = regexp.MustCompile(`<[^<>]*>`)

// title is the sentence of a code without arguments and without what can be left out of
// it, or, of a sentence that is nothing but arguments, the words of the code; "" for a code
// that is not known.
func (s Sentences) title(code string) string {
	template := s[code]
	for optional.MatchString(template) {
		template = optional.ReplaceAllString(template, "")
	}
	text := strings.TrimSpace(Sentences{code: template}.Form(code))
	switch {
	case text == "":
		return ""
	case !strings.ContainsFunc(anArgument.ReplaceAllString(text, ""), unicode.IsLetter):
		text = strings.NewReplacer("/", ": ", "-", " ").Replace(code)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// only are the words of one build system: what to do about an image is about its own. An
// image of none has those of none.
func (w words) only(name provenance.SystemName) words {
	of := w.of(name)
	if of.Name == "" {
		return words{sentences: w.sentences}
	}
	return words{systems: []rebuild.About{of}, sentences: w.sentences}
}

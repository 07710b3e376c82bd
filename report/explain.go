package report

import (
	"cmp"
	"regexp"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// An Explanation is what can be said of a code, or of all codes that begin alike, without
// an image: what it is about, why that matters, what to do. It is made of the words that
// reports have.
type Explanation struct {
	About     string
	Why       string
	ToDo      string // what to do about the code, at whatever level it is found; "" for a group
	Problem   string // what to do where it is a problem
	Undecided string // what to do where it stood in the way of an answer
}

// Explain explains a code, or the codes of a group, which is what stands before the slash:
// a check with its findings, or what a finding, a difference or a plan names. It is false
// for a group that is not known.
func Explain(systems []rebuild.About, code string) (Explanation, bool) {
	group, _, _ := strings.Cut(code, "/")
	if group == "policy" {
		r := policyRule(policyPart(code))
		return Explanation{About: r.short + ".", Why: r.full, ToDo: r.todo}, true
	}
	if r, ok := causeRule(code); ok {
		return Explanation{About: r.short + ".", Why: causeWhy(r), ToDo: r.todo}, true
	}
	id, about := groupOf(group)
	if id == "" {
		return outsideChecks(group)
	}
	w := words{systems: systems}
	all := Explanation{
		About: cmp.Or(about, question(id)), Why: why(id), Problem: react(id), Undecided: w.remedy(id),
	}
	a, ok := ofCode(code)
	switch {
	case ok && a.todo != "":
		return Explanation{About: all.About, Why: cmp.Or(a.why, all.Why), ToDo: a.todo}, true
	case ok:
		return Explanation{About: all.About, Why: cmp.Or(a.why, all.Why), Undecided: all.Undecided}, true
	}
	return all, true
}

// causeRule is the rule of the cause of a difference that a code is named after, or that it
// always has.
func causeRule(code string) (rule, bool) {
	switch code {
	case "difference/renamed-folder":
		return differenceRule("difference/", compare.Renamed), true
	case "difference/layer-order", "difference/entry-order", "difference/moved-entries":
		return differenceRule("difference/", compare.Order), true
	}
	for _, r := range causeRules() {
		if r.id == code {
			return r, true
		}
	}
	return rule{}, false
}

// causeRules are those that SARIF has for causes of differences.
func causeRules() (all []rule) {
	for _, prefix := range []string{"config/", "difference/"} {
		for _, c := range compare.AllCauses() {
			all = append(all, differenceRule(prefix, c))
		}
	}
	return all
}

// causeWhy says why differences of a cause matter.
func causeWhy(r rule) string {
	if r.level == "note" {
		return "No container sees it, and digests change with it all the same."
	}
	return "A container sees it: what was built again is not the same as the image, or one of two images is not the same as the other."
}

// RuleTitles are the rules that SARIF has beside the codes of findings, by ID: causes of
// differences and parts of policies, each in a few words. Explain takes them as codes.
func RuleTitles() map[string]string {
	all := make(map[string]string)
	for _, r := range causeRules() {
		all[r.id] = r.short
	}
	for _, part := range policyParts() {
		r := policyRule(part)
		all[r.id] = r.short
	}
	return all
}

// groupOf is the check that codes of a group belong to, and what they are about where they
// are no findings of its own. Both are empty for a group that belongs to no check.
func groupOf(group string) (check.ID, string) {
	for _, id := range check.IDs() {
		if string(id) == group {
			return id, ""
		}
	}
	switch group {
	case "answer":
		return check.Signatures, "What a build farm, a cache or a rebuilder answered."
	case "config":
		return check.Rebuild, "Why a field of the config of two images differs."
	case "difference":
		return check.Rebuild, "What shows a difference: the place in a header or a file, and what both images have there."
	case "item":
		return check.Closure, "Why the NAR hash or the references of a store item are not known."
	case "known":
		return check.Rebuild, "What a tool is known to do differently on each run: it explains differences, and does not remove them."
	case "mark":
		return check.Repack, "The marks by which the version of the packer is recognized."
	case "packages":
		return check.Closure, "Why a package database of the image was not read, or only in part."
	case "plan":
		return check.Rebuild, "What a rebuild would run or fetch, whether that is trusted, and the flag that would allow it."
	case "records":
		return check.Closure, "What the records of Python, conda, npm and other packages do not show."
	case "rights":
		return check.Closure, "What packages and the recipe have to do with the rights that a file lends."
	case "sign":
		return check.Recipe, "Where the image names the store item that it is made of."
	case "value":
		return check.Rebuild, "What one of two images has where they differ."
	case "why":
		return check.Rebuild, "What the log of a failed build points at, and what helps. It is a hint, and decides nothing about the image."
	}
	return "", ""
}

// outsideChecks explains the groups that belong to no check.
func outsideChecks(group string) (Explanation, bool) {
	switch group {
	case "report":
		return Explanation{
			About:     "Why a check was not made at all.",
			Why:       "A check that did not run says nothing, neither good nor bad.",
			Undecided: "audit IMAGE makes all checks.",
		}, true
	case "sbom":
		return Explanation{
			About:     "What a bill of materials does not have, or has in part.",
			Why:       "Whoever reads a bill of materials takes what is not in it for absent.",
			Undecided: "Look at the named file with the package manager that wrote it.",
		}, true
	case "statement":
		return Explanation{
			About:     "Why a statement beside the image could not be read or verified.",
			Why:       "A statement counts only as far as its bytes, its subject and its signature fit together.",
			Problem:   "Ask whoever published the statement; until then treat it as absent.",
			Undecided: "Name the key, --key NAME=FILE, or the root, --trusted-root FILE, with which it can be verified.",
		}, true
	case "verify":
		return Explanation{
			About:     "Why audit verify counts a statement, or does not.",
			Why:       "Agreement has weight only between independent parties who built the image themselves.",
			Problem:   "A trusted rebuilder who found something else decides: do not use the image before that is explained.",
			Undecided: "See audit help users for whose statements count, and ask more rebuilders.",
		}, true
	}
	return Explanation{}, false
}

// placeholder is an argument in a template, with its form.
var placeholder = regexp.MustCompile(`\{([^{}:]+)(?::([a-z]+)(?: ([^{}]+))?)?\}`)

// Form is the sentence of a code without arguments, in angle brackets where these would
// stand. A part in square brackets is left out where its argument is absent. It is "" for
// a code that is not known.
func (s Sentences) Form(code string) string {
	text := placeholder.ReplaceAllStringFunc(s[code], func(part string) string {
		found := placeholder.FindStringSubmatch(part)
		name, form, more := "<"+found[1]+">", found[2], found[3]
		switch form {
		case "count":
			return name + strings.TrimPrefix(plenty(2, more), "2")
		case "change":
			return name + " → <" + more + ">"
		case "quote":
			return `"` + name + `"`
		}
		return name
	})
	return strings.NewReplacer("[[", "[", "{{", "{").Replace(text)
}

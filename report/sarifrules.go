package report

import (
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// A rule is what SARIF, and who shows it, need to know of a kind of result. It follows
// from its name and the gravest level at which the report has it.
type rule struct {
	id        string
	short     string
	full      string
	todo      string // what to do about it
	page      string // an address that says more; may be ""
	level     string
	precision string // "very-high", "high" or "medium"
	severity  string // from 0.1 to 10.0 as CVSS has it; "" for what is no matter of security
	tags      []string
}

// What GitHub's code scanning takes of a rule
// (docs.github.com, "SARIF support for code scanning").
const (
	maxRuleText = 1024 // characters of a description
	maxRuleTags = 10   // of the 20 that it allows it shows these
)

// sarif writes the rule as SARIF has it.
func (r rule) sarif() sarifRule {
	markdown := r.full + "\n\n**What to do.** " + r.todo
	if r.page != "" {
		markdown += "\n\n[How builds lose this cause](" + r.page + ")"
	}
	return sarifRule{
		ID: r.id, Name: pascal(r.id), Short: sarifText{clip(r.short, maxRuleText)}, Full: sarifText{clip(r.full, maxRuleText)},
		Help: sarifHelp{Text: r.full + " " + r.todo, Markdown: markdown}, HelpURI: r.page,
		Default:    sarifConfiguration{r.level},
		Properties: sarifRuleProperties{Tags: r.tags[:min(len(r.tags), maxRuleTags)], Precision: r.precision, Problem: problemOf(r.level), Security: r.severity},
	}
}

// pascal writes the name of a rule as SARIF wants it for people: ClosureSetuidFile.
func pascal(id string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(id, func(c rune) bool { return c == '/' || c == '-' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// problemOf is the word for a level that is in the properties of rules.
func problemOf(level string) string {
	if level == "note" {
		return "recommendation"
	}
	return level
}

// checkRule is that of a code which a check gives at a level: as a finding, or, where the
// code is the name of the check, for want of one.
func (w words) checkRule(id check.ID, code string, level check.Level) rule {
	a := w.adviseOn(id, code, level)
	r := rule{
		id: code, short: a.title, full: a.why, todo: a.todo, level: sarifLevel(level), precision: "high",
		severity: a.severity, tags: []string{"supply-chain", string(id)},
	}
	if id == check.Integrity || id == check.Repack || id == check.Rebuild {
		r.precision = "very-high" // digests are computed
	}
	if r.severity != "" {
		r.tags = append(r.tags, "security")
	}
	if own, _ := ofCode(code); own.severity == lendsRights {
		r.tags = append(r.tags, "privilege")
	}
	return r
}

// sarifLevel is the level of SARIF for that of a finding.
func sarifLevel(level check.Level) string {
	return map[check.Level]string{check.Problem: "error", check.Undecided: "warning"}[level]
}

// severityOf is how grave it is that a check says no: the bytes first, then what nobody
// explains, then what cannot be repeated.
func severityOf(id check.ID) string {
	switch id {
	case check.Integrity:
		return "9.1"
	case check.Signatures:
		return "8.1"
	case check.Closure:
		return "7.5"
	case check.Repack, check.Derivation, check.Rebuild:
		return "6.5"
	}
	return "4.0"
}

// differenceRule is that of a difference of a rebuild.
func differenceRule(prefix string, c compare.Cause) rule {
	what := map[string]string{"config/": "The config differs: ", "difference/": "Files differ: "}[prefix]
	r := rule{
		id: prefix + kebab(string(c)), short: what + causeWords(c), full: causeWords(c), todo: causeAdvice(c), page: causePage(c),
		level: levelOf(c), precision: "very-high", tags: []string{"reproducible-builds", "supply-chain", string(check.Rebuild)},
	}
	if r.full == "" {
		r.full = "a difference of cause " + kebab(string(c))
		r.short = what + r.full
	}
	if r.todo == "" {
		r.todo = react(check.Rebuild)
	}
	if !c.Harmless() {
		r.severity = severityOf(check.Rebuild)
		r.tags = append(r.tags, "security")
	}
	return r
}

// policyRule is that of a part of a policy that does not hold.
func policyRule(part string) rule {
	r := rule{
		id: "policy", short: policyTitle(part),
		full:  "The image is not what the policy of this gate demands. The exit status of audit says the same.",
		todo:  policyToDo(part),
		level: "error", precision: "very-high", severity: "7.0", tags: []string{"security", "supply-chain", "policy"},
	}
	if part != "" {
		r.id += "/" + part
	}
	return r
}

// policyToDo says what to do where a part of a policy is demanded in vain, and how that
// part is written.
func policyToDo(part string) string {
	switch part {
	case "require":
		return `See what the message names: what lets the verdict become the one that is demanded stands there. It is written as "require": "explained" in the file of --policy, or as --require explained (audit help gate has the words); whoever cannot demand as much yet writes a weaker one.`
	case "checks":
		return `See the findings of that check, and what they say to do. It is written as "checks": {"integrity": ["pass"]}, a check with every status that it may have; one that can be skipped has "skipped" among them.`
	case "refuse":
		return `See the finding that the message names: audit help CODE says what to do about it. It is written as "refuse": ["closure/setuid-file"], a list of codes, or of beginnings of them that end in / or -.`
	case "allow":
		return `Look at the difference again. Where it is still harmless give the allowance a later day, within a year; else take it out. It is written as "allow": [{"path": …, "cause": …, "reason": …, "expires": "2027-01-31"}].`
	}
	return "See what the message names. Of the image: find out what it is that nobody explains, or that differs. Of the policy: allow a documented difference, with a reason and a day on which that ends. audit help gate says how a policy is written."
}

// policyParts are the rules that SARIF has for the parts of a policy, in the order of a file.
func policyParts() []string { return []string{"require", "checks", "refuse", "allow"} }

// policyPart is the part of a policy that a code of it is about, or which it is the rule of.
func policyPart(code string) string {
	switch code {
	case "policy/verdict":
		return "require"
	case "policy/check-status":
		return "checks"
	case "policy/refused-finding":
		return "refuse"
	case "policy/allowance-expired":
		return "allow"
	}
	part := strings.TrimPrefix(code, "policy/")
	if !slices.Contains(policyParts(), part) {
		return ""
	}
	return part
}

// policyTitle says what it is that a part of a policy demands in vain.
func policyTitle(part string) string {
	switch part {
	case "require":
		return "The verdict is not the one that the policy demands"
	case "checks":
		return "A check does not have the status that the policy demands"
	case "refuse":
		return "A finding that the policy refuses"
	case "allow":
		return "An allowance of the policy has expired"
	}
	return "The policy that was demanded does not hold"
}

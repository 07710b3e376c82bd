package policy

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// Facts are what a policy is judged by; a stored report has them too.
type Facts struct {
	Judged      rebuild.Facts // what the verdict follows from
	Checks      []check.Check // in their order, with their findings
	Config      []compare.FieldDifference
	Differences []compare.Difference
}

// A Violation is something that a policy demands and an image is not.
type Violation struct {
	Rule    string        // "require", "checks", "refuse" or "allow"
	Message check.Message // "policy/…"
	Finding check.Message // what shows it, the weightiest; may be zero
	Layer   int           // -1 for none
	Path    string        // the file; may be empty
}

// An Applied is what became of an allowance.
type Applied struct {
	Allowance
	Count   int  // differences that it lets pass, or, when it has expired, that it would
	Expired bool // then it lets none pass
}

// A Judgement is what a policy says of an image.
type Judgement struct {
	Violations []Violation // those of require first, then of checks, refuse and allow
	Allowed    []Applied   // in the order of the policy
}

// Judge compares facts with a policy on a day.
func (p Policy) Judge(f Facts, today time.Time) Judgement {
	j := judge{policy: p, facts: f}
	j.allow(today)
	j.require()
	j.checks()
	j.refuse()
	for _, a := range j.applied {
		if a.Expired && a.Count > 0 {
			j.violate("allow", check.Say("policy/allowance-expired", "path", a.Path, "cause", string(a.Cause), "expires", a.Expires), check.Finding{Layer: -1})
		}
	}
	return Judgement{j.found, j.applied}
}

// A judge is a judgement under way.
type judge struct {
	policy  Policy
	facts   Facts
	applied []Applied
	passes  map[difference]bool  // differences that are allowed
	left    []compare.Difference // that a container sees, and that nothing allows
	fields  []compare.FieldDifference
	found   []Violation
}

// A difference is what an allowance can be for.
type difference struct {
	path  string
	cause compare.Cause
}

func (j *judge) violate(rule string, m check.Message, f check.Finding) {
	j.found = append(j.found, Violation{Rule: rule, Message: m, Finding: f.Message, Layer: f.Layer, Path: f.Path})
}

// allow finds which differences the policy lets pass. What is about a layer as a
// whole, such as data that is hidden after its end, nothing allows.
func (j *judge) allow(today time.Time) {
	j.passes = make(map[difference]bool)
	for _, a := range j.policy.Allow {
		j.applied = append(j.applied, Applied{Allowance: a, Expired: a.Expired(today)})
	}
	for _, f := range j.facts.Config {
		if !f.Cause.Harmless() && !j.passed(f.Cause, configPrefix+f.Field, f.Decides()) {
			j.fields = append(j.fields, f)
		}
	}
	for _, d := range j.facts.Differences {
		if !d.Cause.Harmless() && (d.Path == "" || d.Layer < 0 || !j.passedAll(d)) {
			j.left = append(j.left, d)
		}
	}
}

// passedAll says whether a difference is allowed: of files under other names each has
// to be, as one that the rebuild lacks, and its new name as one that only the rebuild
// has; or either as renamed. A folder may be allowed as a whole.
func (j *judge) passedAll(d compare.Difference) bool {
	renames := d.Renames()
	switch {
	case len(renames) == 0:
		return j.passed(d.Cause, d.Path, d.Privileged || d.Decides())
	case j.passedFolder(d):
		return true
	}
	for _, r := range renames {
		from, to := d.Privileged || compare.DecidesAccess(r.From), d.Privileged || compare.DecidesAccess(r.To)
		if !j.passed(compare.Missing, r.From, from) && !j.passed(compare.Renamed, r.From, from) ||
			!j.passed(compare.Extra, r.To, to) && !j.passed(compare.Renamed, r.To, to) {
			return false
		}
	}
	j.passes[difference{d.Path, d.Cause}] = true
	return true
}

// passedFolder says whether a folder under another name is allowed by its path as renamed:
// beside the old name that is enough, and elsewhere the new path has to be allowed too.
func (j *judge) passedFolder(d compare.Difference) bool {
	to := d.FolderTo()
	if to == "" || !j.passed(compare.Renamed, d.Path, d.Privileged) {
		return false
	}
	beside := path.Dir(to) == path.Dir(d.Path) && compare.IsForPrograms(to+"/") == compare.IsForPrograms(d.Path+"/")
	if beside || j.passed(compare.Renamed, to, d.Privileged) {
		return true
	}
	delete(j.passes, difference{d.Path, compare.Renamed})
	return false
}

// passed says whether a difference is allowed. One about a file that lends rights, or about
// what decides who has them or what runs, has to be named.
func (j *judge) passed(cause compare.Cause, at string, named bool) bool {
	for i := range j.applied {
		a := &j.applied[i]
		if a.Cause != cause || named && isPattern(a.Path) || !matchPath(a.Path, at) {
			continue
		}
		a.Count++
		if !a.Expired {
			j.passes[difference{at, cause}] = true
			return true
		}
	}
	return false
}

// judged are the facts as the policy takes them: with what it allows, a rebuild
// that is different is equivalent.
func (j *judge) judged() rebuild.Facts {
	f := j.facts.Judged
	if f.Result != compare.Different || f.Unstable || len(j.left)+len(j.fields) > 0 || len(j.passes) == 0 {
		return f
	}
	f.Result = compare.Equivalent
	checks := make(map[check.ID]check.Status)
	maps.Copy(checks, f.Checks)
	checks[check.Rebuild] = check.Pass
	f.Checks = checks
	return f
}

func (j *judge) require() {
	f := j.judged()
	verdict := rebuild.Judge(f)
	closure, ok := f.Checks[check.Closure]
	if !ok {
		closure = check.Skipped
	}
	held := verdict
	if j.policy.Require == rebuild.RequireExplained && verdict != rebuild.Judge(j.facts.Judged) {
		held = rebuild.Matching // a difference that is allowed explains no file
	}
	if j.policy.Require.Holds(held, closure) {
		return
	}
	var shown check.Finding
	switch {
	case verdict == rebuild.Contradicted:
		shown = j.worst(func(c check.Check) bool { return c.ID != check.Rebuild && c.Status == check.Fail })
	case j.policy.Require == rebuild.RequireExplained && closure != check.Pass:
		shown = j.worst(func(c check.Check) bool { return c.ID == check.Closure })
	default:
		shown = j.heaviest()
	}
	j.violate("require", check.Say("policy/verdict", "require", j.policy.Require.String(), "verdict", verdict.String()), shown)
}

// heaviest is the difference that weighs most of those that nothing allows: of a file that
// lends rights, then of a field of the config that decides what runs, then of any other file.
func (j *judge) heaviest() check.Finding {
	var file compare.Difference
	if len(j.left) > 0 {
		file = slices.MinFunc(j.left, func(x, y compare.Difference) int { return x.Weight() - y.Weight() })
	}
	if len(j.fields) > 0 && !file.Privileged {
		f := slices.MinFunc(j.fields, func(x, y compare.FieldDifference) int { return x.Weight() - y.Weight() })
		if f.Decides() {
			return check.Finding{Message: f.Summary(), Layer: -1}
		}
	}
	if len(j.left) == 0 {
		return check.Finding{Layer: -1}
	}
	return check.Finding{Message: compare.Summary(file.Cause, file.Was, file.Now, file.Evidence), Layer: file.Layer, Path: file.Path}
}

// worst is the first finding of the highest level of some checks. A check has its
// gravest findings first.
func (j *judge) worst(of func(check.Check) bool) check.Finding {
	worst := check.Finding{Layer: -1}
	for _, c := range j.facts.Checks {
		if !of(c) {
			continue
		}
		for _, f := range c.Findings {
			if worst.IsZero() || f.Level > worst.Level {
				worst = f
			}
		}
	}
	return worst
}

// checks compares the statuses with those that the policy names.
func (j *judge) checks() {
	statuses := j.judged().Checks
	for _, id := range check.IDs() {
		may, named := j.policy.Checks[id]
		status, ran := statuses[id]
		if !ran {
			status = check.Skipped
		}
		if !named || slices.Contains(may, status) {
			continue
		}
		var names []string
		for _, s := range may {
			names = append(names, s.String())
		}
		j.violate("checks", check.Say("policy/check-status", "check", string(id), "status", status.String(), "allowed", names),
			j.worst(func(c check.Check) bool { return c.ID == id }))
	}
}

// refuse finds the findings that the policy refuses; those of a difference that is
// allowed are no longer any.
func (j *judge) refuse() {
	for _, c := range j.facts.Checks {
		for _, f := range c.Findings {
			i := slices.IndexFunc(j.policy.Refuse, func(r string) bool { return covers(r, f.Code) })
			if i < 0 || j.passes[difference{f.Path, compare.Cause(f.Args.String("cause"))}] {
				continue
			}
			j.violate("refuse", check.Say("policy/refused-finding", "rule", j.policy.Refuse[i]), f)
		}
	}
}

// covers says whether an element of refuse is a code, or a beginning of it.
func covers(rule, code string) bool {
	begins := strings.HasSuffix(rule, "/") || strings.HasSuffix(rule, "-")
	return rule == code || begins && strings.HasPrefix(code, rule)
}

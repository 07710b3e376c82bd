package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// The parts of SARIF 2.1.0 (OASIS Standard, 27 March 2020) that a report needs;
// the names are those of the standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool                `json:"tool"`
		Automation  sarifAutomation          `json:"automationDetails"`
		Invocations []sarifInvocation        `json:"invocations"`
		Bases       map[string]sarifArtifact `json:"originalUriBaseIds"`
		Results     []sarifResult            `json:"results"`
		Properties  sarifProperties          `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string              `json:"id"`
		Name       string              `json:"name"`
		Short      sarifText           `json:"shortDescription"`
		Full       sarifText           `json:"fullDescription"`
		Help       sarifHelp           `json:"help"`
		HelpURI    string              `json:"helpUri,omitempty"`
		Default    sarifConfiguration  `json:"defaultConfiguration"`
		Properties sarifRuleProperties `json:"properties"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifRuleProperties struct {
		Tags      []string `json:"tags"`
		Precision string   `json:"precision"`
		Problem   string   `json:"problem.severity"`
		Security  string   `json:"security-severity,omitempty"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Descriptor sarifReference `json:"descriptor"`
		Level      string         `json:"level"`
		Message    sarifText      `json:"message"`
	}
	sarifReference struct {
		ID string `json:"id"`
	}
	sarifArtifact struct {
		Description sarifText `json:"description"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Suppressions []sarifSuppressed `json:"suppressions"`
		place        place
	}
	sarifSuppressed struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifURI    `json:"artifactLocation"`
		Region   sarifRegion `json:"region"`
	}
	sarifURI struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"` // 1: code scanning services want one
	}
	sarifLogical struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifProperties struct {
		Verdict string            `json:"verdict"`
		Policy  string            `json:"policy"`
		Holds   bool              `json:"policyHolds"`
		Checks  map[string]string `json:"checks"`
	}
)

const (
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifRoot    = "IMAGE" // base of paths within the image's file system
	sarifResults = 5_000   // results at most: of those in a file GitHub shows no more
	sarifValue   = 1 << 10 // bytes of one value
	sarifClip    = 4 << 10 // bytes of a message
)

// WriteSARIF writes the report as SARIF 2.1.0. A result is something that
// stands against the image: the findings of checks that fail (error) or could
// not decide (warning), the differences of a rebuild (error; note when no
// container sees them; suppressed when a rule allows them), and a policy that
// does not hold (error). A check that
// did not run is a notification, as is the verdict with what it does not say.
//
// Of more results than services show the gravest are kept, and the others counted.
func WriteSARIF(w io.Writer, r *Report) error {
	s := &sarifWriter{report: r, index: map[string]int{}, seen: map[string]int{}, rules: []sarifRule{}, found: []sarifResult{}}
	s.results()
	doc, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{s.run()}}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the SARIF log: %w", err)
	}
	if _, err := w.Write(append(doc, '\n')); err != nil {
		return fmt.Errorf("writing the SARIF log: %w", err)
	}
	return nil
}

// A sarifWriter gathers results, and the rules that they name.
type sarifWriter struct {
	report *Report
	rules  []sarifRule
	index  map[string]int
	found  []sarifResult
	seen   map[string]int // results of a rule at a path
	left   int            // results beyond sarifResults
}

func (s *sarifWriter) results() {
	for _, c := range s.report.Checks {
		s.check(c)
	}
	if c := s.report.Comparison; c != nil {
		own, _ := splitFields(c.Config)
		for _, f := range own {
			message := fmt.Sprintf("%s of the config: %s → %s", f.Field, orAbsent(f.Was), orAbsent(f.Now))
			s.add(differenceRule("config/", f.Cause), levelOf(f.Cause), -1, "", message)
		}
		for _, g := range byCause(c.Differences) {
			for _, d := range g.Differences {
				message := fmt.Sprintf("%s: %s", g.Cause, s.report.words.sentences.Text(d.summary()))
				s.add(differenceRule("difference/", g.Cause), levelOf(g.Cause), d.Layer, d.Path, message)
			}
		}
	}
	s.policy()
	s.clip()
}

// policy adds what is demanded and not so, at the file that shows it. A finding that is
// refused has its result already, which becomes an error.
func (s *sarifWriter) policy() {
	p := s.report.Policy
	if p.Require == "" || p.Holds {
		return
	}
	found := make(map[place]int)
	for i, r := range s.found {
		found[r.place] = i
	}
	for _, v := range p.Violations {
		if v.Rule == "refuse" && v.Finding != nil {
			if i, ok := found[place{v.Finding.Code, v.Layer, v.Path}]; ok { // one alert for one thing
				s.found[i].Level = "error"
				s.found[i].Message.Text += sarifMessage(" (the policy refuses it). " + s.report.ToDo(v)).Text
				continue
			}
		}
		s.add(policyRule(v.Rule), "error", v.Layer, v.Path, s.report.Demand(v)+". "+s.report.ToDo(v))
	}
	if len(p.Violations) == 0 {
		s.add(policyRule(""), "error", -1, "", fmt.Sprintf("the verdict is %s, and the policy %s does not hold: %s", s.report.Verdict, p.Require, s.report.meaning()))
	}
}

// clip leaves out, and counts, the least of more results than are shown.
func (s *sarifWriter) clip() {
	s.left = len(s.found) - sarifResults
	if s.left <= 0 {
		return
	}
	slices.SortStableFunc(s.found, func(a, b sarifResult) int {
		return slices.Index(sarifLevels(), a.Level) - slices.Index(sarifLevels(), b.Level)
	})
	s.found = s.found[:sarifResults]
}

// sarifLevels are the levels of results, the gravest first.
func sarifLevels() []string { return []string{"error", "warning", "note"} }

// check adds the problems of a check that says no or could not decide; those
// that only repeat the comparison are left to it.
func (s *sarifWriter) check(c Check) {
	most, ok := map[check.Status]check.Level{check.Fail: check.Problem, check.Unknown: check.Undecided}[c.Status]
	if !ok {
		return
	}
	words := s.report.words.only(s.report.Recipe.System)
	named := false
	known := make(map[likeness]rule)
	for _, f := range c.Findings {
		if f.Level == check.Note {
			continue
		}
		named = true
		if !s.repeats(f.Code) {
			key := likeness{f.Code, min(f.Level, most)}
			rule, ok := known[key]
			if !ok {
				rule = words.checkRule(c.ID, key.code, key.level)
				known[key] = rule
			}
			s.add(rule, rule.level, f.Layer, f.Path, s.report.Words(f))
		}
	}
	if !named {
		rule := words.checkRule(c.ID, string(c.ID), most)
		s.add(rule, rule.level, -1, "", s.report.Summary(c))
	}
}

// A likeness is what findings of one rule have in common.
type likeness struct {
	code  string
	level check.Level
}

func (s *sarifWriter) repeats(code string) bool {
	return s.report.Comparison != nil && (strings.HasPrefix(code, "rebuild/difference") || code == "rebuild/more-differences")
}

func levelOf(c compare.Cause) string {
	if c.Harmless() {
		return "note"
	}
	return "error"
}

var notKebab = regexp.MustCompile(`[^a-z0-9]+`)

// kebab makes a name out of anything.
func kebab(s string) string {
	s = strings.Trim(notKebab.ReplaceAllString(strings.ToLower(clip(s, 60)), "-"), "-")
	if s == "" {
		return "other"
	}
	return s
}

func orAbsent(t string) string {
	if t == "" {
		return "absent"
	}
	return Printable(clip(string(t), sarifValue))
}

func (s *sarifWriter) add(rule rule, level string, layer int, path string, message string) {
	at, ok := s.index[rule.id]
	switch {
	case !ok:
		at = len(s.rules)
		s.index[rule.id] = at
		s.rules = append(s.rules, rule.sarif())
	case slices.Index(sarifLevels(), rule.level) < slices.Index(sarifLevels(), s.rules[at].Default.Level):
		s.rules[at] = rule.sarif()
	}
	same := s.fingerprint(rule.id, path)
	s.found = append(s.found, sarifResult{
		RuleID:       rule.id,
		RuleIndex:    at,
		Level:        level,
		Message:      sarifMessage(message),
		Locations:    []sarifLocation{s.location(layer, path)},
		Fingerprints: map[string]string{"primaryLocationLineHash": same + ":1", "auditFinding/v2": same},
		Suppressions: []sarifSuppressed{},
		place:        place{rule.id, layer, path},
	})
}

// A place is what a result is about.
type place struct {
	rule  string
	layer int
	path  string
}

// sarifMessage is a message in which nothing is a link ([text](target)) or a
// placeholder ({0}), as 3.11.5 and 3.11.6 of the standard have them.
func sarifMessage(message string) sarifText {
	text := Printable(clip(message, sarifClip))
	text = strings.ReplaceAll(text, "](", "] (")
	text = strings.NewReplacer("{", "{{", "}", "}}").Replace(text)
	if text == "" {
		text = "no message"
	}
	return sarifText{text}
}

// location is the place of a path in the image, or, of what has no path that
// stays within the image, the image itself.
func (s *sarifWriter) location(layer int, path string) sarifLocation {
	var l sarifLocation
	l.Physical.Region.StartLine = 1
	if p := relative(path); staysInside(p) {
		l.Physical.Artifact = sarifURI{percentEncoded(p), sarifRoot}
	} else {
		l.Physical.Artifact = sarifURI{URI: percentEncoded(archiveFile(s.report.Image))}
		if path != "" {
			l.Logical = append(l.Logical, sarifLogical{orAbsent(path), "member"})
		}
	}
	if layer >= 0 {
		l.Logical = append(l.Logical, sarifLogical{fmt.Sprintf("layer %d", layer), "layer"})
	}
	return l
}

// staysInside says that a path names something below the folder it is taken from.
func staysInside(p string) bool {
	return p != "" && p[0] != '/' && path.Clean(p) == p && p != "." && p != ".." && !strings.HasPrefix(p, "../")
}

// percentEncoded writes a path as a relative reference (RFC 3986, 4.2): every
// byte but the unreserved ones and the slash is escaped, the colon too.
func percentEncoded(p string) string {
	var b strings.Builder
	for i := range len(p) {
		c := p[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// fingerprint stays the same from image to image for the same finding, in whatever layer
// it is, and no two results of a report share one.
func (s *sarifWriter) fingerprint(rule, path string) string {
	key := rule + "\x00" + path
	s.seen[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, s.seen[key]))
	return hex.EncodeToString(sum[:16])
}

// automation is the category of the run, in which a new run takes the place of an older one:
// that of an image, and of each platform where it has several.
func automation(img Image) string {
	id := "audit/" + percentEncoded(archiveFile(img)) + "/"
	if len(otherPlatforms(img)) > 0 {
		id += percentEncoded(strings.ReplaceAll(img.Platform, "/", "-")) + "/"
	}
	return id
}

func (s *sarifWriter) run() sarifRun {
	r := s.report
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{r.Tool.Name, r.Tool.Version, s.rules}},
		Automation:  sarifAutomation{automation(r.Image)},
		Invocations: []sarifInvocation{{true, s.notifications()}},
		Bases:       map[string]sarifArtifact{sarifRoot: {sarifText{"the root of the image's file system"}}},
		Results:     s.found,
		Properties:  sarifProperties{r.Verdict.String(), r.Policy.Require, r.Policy.Holds, map[string]string{}},
	}
	for _, c := range r.Checks {
		run.Properties.Checks[string(c.ID)] = c.Status.String()
	}
	return run
}

func (s *sarifWriter) notifications() []sarifNotification {
	out := []sarifNotification{{sarifReference{"verdict"}, "note", sarifMessage(s.report.Verdict.String() + ": " + strings.Join(append([]string{s.report.meaning()}, s.report.limits()...), " "))}}
	for _, c := range s.report.Checks {
		if c.Status == check.Skipped {
			out = append(out, sarifNotification{sarifReference{"skipped/" + string(c.ID)}, "note", sarifMessage("the check " + string(c.ID) + " did not run: " + s.report.Summary(c))})
		}
	}
	if s.left > 0 {
		out = append(out, sarifNotification{sarifReference{"left-out"}, "warning", sarifMessage(count(s.left, "more result") + " are in report.json")})
	}
	return out
}

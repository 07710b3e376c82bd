package report

import (
	"audit/inspect/check"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The elements of JUnit XML that the XSD of Jenkins (xunit-plugin,
// junit-10.xsd) and that of Ant's reports (windyroad, JUnit.xsd) both know, in
// the order of the latter.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suite   junitSuite
	}
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        junitText       `xml:"system-out"`
		Err        junitText       `xml:"system-err"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Skipped *junitSkipped `xml:"skipped"`
		Error   *junitTrouble `xml:"error"`
		Failure *junitTrouble `xml:"failure"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitTrouble struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// WriteJUnit writes the report as JUnit XML: a test case a check, and one for
// each thing that a policy demands and is not so. A check that fails is a failure, unless
// the policy that was demanded holds all the same; one that did not run, or ran and could
// not decide, is skipped and says why, since that is no pass either; a build that was
// tried and failed is an error. So there is a failure or an error when, and only when, the
// policy that was demanded does not hold.
func WriteJUnit(w io.Writer, r *Report) error {
	suite, err := newSuite(r)
	if err != nil {
		return err
	}
	doc, err := xml.MarshalIndent(junitSuites{Suite: suite}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the JUnit XML: %w", err)
	}
	if _, err := io.WriteString(w, xml.Header+string(doc)+"\n"); err != nil {
		return fmt.Errorf("writing the JUnit XML: %w", err)
	}
	return nil
}

func newSuite(r *Report) (junitSuite, error) {
	var summary strings.Builder
	if err := WriteText(&summary, r, TextOptions{Verbose: true}); err != nil {
		return junitSuite{}, err
	}
	s := junitSuite{
		Name:      xmlLine(r.Image.Reference),
		Package:   "audit",
		Time:      seconds(r.Run.Durations),
		Timestamp: r.Run.Date.UTC().Format("2006-01-02T15:04:05"),
		Hostname:  xmlLine(r.Run.Host),
		Out:       junitText{summary.String()},
	}
	s.Name, s.Hostname = cmp.Or(s.Name, "image"), cmp.Or(s.Hostname, "localhost") // Ant's schema wants them
	s.Properties = []junitProperty{
		{"verdict", r.Verdict.String()},
		{"configDigest", r.Image.ConfigDigest},
		{"audit", r.Tool.Version},
	}
	for _, c := range r.Checks {
		s.add(checkCase(r, c))
	}
	for _, c := range policyCases(r) {
		s.add(c)
	}
	return s, nil
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func checkCase(r *Report, c Check) junitCase {
	out := junitCase{Class: "audit", Name: string(c.ID), Time: "0"}
	summary := xmlLine(r.Summary(c))
	switch {
	case r.Policy.Require != "" && r.Policy.Holds && (c.Status == check.Fail || failedBuild(r, c)):
		out.Skipped = &junitSkipped{"it says no, and the policy that was demanded holds all the same: " + summary}
	case c.Status == check.Fail:
		out.Failure = &junitTrouble{summary, string(c.ID), findingLines(r, c)}
	case failedBuild(r, c):
		out.Error = &junitTrouble{summary, "build-failed", findingLines(r, c)}
	case c.Status == check.Unknown:
		out.Skipped = &junitSkipped{"it ran and could not decide: " + summary}
	case c.Status == check.Skipped:
		out.Skipped = &junitSkipped{summary}
	}
	return out
}

func failedBuild(r *Report, c Check) bool {
	return c.ID == check.Rebuild && r.Rebuild != nil && r.Rebuild.Status == Failed
}

// policyCases are a case for each thing that is demanded and not so, else one that passes.
func policyCases(r *Report) (all []junitCase) {
	p := r.Policy
	if p.Require == "" {
		return nil
	}
	whole := junitCase{Class: "audit", Name: "policy: " + xmlLine(p.Title()), Time: "0"}
	if p.Holds {
		return []junitCase{whole}
	}
	if len(p.Violations) == 0 {
		whole.Failure = &junitTrouble{"the verdict is " + r.Verdict.String() + ": " + xmlLine(r.meaning()), "policy", xmlText(strings.Join(r.limits(), "\n"))}
		return []junitCase{whole}
	}
	for i, v := range p.Violations[:min(len(p.Violations), maxRows)] {
		text := r.Demand(v) + "\nwhat to do: " + r.ToDo(v)
		if i == 0 {
			text = strings.Join(append([]string{text}, r.limits()...), "\n")
		}
		all = append(all, junitCase{
			Class: "audit", Name: xmlLine(strings.TrimSpace("policy: " + p.ruleName(v) + " " + v.Path)), Time: "0",
			Failure: &junitTrouble{xmlLine(r.Demand(v)), "policy/" + v.Rule, xmlText(text)},
		})
	}
	if more := len(p.Violations) - maxRows; more > 0 {
		whole.Failure = &junitTrouble{fmt.Sprintf("and %d more in report.json", more), "policy", ""}
		all = append(all, whole)
	}
	return all
}

// name is what is demanded, in a few words.
func (v Violation) name() string {
	switch v.Rule {
	case "require":
		return "require " + v.Args.String("require")
	case "checks":
		return "check " + v.Args.String("check")
	case "refuse":
		return "refuse " + v.Args.String("rule")
	}
	return v.Rule
}

// ruleName is the name of a rule with that of its policy, which whoever reads it looks up.
func (p Policy) ruleName(v Violation) string {
	if p.Name == "" {
		return v.name()
	}
	return p.Name + ": " + v.name()
}

// findingLines lists the findings of a check, a line each.
func findingLines(r *Report, c Check) string {
	var b strings.Builder
	shown := min(len(c.Findings), maxRows)
	for _, f := range c.Findings[:shown] {
		where := f.Path
		if f.Layer >= 0 {
			where += fmt.Sprintf(" (layer %d)", f.Layer)
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", f.Level, xmlLine(where), xmlLine(r.Words(f)))
	}
	if more := moreFindings(c.Findings[shown:]); more != "" {
		b.WriteString(more + "\n")
	}
	return b.String()
}

func seconds(steps []Duration) string {
	total := 0.0
	for _, d := range steps {
		total += d.Seconds
	}
	return strconv.FormatFloat(total, 'f', 3, 64)
}

// xmlLine writes a value on one line, with visible escapes for what XML 1.0
// cannot hold.
func xmlLine(t string) string { return Printable(clip(string(t), maxValue)) }

// xmlText is the same for more than one line.
func xmlText(s string) string {
	var b strings.Builder
	for _, sp := range spans(s, "\n") {
		b.WriteString(sp.Text)
	}
	return b.String()
}

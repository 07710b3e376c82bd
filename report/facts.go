package report

import (
	"fmt"
	"reflect"
	"slices"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/rebuild/policy"
)

// Facts are what a policy is judged by, and what the verdict follows from, as
// the report has them.
func (r *Report) Facts() policy.Facts {
	f := policy.Facts{Judged: r.judged()}
	for _, c := range r.Checks {
		out := check.Check{ID: c.ID, Status: c.Status}
		for _, m := range c.Summary {
			out.Reasons = append(out.Reasons, check.Message(m))
		}
		for _, found := range c.Findings {
			out.Findings = append(out.Findings, check.Finding{
				Message: check.Message{Code: found.Code, Args: found.Args}, Level: found.Level, Layer: found.Layer, Path: found.Path,
			})
		}
		f.Checks = append(f.Checks, out)
	}
	if r.Comparison != nil {
		c := r.Comparison.compared()
		f.Config, f.Differences = c.Config, c.Differences
	}
	return f
}

// SetPolicy notes what was demanded of the image, and what came out.
func (r *Report) SetPolicy(p policy.Policy, j policy.Judgement) {
	r.Policy = Policy{Name: p.Name, Require: p.Require.String(), Holds: len(j.Violations) == 0}
	for _, v := range j.Violations {
		r.Policy.Violations = append(r.Policy.Violations, Violation{v.Rule, v.Message.Code, v.Message.Args, v.Layer, v.Path, shownBy(v.Finding)})
	}
	for _, a := range j.Allowed {
		r.Policy.Allowed = append(r.Policy.Allowed, Allowed{a.Path, a.Cause, a.Reason, a.Expires.String(), a.Count, a.Expired})
	}
	fillLists(reflect.ValueOf(&r.Policy).Elem())
}

func shownBy(m check.Message) *Message {
	if m.IsZero() {
		return nil
	}
	return &Message{m.Code, m.Args}
}

// Title names what was demanded: the policy by its name, or the demand of the command line.
func (p Policy) Title() string {
	if p.Name != "" {
		return p.Name
	}
	return "--require " + p.Require
}

func (r *Report) judged() rebuild.Facts {
	f := rebuild.Facts{Checks: make(map[check.ID]check.Status)}
	for _, c := range r.Checks {
		f.Checks[c.ID] = c.Status
	}
	if r.Comparison != nil {
		f.Result = r.Comparison.Result
	}
	if b := r.Rebuild; b != nil {
		f.Basis, f.Failed = b.Basis, b.Status == Failed
		f.Unstable = slices.ContainsFunc(b.Fresh, func(f Fresh) bool { return !f.Same && f.Problem == "" })
	}
	return f
}

// compared is the comparison that the report was made of.
func (c *Comparison) compared() *compare.Comparison {
	out := new(compare.Comparison)
	for _, f := range c.Config {
		out.Config = append(out.Config, *f.compared())
	}
	for _, l := range c.Layers {
		out.Layers = append(out.Layers, compare.LayerPair(l))
	}
	for _, d := range c.Differences {
		one := compare.Difference{Path: d.Path, Layer: d.Layer, Cause: d.Cause, Was: compare.TextValue(d.Was), Now: compare.TextValue(d.Now), Known: d.Known, Privileged: d.Privileged}
		for _, m := range d.Evidence {
			one.Evidence = append(one.Evidence, check.Message(m))
		}
		out.Differences = append(out.Differences, one)
	}
	return out
}

// verify says what in a stored report does not follow from the rest of it: a
// verdict is believed for what it rests on, and not because it stands there.
func (r *Report) verify() error {
	for _, c := range r.Checks {
		if err := c.verify(); err != nil {
			return err
		}
	}
	if err := r.verifyCoverage(); err != nil {
		return err
	}
	if err := r.verifyBasis(); err != nil {
		return err
	}
	if c := r.Comparison; c != nil {
		if want := c.compared().Result(); c.Result != want {
			return fmt.Errorf("the result of the comparison is %q, and what differs makes it %q", c.Result, want)
		}
	}
	if want := rebuild.Judge(r.judged()); r.Verdict != want {
		return fmt.Errorf("the verdict is %s, and what was found makes it %s", r.Verdict, want)
	}
	return r.Policy.verify(r)
}

// verify says whether a policy can hold: what came of a policy file only that
// file tells, and what is demanded of the verdict the verdict.
func (p Policy) verify(r *Report) error {
	var require rebuild.Policy
	if p.Require == "" {
		return nil
	}
	if err := require.UnmarshalText([]byte(p.Require)); err != nil {
		return err
	}
	if p.Holds && (len(p.Violations) > 0 || len(p.Allowed) == 0 && !require.Holds(r.Verdict, r.Status(check.Closure))) {
		return fmt.Errorf("the policy %s holds, and what was found says that it does not", p.Require)
	}
	return nil
}

// verify holds the status of a check against the levels of its findings.
func (c *Check) verify() error {
	worst := check.Note
	for _, f := range c.Findings {
		worst = max(worst, f.Level)
	}
	fits := map[check.Status]bool{
		check.Pass:    worst == check.Note,
		check.Fail:    worst == check.Problem,
		check.Unknown: true, // a lesser evidence can be the reason
		check.Skipped: worst < check.Problem,
	}
	if !fits[c.Status] {
		return fmt.Errorf("the check %s is %s, and the weightiest of its findings is a %s", c.ID, c.Status, worst)
	}
	return nil
}

// verifyCoverage adds up the bytes.
func (r *Report) verifyCoverage() error {
	var total, vouched int64
	for _, l := range r.Image.Layers {
		total += l.UncompressedSize
	}
	if total != r.Coverage.Total || total != r.Image.UncompressedSize {
		return fmt.Errorf("the layers have %d bytes, and the report counts %d and %d", total, r.Image.UncompressedSize, r.Coverage.Total)
	}
	for _, s := range r.Coverage.Checks {
		if s.Bytes < 0 || s.Bytes > total || s.Share != share(s.Bytes, total) {
			return fmt.Errorf("the share of the check %s is not that of its bytes", s.ID)
		}
	}
	for _, v := range r.Coverage.Vouchers {
		vouched += v.Bytes
		if v.Bytes < 0 || v.Bytes > r.Coverage.Contents || v.Share != share(v.Bytes, r.Coverage.Contents) {
			return fmt.Errorf("the share of what is %s is not that of its bytes", v.Kind)
		}
	}
	if vouched != r.Coverage.Contents {
		return fmt.Errorf("the vouchers have %d bytes, and the contents %d", vouched, r.Coverage.Contents)
	}
	return nil
}

// verifyBasis holds what the verdict rests on against what was built and signed.
func (r *Report) verifyBasis() error {
	b := r.Rebuild
	if b == nil {
		return nil
	}
	built, signed := make(map[string]bool), make(map[string]int)
	for _, it := range b.Items.Built {
		built[it.Path] = true
	}
	for _, it := range r.StoreItems {
		signed[it.Path] = it.Signed
	}
	for _, p := range b.Basis.Items {
		switch {
		case p.From == rebuild.Built && !built[p.Path]:
			return fmt.Errorf("the verdict rests on %.200q as built, and it is not among what was built", p.Path)
		case len(p.Operators) > signed[p.Path]:
			return fmt.Errorf("the verdict rests on %d signatures of %.200q, and there are %d", len(p.Operators), p.Path, signed[p.Path])
		}
	}
	if (b.Status == Given) != b.Basis.Given {
		return fmt.Errorf("the rebuild is %q, and the verdict rests on another image that was given: %v", b.Status, b.Basis.Given)
	}
	return nil
}

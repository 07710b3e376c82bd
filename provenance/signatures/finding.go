package signatures

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
)

// findings says what was seen: contradictions first, then what stands in the
// way of a pass, then what is merely worth knowing.
func findings(all []standing) []check.Finding {
	var contradictions, open, notes []check.Finding
	for _, s := range all {
		for _, o := range s.outcomes {
			switch {
			case o.Word == Differs:
				contradictions = append(contradictions, s.differing(o))
			case o.Word == BadSignature && o.untrusted == "" && !s.isOpen():
				notes = append(notes, s.finding("bad-signature", check.Note, o.Server+": "+o.Why))
			case len(o.Missing)+len(o.Unsigned) > 0:
				notes = append(notes, s.otherReferences(o))
			}
		}
		switch {
		case s.isLocal():
			notes = append(notes, s.finding("not-attestable", check.Note, s.beyondFarms()))
		case s.isOpen():
			open = append(open, s.finding(s.rule(), check.Problem, s.inWords()))
		}
	}
	return slices.Concat(contradictions, untrusted(all), unreachable(all), open, notes)
}

func (s standing) finding(rule string, level check.Level, message string) check.Finding {
	return check.Finding{Rule: rule, Level: level, Layer: s.item.Layer, Path: s.item.Path, Words: message}
}

// rule names why an item is open: its gravest word.
func (s standing) rule() string {
	switch s.gravest() {
	case BadSignature:
		return "bad-signature"
	case Unreachable:
		return "unreachable"
	}
	return "unknown-item"
}

// level says how much it weighs that an answer about the item proves nothing.
func (s standing) level() check.Level {
	if s.isOpen() {
		return check.Problem
	}
	return check.Note
}

func (s standing) differing(o Outcome) check.Finding {
	message := o.Server + ": " + o.String()
	if len(s.agree) > 0 {
		message += "; the hash found here is signed by " + names(s.agree)
	}
	return s.finding("hash-differs", check.Problem, message)
}

func (s standing) beyondFarms() string {
	return fmt.Sprintf("not covered, with its %d bytes: farms build packages, and this was made for the image", s.item.Bytes)
}

// inWords says what each server said.
func (s standing) inWords() string {
	var said []string
	for _, o := range s.outcomes {
		said = append(said, o.Server+": "+o.String())
	}
	return strings.Join(said, "; ")
}

func (s standing) otherReferences(o Outcome) check.Finding {
	var parts []string
	if len(o.Missing) > 0 {
		parts = append(parts, "it is signed to refer to "+strings.Join(o.Missing, ", ")+", which it does not in this image")
	}
	if len(o.Unsigned) > 0 {
		parts = append(parts, "it refers to "+strings.Join(o.Unsigned, ", ")+", which is not signed")
	}
	return s.finding("references-differ", check.Note, fmt.Sprintf("%s: %s (%s)", o.Server, strings.Join(parts, "; "), o))
}

// A group is the items about which a server gave the same useless answer.
type group struct {
	server, cause string
	items         []standing
	level         check.Level
}

// groups gathers the answers for which cause is not empty by server and cause,
// in the order in which they are met.
func groups(all []standing, cause func(Outcome) string) []*group {
	var found []*group
	at := make(map[[2]string]*group)
	for _, s := range all {
		for _, o := range s.outcomes {
			why := cause(o)
			if why == "" {
				continue
			}
			key := [2]string{o.Server, why}
			g := at[key]
			if g == nil {
				g = &group{server: o.Server, cause: why}
				at[key] = g
				found = append(found, g)
			}
			g.items = append(g.items, s)
			g.level = max(g.level, s.level())
		}
	}
	return found
}

// untrusted is a finding for each server and key that is not trusted.
func untrusted(all []standing) []check.Finding {
	var found []check.Finding
	for _, g := range groups(all, func(o Outcome) string { return o.untrusted }) {
		found = append(found, check.Finding{Rule: "untrusted-key", Level: g.level, Layer: -1,
			Words: fmt.Sprintf("%s: what it says of %s is signed by the key %s, which is not trusted: %s", g.server, provenance.Count(len(g.items), "store item"), g.cause, listed(g.items))})
	}
	return found
}

// unreachable is a finding for each server that gave no answer, and each reason.
func unreachable(all []standing) []check.Finding {
	var found []check.Finding
	cause := func(o Outcome) string {
		if o.Word != Unreachable {
			return ""
		}
		return o.Why
	}
	for _, g := range groups(all, cause) {
		found = append(found, check.Finding{Rule: "unreachable", Level: g.level, Layer: -1,
			Words: fmt.Sprintf("%s: no answer about %s: %s (%s)", g.server, provenance.Count(len(g.items), "store item"), g.cause, listed(g.items))})
	}
	return found
}

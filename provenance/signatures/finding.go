package signatures

import (
	"slices"

	"audit/inspect/check"
)

// findings says what was seen: contradictions first, then what stands in the way
// of a pass, then what is merely worth knowing.
func findings(all []standing) []check.Finding {
	var contradictions, open check.List
	notes := check.List{Notes: check.Alike} // each is about an item of its own
	for _, s := range all {
		for _, o := range s.outcomes {
			switch {
			case o.Word == Differs:
				contradictions.Append(s.differing(o))
			case o.Word == BadSignature && !s.isOpen():
				notes.Note(s.item.Layer, s.item.Path, "signatures/bad-signature", "server", o.Server, "error", o.Why)
			case len(o.Missing)+len(o.Unsigned) > 0:
				notes.Note(s.item.Layer, s.item.Path, "signatures/references-differ", "server", o.Server, "keys", names(o.Keys), "absent", o.Missing, "unsigned", o.Unsigned)
			}
		}
		if s.disagree() {
			notes.Note(s.item.Layer, s.item.Path, "signatures/farms-disagree", "signed", s.signed())
		}
		switch {
		case s.isFollowing():
			notes.Note(s.item.Layer, s.item.Path, "signatures/follows", "bytes", s.item.Bytes)
		case s.isOpen():
			open.Append(s.open())
		}
	}
	return slices.Concat(contradictions.All(), untrusted(all), unreachable(all), open.All(), vouching(all), notes.All())
}

// vouching notes what the word of several operators is worth: a farm signs what it
// serves, and that can be what it fetched from another (Guix 1.5, guix/scripts/publish.scm,
// narinfo-string; nix-serve and nix store sign do the same).
func vouching(all []standing) []check.Finding {
	var keys []Key
	for _, s := range pick(all, standing.isProven) {
		if len(operators(s.agree)) > 1 {
			keys = append(keys, s.agree...)
		}
	}
	if keys == nil {
		return nil
	}
	return []check.Finding{check.Find(check.Note, -1, "", "signatures/vouching", "operators", operators(keys))}
}

// differing is the finding about an item of which a trusted key signed another
// hash: the image holds other bytes under the name than the farm has built. Where
// two builds in this run differ from each other, the package does not come out the
// same twice, and either may be honest.
func (s standing) differing(o Outcome) check.Finding {
	level, code := check.Problem, "signatures/hash-differs"
	if s.unstable {
		level, code = check.Undecided, "signatures/hash-differs-as-builds-do"
	}
	return check.Find(level, s.item.Layer, s.item.Path, code, "server", o.Server, "computed", o.NarHash.String(), "bytes", o.NarSize,
		"signed", o.SignedHash.String(), "signed-bytes", o.SignedSize, "keys", names(o.Keys), "agree", names(s.agree))
}

// open is the finding about an item that is not proven: what the gravest of its
// answers says. An answer that is not what its key signed is a problem: a server that
// was asked gave what it must not give. One by a key that is not trusted says nothing.
func (s standing) open() check.Finding {
	o := s.gravest()
	find := func(level check.Level, code string, args ...any) check.Finding {
		return check.Find(level, s.item.Layer, s.item.Path, code, args...)
	}
	switch {
	case len(s.agree) > 0:
		return find(check.Undecided, "signatures/too-few-operators", "operators", operators(s.agree), "at-least", s.atLeast)
	case o.Word == BadSignature:
		return find(check.Problem, "signatures/bad-signature", "server", o.Server, "error", o.Why)
	case o.Word == Unreachable:
		return find(check.Undecided, "signatures/unreachable-item", "server", o.Server, "error", o.Why)
	}
	var servers []string
	for _, o := range s.outcomes {
		servers = append(servers, o.Server)
	}
	return find(check.Undecided, "signatures/unknown-item", "servers", servers, "error", o.Why)
}

// A group is the items about which a server gave the same useless answer.
type group struct {
	server string
	cause  check.Message
	items  []standing
	open   bool // one of them at least
}

// groups gathers the answers that are meant by server and cause, in the order in
// which they are met.
func groups(all []standing, meant func(Outcome) bool) []*group {
	var found []*group
	at := make(map[[2]string]*group)
	for _, s := range all {
		for _, o := range s.outcomes {
			if !meant(o) {
				continue
			}
			key := [2]string{o.Server, o.Why.String()}
			g := at[key]
			if g == nil {
				g = &group{server: o.Server, cause: o.Why}
				at[key] = g
				found = append(found, g)
			}
			g.items = append(g.items, s)
			g.open = g.open || s.isOpen()
		}
	}
	return found
}

// level is that of a finding about a group: a note unless one of its items is open.
func (g *group) level(open check.Level) check.Level {
	if g.open {
		return open
	}
	return check.Note
}

// untrusted is a finding for each server and key that is not trusted.
func untrusted(all []standing) []check.Finding {
	var found []check.Finding
	for _, g := range groups(all, func(o Outcome) bool { return o.Word == Untrusted }) {
		args := append(named(g.items), "server", g.server, "key", g.cause.Args.String("key"))
		found = append(found, check.Find(g.level(check.Undecided), -1, "", "signatures/untrusted-key", args...))
	}
	return found
}

// unreachable is a finding for each server that gave no answer, and each reason.
func unreachable(all []standing) []check.Finding {
	var found []check.Finding
	for _, g := range groups(all, func(o Outcome) bool { return o.Word == Unreachable }) {
		args := append(named(g.items), "server", g.server, "error", g.cause)
		found = append(found, check.Find(g.level(check.Undecided), -1, "", "signatures/unreachable", args...))
	}
	return found
}

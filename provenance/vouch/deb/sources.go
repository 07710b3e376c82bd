package deb

import (
	"bytes"
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// readReleases finds the Release files that a trusted key signed: in folders, in the
// image, and at servers under the names of the suites that the image is of.
func (s *session) readReleases(ctx context.Context) error {
	s.sourceOf = make(map[*Release]*packages.Source)
	for _, src := range s.Sources {
		if src.IsServer() {
			continue
		}
		for _, name := range src.Files() {
			if !isClear(name) && !isRelease(name) {
				continue
			}
			text, err := src.Read(ctx, name, maxRelease)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.list.Note(-1, src.String()+"/"+name, "signatures/deb-release-unreadable", "error", check.Brief(err.Error()))
				continue
			}
			var signature []byte
			if isRelease(name) {
				if signature, err = src.Read(ctx, name+".gpg", maxRelease); err != nil && !errors.Is(err, packages.ErrAbsent) {
					s.list.Note(-1, src.String()+"/"+name+".gpg", "signatures/deb-release-unreadable", "error", check.Brief(err.Error()))
				}
			}
			s.accept(text, signature, -1, src.String()+"/"+name)
		}
	}
	s.imageReleases()
	for _, src := range s.Sources {
		if !src.IsServer() {
			continue
		}
		if err := s.serverReleases(ctx, src); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.releases, func(a, b *Release) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range s.releases {
		s.list.Note(-1, "", "signatures/deb-archive", "archive", r.Name, "date", r.Date, "until", r.ValidUntil, "keys", r.Keys)
	}
	return nil
}

// accept returns the Release that a text is when a trusted key signed it; the signature
// is in the text, or beside it.
func (s *session) accept(text, signature []byte, layer int, where string) *Release {
	plain := text
	var signed []openpgp.Signature
	var err error
	switch {
	case openpgp.IsClearsigned(text):
		plain, signed, err = s.Keys.Clearsigned(text)
	case signature != nil:
		signed, err = s.Keys.Detached(signature, text)
	default:
		return s.known(text)
	}
	best, ok := openpgp.BestOf(signed)
	if !ok || best.Word != openpgp.Good {
		if r := s.known(plain); r != nil && len(plain) == len(text) {
			return r
		}
		reason := check.Say("signatures/deb-release-unsigned")
		switch {
		case err != nil:
			reason = check.Say("signatures/deb-release-unreadable", "error", check.Brief(err.Error()))
		case best.Word == openpgp.Unknown:
			reason = check.Say("signatures/deb-release-untrusted", "key", best.KeyID)
		case best.Word == openpgp.Bad:
			reason = check.Say("signatures/deb-release-bad", "key", best.KeyID)
		case best.Word == openpgp.Expired:
			reason = check.Say("signatures/deb-release-expired", "key", best.KeyID)
		case best.Word == openpgp.Revoked:
			reason = check.Say("signatures/deb-release-revoked", "key", best.KeyID)
		}
		s.list.Note(layer, where, "signatures/deb-release-not-verified", "reason", reason)
		return nil
	}
	if r := s.known(plain); r != nil {
		return r
	}
	r := newRelease(plain, signed)
	r.plain = digest.Of(plain)
	s.doubts(r, signed, layer, where)
	s.releases = append(s.releases, r)
	return r
}

// doubts notes of a Release that is good what one who relies on it should know.
func (s *session) doubts(r *Release, signed []openpgp.Signature, layer int, where string) {
	strong := false
	for _, sig := range signed {
		strong = strong || sig.Word == openpgp.Good && !sig.IsWeak()
		if sig.Word == openpgp.Bad {
			s.list.Note(layer, where, "signatures/deb-release-also-bad", "key", sig.KeyID)
		}
	}
	if !strong {
		s.list.Note(layer, where, "signatures/deb-release-weak", "archive", r.Name)
	}
}

// known returns the signed Release that a text is, however that came: apt keeps the
// text of an InRelease without its signature.
func (s *session) known(plain []byte) *Release {
	sum := digest.Of(plain)
	for _, r := range s.releases {
		if r.plain == sum {
			return r
		}
	}
	return nil
}

func (r *Release) word() vouch.Word {
	return vouch.Word{Kind: vouch.Signed, By: "archive " + r.Name, Keys: r.Keys}
}

// imageReleases takes the Release files among apt's lists, those with signatures in
// them first.
func (s *session) imageReleases() {
	folder, names, _ := s.root.Folder(aptLists)
	for _, is := range []func(string) bool{isClear, isRelease} {
		for _, name := range names {
			if !is(name) {
				continue
			}
			at := path.Join(folder, name)
			text, f, ok := s.root.Content(at)
			if !ok {
				continue
			}
			signature, sf, _ := s.root.Content(at + ".gpg")
			if r := s.accept(text, signature, f.Layer, f.Path); r != nil {
				s.say(f, r.word())
				if signed, err := s.Keys.Detached(signature, text); err == nil && isGood(signed) {
					s.say(sf, vouch.Word{Kind: vouch.Made, By: "archive " + r.Name, Keys: r.Keys, Rule: "signature"})
				}
			}
		}
	}
}

func isGood(signed []openpgp.Signature) bool {
	best, ok := openpgp.BestOf(signed)
	return ok && best.Word == openpgp.Good
}

// maxSuites bounds the suites that a server is asked for.
const maxSuites = 32

// serverReleases asks a server for the suites that the image is of.
func (s *session) serverReleases(ctx context.Context, src *packages.Source) error {
	for _, suite := range s.suites() {
		folder := "dists/" + suite
		text, err := src.Read(ctx, folder+"/InRelease", maxRelease)
		var signature []byte
		if errors.Is(err, packages.ErrAbsent) {
			if text, err = src.Read(ctx, folder+"/Release", maxRelease); err == nil {
				signature, err = src.Read(ctx, folder+"/Release.gpg", maxRelease)
			}
		}
		switch {
		case errors.Is(err, packages.ErrAbsent):
			continue
		case err != nil:
			return err
		}
		if r := s.accept(text, signature, -1, src.String()+"/"+folder); r != nil {
			r.Folder, s.sourceOf[r] = folder, src
		}
	}
	return nil
}

var suiteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]*(/updates)?$`)

// suites are the names under which an archive may have what is installed: those in
// apt's sources, and those that belong to the codename of the system.
func (s *session) suites() []string {
	var names []string
	add := func(name string) {
		if suiteName.MatchString(name) && len(names) < maxSuites && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		text, _, _ := s.root.Content(file)
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "VERSION_CODENAME="); ok {
				name = strings.Trim(strings.TrimSpace(name), `"'`)
				for _, suffix := range []string{"", "-updates", "-security", "-backports"} {
					add(name + suffix)
				}
			}
		}
	}
	for _, name := range s.sourcesOfApt() {
		add(name)
	}
	return names
}

// sourcesOfApt returns the suites in both forms of sources.list(5).
func (s *session) sourcesOfApt() (suites []string) {
	files := []string{"etc/apt/sources.list"}
	folder, names, _ := s.root.Folder("etc/apt/sources.list.d")
	for _, name := range names {
		files = append(files, path.Join(folder, name))
	}
	for _, file := range files {
		text, _, ok := s.root.Content(file)
		if !ok {
			continue
		}
		if path.Ext(file) == ".sources" {
			for p := range Paragraphs(text) {
				suites = append(suites, strings.Fields(p.Get("Suites"))...)
			}
			continue
		}
		for line := range bytes.Lines(text) {
			if m := oneLine.FindSubmatch(line); m != nil {
				suites = append(suites, strings.TrimSuffix(string(m[1]), "/"))
			}
		}
	}
	return suites
}

var oneLine = regexp.MustCompile(`^\s*deb\s+(?:\[[^]]*\]\s+)?\S+\s+(\S+)`)

package deb

import (
	"context"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/vouch"
)

// A Choice is a package that is installed, and what signed indexes say of it.
type Choice struct {
	Name
	Auto    bool     // it came with another, as apt notes
	Listed  []Listed // none when no signed index has it
	Archive string   // that has the first of them
	Suite   string   // of that archive
}

// Choices returns the packages of an image with what the sources, and the image, have of
// signed indexes. The packages themselves are not read.
func (f Family) Choices(ctx context.Context, img *inspect.Image) ([]Choice, error) {
	s := newSession(f, img)
	s.readInstalled()
	s.complete(ctx)
	return s.choices(ctx)
}

// Signed returns what the sources have of signed indexes about packages.
func (f Family) Signed(ctx context.Context, names []Name) ([]Choice, error) {
	s := newSession(f, new(inspect.Image))
	for _, n := range names {
		s.installed = append(s.installed, &installed{Name: n})
	}
	return s.choices(ctx)
}

func newSession(f Family, img *inspect.Image) *session {
	return &session{Family: f, table: vouch.New(img), img: img, root: img.Root(), list: check.List{Max: maxFindings, Notes: maxFindings}}
}

func (s *session) choices(ctx context.Context) ([]Choice, error) {
	if len(s.installed) == 0 || s.Keys.IsEmpty() {
		return nil, nil
	}
	if err := s.readReleases(ctx); err != nil {
		return nil, err
	}
	if err := s.readIndexes(ctx); err != nil {
		return nil, err
	}
	auto := s.automatic()
	var all []Choice
	for _, p := range s.installed {
		c := Choice{Name: p.Name, Auto: auto[p.Package]}
		for _, o := range s.offers[p.Name] {
			c.Listed = append(c.Listed, o.Listed)
		}
		if offers := s.offers[p.Name]; len(offers) > 0 {
			c.Archive, c.Suite = offers[0].release.Name, offers[0].release.Suite
		}
		all = append(all, c)
	}
	return all, nil
}

// automatic are the packages that came with others.
func (s *session) automatic() map[string]bool {
	all := make(map[string]bool)
	text, _, _ := s.root.Content("var/lib/apt/extended_states")
	for p := range Paragraphs(text) {
		if p.Get("Auto-Installed") == "1" {
			all[p.Get("Package")] = true
		}
	}
	return all
}

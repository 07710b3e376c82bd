package deb

import (
	"context"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/limit"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// A Family verifies packages of the format of Debian.
type Family struct {
	Keys    openpgp.Keyring    // that are trusted
	Sources []*packages.Source // of packages and what signs them, beside the image
	// Inspect says how contents of the image are read again.
	Inspect inspect.Options
}

// Name is that of the format.
func (Family) Name() string { return "deb" }

// Vouch verifies the installed packages of an image, and says which files are theirs.
func (f Family) Vouch(ctx context.Context, t *vouch.Table) (vouch.Result, error) {
	s := newSession(f, t.Image())
	s.table = t
	s.readInstalled()
	if len(s.installed) == 0 {
		return vouch.Result{}, nil
	}
	if !s.Keys.IsEmpty() { // else nothing would come of reading the image again
		s.complete(ctx)
	}
	s.flat = s.isFlat()
	if err := s.read(ctx); err != nil {
		return vouch.Result{}, err
	}
	if slices.ContainsFunc(s.installed, func(p *installed) bool { return p.archive != nil }) {
		s.match()
		s.made()
		s.noFolders()
	}
	return s.result(), ctx.Err()
}

// maxFindings bounds the findings of one code about one layer.
const maxFindings = 200

// A session verifies one image.
type session struct {
	Family
	table *vouch.Table
	img   *inspect.Image
	root  *inspect.Root
	list  check.List

	installed  []*installed // sorted
	diversions map[string]diversion
	refused    map[string]string   // by whom diversions are that no signed script makes, by path
	overrides  map[string]override // by path
	releases   []*Release
	offers     map[Name][]offer
	claims     map[string][]claim // of files of signed packages, by their place in the root
	sourceOf   map[*Release]*packages.Source
	unread     bool // contents of the image could not be read again
	flat       bool // all files have one owner: how the image was packed says nothing of owners
	located    map[string][]located
	own        map[string]claim        // files that are as a signed package has them, by their place
	absent     map[string]*installed   // files of signed packages that are not in the image
	byName     map[string]*installed   // the verified packages; made when it is needed
	namers     map[string][]*installed // packages by the paths that their scripts name; likewise
	changed    *changes                // what scripts change; likewise
	folders    []claim                 // of signed packages, where the image has none
	filters    []filter                // of paths that dpkg leaves out; likewise
	docs       int                     // files of documentation that were left out
}

// read finds what is signed, and reads the packages that are.
func (s *session) read(ctx context.Context) error {
	s.readDiversions()
	s.readOverrides()
	if s.Keys.IsEmpty() {
		return nil
	}
	if err := s.readReleases(ctx); err != nil {
		return err
	}
	if err := s.readIndexes(ctx); err != nil {
		return err
	}
	return s.readArchives(ctx)
}

// complete reads the contents of the image that rules look into and that were not kept.
// Of an image that came as a stream there may be none to be read.
func (s *session) complete(ctx context.Context) {
	var files []inspect.File
	for f := range s.root.Files() {
		if f.Inode.Type == '0' && (Keep(f.Path) || Keep(f.Inode.Entry.Path)) {
			files = append(files, f)
		}
	}
	s.fetch(ctx, files)
}

// fetch reads the contents of files of the image that were not kept.
func (s *session) fetch(ctx context.Context, files []inspect.File) {
	files = slices.DeleteFunc(files, func(f inspect.File) bool {
		_, _, kept := s.root.Content(f.Path)
		return kept
	})
	opt := s.Inspect
	limits := limit.DefaultLimits()
	if opt.Limits != nil {
		limits = *opt.Limits
	}
	limits.KeptBytes = max(limits.KeptBytes, 512<<20)
	opt.Limits = &limits
	if err := inspect.Complete(ctx, s.img, files, opt); err != nil {
		s.unread = true
	}
}

// result says what was found.
func (s *session) result() vouch.Result {
	out := vouch.Result{Packages: len(s.installed), Keys: s.keys()}
	missing := 0
	s.several()
	for _, p := range s.installed {
		switch {
		case p.archive == nil && p.problem != nil:
			s.list.Undecided(p.file.Layer, p.file.Path, "signatures/deb-unreadable", "package", p.Name.String(), "error", check.Brief(p.problem.Error()))
		case p.archive != nil:
			out.Verified++
			out.Archives = append(out.Archives, vouch.Archive{By: p.by(), Name: p.Package, Version: p.Version, Arch: p.Arch, Sum: p.offer.Sum})
		case p.offer != nil:
			missing++
			s.list.Undecided(p.file.Layer, p.file.Path, "signatures/deb-not-here", "package", p.Package, "version", p.Version, "archive", p.offer.release.Name)
		case len(s.releases) > 0:
			s.list.Undecided(p.file.Layer, p.file.Path, "signatures/deb-not-listed", "package", p.Package, "version", check.Brief(p.Version))
		}
	}
	switch {
	case out.Verified > 0:
	case s.Keys.IsEmpty():
		out.Reason = check.Say("signatures/deb-no-key", "packages", len(s.installed))
	case len(s.releases) == 0:
		out.Reason = check.Say("signatures/deb-no-release", "packages", len(s.installed))
	case missing > 0:
		out.Reason = check.Say("signatures/deb-names-only", "packages", len(s.installed), "listed", missing)
	default:
		out.Reason = check.Say("signatures/deb-none-listed", "packages", len(s.installed))
	}
	if s.docs > 0 {
		s.list.Note(-1, "", "signatures/deb-documentation", "count", s.docs)
	}
	if s.flat && out.Verified > 0 {
		s.list.Note(-1, "", "signatures/deb-owners-flat")
	}
	if s.unread {
		s.list.Note(-1, "", "signatures/deb-contents-unread")
	}
	out.Findings = s.list.Sorted()
	return out
}

// several says of which packages more is installed than dpkg installs: one version, and
// several architectures only of those that say so (Multi-Arch in deb-control(5)). A file
// that is as one of them has it need not be as new as the other.
func (s *session) several() {
	for i := 1; i < len(s.installed); i++ {
		p, q := s.installed[i-1], s.installed[i]
		together := p.Version == q.Version && p.text.Get("Multi-Arch") == "same" && q.text.Get("Multi-Arch") == "same"
		if p.Package == q.Package && !together && (i == 1 || s.installed[i-2].Package != p.Package) {
			s.list.Undecided(q.file.Layer, q.file.Path, "signatures/deb-several", "package", p.Package, "one", check.Brief(p.Version+" "+p.Arch), "other", check.Brief(q.Version+" "+q.Arch))
		}
	}
}

// keys are those that signed the archives, and those that the image carries.
func (s *session) keys() []vouch.Key {
	var keys []vouch.Key
	for _, r := range s.releases {
		for i, k := range r.Keys {
			if !slices.ContainsFunc(keys, func(have vouch.Key) bool { return have.Fingerprint == k }) {
				keys = append(keys, vouch.Key{Fingerprint: k, Name: r.KeyNames[i], Trusted: true})
			}
		}
	}
	room := openpgp.MaxCarried
	for f := range s.root.Files() {
		if !IsKeyring(f.Path) {
			continue
		}
		text, _, ok := s.root.Content(f.Path)
		if !ok {
			continue
		}
		if room -= len(text); room < 0 {
			break
		}
		carried, err := openpgp.Carried(text)
		if err != nil {
			continue
		}
		for _, k := range carried {
			fingerprint := strings.ToUpper(k.Fingerprint)
			trusted := slices.ContainsFunc(s.Keys.Keys(), func(t openpgp.Key) bool { return strings.EqualFold(t.Fingerprint, k.Fingerprint) })
			keys = append(keys, vouch.Key{Fingerprint: fingerprint, Name: k.Name, Trusted: trusted, Path: f.Path})
		}
	}
	return keys
}

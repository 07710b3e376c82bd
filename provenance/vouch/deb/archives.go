package deb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"audit/inspect"
	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// aptArchives is where apt keeps packages that it has fetched.
const aptArchives = "var/cache/apt/archives"

// located is a file that can be a package, by its name.
type located struct {
	source  *packages.Source
	path    string
	version string // as the name has it
}

// isPackage says whether a name is that of a package of Debian, or of Ubuntu's with
// debugging symbols.
func isPackage(name string) bool {
	ext := path.Ext(name)
	return ext == ".deb" || ext == ".ddeb"
}

// nameOf takes NAME_VERSION_ARCH.deb apart. Apt writes the colon after an epoch as %3a,
// mirrors leave the epoch out.
func nameOf(file string) (pkg, version string, ok bool) {
	base := path.Base(file)
	words := strings.Split(strings.TrimSuffix(base, path.Ext(base)), "_")
	if len(words) < 2 || !isPackage(file) {
		return "", "", false
	}
	return words[0], strings.NewReplacer("%3a", ":", "%3A", ":", "%7e", "~", "%2b", "+").Replace(words[1]), true
}

// readArchives reads the packages that are installed and that an index names, from
// folders, then from the image, then from servers.
func (s *session) readArchives(ctx context.Context) error {
	s.locate()
	for _, p := range s.installed {
		if offers := s.offers[p.Name]; len(offers) > 0 {
			p.offer = &offers[0]
		}
	}
	if err := s.fromFolders(ctx); err != nil {
		return err
	}
	if err := s.fromImage(ctx); err != nil {
		return err
	}
	return s.fromServers(ctx)
}

func (s *session) locate() {
	s.located = make(map[string][]located)
	for _, src := range s.Sources {
		for _, file := range src.Files() {
			if pkg, version, ok := nameOf(file); ok {
				s.located[pkg] = append(s.located[pkg], located{src, file, version})
			}
		}
	}
}

// fits says whether a name of a file has a version, with the epoch or without.
func fits(version, inName string) bool {
	if version == inName {
		return true
	}
	_, rest, ok := strings.Cut(version, ":")
	return ok && rest == inName
}

func withoutEpoch(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		return rest
	}
	return version
}

// fromFolders reads what the folders have, several at a time.
func (s *session) fromFolders(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait sync.WaitGroup
	queue := make(chan *installed)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for p := range queue {
				if err := s.fromFolder(ctx, p); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, p := range s.installed {
		if p.offer == nil || ctx.Err() != nil {
			continue
		}
		queue <- p
	}
	close(queue)
	wait.Wait()
	return context.Cause(ctx)
}

// fromFolder reads a package from the first file that is one of those which are
// offered. What is not is not looked into.
func (s *session) fromFolder(ctx context.Context, p *installed) error {
	for _, at := range s.located[p.Package] {
		if !fits(p.Version, at.version) {
			continue
		}
		content, err := at.source.Open(ctx, at.path, digest.Sum{}, 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, packages.ErrAbsent) { // a link that leads nowhere
			continue
		}
		if err != nil {
			p.problem = fmt.Errorf("reading %s: %w", at.path, err)
			continue
		}
		err = s.fromFile(ctx, p, content)
		content.Close()
		if err != nil {
			return fmt.Errorf("reading %s of %s: %w", at.path, at.source, err)
		}
		if p.archive != nil && s.isOnly(p) {
			return nil
		}
	}
	return nil
}

// isOnly says whether all indexes name the same file for a package. Where archives have
// other bytes under one version, the image does not say which of them it has.
func (s *session) isOnly(p *installed) bool {
	offers := s.offers[p.Name]
	return !slices.ContainsFunc(offers, func(o offer) bool { return o.Sum != offers[0].Sum })
}

// fromFile reads a package from a file that is hashed before.
func (s *session) fromFile(ctx context.Context, p *installed, content io.Reader) error {
	file, ok := content.(io.ReadSeeker)
	if !ok {
		return errors.New("it cannot be read twice")
	}
	h := sha256.New()
	if _, err := io.Copy(h, stopping{ctx, file}); err != nil {
		return err
	}
	for i := range s.offers[p.Name] {
		o := &s.offers[p.Name][i]
		if digest.Sum(h.Sum(nil)) != o.Sum {
			continue
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return s.open(ctx, p, o, file)
	}
	return nil
}

// stopping ends a reading with its context.
type stopping struct {
	ctx context.Context
	io.Reader
}

func (r stopping) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// open reads a package that has the digest of an offer. One that is signed and cannot be
// read is a finding.
func (s *session) open(ctx context.Context, p *installed, o *offer, r io.Reader) error {
	a, err := Read(stopping{ctx, r}, keepSigned, DefaultLimits())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p.problem = err
		return nil
	case a.Sum != o.Sum:
		return errors.New("it has changed while it was read")
	}
	if n := (Name{a.Control.Get("Package"), a.Control.Get("Version"), a.Control.Get("Architecture")}); n != p.Name {
		p.problem = fmt.Errorf("it is %s, and the index says %s", n, p.Name)
		return nil
	}
	if p.archive == nil || s.alike(p, a) > s.alike(p, p.archive) {
		p.archive, p.offer = a, o
	}
	return nil
}

// alike counts the files of a package that the image has with the same content.
func (s *session) alike(p *installed, a *Archive) (count int) {
	for i := range a.Files {
		f := &a.Files[i]
		here, ok := s.root.Name(s.placeOf(p, f.Path))
		if ok && f.Type == '0' && here.Inode.Type == '0' && here.Inode.Digest == f.Sum {
			count++
		}
	}
	return count
}

// fromImage reads packages that apt has left in the image, and says of each that is as
// an index names it.
func (s *session) fromImage(ctx context.Context) error {
	folder, names, _ := s.root.Folder(aptArchives)
	wanted := make(map[string]*installed) // by the path of the entry
	places := make(map[string]inspect.File)
	named := make(map[[2]string][]*installed) // by name and version without its epoch
	for _, p := range s.installed {
		key := [2]string{p.Package, withoutEpoch(p.Version)}
		if len(s.offers[p.Name]) > 0 {
			named[key] = append(named[key], p)
		}
	}
	for _, name := range names {
		pkg, version, ok := nameOf(name)
		f, there := s.root.Lookup(path.Join(folder, name))
		if !ok || !there || f.Inode.Type != '0' {
			continue
		}
		for _, p := range named[[2]string{pkg, withoutEpoch(version)}] {
			if !fits(p.Version, version) {
				continue
			}
			for i, o := range s.offers[p.Name] {
				if o.Sum != f.Inode.Digest {
					continue
				}
				s.say(f, vouch.Word{Kind: vouch.Signed, By: p.by(), Keys: o.release.Keys})
				if p.archive == nil {
					p.offer = &s.offers[p.Name][i]
					wanted[f.Inode.Entry.Path], places[f.Inode.Entry.Path] = p, f
				}
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	opt := s.Inspect
	limits := limit.DefaultLimits()
	limits.KeptBytes = maxImageArchives
	opt.Limits = &limits
	found, err := inspect.Contents(ctx, s.img, func(p string) bool { return wanted[p] != nil }, opt)
	if err != nil {
		s.unread = true
		return ctx.Err()
	}
	for at, p := range wanted {
		if content, ok := found.Body(places[at].Inode.Layer, at); ok {
			if err := s.fromFile(ctx, p, bytes.NewReader(content)); err != nil {
				p.problem = err
			}
		}
	}
	return nil
}

// maxImageArchives bounds the bytes of packages of the image that are read.
const maxImageArchives = 2 << 30

// fromServers fetches what is missing, one package at a time.
func (s *session) fromServers(ctx context.Context) error {
	for _, p := range s.installed {
		if p.archive != nil && s.isOnly(p) {
			continue
		}
		for i := range s.offers[p.Name] {
			o := &s.offers[p.Name][i]
			src := s.sourceOf[o.release]
			if src == nil || o.Path == "" {
				continue
			}
			content, err := src.Open(ctx, o.Path, o.Sum, o.Size)
			if errors.Is(err, packages.ErrAbsent) {
				continue
			}
			if err != nil {
				return err
			}
			err = s.fromFile(ctx, p, content)
			content.Close()
			if err != nil {
				return fmt.Errorf("reading %s of %s: %w", o.Path, src, err)
			}
			if s.isOnly(p) {
				break
			}
		}
	}
	return nil
}

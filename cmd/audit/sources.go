package main

import (
	"context"
	"path/filepath"
	"time"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/sources"
	"audit/sbom"
)

// followSources makes the check of the sources, from the derivations that the user names
// or that the recipe was evaluated to. Nothing is built or fetched for it.
func (l *line) followSources(ctx context.Context, a *audit, began time.Time) {
	about, at := l.derivations(a)
	if at.Root == "" {
		if about.Name != "" && about.Fetch == nil {
			l.skip(check.Sources, "sources/not-for-system")
		} else {
			l.skip(check.Sources, "sources/no-derivations")
		}
		return
	}
	l.step("sources", func() error {
		w, err := follow(a, about, at)
		if err != nil {
			c := check.Check{ID: check.Sources}
			c.Because("sources/not-read", "error", err)
			l.add(c)
			return err
		}
		a.sources = w
		return nil
	})
	if a.sources == nil {
		return
	}
	l.step("archives", func() error {
		l.askArchives(ctx, a, about, at, began)
		return nil
	})
	l.add(a.sources.Check())
}

func follow(a *audit, about rebuild.About, at rebuild.Derivations) (*sources.Walk, error) {
	g, err := sources.Read(at)
	if err != nil {
		return nil, err
	}
	in := sources.Input{Graph: g, Fetch: about.Fetch, Items: a.image.Items}
	for _, p := range a.evidence.Recipe.Packages {
		in.Packages = append(in.Packages, p.Path)
	}
	w, err := sources.Follow(in)
	if err != nil {
		return nil, err
	}
	w.Verify(g, at)
	w.Identify(at)
	return w, nil
}

// derivations says where those of the image lie: those that the user names come first.
// It returns what is known of their build system, or of that of the image.
func (l *line) derivations(a *audit) (rebuild.About, rebuild.Derivations) {
	for _, s := range systems() {
		about := s.About()
		if file := l.in.Text(about.DerivationFlag); about.DerivationFlag != "" && file != "" {
			return about, rebuild.Derivations{Root: about.Store + "/" + filepath.Base(file), Beside: filepath.Dir(file)}
		}
	}
	if a.system == nil {
		return rebuild.About{}, rebuild.Derivations{}
	}
	about := a.system.About()
	if a.result == nil || about.Fetch == nil {
		return about, rebuild.Derivations{}
	}
	return about, a.result.Derived
}

// billSources are the sources as a bill of materials has them.
func billSources(a *audit) (all []sbom.Source) {
	if a.sources == nil {
		return nil
	}
	for _, s := range a.sources.Sources {
		all = append(all, sbom.Source{
			Name: s.Name, Derivation: s.Derivation, Method: string(s.Method), Repository: s.Method != rebuild.FetchURL && s.Method != rebuild.FetchProgram,
			Addresses: s.Addresses, Revision: s.Revision, Algorithm: s.Algorithm, Hash: s.Hash, Recursive: s.Recursive, Seed: string(s.Seed), SWHID: s.SWHID, Items: s.NeededBy,
		})
	}
	return all
}

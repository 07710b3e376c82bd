package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
)

// brick is a made-up build system: all of it is in this file.
type brick struct{}

func (brick) About() rebuild.About {
	return rebuild.About{
		Name: "brick", Tool: "Brick", Sources: "quarry", Flags: []rebuild.Flag{{Name: "brick-kiln", Usage: "burn in `KILN`"}},
		Sentences: map[string]string{"recipe/bricks": "laid of {bricks:count brick}"},
	}
}

func (brick) Keep(path string) bool { return path == "brick.json" }

func (brick) Recover(img, _ *inspect.Image) (*provenance.Evidence, error) {
	ev := &provenance.Evidence{Recipe: provenance.Recipe{
		System: "brick", Status: provenance.Complete, Packer: "brick 1", Channels: []provenance.Channel{{Name: "hill", URL: "https://hill.example"}},
	}}
	ev.Recover = check.Check{ID: check.Recipe, Status: check.Pass}
	ev.Recover.Because("recipe/bricks", "bricks", 3)
	ev.Closure = check.Check{ID: check.Closure, Status: check.Pass}
	ev.Closure.Because("recipe/bricks", "bricks", 3)
	return ev, nil
}

func (brick) Repack(*inspect.Image, provenance.Recipe) check.Check {
	c := check.Check{ID: check.Repack, Status: check.Pass}
	c.Because("recipe/bricks", "bricks", 3)
	return c
}

func (brick) Freedoms(_, _ *inspect.Image) []compare.Freedom                  { return nil }
func (brick) History(*inspect.Image) rebuild.History                          { return rebuild.History{} }
func (brick) Given(in rebuild.Settings) (bool, error)                         { return in.On("brick-kiln"), nil }
func (brick) Vet(plan rebuild.Plan, _ rebuild.Settings) (rebuild.Plan, error) { return plan, nil }
func (brick) Script(rebuild.Plan) []byte                                      { return []byte("#!/bin/sh\nbrick lay\n") }
func (brick) Builder(string) rebuild.Builder                                  { return mason{} }

func (brick) Plan(img *inspect.Image, _ provenance.Recipe, _ rebuild.Settings) (rebuild.Plan, error) {
	return rebuild.Plan{System: "brick", Image: img.Reference, Command: []string{"brick", "lay"}}, nil
}

// mason is who builds.
type mason struct{}

func (mason) Build(_ context.Context, _ rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	data, err := os.ReadFile("../../fixtures/guix/images/hello.tar.gz")
	if err != nil {
		return nil, err
	}
	image := filepath.Join(job.Dir, "rebuilt.tar.gz")
	r := &rebuild.Result{Image: image, Items: []rebuild.Item{{Path: "1/1 LAY", How: rebuild.Built}}}
	r.Derivation = check.Skip(check.Derivation, "recipe/bricks", "bricks", 3)
	return r, os.WriteFile(image, data, 0o666)
}

// TestMadeUpSystem: a build system that is in the list is recovered, packed,
// planned, built and reported, and nothing else has to know of it.
func TestMadeUpSystem(t *testing.T) {
	all := append(rebuild.Systems{brick{}}, systems()...)
	img, err := inspect.Open(t.Context(), "../../fixtures/guix/images/hello.tar.gz", inspect.Options{Stores: fixtures.Stores(), Keep: all.Keep})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := provenance.Recover(img, nil, all)
	if err != nil {
		t.Fatal(err)
	}
	s, err := all.For(ev.Recipe, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.Plan(img, ev.Recipe, nil)
	if err != nil {
		t.Fatal(err)
	}
	builder, ok := rebuild.BuilderOf(s, "auto")
	if !ok {
		t.Fatal("nobody builds it")
	}
	result, err := builder.Build(t.Context(), plan, rebuild.Job{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	again, err := inspect.Open(t.Context(), result.Image, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	c := compare.Images(img, again, all.Freedoms(img, again))
	basis := rebuild.Origins{Made: result.Items}.Basis()
	checks := []check.Check{img.Integrity(), ev.Recover, ev.Closure, s.Repack(img, ev.Recipe), result.Derivation, rebuild.Check(c, false, result.Items)}
	verdict := rebuild.Judge(rebuild.Facts{Checks: rebuild.StatusesOf(checks), Result: c.Result(), Basis: basis})
	r := report.New(report.Input{
		Image: img, Evidence: ev, Systems: all.Abouts(), Checks: checks, Plan: &plan, Builder: "brick", Result: result,
		Rebuilt: again, Comparison: c, Basis: basis, Verdict: verdict,
	})
	var doc, text bytes.Buffer
	if err := errors.Join(report.WriteJSON(&doc, r), report.WriteText(&text, r, report.TextOptions{})); err != nil {
		t.Fatal(err)
	}
	if _, err := report.ReadJSON(&doc, all.Abouts()...); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"brick 1; 1 quarry", "laid of 3 bricks", "reproducible: "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q: %s", want, text.String())
		}
	}
}

// yard is a made-up build system with a store of its own.
type yard struct{ brick }

func (yard) About() rebuild.About {
	about := brick{}.About()
	about.Name, about.Store = "yard", "/brick/yard"
	return about
}

// TestMadeUpStore: the store items of a made-up system are found, with what they
// refer to, since its store stands in its About.
func TestMadeUpStore(t *testing.T) {
	const wall, clay = "/brick/yard/0000000000000000000000000000000w-wall-1", "/brick/yard/0000000000000000000000000000000c-clay-2"
	path := filepath.Join(t.TempDir(), "image.tar")
	archive := fixtures.Docker{Layers: [][]fixtures.File{{
		{Name: wall[1:] + "/"}, {Name: wall[1:] + "/brick", Body: "laid of " + clay}, {Name: clay[1:], Body: "x"},
	}}}.Archive()
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: append(rebuild.Systems{yard{}}, systems()...).Stores()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range img.Items {
		got = append(got, it.Path)
		for _, r := range it.References {
			got = append(got, "-> "+r)
		}
	}
	if want := []string{clay, wall, "-> " + clay}; !slices.Equal(got, want) || img.Items[0].NarHash.Hex == "" {
		t.Errorf("got %q, want %q", got, want)
	}
}

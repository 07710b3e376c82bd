package rebuild

import (
	"errors"
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/signatures"
	"audit/rebuild/compare"
	"audit/rebuild/drv"
	"audit/rebuild/why"
)

// A System is one build system: all that audit has to know of it, in one value.
// Adding one is a folder in provenance, a folder in rebuild and a line in the
// list of cmd/audit/systems.go; no other file names a system.
//
// A method that is handed an image, a recipe or a plan of another system returns
// an error that wraps [provenance.ErrNotMine].
type System interface {
	// About says what never changes: its name, its flags, its words.
	About() About

	// Keep says whether Recover, Repack or Plan look into the content of the
	// regular file at a path of an image, of the form of [inspect.Entry].
	Keep(path string) bool

	provenance.System

	// Repack packs what the image has again, by the packer's own rules, and
	// returns the check named repack.
	Repack(img *inspect.Image, recipe provenance.Recipe) check.Check

	// Freedoms are what the packer that made both images leaves to chance: honest
	// builds differ by it.
	Freedoms(a, b *inspect.Image) []compare.Freedom

	// History says what made each layer of an image. It is zero for a system
	// without instructions, and for an image of another one.
	History(img *inspect.Image) History

	// Given says whether the user's settings give a recipe for this system. The
	// error says what is wrong with the way in which they are given.
	Given(in Settings) (bool, error)

	// Plan says how to build the image again. What cannot be built, or must not
	// be, gives a plan all the same, with the reasons in it.
	Plan(img *inspect.Image, recipe provenance.Recipe, in Settings) (Plan, error)

	// Vet judges a plan that comes from a file, which anyone may have written, as
	// if the image had been read from it. An error says that it is no plan.
	Vet(plan Plan, in Settings) (Plan, error)

	// Script writes a plan as a POSIX shell script that does the same elsewhere.
	Script(plan Plan) []byte

	// Builder returns who runs a plan: the engine of About.Engines that is named,
	// or, for "", the one that fits the plan.
	Builder(engine string) Builder
}

// About is what never changes of a [System].
type About struct {
	Name    provenance.SystemName
	Tool    string   // where its plans are run, for people: "Guix", "the engine"
	Engines []string // programs that --builder can name beside the system
	Store   string   // folder of its store items, such as "/gnu/store"; "" without a store
	Flags   []Flag   // of the command line, that complete a recipe or allow something

	// StartsVersion says whether a character after a dash in the name of a store
	// item starts the version of the package. Nil means that a digit does.
	StartsVersion func(c byte) bool

	// Farms are the build farms of the project that makes the system, with the keys
	// that it trusts as it is installed; none for a system without a store.
	Farms []signatures.Farm

	// Sources names what its recipes are pinned by, such as "channel"; "" for "source".
	Sources string

	// NarHash is the command that prints the NAR hash of a path, which follows;
	// none for a system without a store.
	NarHash []string

	// PrintsImage says that the command of its plans prints the name of the image
	// that it makes; else rebuild.sh knows where it is.
	PrintsImage bool

	// SavesRecipe says in a sentence how an image by it comes to carry its recipe.
	SavesRecipe string

	// Example is a call of audit rebuild with its flags, and what it is for.
	Example [2]string

	// Fetch returns how a derivation fetches its output, its Method "" where it does
	// not; nil for a system without derivations.
	Fetch func(*drv.Derivation) Fetch

	// Mirrors reads a file of [Fetch.Lists]: the addresses of mirrors by their name, those
	// of databases of archives by ""; nil for a system without such files.
	Mirrors func(text []byte) map[string][]string

	// DerivationFlag names the flag that takes the .drv file of an image; "" for none.
	DerivationFlag string

	// NoDerivation is the code of why the check named derivation is skipped for this system;
	// "" where recipes are evaluated to derivations.
	NoDerivation string

	// Causes are the ways in which builds fail that its own tool has words for.
	Causes []why.Rule

	// Sentences are the texts of the codes that only this system's checks use, by
	// code, as package report takes them.
	Sentences map[string]string
}

// A History is who made an image, instruction by instruction.
type History struct {
	Engine string         // the program, such as "buildkit"; "" when it cannot be known
	Layers map[int]string // the instruction that made each layer, by its index
}

// A Flag is one flag of the command line that a system takes.
type Flag struct {
	Name  string // "nix-expr"
	Kind  FlagKind
	Usage string // with the value's name in backquotes
	// Secret returns the parts of a value that may be secret, and that no output
	// may have; nil where there are none in any value.
	Secret func(value string) []string
}

// A FlagKind says what values a flag takes.
type FlagKind int

// The kinds of flag.
const (
	Text   FlagKind = iota // one value
	List                   // may be given again
	Switch                 // none
)

// Settings are the values of the flags of all systems, by the name of the flag; a
// [Switch] that is given has one value.
type Settings map[string][]string

// Text returns the value of a flag, "" when it was not given.
func (s Settings) Text(name string) string {
	if len(s[name]) == 0 {
		return ""
	}
	return s[name][0]
}

// List returns the values of a flag, nil when it was not given.
func (s Settings) List(name string) []string { return s[name] }

// Secrets are the parts that may be secret of the values of the flags of all systems.
func (all Systems) Secrets(in Settings) []string {
	var found []string
	for _, s := range all {
		for _, f := range s.About().Flags {
			for _, value := range in[f.Name] {
				if f.Secret != nil {
					found = append(found, f.Secret(value)...)
				}
			}
		}
	}
	return found
}

// On says whether a switch was given.
func (s Settings) On(name string) bool { return len(s[name]) > 0 }

// Stores are where the systems keep their store items.
func (all Systems) Stores() store.Dirs {
	var dirs store.Dirs
	for _, s := range all {
		if dir := s.About().Store; dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Systems are the build systems in the order in which they are asked for a
// recipe.
type Systems []System

// ErrNoRecipe is the reason when an image reveals nothing to build by.
var ErrNoRecipe = errors.New("the image contains no recipe that a builder could follow")

// Named returns the system of a name, or [ErrNoRecipe].
func (all Systems) Named(name provenance.SystemName) (System, error) {
	i := slices.IndexFunc(all, func(s System) bool { return s.About().Name == name })
	if i < 0 {
		return nil, ErrNoRecipe
	}
	return all[i], nil
}

// Only is the system of a name, or none.
func (all Systems) Only(name provenance.SystemName) Systems {
	return slices.DeleteFunc(slices.Clone(all), func(s System) bool { return s.About().Name != name })
}

// History is that of the first system that has one.
func (all Systems) History(img *inspect.Image) History {
	for _, s := range all {
		if h := s.History(img); h.Engine != "" || len(h.Layers) > 0 {
			return h
		}
	}
	return History{}
}

// Given returns the system for which the user gives a recipe, nil when for none.
// A recipe for two of them is an error.
func (all Systems) Given(in Settings) (System, error) {
	var given System
	for _, s := range all {
		ok, err := s.Given(in)
		switch {
		case err != nil:
			return nil, err
		case ok && given != nil:
			return nil, fmt.Errorf("a recipe is given for %s and for %s: give one of them", given.About().Name, s.About().Name)
		case ok:
			given = s
		}
	}
	return given, nil
}

// For returns the system that builds an image again: the one whose recipe the
// user gives, else that of the image's own recipe.
func (all Systems) For(recipe provenance.Recipe, in Settings) (System, error) {
	if s, err := all.Given(in); s != nil || err != nil {
		return s, err
	}
	return all.Named(recipe.System)
}

// Keep says whether any system looks into the file at a path.
func (all Systems) Keep(path string) bool {
	return slices.ContainsFunc(all, func(s System) bool { return s.Keep(path) })
}

// Freedoms are those of the packers of all systems.
func (all Systems) Freedoms(a, b *inspect.Image) []compare.Freedom {
	var found []compare.Freedom
	for _, s := range all {
		found = append(found, s.Freedoms(a, b)...)
	}
	return found
}

// BuilderNames are the values that --builder takes: auto, each system, its
// engines, and none.
func (all Systems) BuilderNames() []string {
	names := []string{"auto"}
	for _, s := range all {
		names = append(append(names, string(s.About().Name)), s.About().Engines...)
	}
	return append(names, "none")
}

// BuilderOf returns the builder of a system that a value of --builder means; ok is
// false when it means none of this system.
func BuilderOf(s System, name string) (b Builder, ok bool) {
	about := s.About()
	switch {
	case name == "" || name == "auto" || name == string(about.Name):
		return s.Builder(""), true
	case slices.Contains(about.Engines, name):
		return s.Builder(name), true
	}
	return nil, false
}

// Abouts are what never changes of all systems, in their order.
func (all Systems) Abouts() []About {
	var out []About
	for _, s := range all {
		out = append(out, s.About())
	}
	return out
}

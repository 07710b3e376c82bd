// Package provenance turns the evidence inside an image into a recipe: how
// the image says that it was built.
//
// Each build system that is known has a folder of its own. Its Recover is
// handed an inspected image and returns the recipe with the two checks that
// only that system can make, recipe and closure. What the image does not show
// is listed as missing and never guessed.
package provenance

import (
	"errors"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/base"
	"audit/provenance/ospackages"
	"audit/provenance/records"
	"audit/provenance/vouch"
)

// ErrNotMine is what a build system returns for an image that it knows nothing
// about: the next one is asked.
var ErrNotMine = errors.New("no trace of this build system")

// Evidence is what one build system found in an image.
type Evidence struct {
	Recipe  Recipe
	Recover check.Check // the check named recipe
	Closure check.Check // the check named closure
	// Derived are the store items that are made wherever an image is packed, so that
	// nobody else signs them, by their paths: how far closure explains each by what
	// it is made from.
	Derived map[string]Standing

	// Explains says whether something weaker than a record of its content explains an
	// entry, and what: an instruction of the history. Nil means that the check closure
	// alone says what is explained.
	Explains func(layer int, e *inspect.Entry) (by string, ok bool) `json:"-"`

	// Close makes the check closure again, with what is known of files from signed
	// packages; nil where that changes nothing.
	Close func(words *vouch.Entries) check.Check `json:"-"`

	// Installed is what the databases of package managers in the image have. It is
	// read once: by the system where it looks into it, else by Recover.
	Installed *ospackages.Installed
	// Records are what the packages of languages, and of tools that install software,
	// say of themselves: read once, by Recover.
	Records *records.All
	// Base is the evidence of the image that this one was built on. It is read once, as
	// Installed is.
	Base *base.Base
	// Share is how much of the image the locks of its packages account for; nil when
	// that was not measured.
	Share *Share
}

// A Share says how much of the files that a container sees a recipe accounts for. What
// has several names is counted once.
type Share struct {
	Bytes    int64 // of files that packages in a lock have, or the base image
	Base     int64 // of these, those of a base image that is known by its layers
	Total    int64 // of all files
	Own      int   // files and links that neither has
	OwnBytes int64 // of these
}

// Message says it for people.
func (s Share) Message() check.Message {
	percent := int64(0)
	if s.Total > 0 {
		percent = s.Bytes * 100 / s.Total
	}
	return check.Say("recipe/share", "bytes", s.Bytes, "total", s.Total, "percent", percent, "base", s.Base, "own", s.Own, "own-bytes", s.OwnBytes)
}

// A Standing says how far a store item is explained by what it is made from.
type Standing int

// The standings, the weakest first.
const (
	Unproven   Standing = iota // it is not
	Conforming                 // it has the form that its rule gives, and data that the rule does not decide
	Remade                     // it was made again from its inputs, and is the same
)

// A Recipe says how an image was built, as far as the image shows.
type Recipe struct {
	System    SystemName
	Status    Status
	Packer    string // the tool and its era, such as "guix pack -f docker (Guix 1.5)"
	Channels  []Channel
	Packages  []Package
	Locations []Location // that it comes from

	// Missing is what the recipe cannot express, or what the image does not reveal.
	Missing []check.Message

	// Files are the recipe as the system's own tools take it, such as
	// channels.scm and manifest.scm, built from parsed values only.
	Files []File
	// Root is the store path that the image is made of; "" where there is none.
	Root string
	// Details say how the packer was called: a type of the build system's own, with
	// JSON tags.
	Details any
	// Unknown is what of the packer's call the image does not reveal.
	Unknown []check.Message
}

// A SystemName names a build system.
type SystemName string

// UnknownSystem is the name where no build system is recognised.
const UnknownSystem SystemName = "unknown"

// A Status says how much of the recipe the image shows.
type Status string

// The statuses.
const (
	None     Status = "none"
	Partial  Status = "partial"
	Complete Status = "complete"
)

// A Channel is a source of package definitions, pinned to a commit.
type Channel struct {
	Name         string        `json:"name"`
	URL          string        `json:"url"`
	Branch       string        `json:"branch,omitempty"` // "" when none is recorded
	Commit       string        `json:"commit"`           // 40 hexadecimal digits
	Introduction *Introduction `json:"introduction,omitempty"`
}

// An Introduction says from which commit on, and by whose signature, the
// history of a channel is authenticated.
type Introduction struct {
	Commit      string `json:"commit"`
	Fingerprint string `json:"fingerprint"` // of an OpenPGP key, as it is written in the evidence
}

// A Package is one entry of the recipe.
type Package struct {
	Name    string
	Version string
	Output  string
	Path    string // its store item
	Channel string // name of the channel that defines it; "" when not recorded
	// Origin is that channel as this entry alone records it. Its commit can be
	// another one than the recipe's channel of that name has: one recipe
	// cannot express both.
	Origin *Channel
}

// A Location is a place in the image that the recipe comes from.
type Location struct {
	Layer  int // -1 for the config
	Path   string
	Digest inspect.Sum
}

// A File is a text that a build system's own tools read.
type File struct {
	Name string // without folder
	Text []byte
}

// A System recovers the recipe of images that one build system made.
type System interface {
	// Recover returns what the image says about how it was built; the base is the
	// image that the user says it was built on, nil for none. It returns
	// ErrNotMine when the image bears no trace of the system; any other error
	// is fatal. Evidence that contradicts itself is no error but a problem in
	// the recipe, or a finding of a check.
	Recover(img, base *inspect.Image) (*Evidence, error)
}

// Recover asks each system in turn and returns the first that recognises the
// image. An image that none knows has a recipe of status none.
func Recover[S System](img, base *inspect.Image, systems []S) (*Evidence, error) {
	for _, s := range systems {
		ev, err := s.Recover(img, base)
		if errors.Is(err, ErrNotMine) {
			continue
		}
		return complete(ev, img), err
	}
	return complete(nothing(), img), nil
}

// Lacks takes note that the recipe is not complete, as evaluating it has shown: nothing
// that it names has the package of this name, so no channel defines it.
func (ev *Evidence) Lacks(name string, missing check.Message) {
	r := &ev.Recipe
	if r.Status == Complete {
		r.Status = Partial
	}
	r.Missing = append(r.Missing, missing)
	for i := range r.Packages {
		if r.Packages[i].Name == name {
			r.Packages[i].Channel, r.Packages[i].Origin = "", nil
		}
	}
	c := &ev.Recover
	if c.Status == check.Pass {
		c.Status, c.Reasons = check.Unknown, nil
	}
	c.Reasons = append(c.Reasons, missing)
	c.Findings = append(c.Findings, check.Finding{Message: missing, Level: check.Undecided, Layer: -1})
}

// complete adds to evidence what every image has.
func complete(ev *Evidence, img *inspect.Image) *Evidence {
	if ev == nil {
		return nil
	}
	if ev.Installed == nil {
		ev.Installed = ospackages.Read(img)
	}
	if ev.Base == nil {
		found := base.Read(img, ev.Installed)
		ev.Base = &found
	}
	ev.Records = records.Read(img)
	return ev
}

func nothing() *Evidence {
	return &Evidence{
		Recipe:  Recipe{System: UnknownSystem, Status: None},
		Recover: check.Check{ID: check.Recipe, Status: check.Unknown, Reasons: []check.Message{check.Say("recipe/no-system")}},
		Closure: check.Skip(check.Closure, "closure/no-recipe"),
	}
}

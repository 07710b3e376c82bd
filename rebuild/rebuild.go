// Package rebuild is the builder core: it turns a recipe into a plan, the plan
// into a build, the build into a comparison, and all checks into a verdict.
//
// A [Plan] is data: it can be printed, stored, edited and run elsewhere. A
// [Builder] runs it with the real tool of one build system. The only processes
// that audit ever starts are started by [Run] of this package.
package rebuild

import (
	"context"
	"errors"
	"io"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// A Plan says how to build an image again. It has everything that a builder
// needs, so that it can be run on another machine.
type Plan struct {
	System       provenance.SystemName `json:"system"`
	Image        string                `json:"image"`        // reference, for people
	ConfigDigest string                `json:"configDigest"` // of the original
	// Command is what does by hand what the plan does, one argument a word: for
	// people. Nothing is read back from it.
	Command []string `json:"command,omitempty"`
	// Local lists the files and folders of this machine that the plan names: a
	// report leaves their folders out.
	Local []string `json:"local,omitempty"`
	// Takes are the files that a script of the plan takes as arguments, in this order,
	// since the recipe is incomplete: those that it has are the defaults.
	Takes []string `json:"takes,omitempty"`
	// Trust lists all that the build would run or fetch, and why that is allowed
	// or not.
	Trust []Trust `json:"trust"`
	// Reasons say why the plan must not be run; none when it may.
	Reasons []check.Message `json:"reasons,omitempty"`
	// Details are what the build system itself defines, a type of its own. In a
	// plan that was read from a file they are a [json.RawMessage], which
	// System.Vet decodes with [DetailsOf].
	Details any `json:"details,omitempty"`
}

// Untrusted are the things that a plan would run or fetch and must not.
func (p Plan) Untrusted() []Trust {
	return slices.DeleteFunc(slices.Clone(p.Trust), func(t Trust) bool { return t.Trusted })
}

// Allowable says that a plan is refused for nothing but what is not trusted, and that
// there is a flag for each of these things: a user may allow them all.
func (p Plan) Allowable() bool {
	untrusted := p.Untrusted()
	reasons := []string{"plan/not-trusted"}
	for _, t := range untrusted {
		if t.Flag == "" {
			return false
		}
		reasons = append(reasons, t.Reason.Code)
	}
	others := slices.ContainsFunc(p.Reasons, func(m check.Message) bool { return !slices.Contains(reasons, m.Code) })
	return len(untrusted) > 0 && !others
}

// A PlanFile is a text file beside the plan.
type PlanFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Trust says of one thing that a build would run or fetch whether it may.
type Trust struct {
	Channel string `json:"channel"` // what it is called
	URL     string `json:"url"`     // where it comes from; "" for what the image itself has
	Trusted bool   `json:"trusted"`

	Kind   string        `json:"kind,omitempty"`  // "channel", "transformation", "source", "frontend", "program"
	Reason check.Message `json:"reason,omitzero"` // why it is trusted, or is not
	Flag   string        `json:"flag,omitempty"`  // what would allow it, such as "--trust-channel URL"; "" when nothing does
}

// Errors of a [Builder], which are different things: not there, not allowed, failed
// by the builder of a derivation of the recipe itself, and not done for a reason that
// says nothing of the recipe, such as a full disk or a sandbox that cannot be made.
var (
	ErrNoBuilder = errors.New("the builder is not installed")
	ErrRefused   = errors.New("the plan is refused")
	ErrBuild     = errors.New("the build failed")
	ErrNotDone   = errors.New("the build was not done")
)

// An IncompleteError reports a recipe that lacks something, as evaluating it has shown:
// nothing in the image shows where a package comes from.
type IncompleteError struct {
	Package string        // as the recipe names it
	Missing check.Message // what the recipe lacks
	Err     error
}

func (e *IncompleteError) Error() string { return e.Err.Error() }

func (e *IncompleteError) Unwrap() error { return e.Err }

// A HintError is an error with advice: what can be done about it, one or more
// sentences for people.
type HintError struct {
	Err  error
	Hint string
}

func (e *HintError) Error() string { return e.Err.Error() }

func (e *HintError) Unwrap() error { return e.Err }

// A Builder builds images again with the tools of one build system.
type Builder interface {
	// Build runs the plan. Progress and the tool's own output go to job.Log.
	// It returns an error that wraps ErrNoBuilder, ErrRefused, ErrBuild or ErrNotDone,
	// or the cause of ctx's end; in each case the result has what is known. A
	// builder that finds the image in its store builds it again: a rebuild must have
	// been built.
	Build(ctx context.Context, plan Plan, job Job) (*Result, error)
}

// A Job is what a builder is given beside the plan.
type Job struct {
	Dir   string         // an empty folder to work in, for the caller to remove
	Log   io.Writer      // the tool's own words
	Fresh []string       // packages to build again though they are in the store; "all" for every one
	Image *inspect.Image // the original, to compare the derivation's outputs with

	// CheckInputs asks for every derivation that took part to be built twice,
	// those of build tools too, and not only those of Fresh.
	CheckInputs bool

	Options Options

	// Settings are the user's flags. What may be secret in them stands in no plan.
	Settings Settings
}

// Options are passed through to the build tool, which does the work: where it
// may fetch from, and how much it may do at a time.
type Options struct {
	NoSubstitutes  bool     // build everything
	SubstituteURLs []string // fetch from these servers only
	Cores          int      // for each build; 0 leaves it to the tool
	MaxJobs        int      // builds at a time; 0 leaves it to the tool
	SubstituteKeys []string // trusted to sign what is fetched, NAME:BASE64 each; nil leaves it to the tool
	Builders       string   // other machines to build on, as the tool names them
}

// A Result is what a builder did.
type Result struct {
	Image      string      // path of the rebuilt image's file; "" when there is none
	Command    []string    // the main command that was run
	Tools      []Tool      // versions of what ran
	Derivation check.Check // the check named derivation
	Derived    Derivations // that the recipe was evaluated to
	Items      []Item      // of the rebuilt image, sorted by path
	Steps      []Step      // the derivations that were built in this run, sorted by path
	Fresh      []Fresh     // what Job.Fresh and Job.CheckInputs asked for, sorted by derivation
}

// A Step is one build of this run.
type Step struct {
	Derivation string
	Machine    string // the store where it was built; "" for this machine's
}

// A Fresh says what building a derivation again, though its outputs were in
// the store, has shown.
type Fresh struct {
	Derivation  string
	Items       []string // of the rebuilt image, its outputs
	Same        bool     // the second build gave the same bytes
	Differences []string // paths that differ between the two builds, sorted; at most 100
	Problem     string   // why it could not be built again; "" when it could
}

// A Tool is a program that took part, for the report's run section.
type Tool struct{ Name, Version string }

// An Item says where a store item of the rebuilt image came from, or what an
// instruction of its Dockerfile made: that one has its place and words for a path.
type Item struct {
	Path   string
	How    How
	Source string // of a substitute: the server; of what was built: the machine, "" for this one
}

// A How says where a store item, or what an instruction made, came from.
type How string

// The ways. The first four are those of a builder.
const (
	Built       How = "built"       // in this run
	Reused      How = "reused"      // it was in the store, or in a build cache, before this run
	Substituted How = "substituted" // fetched from a server in this run, which the builder trusts
	Pinned      How = "pinned"      // an input that a digest pins, such as the layers of a base image
	Signed      How = "signed"      // by a trusted key over the very hash that audit computed
	Remade      How = "remade"      // by audit itself from other store items, byte for byte
	Carried     How = "carried"     // only the image has it
)

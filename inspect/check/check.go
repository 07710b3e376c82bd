// Package check is the vocabulary of what audit finds: the checks of the ladder
// of evidence, how they end, and their findings.
//
// A finding is a code with arguments and never a sentence: programs act on the
// code, and the words that a person reads are made from it in one place, package
// report. A code is "CHECK/what-is-so" in kebab case, such as
// "integrity/diffid-mismatch", and is part of the contract of report.json.
//
// What this program knows of a cause is a code with typed arguments too: a plan
// that is refused gives its reasons, and not their joined text. Only an error of
// somebody else, of the system, of a parser or of a tool that was run, is handed on
// as the argument "error", in its own words.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An ID names one of the checks, the ladder of evidence.
type ID string

// The checks, cheapest first. Each answers a question of its own, and a report
// always lists all of them in this order.
const (
	Integrity  ID = "integrity"  // are the bytes what the image's own descriptors say?
	Recipe     ID = "recipe"     // does the image carry, or reveal, how it was built?
	Closure    ID = "closure"    // is every file explained, and every store reference present?
	Repack     ID = "repack"     // does packing the store items again give the same layers?
	Signatures ID = "signatures" // did parties that are trusted sign the bytes of each store item?
	Derivation ID = "derivation" // does evaluating the recipe give the store paths in the image?
	Rebuild    ID = "rebuild"    // does building the recipe again give the same layers?
)

// IDs returns the checks in the order of a report.
func IDs() []ID {
	return []ID{Integrity, Recipe, Closure, Repack, Signatures, Derivation, Rebuild}
}

// A Status is how a check ended. The zero value is Unknown: nothing is known.
type Status int

// The statuses.
const (
	Unknown Status = iota // it ran and could not decide
	Pass                  // it ran and says yes
	Fail                  // it ran, and a claim is broken
	Skipped               // it did not run; the summary says why
)

var statusNames = [...]string{"unknown", "pass", "fail", "skipped"}

func (s Status) String() string { return statusNames[s] }

// MarshalText writes the status as reports have it.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error {
	return unmarshal(s, "status", statusNames[:], text)
}

// A Level says how much a finding weighs.
type Level int

// The levels.
const (
	Note      Level = iota // worth knowing; contradicts nothing
	Undecided              // the reason for an unknown: it could not be decided, or not be read
	Problem                // the reason for a fail: a claim is broken
)

var levelNames = [...]string{"note", "undecided", "problem"}

func (l Level) String() string { return levelNames[l] }

// MarshalText writes the level as reports have it.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Level) UnmarshalText(text []byte) error {
	return unmarshal(l, "level", levelNames[:], text)
}

func unmarshal[T ~int](to *T, what string, names []string, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("unknown %s %q", what, text)
	}
	*to = T(i)
	return nil
}

// A Check is one rung of the ladder and how it ended.
type Check struct {
	ID       ID
	Status   Status
	Reasons  []Message // why it ended so, in parts; the first is the main one
	Findings []Finding
	Bytes    int64 // bytes of the uncompressed layers that the check vouches for
}

// Skip is a check that did not run, and why.
func Skip(id ID, code string, args ...any) Check {
	return Check{ID: id, Status: Skipped, Reasons: []Message{Say(code, args...)}}
}

// Because adds a reason.
func (c *Check) Because(code string, args ...any) {
	c.Reasons = append(c.Reasons, Say(code, args...))
}

// A Finding is one thing that a check saw.
type Finding struct {
	Message
	Level Level
	Layer int    // -1 when it is about no layer
	Path  string // the entry, archive member or store item; may be empty
}

// Find makes a finding of a code and its arguments, which are those of [Say].
func Find(level Level, layer int, path, code string, args ...any) Finding {
	return Finding{Message: Say(code, args...), Level: level, Layer: layer, Path: path}
}

// Compare orders findings by layer, path, code and arguments.
func (f Finding) Compare(g Finding) int {
	return cmp.Or(cmp.Compare(f.Layer, g.Layer), strings.Compare(f.Path, g.Path), strings.Compare(f.Code, g.Code),
		strings.Compare(fmt.Sprint(f.Args), fmt.Sprint(g.Args)))
}

// Worst is the status that findings lead to: Fail where one is a Problem, else
// Unknown where one is Undecided, else Pass.
func Worst(findings []Finding) Status {
	worst := Note
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return [...]Status{Note: Pass, Undecided: Unknown, Problem: Fail}[worst]
}

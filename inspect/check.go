package inspect

import "fmt"

// A CheckID names one of the seven checks, the ladder of evidence.
type CheckID string

// The seven checks, cheapest first. Each answers a question of its own, and a
// report always lists all of them in this order.
const (
	Integrity   CheckID = "integrity"   // are the bytes what the image's own descriptors say?
	Recipe      CheckID = "recipe"      // does the image carry, or reveal, how it was built?
	Closure     CheckID = "closure"     // is every file explained, and every store reference present?
	Repack      CheckID = "repack"      // does packing the store items again give the same layers?
	Substitutes CheckID = "substitutes" // does each store item have the NAR hash that build farms signed?
	Derivation  CheckID = "derivation"  // does evaluating the recipe give the store paths in the image?
	Rebuild     CheckID = "rebuild"     // does building the recipe again give the same layers?
)

// CheckIDs returns the seven checks in the order of a report.
func CheckIDs() []CheckID {
	return []CheckID{Integrity, Recipe, Closure, Repack, Substitutes, Derivation, Rebuild}
}

// A Status is how a check ended. The zero value is Unknown: nothing is known.
type Status int

// The statuses.
const (
	Unknown Status = iota // it ran and could not decide
	Pass                  // it ran and says yes
	Fail                  // it ran and says no
	Skipped               // it did not run; the summary says why
)

var statusNames = [...]string{"unknown", "pass", "fail", "skipped"}

func (s Status) String() string { return statusNames[s] }

// MarshalText writes the status as reports have it.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("unknown status %q", text)
}

// A Check is one rung of the ladder and how it ended.
type Check struct {
	ID       CheckID
	Status   Status
	Summary  string // one line, for people
	Findings []Finding
	Bytes    int64 // bytes of the uncompressed layers that the check vouches for
}

// A Finding is one thing that a check saw.
type Finding struct {
	Rule    string // a stable name in kebab case, such as "diffid-mismatch"
	Level   Level
	Layer   int    // -1 when it is about no layer
	Path    string // the entry, archive member or store item; may be empty
	Message string // what is so, with the values that show it
}

// A Level says how much a finding weighs.
type Level int

// The levels.
const (
	Note    Level = iota // worth knowing; contradicts nothing
	Problem              // the reason for a fail or an unknown
)

var levelNames = [...]string{"note", "problem"}

func (l Level) String() string { return levelNames[l] }

// MarshalText writes the level as reports have it.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Level) UnmarshalText(text []byte) error {
	for i, name := range levelNames {
		if name == string(text) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("unknown level %q", text)
}

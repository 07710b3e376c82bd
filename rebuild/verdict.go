package rebuild

import "fmt"

// A Verdict is what all checks together allow to be said of an image. The zero
// value is Unverified: nothing examined is never success.
type Verdict int

// The verdicts.
const (
	Unverified     Verdict = iota // nothing contradicts, nothing was rebuilt
	Reproducible                  // rebuilt; config and every layer identical
	Equivalent                    // rebuilt; only packaging differs, each difference with its cause
	Unreproducible                // rebuilt; something else differs
	Contradicted                  // a check that ran says no
	BuildFailed                   // the build was tried and failed
)

var verdictNames = [...]string{"unverified", "reproducible", "equivalent", "unreproducible", "contradicted", "build-failed"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the verdict as reports have it.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", text)
}

package provenance

import (
	"fmt"
	"strings"
)

// Count writes a number of things: "1 entry", "2 entries", "3 layers".
func Count(n int, thing string) string {
	stem, isY := strings.CutSuffix(thing, "y")
	switch {
	case n == 1:
		return "1 " + thing
	case isY:
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

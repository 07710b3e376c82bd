// Package findings gathers what the check repack sees. Problems are counted to
// the last one, but only so many of each layer are kept.
package findings

import (
	"audit/inspect/check"
	"fmt"
)

// Listed is how many problems of one layer are told one by one.
const Listed = 20

// A List is what was found. The zero value is an empty one.
type List struct {
	All      []check.Finding
	Problems int // told or not

	byLayer map[int]int
}

// Problem adds a problem of a layer, of which -1 is none.
func (l *List) Problem(rule string, layer int, path, format string, args ...any) {
	if l.byLayer == nil {
		l.byLayer = make(map[int]int)
	}
	l.Problems++
	l.byLayer[layer]++
	if l.byLayer[layer] <= Listed {
		l.Add(check.Problem, rule, layer, path, fmt.Sprintf(format, args...))
	}
}

// Note adds a note on a layer, of which -1 is none.
func (l *List) Note(rule string, layer int, format string, args ...any) {
	l.Add(check.Note, rule, layer, "", fmt.Sprintf(format, args...))
}

// FinishLayer says how many problems of a layer were not told.
func (l *List) FinishLayer(layer int) {
	if more := l.byLayer[layer] - Listed; more > 0 {
		l.Add(check.Problem, "more-problems", layer, "", fmt.Sprintf("%d more problems in this layer", more))
	}
}

// Add adds a finding that does not count as a problem.
func (l *List) Add(level check.Level, rule string, layer int, path, message string) {
	l.All = append(l.All, check.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Words: message})
}

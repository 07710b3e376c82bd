package nix

import (
	"fmt"

	"audit/inspect"
)

// listed is how many problems of one layer are told one by one.
const listed = 20

// findings gathers what a check saw. Problems are counted to the last one, but
// only so many of each layer are kept.
type findings struct {
	list     []inspect.Finding
	problems int
	byLayer  map[int]int
}

func (f *findings) problem(rule string, layer int, path, format string, args ...any) {
	if f.byLayer == nil {
		f.byLayer = make(map[int]int)
	}
	f.problems++
	f.byLayer[layer]++
	if f.byLayer[layer] <= listed {
		f.add(inspect.Problem, rule, layer, path, fmt.Sprintf(format, args...))
	}
}

func (f *findings) note(rule string, layer int, format string, args ...any) {
	f.add(inspect.Note, rule, layer, "", fmt.Sprintf(format, args...))
}

func (f *findings) add(level inspect.Level, rule string, layer int, path, message string) {
	f.list = append(f.list, inspect.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Message: message})
}

// finishLayer says how many problems of a layer were not told.
func (f *findings) finishLayer(layer int) {
	if more := f.byLayer[layer] - listed; more > 0 {
		f.add(inspect.Problem, "more-problems", layer, "", fmt.Sprintf("%d more problems in this layer", more))
	}
}

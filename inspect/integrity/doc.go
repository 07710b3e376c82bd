// Package integrity compares what an image claims with what was computed, and
// finds what one tool reads otherwise than another.
package integrity

// Package choice chooses one of several images by name, and has the error of a
// reference that does not name exactly one.
package choice

// Package paths has the form in which the paths of entries are written: relative,
// without "." and "..", "." for the root itself.
package paths

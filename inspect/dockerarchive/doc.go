// Package dockerarchive reads the form of docker save: manifest.json names the
// config and the layers.
//
// Beside it may lie the legacy form of engines before 1.10 and, since version 25,
// an OCI layout of the same blobs. All that are there have to agree, since which of
// them an engine believes depends on its age.
package dockerarchive

// Package registry reads an image from a registry (OCI distribution-spec v1.1),
// and the attestations that refer to it there. What the registry sends is hashed
// here: its word is not taken for anything.
package registry

// Package inspect reads a container image once and says what it is made of.
//
// Every byte that audit ever learns about an image enters through this
// package, under the named limits of [Limits]. One pass over the bytes gives,
// for each layer, the digest of the blob as it is stored, the diffID, every
// tar entry with the digest of its content, and, for each store item of GNU
// Guix or Nix (a folder of /gnu/store or /nix/store), its NAR hash and the
// other store items that it refers to. Nothing is trusted and nothing of the
// image is written to disk under a name.
//
// Three kinds of digest are kept apart: claimed (a descriptor of the image
// says so), computed (it was hashed here) and synthesised (made up by a tool
// because the form of the image has none). The check named integrity compares
// the claimed with the computed ones.
package inspect

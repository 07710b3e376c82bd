// Package docker recovers how images were built from a Dockerfile, by docker
// build, BuildKit, buildah or kaniko, and makes the checks recipe and closure
// of them.
//
// # What such an image reveals
//
// Its config has a history: a line for each instruction, and which of them made
// a layer. It says what was done, and neither to what nor with what: the image
// in FROM, the files that were copied, and what the network gave are not in it.
// Labels may name a source and a revision; they are asserted.
//
// BuildKit can put a provenance attestation beside the image (package slsa):
// where its source came from and at which commit, the Dockerfile, the build
// arguments, and the digest of everything that was fetched. Its subject must be
// this very image; but nothing signs it, and anybody can write one. So the recipe
// is partial, whatever the attestation has, and no check passes by it. A rebuild
// shows whether it is true.
//
// # Closure
//
// A file is explained by the package that owns it (package ospackages), or by
// the instruction that made its layer: a RUN can have written anything, a COPY
// or ADD only what lies below its destination. An instruction explains less
// than a recipe: it says that something was done, and not that these bytes came
// of it. Files that nothing explains leave the check undecided; they contradict
// nothing. A file with other bytes than its package's record contradicts the image
// where the layer was made by a COPY or ADD to another place, and leaves the check
// undecided where a RUN may have changed it. That a record agrees says nothing of
// an origin: the image's own database is unsigned.
//
// Forms of history follow Docker 20.10 (builder/dockerfile), BuildKit 0.25
// (frontend/dockerfile/dockerfile2llb), buildah 1.28 and kaniko 1.24.
package docker

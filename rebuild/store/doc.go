// Package store has what builders share whose build system keeps its results in
// a store of items made by derivations: the steps of a build ([Build]) with
// derivations built a second time, the graph of the derivations that an image is
// built from, the check named derivation as far as every such system makes it
// alike, and failures of the tool explained.
//
// A builder is a [Session]. It reads the graph once it knows the image's derivation
// ([ReadGraph]), and compares the store paths that it gives with those in the image
// ([Graph.Derived]).
package store

// Package store has what builders share whose build system keeps its results in
// a store of items made by derivations: the graph of the derivations that an
// image is built from, the check named derivation as far as every such system
// makes it alike, builds done a second time, and failures of the tool explained.
//
// A builder reads the graph once it knows the image's derivation ([ReadGraph]),
// compares the store paths that it gives with those in the image ([Graph.Derived]),
// builds, and asks for second builds ([Twice], [Promote]).
package store

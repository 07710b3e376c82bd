// Package repack packs the store items of an image of Nix once more, by the rules
// of the packer that made it, and says whether that gives the same layers,
// diffID by diffID.
//
// As for Guix, a layer is its frame (headers, padding, end of archive) and the
// contents of its files; so it is enough to write the frame that the packer
// would have written and to compare it with the recorded one. What is packed is
// the image's own files in the normal form of the store: folders 0555, files
// 0444 or 0555, symlinks 0777; each folder before what is in it, in the order of
// the packer.
//
// What no rule decides is taken from the image and named by a note:
//
//   - the root: what the author has put there, with its modes and owners;
//   - date and owner, which are arguments of the packer and the same for all
//     entries of a layer;
//   - the mode of /nix and /nix/store, which changed over the years, and in
//     some is that of the builder's own store;
//   - which store items share a layer.
//
// The writers are GNU tar, Python's tarfile and Go's archive/tar. The rules were
// learnt from nixpkgs (pkgs/build-support/docker), nix2container and Nixery; the
// bytes were compared with what GNU tar 1.34 and Python 3.11 write.
package repack

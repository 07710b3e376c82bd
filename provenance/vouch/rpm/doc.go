// Package rpm traces the files of an image to the vendors that signed their packages,
// from the image alone.
//
// The database of rpm keeps the header of each package as the vendor made it, with the
// signature of that part (see package rpmheader). It lists all files of the package with
// their digests, modes, owners, link targets, device numbers and capabilities. So once a
// key that the user trusts has signed a header, each file can be compared with it.
//
// What the format allows to be other is a note: configuration files, files that rpm is
// told not to verify, files that a script of a package makes again, documentation and
// the like that was left out. A ghost is not part of its package, and nobody vouches for
// it. What gains setuid, setgid or a capability is a problem whatever it is.
//
// Keys that the image carries are listed, and prove nothing: whoever made the image
// could put them there.
//
// Signatures follow rpm 4.18 and 6.0 (lib/rpmvs.c, lib/header.c), the comparison what
// rpm --verify does (lib/verify.c).
package rpm

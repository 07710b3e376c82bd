// Package guix recovers the recipe of images that GNU Guix made: it finds the
// pack's own profile in an image, reads the profile manifest in it, and writes
// channels.scm and manifest.scm, from which guix time-machine makes the image
// again. It also makes the check closure: is every file of the image explained?
//
// # What Guix leaves in an image
//
// guix pack makes an image of one profile, a store item /gnu/store/…-profile,
// and of all that it refers to. The file manifest in the profile lists the
// packages in the order of the command line; with --save-provenance each of
// them names the channels that it comes from, with their commits. Around the
// store items the packer makes a few entries that follow from its options.
//
// The other forms are recognised by their marks: the tarball by the mode of its store,
// the squashfs by the empty files that its packer needs, an image of a whole
// system by the item that it is made of, the files that a container engine
// exported by what engines add, and layers of a pack on another base by layers
// that nothing of Guix explains. [Command] returns the command that makes each
// again, [NewLayout] what its packer makes beside the store items.
//
// Formats and rules were learnt from the source of Guix 1.0.0 to 1.5.0; where
// a rule was taken from a certain module, the code that follows it says so.
//
// # What becomes of it
//
// channels.scm and manifest.scm are written from the profile manifest by
// package profile, which lets nothing but parsed and checked values into them:
// to Guix they are programs.
//
// The one file that is copied is the configuration of a whole system: it is a
// program by the image's author, and a rebuild runs it only for who says so.
//
// A recipe is complete when the two files say all that the profile says.
// Profiles with packages of several commits of one channel are common, and
// theirs are partial: one channels.scm cannot say that. Where an image has
// several profiles, the others are recipes of their own, in files of their own.
package guix

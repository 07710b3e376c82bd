// Package profile reads the profile manifests of GNU Guix, which list the
// packages of a profile and where they come from, and writes channels.scm and
// manifest.scm out of them.
//
// channels.scm is a program to Guix, and so is manifest.scm. Nothing of a
// profile is ever copied into them: both are printed from values that were
// parsed and checked, by a writer that cannot print anything but data (package
// scheme). A value that is not of its form (a commit of 40 digits, say) is left
// out, and a problem says so. The files have the same data as what guix package
// --export-channels and --export-manifest print, with every version pinned.
//
// What is written can be read back, as data: [ReadChannels] and [ReadManifest]
// refuse a file that does anything else.
package profile

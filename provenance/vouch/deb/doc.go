// Package deb traces the files of an image to the archives that signed its Debian
// packages: those of Debian, Ubuntu and whoever else keeps a repository for apt.
//
// The image alone does not show it: dpkg keeps an MD5 of each file, which nobody signed.
// With the packages beside, or fetched, the chain is whole:
//
//	key → InRelease or Release.gpg → SHA-256 of an index (Packages) → SHA-256 of a package
//	    → the members of its data.tar → the files of the image
//
// What a file of the image has in common with its member is its bytes, mode, owner, link
// target and device numbers. Files may differ where a signed package says so: in its
// conffiles, in the filters and diversions of dpkg, in a command of its scripts.
//
// Files that are in no package are made again, by the rules of the programs that made them:
// the database of dpkg, the caches of ldconfig and of triggers, alternatives, accounts,
// certificates, links of systemd, and others. A rule vouches
// for a file only where it makes the very bytes, or where each part of these comes from
// something signed.
//
// Formats follow dpkg 1.22 (deb(5), deb822(5)) and apt (sources.list(5)).
package deb

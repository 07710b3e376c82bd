// Package apk traces the files of an Alpine image to the keys that signed its packages.
//
// The image alone does not show it: its database has a SHA-1 of each file, which nobody
// signed, and of each package that of the part which its maker signed. With the package
// beside, the chain is whole:
//
//	key → control part, by its signature or by a signed index that has its SHA-1
//	    → the SHA-1 that the database of the image has of it
//	control part → SHA-256 of the data (datahash) → the files in it → those of the image
//
// A package is three gzip members: a tar with one signature, .SIGN.RSA.KEY (SHA-1) or
// .SIGN.RSA256.KEY, of the bytes of the next member; the control part, with .PKGINFO; and
// the data. An index, APKINDEX.tar.gz, is the first and all the rest. A signature names
// its key by the name of a file, which proves nothing: each trusted key is tried.
//
// Below etc files may be changed; a package that has another then lies beside with the
// ending .apk-new. Links to busybox are made by a rule: its package lists them.
//
// Formats follow apk-tools 2.14 (src/package.c, src/database.c) and abuild 3.12.
package apk

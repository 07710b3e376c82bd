// Package ospackages reads what the package managers of Linux distributions
// noted in an image: which packages are installed and which files are theirs.
//
//	dpkg  var/lib/dpkg/status with info/*.list and info/*.md5sums, and the
//	      folder status.d that Distroless images have instead
//	apk   lib/apk/db/installed, usr/lib/apk/db/installed
//	rpm   var/lib/rpm, usr/lib/sysimage/rpm, usr/share/rpm: rpmdb.sqlite,
//	      Packages.db (ndb) and Packages (Berkeley DB)
//
// The databases are read as a container sees them, from the topmost layer that
// has them, through links of any kind. They are text or bytes that anybody can put
// into an image: they say whose a file is claimed to be, and not that it is genuine.
// A database that is there and cannot be read is a problem, never nothing.
//
// # Records
//
// Databases record digests of files: dpkg MD5, apk SHA-1, rpm mostly SHA-256.
// [Installed.Compare] compares those of each layer with what is in force there: a
// layer that upgrades a package brings new records, and one above that replaces the
// program alone does not. What agrees has no more than the image's own record; what
// differs contradicts a package unless that expects it (config files), a script
// makes the file again, or dpkg-divert has moved it. [Installed.Raised] does the
// same for setuid and setgid bits and capabilities.
//
// apk and rpm record modes, dpkg does not. Packages of Debian without md5sums, and
// slim images without the folder info, have no records: their files are owned by
// name, or not at all.
//
// Formats follow dpkg 1.22 (deb822(5), dpkg(1) "FILES"), apk-tools 2.14
// (apk_db_fdb_write) and rpm 4.18 (lib/header.c, lib/backend).
package ospackages

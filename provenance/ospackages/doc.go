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
// has them. They are text or bytes that anybody can put into an image: they say
// whose a file is claimed to be, and not that it is genuine. Where a database
// has a digest that the image's own can be held against (rpm's are SHA-256), it
// is.
//
// Formats follow dpkg 1.22 (deb822(5), dpkg(1) "FILES"), apk-tools 2.14
// (apk_db_fdb_write) and rpm 4.18 (lib/header.c, lib/backend).
package ospackages

// Package locks writes what an ordinary image says of the packages in it, as files that
// package managers and people can take to install the same versions again.
//
// Each ecosystem has one file, or one for each folder of its packages:
//
//	packages.apt.lock  NAME=VERSION ARCHITECTURE of dpkg's packages, the suites that
//	                   apt's sources have, and the time of the archive that had them
//	packages.apk.lock  NAME=VERSION of apk's packages, and the repositories
//	packages.rpm.lock  NAME-EPOCH:VERSION-RELEASE.ARCHITECTURE of rpm's packages
//	conda-explicit.txt the addresses of conda's packages with their MD5 or SHA-256 (package records
//	                   reads what these and the next ones are made of)
//	requirements.txt   NAME==VERSION of Python's, or an address and its digest
//	renv.lock          R's, of CRAN as of a day, Bioconductor, r-universe or a repository at a commit
//	spack.yaml         Spack's
//	easystack.yaml     EasyBuild's: its easyconfigs, which are in the image
//	packages.npm.lock  npm's, and where in the image its own locks are
//	files.txt          the files of one's own: those that nothing of this explains
//
// # What a lock is worth
//
// The databases that locks are made of are unsigned, and anybody can write them: a lock
// says which versions an image claims to have. No file of an image is copied into a
// lock. What is written is what the grammar of the format allows; names and versions
// that it does not are left out, are named in the file in quotes and escaped, and are a
// finding. So no name can add a line, an option or a command.
//
// # Share
//
// [provenance.Share] says how many bytes of the files that a container sees the locks account for:
// those of files that a package in a lock has, with the digest that its record has where
// there is one. What an instruction of a history wrote is not accounted for: the
// instruction says that it is there, and not how to have the same bytes.
package locks

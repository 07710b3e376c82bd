// Package debs installs the packages of an image of Debian or its kin again, in
// the versions that the image has, with mmdebstrap(1).
//
// The image does not say how it was made: the user gives the packages and the keyring of
// the archive that signed them (--debian-packages, --debian-keyring), and that is what
// asks for it. Each package has to be in an index that the archive signed, with the very
// digest; their scripts are then run by dpkg as root, in a folder of their own, without a
// network. What an image has beside packages, as what a Dockerfile adds, is not made
// again, and is a difference with its cause.
//
// A file system that comes out the same shows that it is those packages installed, and
// nothing else. Whether the packages themselves come of their sources it does not show:
// they are reused, and the verdict is never better than that.
package debs

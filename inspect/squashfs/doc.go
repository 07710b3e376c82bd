// Package squashfs reads a squashfs 4.0 file system as a layer, without mounting
// it.
//
// It is ours because the libraries for it take paths or devices, trust the numbers
// in the file and panic on those of a hostile one; here each is compared with the
// size of the file, of a block or of a table before it is used.
package squashfs

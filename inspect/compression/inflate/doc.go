// Package inflate undoes the compression of RFC 1951 (DEFLATE), which is what
// reading an image spends most of its time on.
//
// It is built for long streams on 64-bit machines: the bits that come next are
// kept in one 64-bit word that is filled eight bytes at a time, and one look
// into a table gives a whole length or distance with its extra bits, or two
// literals at once. No byte behind the end of a stream is read from the source.
//
// There are two loops that do the same. The fast one reads and writes without a
// check of each index, as far from the ends of its buffers as a round can get; it is
// built where words may lie at any address, little end first: amd64 and arm64. The
// safe one, in plain Go, is built for the others and with the tag purego; the tests
// hold the one against the other.
package inflate

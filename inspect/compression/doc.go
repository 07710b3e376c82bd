// Package compression recognises how a stream is packed, by its magic number, and
// unpacks it: gzip, zstd, xz, bzip2 and lzip.
//
// What a tolerant reader passes over in silence, such as bytes behind the last
// member or a checksum that does not fit, is kept as a note. Memory that a stream
// asks for is counted before it is given. gzip is ours because the libraries either
// stop at the first member or fail at junk behind the last.
package compression

// Package layers reads layers: one pass over the bytes of a blob gives its digest,
// the diffID, every entry of the tar with the digest of its content, the frame, the
// NAR hash of each store item with the items that it names, and the contents that
// are asked for.
//
// A file system that is no tar hands its entries to a [Sink] and gets the same.
//
// Where the time goes: into digests, of which a byte gets up to five (blob or file,
// tar, content, NAR, and those of package databases), and into undoing a compression.
// The digests by SHA-256 of one layer are lanes of one group of package sha256mb, in
// which three take little longer than one; the compression is undone by package ahead
// on another core where one is spare. .ci/bench measures both against the least that
// any reader must do, in CPU seconds and in wall time; go test -bench in the packages
// inflate, sha256mb and inspect measures the parts.
package layers

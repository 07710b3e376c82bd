// Package layers reads layers: one pass over the bytes of a blob gives its digest,
// the diffID, every entry of the tar with the digest of its content, the frame, the
// NAR hash of each store item with the items that it names, and the contents that
// are asked for.
//
// A file system that is no tar hands its entries to a [Sink] and gets the same.
package layers

// Package inspect reads a container image once and says what it is made of.
//
// Every byte that audit ever learns about an image enters through this package,
// under the named limits of [Limits]. One pass over the bytes gives, for each layer,
// the digest of the blob as it is stored, the diffID, every tar entry with the
// digest of its content, and, for each store item (see [Options] for where stores
// lie), its NAR hash and the other store items that it refers to. Nothing is trusted,
// and nothing of the image is written to disk under a name but blobs into the folder of
// Options.LayerCache.
//
// [Open] asks one list of forms, [Forms], whose each is a package of its own. What
// they make is an [Image], the one model that everything else asks. The check named
// integrity compares what the image claims with what was computed.
package inspect

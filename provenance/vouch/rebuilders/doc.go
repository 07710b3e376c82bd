// Package rebuilders asks who has built the packages of an image again from source, and
// got the same files.
//
// Servers of rebuilderd (reproduce.debian.net and others) say of each package whether it
// came out the same. That is hearsay. For a package that did they also have what counts
// here: an attestation, signed by the server's key, with the digest of the file that was
// built. So the chain is whole, and ends with somebody else than who published the
// package: key of the rebuilder → SHA-256 of the package → its files → those of the image.
//
// Only packages that were verified are asked about, by their names, and only servers
// that the user named. Each operator has one voice: all keys of one file are of one
// operator. A server that hangs, floods, lies or is away makes nothing better or worse
// than if it had not been asked; the report says so.
//
// Attestations are in-toto links of the old form: an object "signed" with products, the
// files and their digests, and signatures by Ed25519 over its canonical JSON (securesystemslib
// 0.31, "encode_canonical"; in-toto-rs 0.4). A key is named by the SHA-256 of the
// canonical JSON of what describes it. The interface is that of rebuilderd 0.25: under
// /api/v1 a list of packages with builds and artifacts, before that /api/v0.
package rebuilders

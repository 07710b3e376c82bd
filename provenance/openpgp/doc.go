// Package openpgp verifies signatures as distributions make them: detached ones, of
// the header of an RPM or of a Release file, and clearsigned texts such as InRelease.
//
// A [Keyring] has the keys that a user trusts. Each signature gets a [Word], that says
// what it is worth, and is judged at the time at which it says that it was made: a key
// that has expired since was good then, and one that is revoked is good for nothing,
// since nobody can tell when it was lost. No clock is read.
//
// The cryptography is that of github.com/ProtonMail/go-crypto. What that leaves out and
// vendors have signed with for years is read here: signatures of version 3, of which
// what is hashed ends in the type and time alone (RFC 4880, 5.2.2 and 5.2.4). Digests by
// SHA-1 count, and are named by [Signature.Hash]: to make use of its collisions one has
// to be the signer. Those by MD5 do not.
//
// Formats follow RFC 4880 and RFC 9580.
package openpgp

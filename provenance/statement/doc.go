// Package statement reads and writes signed statements about images: in-toto
// statements, alone, in envelopes of DSSE or in bundles of Sigstore, and the older
// signatures of cosign and those of notation.
//
// A signature says who said something, never that it is so. What is verified here is
// that a key which the user gave made a signature over these very bytes; what a
// statement is about is taken from its subject and its predicateType alone, never
// from an annotation, a tag or a file name beside it, which nobody signed.
//
// The formats are those of in-toto attestation (spec/v1/statement.md and
// envelope.md), DSSE v1 (protocol.md, envelope.md), the Sigstore bundle v0.3
// (protobuf-specs, sigstore_bundle.proto, in its JSON form), cosign's simple signing
// (cosign, specs/SIGNATURE_SPEC.md) and notation's JWS envelope (notaryproject
// specifications, signature-envelope-jws.md).
//
// All documents are a stranger's. They are read strictly: a key that stands twice, a
// known key in another case, bytes that are no UTF-8, values nested too deep and
// bytes after the end are errors, since two readers could understand them
// differently.
package statement

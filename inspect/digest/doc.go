// Package digest computes digests, and finds those that names claim.
//
// Claimed and computed digests never mix: what is computed is a [Sum] or comes
// from a [Meter], what a name claims from [InName].
package digest

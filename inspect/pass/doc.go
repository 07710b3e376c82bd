// Package pass is one reading of an image: the context, the options, and the
// counters that all parts of the reading share, each under its limit.
//
// Bytes come from a [Stream], which counts them and reports its failure, or from a
// [Region] of a file that is read here and there. A [Spool] keeps what is needed
// twice.
package pass

// Package ahead reads on in a goroutine of its own while what was read is used, so
// that what it takes to read, such as undoing a compression, and what it takes to use
// the bytes, such as digests, go on at the same time.
//
// A [Reader] returns the bytes and the error that its source returns, in their order.
// It reads at most a few buffers ahead, starts nothing for a short source, and its
// goroutine ends with the source or with Close.
package ahead

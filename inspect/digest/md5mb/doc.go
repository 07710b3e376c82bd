// Package md5mb computes the MD5 digests of many contents at a time: "multi-buffer"
// hashing.
//
// A step of MD5 (RFC 1321, 3.4) waits for the one before, so one message leaves most of
// a processor idle. Eight messages, one in each lane of a vector (AVX2), take twice as
// long as one, and sixteen (AVX-512) no longer than that. Where the processor has no
// such vectors, on other architectures, and when built with the tag purego, contents
// are hashed by crypto/md5, one by one.
package md5mb

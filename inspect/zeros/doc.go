// Package zeros finds where in bytes the zeros end, which is what padding has to
// be made of.
package zeros

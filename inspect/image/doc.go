// Package image is the one model of an image: what a pass over its bytes found.
//
// An [Image] has its config and its layers, a [Layer] its entries in the order of
// the tar, its digests and its frame, the bytes that are no file's content. The
// root file system that a container sees is folded from the layers once, as
// engines do it: see [Image.Root].
//
// Three kinds of digest are kept apart: claimed (a descriptor of the image says
// so), computed (it was hashed here) and synthesised (made up by a tool because the
// form of the image has none).
package image

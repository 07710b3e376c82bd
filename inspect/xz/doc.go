// Package xz reads what LZMA is wrapped in: streams of xz, the xz blocks of a
// squashfs, and members of lzip.
//
// It is ours, but for LZMA itself, because the library's reader gives each stream as
// much memory as it asks for, up to 4 GiB, and knows no filters.
package xz

// Package sif reads the Singularity Image Format, version 1: a header, a table of
// descriptors, and the objects that they describe.
//
// It is ours because the library of the format takes paths of files only, trusts
// their offsets and sizes, and panics on some that are made to harm.
package sif

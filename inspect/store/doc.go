// Package store knows stores, in which each item is a file or folder HASH-NAME:
// their paths, the NAR of an item, and the references that bytes make to items.
package store

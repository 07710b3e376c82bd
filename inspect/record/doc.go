// Package record reads the numbers of a binary record, little endian.
package record

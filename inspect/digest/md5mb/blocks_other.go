//go:build !amd64 || purego

package md5mb

import "crypto/md5"

// Sum sets each of sums to the digest of the content of the same index.
func Sum(sums [][md5.Size]byte, contents [][]byte) {
	for i, content := range contents {
		sums[i] = md5.Sum(content)
	}
}

//go:build !purego

package md5mb

import "testing"

// TestNarrow has eight lanes do what sixteen do where there are so many.
func TestNarrow(t *testing.T) {
	if width != lanes {
		t.Skip("this processor has no sixteen lanes")
	}
	width = 8
	defer func() { width = lanes }()
	TestEveryLength(t)
	TestRandom(t)
}

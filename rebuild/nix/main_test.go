package nix

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	n := 0
	realTests.Range(func(any, any) bool { n++; return true })
	if n > 0 {
		fmt.Printf("real suite: nix %d tests\n", n)
	}
	os.Exit(code)
}

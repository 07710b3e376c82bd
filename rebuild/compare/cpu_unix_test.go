//go:build unix

package compare_test

import (
	"syscall"
	"testing"
	"time"
)

// cpu is the time that this process has computed, which is fair on a machine
// where others compute too.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

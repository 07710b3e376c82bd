//go:build unix

package batch

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"audit/inspect/userfile"
	"audit/report/fleet"
)

// A named pipe in a list, which may have no writer, and a device are not opened.
func TestHashFileIrregular(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, "/dev/zero"} {
		var irregular *userfile.IrregularError
		if _, err := HashFile(t.Context(), path, fleet.Status{}); !errors.As(err, &irregular) || IsPassing(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

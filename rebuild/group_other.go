//go:build !unix

package rebuild

import (
	"os"
	"os/exec"
	"time"
)

// No builder runs on systems without process groups; the other checks do.

func ownGroup(*exec.Cmd) {}

func stopGroup(leader *os.Process) error { return leader.Kill() }

func endGroup(int, time.Time) {}
